//! In which form a sink is told.

use serde::Deserialize;

use crate::NotifyError;

/// In which form a sink is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// `CloudEvents` 1.0, structured, in JSON.
    CloudEvents,
    /// OCSF 1.8 Detection Finding (class 2004), in JSON.
    Ocsf,
    /// `ArcSight`'s Common Event Format.
    Cef,
    /// A plain sentence.
    Text,
}

impl Format {
    pub(super) fn check(self, allowed: &[Self]) -> Result<(), NotifyError> {
        if allowed.contains(&self) {
            return Ok(());
        }
        let words: Vec<&str> = allowed.iter().map(|format| format.as_str()).collect();
        Err(NotifyError::options(format!(
            "`format` is `{}`: must be one of {}",
            self.as_str(),
            words.join(", ")
        )))
    }

    /// The word that stands for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloudEvents => "cloudevents",
            Self::Ocsf => "ocsf",
            Self::Cef => "cef",
            Self::Text => "text",
        }
    }
}
