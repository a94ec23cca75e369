//! What a reader yields.

use std::fmt;

use anomaly_model::{BackupJob, ModelError};

use crate::RecordError;

/// Where a record is in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Which element of the list it is, from 1, in a format that is a list: tools like to write a
    /// whole list on one line.
    pub element: Option<u64>,
}

impl Place {
    pub(crate) fn line(line: u64) -> Self {
        Self {
            line,
            element: None,
        }
    }
}

/// `line 3`, or `line 1, element 17`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.element
            .map_or(Ok(()), |element| write!(f, ", element {element}"))
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Located<T> {
    /// Where it came from.
    pub place: Place,
    /// The value.
    pub value: T,
}

impl<T> Located<T> {
    pub(crate) fn new(place: Place, value: T) -> Self {
        Self { place, value }
    }
}

/// One record of an input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "nearly every record is a job")]
pub enum Record {
    /// A backup job.
    Job(Located<BackupJob>),
    /// A good record that is not a finished backup, and why not: the same words for the same
    /// reason, so that they can be counted.
    Skipped(Located<&'static str>),
    /// A record that cannot be used.
    Bad(RecordError),
    /// Something that could not be known of the job before, where other records say it: the same
    /// words for the same thing, so that they can be counted.
    Remark(Located<&'static str>),
}

impl Record {
    pub(crate) fn new(place: Place, job: Result<BackupJob, RecordError>) -> Self {
        match job {
            Ok(job) => Self::Job(Located::new(place, job)),
            Err(error) => Self::Bad(error),
        }
    }

    /// What a builder made of a record.
    pub(crate) fn built(place: Place, job: Result<BackupJob, ModelError>) -> Self {
        Self::new(
            place,
            job.map_err(|error| RecordError::new(place, error.to_string())),
        )
    }

    pub(crate) fn skipped(place: Place, why: &'static str) -> Self {
        Self::Skipped(Located::new(place, why))
    }

    /// The job, unless the record is something else.
    #[must_use]
    pub fn job(self) -> Option<BackupJob> {
        match self {
            Self::Job(located) => Some(located.value),
            Self::Skipped(_) | Self::Bad(_) | Self::Remark(_) => None,
        }
    }
}
