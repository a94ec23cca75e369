//! What can be wrong with a value of the model.

/// Why a job, verdict or identifier could not be built.
///
/// Every message names the field, shows the value and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A field that every record must have is absent.
    #[error("`{field}` is missing: every record needs it")]
    Missing {
        /// Name of the field, as in the job format.
        field: &'static str,
    },
    /// A field holds something that it must not.
    #[error("`{field}` is {value}: must be {expected}")]
    Invalid {
        /// Name of the field, as in the job format.
        field: &'static str,
        /// The value found; long text is cut.
        value: String,
        /// What is allowed, in words.
        expected: String,
    },
}

impl ModelError {
    pub(crate) fn invalid(
        field: &'static str,
        value: &impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Invalid {
            field,
            value: value.to_string(),
            expected: expected.into(),
        }
    }

    /// Name of the field that the error is about.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Missing { field } | Self::Invalid { field, .. } => field,
        }
    }
}
