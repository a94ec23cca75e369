//! What keeps jobs from being judged.

use std::fmt::Write as _;
use std::ops::Deref;

use anomaly_service::{GuardReport, Loosening};
use anomaly_settings::Settings;
use serde::Serialize;

use crate::guard;

/// What the settings keep from judging, in the fleet or in some scope, and what was loosened lately.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SwitchedOff {
    #[serde(flatten)]
    by_settings: anomaly_settings::SwitchedOff,
    /// Changes of the settings of a database by which less is seen, in force or asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) loosened: Vec<Loosening>,
}

impl Deref for SwitchedOff {
    type Target = anomaly_settings::SwitchedOff;

    fn deref(&self) -> &Self::Target {
        &self.by_settings
    }
}

impl SwitchedOff {
    pub(crate) fn by(settings: &Settings) -> Self {
        Self {
            by_settings: settings.switched_off_somewhere(),
            loosened: Vec::new(),
        }
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
}
