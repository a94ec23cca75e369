//! Which way a change of a setting makes Backwatch see less.

use serde_json::Value;

/// Which way a change of a setting makes Backwatch see less, or people heed less of what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loosens {
    /// A larger number does.
    Larger,
    /// A smaller number does.
    Smaller,
    /// A smaller number does, and 0 stands for the largest of all: for good, or never.
    SmallerZeroIsMost,
    /// To switch it on does.
    On,
    /// To switch it off does.
    Off,
    /// An entry more in the list does.
    Adding,
    /// An entry less in the list does.
    Removing,
    /// Any change does: the one way less is seen, the other way what is seen drowns, or what was
    /// learnt is lost.
    AnyChange,
    /// No change does.
    Never,
}

/// Every key, with which way a change of it loosens. A key that is added needs its line: a test holds
/// this and the table of keys equal.
const TABLE: &[(&str, Loosens)] = &[
    ("detection.enabled", Loosens::Off),
    // Fewer alarms miss more; more of them than people read hide the one that counts.
    ("detection.alarm_budget", Loosens::AnyChange),
    ("detection.sensitivity_percent", Loosens::AnyChange),
    ("detection.fleet_alarms_per_week", Loosens::AnyChange),
    ("detection.fleet_streams", Loosens::AnyChange),
    ("detection.warm_up_jobs", Loosens::Larger),
    // More jobs remember what was rare as usual, fewer forget what was usual.
    ("detection.history_jobs", Loosens::AnyChange),
    (
        "detection.accept_level_shift_after_jobs",
        Loosens::SmallerZeroIsMost,
    ),
    // One less is one less; each one more dilutes what the others say.
    ("detection.detectors", Loosens::AnyChange),
    ("detection.iqr_factor", Loosens::Larger),
    ("detection.forest_trees", Loosens::Smaller),
    ("detection.forest_samples", Loosens::AnyChange),
    // As good as any other.
    ("detection.seed", Loosens::Never),
    ("detection.excluded_features", Loosens::Adding),
    ("detection.attribute_deviations", Loosens::Larger),
    ("detection.attribute_rate", Loosens::Larger),
    ("detection.suspicious_extension_percent", Loosens::Larger),
    ("detection.include_extensions", Loosens::Removing),
    ("detection.exclude_extensions", Loosens::Adding),
    ("detection.rules.failed_job", Loosens::Off),
    ("detection.rules.empty_image", Loosens::Off),
    ("detection.rules.clock", Loosens::Off),
    ("detection.rules.most_gone", Loosens::Off),
    ("detection.rules.all_overwritten", Loosens::Off),
    ("detection.rules.slow_loss", Loosens::Off),
    ("detection.rules.slow_job", Loosens::Off),
    ("detection.rules.missed_backup", Loosens::Off),
    ("detection.rules.attribute_shift", Loosens::Off),
    ("detection.rules.suspicious_extension", Loosens::Off),
    ("detection.rules.ransom_note", Loosens::Off),
    // Every stream warms up anew.
    ("streams.key", Loosens::AnyChange),
    ("review.ceiling", Loosens::Larger),
    ("review.expires_after_days", Loosens::Larger),
    ("review.longest_days", Loosens::Larger),
    ("review.endless", Loosens::On),
    // How anomalies are put together: none is lost by that.
    ("incidents.client_hours", Loosens::Never),
    ("incidents.fleet_hours", Loosens::Never),
    ("incidents.clients", Loosens::Never),
    ("guard.second_person", Loosens::Off),
    ("guard.expires_after_days", Loosens::Larger),
    ("guard.longest_days", Loosens::Larger),
    ("guard.endless", Loosens::On),
    ("roles.gather", Loosens::Off),
    ("roles.alert", Loosens::Off),
    ("storage.retention_days", Loosens::SmallerZeroIsMost),
    // What one run could not store, the next one does.
    ("storage.wait_seconds", Loosens::Never),
];

impl Loosens {
    /// Which way a change of this key loosens; `None` if there is no such key.
    pub(crate) fn of(key: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, loosens)| *loosens)
    }

    /// Whether a change from `before` to `after`, both values of one key as JSON, loosens.
    #[must_use]
    pub fn by(self, before: &Value, after: &Value) -> bool {
        if before == after {
            return false;
        }
        let numbers = || before.as_f64().zip(after.as_f64());
        let zero_last = |number: f64| if number == 0.0 { f64::INFINITY } else { number };
        let is_in = |list: &Value, entry: &Value| {
            let entries = list.as_array().into_iter().flatten();
            entries.into_iter().any(|one| one == entry)
        };
        let has_more = |more: &Value, less: &Value| {
            let mut entries = more.as_array().into_iter().flatten();
            entries.any(|entry| !is_in(less, entry))
        };
        match self {
            Self::Larger => numbers().is_none_or(|(before, after)| before < after),
            Self::Smaller => numbers().is_none_or(|(before, after)| before > after),
            Self::SmallerZeroIsMost => {
                numbers().is_none_or(|(before, after)| zero_last(before) > zero_last(after))
            }
            Self::On => after != &Value::Bool(false),
            Self::Off => after != &Value::Bool(true),
            Self::Adding => has_more(after, before),
            Self::Removing => has_more(before, after),
            Self::AnyChange => true,
            Self::Never => false,
        }
    }

    /// Whether of two different values one is always the looser one, and the other is not.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        !matches!(
            self,
            Self::Adding | Self::Removing | Self::AnyChange | Self::Never
        )
    }

    /// What loosens, in words: `a larger number`.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Larger => "a larger number",
            Self::Smaller => "a smaller number",
            Self::SmallerZeroIsMost => "a smaller number, of which 0 is none",
            Self::On => "true",
            Self::Off => "false",
            Self::Adding => "an entry more",
            Self::Removing => "an entry less",
            Self::AnyChange => "any change",
            Self::Never => "nothing",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Settings;

    use super::TABLE;

    #[test]
    fn every_key_has_its_line_and_no_other_has() {
        let keys: Vec<&str> = Settings::keys().iter().map(|key| key.name).collect();
        let lines: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
        assert_eq!(lines, keys);
    }
}
