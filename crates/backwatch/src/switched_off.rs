//! What the settings keep from judging.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anomaly_service::{GuardReport, Loosening};
use anomaly_settings::{RuleSettings, Settings};
use serde::Serialize;

use crate::guard;

/// What the settings keep from judging, in the fleet or in some scope.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SwitchedOff {
    /// Features, by name.
    pub(crate) features: BTreeSet<String>,
    /// Rules, by name.
    pub(crate) rules: BTreeSet<&'static str>,
    /// Changes of the settings of a database by which less is seen, in force or asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) loosened: Vec<Loosening>,
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

    /// What holds in a database, with what was loosened there.
    pub(crate) fn by_report(report: &GuardReport) -> Self {
        Self {
            loosened: report.loosenings.clone(),
            ..Self::by(&report.settings)
        }
    }

    /// What was loosened, in sentences with a space before each; empty when nothing was.
    pub(crate) fn loosened_in_words(&self) -> String {
        let some = |holds| {
            let some = self.loosened.iter().filter(|one| one.holds() == holds);
            let some: Vec<String> = some.map(guard::in_words).collect();
            some.join("; ")
        };
        let (holds, does_not) = (some(true), some(false));
        let mut text = String::new();
        if !holds.is_empty() {
            _ = write!(text, " Loosened: {holds}.");
        }
        if !does_not.is_empty() {
            _ = write!(text, " Asked for and not in force: {does_not}.");
        }
        text
    }

    /// All of it, by name.
    pub(crate) fn names(&self) -> Vec<&str> {
        let features = self.features.iter().map(String::as_str);
        features.chain(self.rules.iter().copied()).collect()
    }
}
