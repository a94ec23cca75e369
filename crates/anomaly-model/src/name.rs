//! Identifiers: text that is never blank, each kind a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::raw::Raw;

macro_rules! names {
    ($($(#[$doc:meta])* $Name:ident, $field:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Not blank, at most 4,096 bytes.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $Name(String);

        impl $Name {
            #[doc = concat!("Checks the text of a `", $field, "`.")]
            ///
            /// # Errors
            /// [`ModelError::Invalid`] when the text is blank or longer than 4,096 bytes.
            pub fn new(text: impl Into<String>) -> Result<Self, ModelError> {
                let raw = Raw::Text(text.into());
                Self::from_raw(&raw)
            }

            pub(crate) fn from_raw(raw: &Raw) -> Result<Self, ModelError> {
                raw.text($field).map(|text| Self(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $Name {
            type Error = ModelError;

            fn try_from(text: String) -> Result<Self, ModelError> {
                Self::new(text)
            }
        }

        impl From<$Name> for String {
            fn from(name: $Name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $Name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

names! {
    /// The tool that ran a job: `restic`, `borg`, `netbackup`, ...
    SourceName, "source";
    /// The tool's own id of a job.
    JobId, "job_id";
    /// A protected host or source.
    ClientName, "client";
    /// A policy, repository or job definition.
    PolicyName, "policy";
    /// What a policy protects: `filesystem`, `vmware`, `oracle`, ...
    PolicyType, "policy_type";
    /// The name that an administrator gave to a schedule.
    ScheduleName, "schedule";
    /// A measured property of a job, such as `image_bytes`.
    FeatureName, "feature";
}
