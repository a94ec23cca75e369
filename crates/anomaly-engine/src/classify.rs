//! What kind of anomaly it is, and how much it matters.

use anomaly_features::{AffectedShares, AnomalyType, Share};
use anomaly_model::{AnomalyKind, Direction, Finding, Severity};

use crate::impact::Impact;
use crate::surprise::{Surprise, Term};

/// Fewer files lost than this, and it is shrinkage rather than deletion.
const MANY_FILES: f64 = 0.3;
/// More data lost than this, and it is deletion whatever the files say.
const MOST_DATA: f64 = 0.9;
/// Half of the data: rewritten, it looks like encryption even when nobody looked at the content.
const HALF: f64 = 0.5;
/// What affects this much of the data and looks encrypted cannot wait.
const URGENT_IF_ENCRYPTED: f64 = 0.15;
/// What affects less than this is not urgent.
const NOT_URGENT: f64 = 0.2;
/// Fewer files or less data than this is no mass of anything.
const MASS: f64 = 0.05;

/// What rewrote this much of the data cannot wait, even when nobody looked at the content.
const URGENT_UNSEEN: f64 = 0.85;
/// More than there is.
const NEVER: f64 = 2.0;
/// The feature that the others explain.
const SLOW: &str = "duration_seconds";

/// Of what was overwritten, this part has to look like ciphertext for all of it to be called so:
/// encryption of the first block of each file leaves the rest as it was.
pub(crate) const LOOKS_LIKE: f64 = 0.25;

/// Severity and kind that the share stands for by which a job is most surprising.
pub(crate) fn by_share(
    surprise: &Surprise,
    leading: &Term,
    impact: &Impact,
    shares: &AffectedShares,
) -> (Severity, AnomalyKind) {
    let share = leading.share();
    if leading.statistic.is_sustained() {
        let so_far = share * leading.statistic.window as f64;
        let severity = if so_far >= NOT_URGENT {
            Severity::Medium
        } else {
            Severity::Low
        };
        return (severity, AnomalyKind::SlowDrift);
    }
    let ciphertext = ciphertext(leading, shares);
    let kind = match leading.statistic.share {
        Share::Rewritten | Share::Touched | Share::Overwritten => match ciphertext {
            Some(ciphertext) if ciphertext < LOOKS_LIKE * share && !surprise.is_random() => {
                AnomalyKind::MassChange
            }
            None if leading.statistic.share == Share::Touched => AnomalyKind::MassChange,
            // Nobody looked: the harmful reading is told, and says so.
            _ => AnomalyKind::MassEncryption,
        },
        Share::OverwrittenDense | Share::Random | Share::EntropyRise => AnomalyKind::MassEncryption,
        Share::EntropyFall => AnomalyKind::MassChange,
        Share::UnseenKinds => match ciphertext {
            Some(ciphertext) if ciphertext >= LOOKS_LIKE * share => AnomalyKind::MassEncryption,
            _ => AnomalyKind::ContentShift,
        },
        Share::LostBytes | Share::Lost => loss(impact),
        _ => AnomalyKind::Growth,
    };
    let severity = match kind {
        AnomalyKind::MassEncryption
            if ciphertext.is_some_and(|part| part >= URGENT_IF_ENCRYPTED) =>
        {
            Severity::High
        }
        AnomalyKind::MassEncryption if share >= URGENT_UNSEEN => Severity::High,
        AnomalyKind::MassEncryption | AnomalyKind::MassChange | AnomalyKind::ContentShift => {
            if share >= NOT_URGENT {
                Severity::Medium
            } else {
                Severity::Low
            }
        }
        _ => severity(kind, impact),
    };
    (severity, kind)
}

/// The part of the data that was overwritten by what looks like ciphertext; `None` if nobody looked,
/// or if the data are those of a few large files, which are no share of the files.
pub(crate) fn ciphertext(leading: &Term, shares: &AffectedShares) -> Option<f64> {
    let touched = shares.get(Share::Touched).unwrap_or(1.0);
    let in_few_files = touched < LOOKS_LIKE * leading.share();
    if leading.statistic.share == Share::Rewritten && in_few_files {
        return None;
    }
    [Share::Random, Share::EntropyRise, Share::OverwrittenDense]
        .into_iter()
        .filter_map(|share| shares.get(share))
        .reduce(f64::max)
}

