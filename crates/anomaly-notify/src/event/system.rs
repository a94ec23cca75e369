//! What happens to the watching itself, as it is told.

use anomaly_model::Severity;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $Kind:ident = $word:literal, $title:literal;)*) => {
        /// What can happen to the watching itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum SystemKind {
            $($(#[$doc])* #[serde(rename = $word)] $Kind,)*
        }

        impl SystemKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$Kind),*];

            /// The word that stands for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Kind => $word,)* }
            }

            /// It in a few words, for a title.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$Kind => $title,)* }
            }
        }
    };
}

kinds! {
    /// Settings were changed so that less is found or told.
    SettingsLoosened = "settings_loosened", "Settings were loosened";
    /// A source of jobs cannot be read.
    SourceDegraded = "source_degraded", "A source cannot be read";
    /// A source of jobs can be read again.
    SourceRecovered = "source_recovered", "A source can be read again";
    /// Most streams are overdue at once.
    SilentFleet = "silent_fleet", "Hardly any job arrives";
    /// Jobs are not gathered, judged or told any more, because someone wants it so.
    SwitchedOff = "switched_off", "A part was switched off";
    /// Jobs are gathered, judged and told again.
    SwitchedOn = "switched_on", "A part was switched on";
    /// Somebody made, changed or removed the account of another person.
    AccountChanged = "account_changed", "An account was changed";
    /// Somebody who knows a password sends wrong one-time passwords.
    WrongCodes = "wrong_codes", "One-time passwords are guessed";
    /// The clock was set back.
    ClockSetBack = "clock_set_back", "The clock was set back";
    /// What is kept does not agree with its proofs.
    EvidenceAltered = "evidence_altered", "The records were altered";
    /// Another sink does not take what it is told.
    DeliveryFailing = "delivery_failing", "A sink cannot be reached";
    /// Another sink takes again what it is told.
    DeliveryRecovered = "delivery_recovered", "A sink can be reached again";
}

/// Something that happened to the watching itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SystemNews {
    /// What happened.
    pub kind: SystemKind,
    /// How much it matters.
    pub severity: Severity,
    /// To what it happened: the name of a source, a key of the settings, a part of the service.
    pub subject: String,
    /// One plain sentence, or a few: what happened, and what to do.
    pub summary: String,
    /// Who did it, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl SystemNews {
    /// Something that happened to `subject`, and that nobody in particular did.
    #[must_use]
    pub fn new(
        kind: SystemKind,
        severity: Severity,
        subject: impl Into<String>,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            severity,
            subject: subject.into(),
            summary: summary.into(),
            by: None,
        }
    }

    /// The same, done by a person.
    #[must_use]
    pub fn done_by(mut self, by: impl Into<String>) -> Self {
        self.by = Some(by.into());
        self
    }
}
