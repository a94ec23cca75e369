//! What fails below the store's own errors.

use rusqlite::{Error, ErrorCode};

use crate::StoreError;

/// An error of SQLite's, which does not know the name of its database yet, or one that is said.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(Error),
    /// What is stored is not what was written; in words.
    Damaged(String),
    /// The same, of the model of this stream.
    DamagedModel(String),
    Store(StoreError),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

/// Whether what SQLite says means that the file is not as it was written.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
    ) || matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
