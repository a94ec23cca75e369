//! What fails below the store's own errors.

use crate::StoreError;

/// An error of SQLite's, which does not know the name of its database yet, or one that is said.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    /// What is stored is not what was written; in words.
    Damaged(String),
    /// The same, of the model of this stream.
    DamagedModel(String),
    Store(StoreError),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
