//! What can be wrong with parameters, data or a stored detector.

/// Why a detector could not be made, fitted, read back or asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DetectorError {
    /// A parameter is out of range.
    #[error("`{parameter}` is {value}: must be {expected}")]
    InvalidParameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// The value given.
        value: String,
        /// What is allowed, in words.
        expected: &'static str,
    },
    /// Too few rows to fit. An answer rather than a fault: come back with more history.
    #[error("{}: {detector} needs at least {needed}", history(*.rows))]
    NotEnoughHistory {
        /// Name of the detector.
        detector: &'static str,
        /// How many rows were given.
        rows: usize,
        /// How many rows are needed.
        needed: usize,
    },
    /// The rows to score are wider or narrower than the rows of the fit.
    #[error(
        "{given} columns given, but the detector was fitted on {fitted}: score the same columns"
    )]
    WidthMismatch {
        /// Columns of the fit.
        fitted: usize,
        /// Columns given.
        given: usize,
    },
    /// The place for the scores does not have one element per row.
    #[error("room for {given} scores, but there are {rows} rows: make both equal")]
    OutputLength {
        /// Rows given.
        rows: usize,
        /// Elements of the output.
        given: usize,
    },
    /// A stored detector cannot be used.
    #[error("the stored {detector} cannot be used: {reason}; fit it again")]
    InvalidState {
        /// What was expected: the name of a detector, or one of its parts.
        detector: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl DetectorError {
    pub(crate) fn invalid_state(detector: &'static str, reason: impl Into<String>) -> Self {
        Self::InvalidState {
            detector,
            reason: reason.into(),
        }
    }
}

fn history(rows: usize) -> String {
    match rows {
        1 => "1 row of history".to_owned(),
        rows => format!("{rows} rows of history"),
    }
}