/// The kind that the affected shares and the findings speak for: the most harmful one first, since
/// a job that encrypts everything is also slow, and one that deletes half may encrypt the rest.
pub(crate) fn by_level(impact: &Impact, findings: &[Finding]) -> AnomalyKind {
    // That a job took long is what the others explain, unless there are no others.
    let Some(strongest) = findings
        .iter()
        .find(|finding| finding.feature.as_str() != SLOW)
    else {
        return if findings.is_empty() {
            AnomalyKind::Unclassified
        } else {
            AnomalyKind::Slowdown
        };
    };
    let (feature, below) = (
        strongest.feature.as_str(),
        strongest.direction == Direction::Below,
    );
    let overwritten = impact.overwritten();
    let level = matches!(feature, "image_bytes" | "file_count" | "directory_count");
    let content = matches!(
        AnomalyType::of_evidence(feature),
        AnomalyType::FileEntropy | AnomalyType::FileBased
    );
    match impact.looks_encrypted {
        Some(true)
            if overwritten >= URGENT_IF_ENCRYPTED
                || overwritten > impact.grown.max(impact.lost()) =>
        {
            return AnomalyKind::MassEncryption;
        }
        None if impact.rewritten >= HALF && impact.rewritten > impact.lost() => {
            return AnomalyKind::MassEncryption;
        }
        _ => {}
    }
    let losing = level && below || feature == "files_deleted" || feature == "emptied_files";
    if losing && impact.lost() > overwritten.min(impact.replaced_files) {
        return loss(impact);
    }
    if level && below {
        return AnomalyKind::Shrinkage;
    }
    if feature == "duplicated_share" || level || impact.grown > overwritten {
        return AnomalyKind::Growth;
    }
    if content {
        return AnomalyKind::ContentShift;
    }
    if overwritten >= MASS {
        AnomalyKind::MassChange
    } else {
        AnomalyKind::Unclassified
    }
}

pub(crate) fn loss(impact: &Impact) -> AnomalyKind {
    if impact.lost_files >= MANY_FILES || impact.lost_bytes >= MOST_DATA {
        AnomalyKind::MassDeletion
    } else {
        AnomalyKind::Shrinkage
    }
}

/// How much an anomaly of this kind matters.
pub(crate) fn severity(kind: AnomalyKind, impact: &Impact) -> Severity {
    // From which share on it cannot wait.
    let (share, urgent) = match kind {
        AnomalyKind::MassEncryption if impact.looks_encrypted == Some(true) => {
            (impact.overwritten(), URGENT_IF_ENCRYPTED)
        }
        AnomalyKind::MassEncryption => (impact.overwritten(), URGENT_UNSEEN),
        AnomalyKind::MassDeletion => (impact.lost(), HALF),
        AnomalyKind::Shrinkage => (impact.lost(), NEVER),
        // What grew is still there.
        AnomalyKind::Growth => (impact.grown / 2.0, NEVER),
        _ => (impact.overwritten(), NEVER),
    };
    if share >= urgent {
        Severity::High
    } else if share >= NOT_URGENT {
        Severity::Medium
    } else {
        Severity::Low
    }
}

#[cfg(test)]
mod tests {
    use AnomalyKind::{ContentShift, Growth, MassDeletion, MassEncryption, Shrinkage};
    use anomaly_model::{AnomalyKind, Direction, FeatureName, Finding};

    use super::by_level;
    use crate::impact::Impact;

    /// What a job is called whose only finding is of this feature.
    fn called(feature: &str, direction: Direction, impact: Impact) -> AnomalyKind {
        let name = FeatureName::new(feature).unwrap();
        let finding = Finding::new(name, 1.0, (2.0, 3.0), direction, 4.0);
        by_level(&impact, &[finding])
    }

    /// Encryption overwrites something, and more than is new or gone; growth is of more than was
    /// overwritten, loss of more than was replaced. Where it is as much, it is the other.
    #[test]
    fn a_kind_is_what_there_is_more_of() {
        let (above, below) = (Direction::Above, Direction::Below);
        let nothing = Impact::default();
        let random = |impact| Impact {
            looks_encrypted: Some(true),
            ..impact
        };
        let overwritten = |part| Impact {
            touched_files: part,
            looks_encrypted: Some(false),
            ..nothing
        };
        let gone = |impact, part| Impact {
            lost_files: part,
            lost_bytes: part,
            ..impact
        };
        let rewritten = Impact {
            rewritten: 0.5,
            ..nothing
        };
        let replaced = |part| Impact {
            replaced_files: part,
            ..overwritten(part)
        };
        let grown = |impact, part| Impact {
            grown: part,
            ..impact
        };
        let cases = [
            ("random_files", above, random(nothing), ContentShift),
            (
                "random_files",
                above,
                random(overwritten(0.01)),
                MassEncryption,
            ),
            (
                "random_files",
                above,
                random(grown(overwritten(0.1), 0.1)),
                ContentShift,
            ),
            (
                "random_files",
                above,
                random(grown(overwritten(0.1), 0.2)),
                Growth,
            ),
            (
                "files_deleted",
                above,
                gone(rewritten, 0.49),
                MassEncryption,
            ),
            ("files_deleted", above, gone(rewritten, 0.5), MassDeletion),
            (
                "files_deleted",
                above,
                gone(nothing, 0.0),
                AnomalyKind::Unclassified,
            ),
            (
                "files_deleted",
                above,
                gone(replaced(0.25), 0.25),
                AnomalyKind::MassChange,
            ),
            (
                "files_deleted",
                above,
                gone(replaced(0.25), 0.26),
                Shrinkage,
            ),
            ("random_files", above, gone(nothing, 0.2), ContentShift),
            ("image_bytes", above, gone(nothing, 0.4), Growth),
            ("image_bytes", below, gone(nothing, 0.4), MassDeletion),
            ("directory_count", below, nothing, Shrinkage),
            ("random_files", above, grown(nothing, 0.3), Growth),
        ];
        for (feature, direction, impact, kind) in cases {
            let found = called(feature, direction, impact);
            assert_eq!(found, kind, "{feature} {direction:?} {impact:?}");
        }
    }
}
