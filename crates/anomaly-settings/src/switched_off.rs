//! What settings keep from judging.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{DetectionSettings, DetectorName, RuleSettings};

/// What settings keep from judging, of what judges by default: by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct SwitchedOff {
    /// Detectors that would judge by default.
    pub detectors: BTreeSet<DetectorName>,
    /// Features and shares.
    pub features: BTreeSet<String>,
    /// Rules that would judge by default.
    pub rules: BTreeSet<&'static str>,
}

impl SwitchedOff {
    /// Whether nothing is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.names().next().is_none()
    }

    /// All of it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let detectors = self.detectors.iter().map(|name| name.as_str());
        let features = self.features.iter().map(String::as_str);
        detectors.chain(features).chain(self.rules.iter().copied())
    }

    /// Adds what is switched off elsewhere.
    pub fn extend(&mut self, other: Self) {
        self.detectors.extend(other.detectors);
        self.features.extend(other.features);
        self.rules.extend(other.rules);
    }
}

impl DetectionSettings {
    /// What these settings keep from judging: detectors, features and rules that judge by default.
    ///
    /// ```
    /// use anomaly_settings::DetectionSettings;
    ///
    /// let mut detection = DetectionSettings::default();
    /// assert!(detection.switched_off().is_nothing());
    /// detection.rules.missed_backup = false;
    /// assert!(detection.switched_off().names().eq(["missed_backup"]));
    /// ```
    #[must_use]
    pub fn switched_off(&self) -> SwitchedOff {
        let on = self.detectors.names();
        let detectors = DetectorName::DEFAULT.iter().copied();
        let excluded = self.excluded_features.names().iter();
        // Taken apart, so that a rule that is added has to be named here.
        let RuleSettings {
            failed_job,
            empty_image,
            clock,
            most_gone,
            all_overwritten,
            slow_loss,
            slow_job,
            missed_backup,
            attribute_shift,
            suspicious_extension,
            ransom_note,
        } = self.rules;
        let rules = [
            ("failed_job", failed_job),
            ("empty_image", empty_image),
            ("clock", clock),
            ("most_gone", most_gone),
            ("all_overwritten", all_overwritten),
            ("slow_loss", slow_loss),
            ("slow_job", slow_job),
            ("missed_backup", missed_backup),
            ("attribute_shift", attribute_shift),
            ("suspicious_extension", suspicious_extension),
            ("ransom_note", ransom_note),
        ];
        let off = rules.into_iter().filter(|(_, on)| !on);
        SwitchedOff {
            detectors: detectors.filter(|name| !on.contains(name)).collect(),
            features: excluded.map(ToString::to_string).collect(),
            rules: off.map(|(name, _)| name).collect(),
        }
    }
}
