//! Which database, and what its failures mean.

use std::time::Duration;

use rusqlite::{Error, ErrorCode};

use super::fault::{Fault, is_damage};
use crate::StoreError;

/// What an error message needs to know of the database.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) database: String,
    pub(super) busy_timeout: Duration,
}

impl Site {
    /// Says in the store's words what went wrong.
    pub(super) fn say(&self, fault: Fault) -> StoreError {
        match fault {
            Fault::Sqlite(error) => self.fail(error),
            Fault::Damaged(found) => StoreError::Damaged {
                database: self.database.clone(),
                source: found.into(),
            },
            Fault::DamagedModel(stream) => StoreError::DamagedModel {
                database: self.database.clone(),
                stream,
            },
            Fault::Store(error) => error,
        }
    }

    /// Says in the store's words what SQLite said in its own.
    pub(super) fn fail(&self, error: Error) -> StoreError {
        let database = self.database.clone();
        let source = Box::new(error);
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy {
                database,
                waited: self.busy_timeout,
                holder: None,
            },
            Some(ErrorCode::DiskFull) => StoreError::Full { database, source },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                StoreError::CannotOpen { database, source }
            }
            _ if is_damage(&source) => StoreError::Damaged { database, source },
            _ => StoreError::Failed { database, source },
        }
    }

    /// The file is something else than a Backwatch database.
    pub(super) fn not_backwatch(&self, found: impl Into<String>) -> StoreError {
        StoreError::NotBackwatch {
            database: self.database.clone(),
            found: found.into(),
        }
    }
}
