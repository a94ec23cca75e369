//! What can go wrong beside the backup.

use anomaly_engine::EngineError;
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
    Unreadable {
        /// What.
        what: String,
    },
    /// Whoever watched the progress of something broke it off.
    #[error("it was broken off")]
    BrokenOff,
    /// A decision about an anomaly was not taken down.
    #[error(transparent)]
    Review(#[from] ReviewRefused),
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
