//! What can be wrong with an input, and with one record of it.

use std::io;

use anomaly_model::JobId;

use crate::format::names;
use crate::{Format, Place, ReadOption};

/// Why an input cannot be read, or not to its end.
///
/// A message is meant to follow the name of the input: `jobs.ndjson: is not text: ...`.
///
/// One bad record is a [`RecordError`] instead, and never ends the reading.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The operating system could not read on.
    #[error("cannot be read past line {line}")]
    Unreadable {
        /// The line at which the reading stopped, from 1.
        line: u64,
        /// What the operating system said.
        source: io::Error,
    },
    /// The input is something else than UTF-8 text.
    #[error("is not text: {reason}")]
    NotText {
        /// What shows it, and what to do where that is known.
        reason: &'static str,
    },
    /// The input holds no record of any kind.
    #[error("holds no backup job: {reason}")]
    Empty {
        /// What is there instead.
        reason: &'static str,
    },
    /// The input does not have the form of the format that it should have.
    #[error("is not {format}: must be {expected}, but begins with {found:?}")]
    WrongFormat {
        /// The format that was asked for.
        format: Format,
        /// What the format looks like.
        expected: &'static str,
        /// The beginning of the input.
        found: String,
    },
    /// The format does not carry something that every job must have.
    #[error("{format} does not say the {option}: give it as an option")]
    OptionNeeded {
        /// The format.
        format: Format,
        /// The read option.
        option: ReadOption,
    },
    /// The input is the answer to a request that was refused.
    #[error("is no list of jobs, but the error {code}: {message}")]
    Refused {
        /// The tool's number of the error.
        code: String,
        /// The tool's words.
        message: String,
    },
    /// A mapping of columns to fields is wrong. The message is meant to follow the mapping's name.
    #[error("line {line}: {message}")]
    Mapping {
        /// The line of what is wrong, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// The input does not have the columns that a mapping names.
    #[error("does not fit the mapping: {message}")]
    Columns {
        /// Which column, and what is there instead.
        message: String,
    },
    /// The policy cannot be made of what was asked for.
    #[error("{format} has no {part:?} to make a policy of: {}", parts(*.format))]
    UnknownPolicyPart {
        /// The format.
        format: Format,
        /// The part that was asked for.
        part: String,
    },
    /// The job after which to read on is not in the input.
    #[error(
        "does not hold the job {job_id}, after which to read on: nothing was read (a time is \
         written as 2026-11-22T03:00:00Z)"
    )]
    SinceNotFound {
        /// The tool's id of the job.
        job_id: JobId,
    },
    /// There is no time zone of this name.
    #[error(
        "{name:?} is not a time zone: use an IANA name such as Europe/Berlin, or an offset such \
         as +02:00"
    )]
    UnknownTimezone {
        /// The name.
        name: String,
    },
    /// The input looks like none of the formats.
    #[error(
        "is in none of the formats {}; if it is, name the format",
        names(Format::ALL)
    )]
    Unrecognised,
    /// The input looks like more than one format.
    #[error("could be any of {}: name the format", names(candidates))]
    Ambiguous {
        /// The formats that it could be.
        candidates: Vec<Format>,
    },
    /// There is no format of this name.
    #[error("{name:?} is not a format: use one of {}", names(Format::ALL))]
    UnknownFormat {
        /// The name.
        name: String,
    },
}

/// Why one record gave no job. The records after it are read as if it were not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", located(*.place, *.column))]
#[non_exhaustive]
pub struct RecordError {
    /// Where the record is.
    pub place: Place,
    /// Where in its line the text stops being JSON, in bytes from 1.
    pub column: Option<u64>,
    /// What is wrong: the field, its value and what is allowed, where one field is to blame.
    pub message: String,
    /// The option without which no record like this one can be read.
    pub(crate) needs: Option<ReadOption>,
}

impl RecordError {
    pub(crate) fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            column: None,
            message: message.into(),
            needs: None,
        }
    }

    /// A record that cannot be read without `option`; the reader ends with it.
    pub(crate) fn needs(place: Place, option: ReadOption) -> Self {
        Self {
            needs: Some(option),
            ..Self::new(place, format!("the option {option} is needed"))
        }
    }
}

fn parts(format: Format) -> String {
    match format.source().policy_parts() {
        [] => "its policy cannot be chosen".to_owned(),
        parts => format!("choose among {}", parts.join(", ")),
    }
}

fn located(place: Place, column: Option<u64>) -> String {
    column.map_or_else(
        || place.to_string(),
        |column| format!("{place}, column {column}"),
    )
}
