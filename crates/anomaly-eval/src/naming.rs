//! Which names of an anomaly are right for what happened.

use anomaly_model::AnomalyKind;

use crate::Answer;

/// The right names for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Naming {
    /// Any of these kinds is right.
    pub kinds: &'static [AnomalyKind],
    /// A word of the summary that is right whatever the kind.
    pub word: Option<&'static str>,
}

impl Naming {
    const fn kinds(kinds: &'static [AnomalyKind]) -> Self {
        Self { kinds, word: None }
    }

    /// Whether the answer says what it is.
    #[must_use]
    pub fn accepts(&self, answer: &Answer) -> bool {
        let by_kind = answer.kind.is_some_and(|kind| self.kinds.contains(&kind));
        by_kind || self.word.is_some_and(|word| answer.summary.contains(word))
    }
}

/// The right names for an event of this family and kind; `None` for legitimate changes and for
/// families that are not known, for which there is none.
///
/// A name is right if it tells the person who reads it what was done to the data. Where a job's
/// numbers cannot tell two things apart, both are right: a file that was encrypted in place has
/// changed, and without content statistics no more can be seen.
///
/// | family | kind | right |
/// |---|---|---|
/// | `ransomware` | `drip_*` | `mass_encryption`, `mass_change`, `content_shift`, `slow_drift` |
/// | | others | `mass_encryption`, `mass_change`, `content_shift` |
/// | `destruction` | `delete_*` | `mass_deletion`, `shrinkage` |
/// | | `archive_*` | `mass_deletion`, `shrinkage`, `mass_change` |
/// | | `wipe_*` | `mass_change`, `content_shift`, `mass_deletion` |
/// | | others (`truncate_all`) | `mass_deletion`, `shrinkage`, `empty_backup`, `mass_change`, `content_shift` |
/// | `slow_deletion` | | `mass_deletion`, `shrinkage`, `slow_drift` |
/// | `exfil` | | `growth`, `content_shift` |
/// | `ops` | `source_empty` | `empty_backup` |
/// | | `job_killed`, `partial_read_errors` | `failure` |
/// | | `policy_shrink` | `shrinkage`, `mass_deletion` |
/// | | `missed_*` | `missed_backup` |
/// | | `throttle_*` | `slowdown` |
/// | | `clock_*` | a summary with the word "clock" |
#[must_use]
pub fn naming(family: &str, kind: &str) -> Option<Naming> {
    use AnomalyKind as Kind;

    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| kind.starts_with(prefix));
    let kinds: &'static [AnomalyKind] = match family {
        "ransomware" if is(&["drip_"]) => &[
            Kind::MassEncryption,
            Kind::MassChange,
            Kind::ContentShift,
            Kind::SlowDrift,
        ],
        "ransomware" => &[Kind::MassEncryption, Kind::MassChange, Kind::ContentShift],
        "destruction" if is(&["delete_"]) => &[Kind::MassDeletion, Kind::Shrinkage],
        "slow_deletion" => &[Kind::MassDeletion, Kind::Shrinkage, Kind::SlowDrift],
        "destruction" if is(&["archive_"]) => {
            &[Kind::MassDeletion, Kind::Shrinkage, Kind::MassChange]
        }
        "destruction" if is(&["wipe_"]) => {
            &[Kind::MassChange, Kind::ContentShift, Kind::MassDeletion]
        }
        "destruction" => &[
            Kind::MassDeletion,
            Kind::Shrinkage,
            Kind::EmptyBackup,
            Kind::MassChange,
            Kind::ContentShift,
        ],
        "exfil" => &[Kind::Growth, Kind::ContentShift],
        "ops" if is(&["source_empty"]) => &[Kind::EmptyBackup],
        "ops" if is(&["job_killed", "partial_read_errors"]) => &[Kind::Failure],
        "ops" if is(&["policy_shrink"]) => &[Kind::Shrinkage, Kind::MassDeletion],
        "ops" if is(&["missed_"]) => &[Kind::MissedBackup],
        "ops" if is(&["throttle_"]) => &[Kind::Slowdown],
        "ops" if is(&["clock_"]) => {
            return Some(Naming {
                kinds: &[],
                word: Some("clock"),
            });
        }
        _ => return None,
    };
    Some(Naming::kinds(kinds))
}
