//! What the settings keep from judging.

use std::collections::BTreeSet;

use anomaly_settings::Settings;
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
            let rules = detection.rules;
            let named = [
                ("failed_job", rules.failed_job),
                ("empty_image", rules.empty_image),
                ("clock", rules.clock),
                ("missed_backup", rules.missed_backup),
            ];
            off.rules
                .extend(named.iter().filter(|(_, on)| !on).map(|(name, _)| *name));
        }
        off
    }
}
