//! Lists of words that are never empty and hold no word twice.

use anomaly_model::StreamPart;
use serde::{Deserialize, Deserializer, Serialize};

use crate::knob::Knob;
use crate::{DetectorName, SettingsError};

macro_rules! lists {
    ($(
        $(#[$doc:meta])*
        $Name:ident of $Word:ident, as $words:ident, $key:literal, $default:expr,
        always $needed:expr;
    )*) => {$(
        $(#[$doc])*
        ///
        /// Never empty; no word stands twice; the order is kept.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $Name(Vec<$Word>);

        impl $Name {
            /// Checks that there is a word, that none stands twice, and that none is left out
            /// which may not be.
            ///
            /// # Errors
            /// [`SettingsError::Invalid`] when one of these is not so.
            pub fn new(words: impl Into<Vec<$Word>>) -> Result<Self, SettingsError> {
                let words = words.into();
                let repeated = words.iter().enumerate().any(|(i, word)| words[..i].contains(word));
                let needed: &[$Word] = &$needed;
                let complete = needed.iter().all(|word| words.contains(word));
                if words.is_empty() || repeated || !complete {
                    return Err(SettingsError::invalid($key, listed(&words), Self::allowed()));
                }
                Ok(Self(words))
            }

            /// The words, in the order given.
            #[must_use]
            pub fn $words(&self) -> &[$Word] {
                &self.0
            }
        }

        impl Default for $Name {
            fn default() -> Self {
                Self($default.to_vec())
            }
        }

        impl Knob for $Name {
            const TOML_TYPE: &'static str = "array of strings";

            fn allowed() -> String {
                let words = $Word::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>();
                let needed: &[$Word] = &$needed;
                let always = needed.iter().map(|word| format!("; {word} always")).collect::<String>();
                format!("a list of one or more of {}, each at most once{always}", words.join(", "))
            }
        }

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

lists! {
    /// The detectors that judge.
    DetectorSet of DetectorName, as names, "detectors", DetectorName::DEFAULT, always [];
    /// The properties of a job that tell streams apart; the schedule type is always one of them,
    /// because a full backup must not be judged against an incremental one.
    StreamParts of StreamPart, as parts, "key", StreamPart::DEFAULT,
        always [StreamPart::ScheduleType];
}

fn listed<W: ToString>(words: &[W]) -> String {
    let words: Vec<_> = words.iter().map(ToString::to_string).collect();
    format!("[{}]", words.join(", "))
}
