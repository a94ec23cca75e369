//! What can go wrong beside the backup.

use anomaly_engine::EngineError;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_storage::StoreError;

use crate::ReviewRefused;

/// Why a job could not be judged and kept, or an answer not be given.
///
/// Never a reason to fail a backup: log it, and look at it in the morning.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The store could not be read or written. What was stored before is still there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored model of a stream cannot be used.
    #[error("the model of the stream {stream} cannot be used")]
    Model {
        /// The stream, as people read it.
        stream: String,
        /// What is wrong with it.
        source: ModelFault,
    },
    /// A record could not be written as JSON, or what is stored is none.
    #[error("a stored record cannot be read or written")]
    Record {
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Something that was stored is not there any more.
    #[error("{what} cannot be found in the store")]
    Missing {
        /// What was looked for, such as an incident.
        what: String,
    },
    /// Whoever watched the progress of something broke it off.
    #[error("it was broken off")]
    BrokenOff,
    /// A change of the settings was not taken down.
    #[error(transparent)]
    Settings(#[from] SettingsRefused),
    /// A decision about an anomaly was not taken down.
    #[error(transparent)]
    Review(#[from] ReviewRefused),
}

impl ServiceError {
    /// Whether the same call can succeed once another process has finished: try it again.
    ///
    /// ```
    /// # use anomaly_service::{AnomalyService, ServiceError, settings::Settings};
    /// let failed = AnomalyService::open("/no such directory/backwatch.db", Settings::default());
    /// assert!(failed.is_err_and(|error| !error.is_busy() && !error.is_damaged()));
    /// ```
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_busy())
    }

    /// Whether what is stored is not what was stored: a person has to look, and restore a copy.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        match self {
            Self::Store(error) => error.is_damaged(),
            Self::Model { .. } | Self::Record { .. } | Self::Missing { .. } => true,
            Self::BrokenOff | Self::Settings(_) | Self::Review(_) => false,
        }
    }

    /// Whether what was asked for is not allowed, or not there: nothing is wrong with the store.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        match self {
            Self::Settings(_) | Self::Review(_) => true,
            Self::Store(error) => error.is_refused(),
            _ => false,
        }
    }
}

/// Why a change of the settings was not taken down. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsRefused {
    /// Nobody said who asks or decides.
    #[error("who asks? A change of the settings needs a name")]
    Nameless,
    /// There is no such part of the settings, or it may not be that.
    #[error("{part} is no part of the settings, or may not be that")]
    Unknown {
        /// The key or scope that was asked for.
        part: String,
    },
    /// Only what loosens ends.
    #[error("it loosens nothing, and so has no end: leave the end out")]
    NothingToEnd,
    /// It would have ended before it began.
    #[error("the end is not after now")]
    EndIsPast,
    /// It would hold for longer than the settings allow.
    #[error("it may hold until {latest} at most: see guard.longest_days")]
    TooLong {
        /// The latest end that is allowed.
        latest: DateTime<Utc>,
    },
    /// Somebody else has changed the settings since whoever asks looked at them.
    #[error("the settings have changed meanwhile: look at them again")]
    Changed,
    /// Nothing waits under this number.
    #[error("no change of the settings waits under the number {proposal}")]
    NothingWaits {
        /// The number that was decided about.
        proposal: u64,
    },
    /// Nobody approved in time.
    #[error("the time to approve of {proposal} is over: ask for it again")]
    Lapsed {
        /// The number that it waited under.
        proposal: u64,
    },
    /// Whoever asked cannot be the second person.
    #[error("{by} asked for it: someone else has to approve")]
    SamePerson {
        /// Who asked.
        by: String,
    },
}

/// What is wrong with a stored model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFault {
    /// The bytes are not those that were stored.
    #[error("it does not have the checksum that it was stored with")]
    Damaged,
    /// The engine cannot read the bytes.
    #[error(transparent)]
    Unreadable(#[from] EngineError),
}
