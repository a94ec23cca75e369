//! What keeps jobs from being judged.

use std::fmt::Write as _;
use std::ops::Deref;

use anomaly_service::{GuardReport, Loosening};
use anomaly_settings::{Role, Settings};
use serde::Serialize;

use crate::exit::Exit;
use crate::guard;
use crate::terminal::warning;

/// What the settings keep from judging, in the fleet or in some scope, and what was loosened lately.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SwitchedOff {
    #[serde(flatten)]
    by_settings: anomaly_settings::SwitchedOff,
    /// Parts of the watching that are off for the whole fleet, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'static str>,
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
            roles: settings.roles_off().into_iter().map(Role::as_str).collect(),
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

    /// The parts of the watching that are off, of those that `asked` for something rests on.
    fn off<'a>(&'a self, asked: &'a [Role]) -> impl Iterator<Item = Role> + 'a {
        let asked = asked.iter().copied();
        asked.filter(|role| self.roles.contains(&role.as_str()))
    }

    /// Which parts of the watching are off, in sentences with a space before each; empty when none is.
    pub(crate) fn roles_in_words(&self) -> String {
        let mut text = String::new();
        for role in self.off(&Role::ALL) {
            _ = write!(text, " {}", role.off_in_words());
        }
        text
    }

    /// What a command ends with that would end with `exit`, and whose answer rests on these parts of
    /// the watching: to have found nothing is no good news where one of them is off.
    pub(crate) fn exit(&self, exit: Exit, rests_on: &[Role]) -> Exit {
        let mut off = self.off(rests_on).peekable();
        if exit != Exit::Quiet || off.peek().is_none() {
            return exit;
        }
        off.for_each(|role| warning(role.off_in_words()));
        Exit::Failure
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
