//! What the settings keep from judging.

use std::collections::BTreeSet;

use anomaly_settings::{RuleSettings, Settings};
use serde::Serialize;

/// What the settings keep from judging, in the fleet or in some scope.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SwitchedOff {
    /// Features, by name.
    pub(crate) features: BTreeSet<String>,
    /// Rules, by name.
    pub(crate) rules: BTreeSet<&'static str>,
}

impl SwitchedOff {
    pub(crate) fn by(settings: &Settings) -> Self {
        let mut off = Self::default();
        let fleet = &settings.detection;
        let scopes = settings.scopes.iter().map(|scope| {
            let mut detection = fleet.clone();
            scope.detection.apply_to(&mut detection);
            detection
        });
        for detection in std::iter::once(fleet.clone()).chain(scopes) {
            off.features.extend(
                detection
                    .excluded_features
                    .names()
                    .iter()
                    .map(ToString::to_string),
            );
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
                ..
            } = detection.rules;
            let named = [
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
            off.rules
                .extend(named.iter().filter(|(_, on)| !on).map(|(name, _)| *name));
        }
        off
    }

    /// All of it, by name.
    pub(crate) fn names(&self) -> Vec<&str> {
        let features = self.features.iter().map(String::as_str);
        features.chain(self.rules.iter().copied()).collect()
    }
}
