//! Opening the file: refusing what is not ours, then settling how it is written.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{io, thread};

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use super::fault::Fault;
use super::lock::Lock;
use super::migrations::{self, MIGRATIONS};
use super::private;
use super::site::Site;
use crate::StoreError;

/// How long a writer waits for another one, unless told otherwise.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Room for every statement of this crate.
const CACHED_STATEMENTS: usize = 32;

/// What SQLite does not remember in the file.
///
/// Whoever only reads has the pages that the operating system keeps, and 4 MB of its own.
const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cache_size = -4000;
    PRAGMA wal_autocheckpoint = 16000;";

/// What a connection that writes has besides.
///
/// Job ids are random, so each insert touches other pages of their index: room for 64 MB of pages,
/// and a log as long before it is written back, make a batch about twice as fast.
pub(super) const WRITERS_SETTINGS: &str = "PRAGMA cache_size = -64000;";

/// A file up to this size is looked over as a whole when it is opened to be written: a few
/// milliseconds. A larger one would take too long for a program that has one job to hand over.
const LOOKED_OVER_BYTES: i64 = 4 << 20;

/// `made` says whether a database is made where there is none.
pub(super) fn open(path: &Path, made: bool) -> Result<(Connection, Site), StoreError> {
    let cannot_open = |source: io::Error| StoreError::CannotOpen {
        database: path.display().to_string(),
        source: Box::new(source),
    };
    // An absolute path is always a file: SQLite gives "" and ":memory:" a meaning of their own.
    let path = std::path::absolute(path).map_err(cannot_open)?;
    let site = Site {
        database: path.display().to_string(),
        busy_timeout: BUSY_TIMEOUT,
    };
    let sqlite = |error| site.fail(error);

    if std::fs::metadata(&path).is_ok_and(|file| file.len() == 0) {
        refuse_emptied(&path, &site, made)?;
    }
    if made {
        // It may be there; SQLite says what else is wrong.
        _ = private::make(&path);
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, made);
    let mut connection = Connection::open_with_flags(&path, flags).map_err(sqlite)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(sqlite)?;
    // SQLite opens a file that it may not write as read-only, without a word.
    if connection.is_readonly(MAIN_DB).map_err(sqlite)? {
        return Err(cannot_open(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file is read-only",
        )));
    }

    // First of all, and before the file is touched: is it ours?
    migrations::version(&mut connection, &site, MIGRATIONS.len()).map_err(|error| {
        if is_no_database(&error) {
            site.not_backwatch("a file that SQLite cannot read")
        } else {
            error
        }
    })?;

    // Readers go on while one writes, and what is committed is on the disk.
    let journal = write_ahead(&connection).map_err(sqlite)?;
    if journal != "wal" {
        return Err(cannot_open(io::Error::new(
            io::ErrorKind::Unsupported,
            "the file system does not support write-ahead logging",
        )));
    }
    connection.execute_batch(SETTINGS).map_err(sqlite)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);

    migrations::migrate(&mut connection, &site, MIGRATIONS)?;
    tracing::debug!(database = site.database, "database opened");
    Ok((connection, site))
}

/// An empty file is what is left of a database that was cut to nothing, or of a program that was killed
/// before it made one. Only the first was ever written to.
fn refuse_emptied(path: &Path, site: &Site, made: bool) -> Result<(), StoreError> {
    let holder = Lock::path(path);
    if holder.exists() {
        return Err(site.say(Fault::Damaged(format!(
            "the file is empty, and was written to before: restore a copy; to begin anew, delete it and {}",
            holder.display()
        ))));
    }
    if made {
        Ok(())
    } else {
        Err(site.not_backwatch("an empty file"))
    }
}

/// That no page and no index of a small database is damaged.
pub(super) fn look_over(connection: &Connection, site: &Site) -> Result<(), StoreError> {
    let sqlite = |error| site.fail(error);
    let number = |name: &str| connection.pragma_query_value::<i64, _>(None, name, |row| row.get(0));
    let pages = number("page_count").map_err(sqlite)?;
    if pages * number("page_size").map_err(sqlite)? > LOOKED_OVER_BYTES {
        return Ok(());
    }
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))
        .map_err(sqlite)?;
    if found == "ok" {
        Ok(())
    } else {
        Err(site.say(Fault::Damaged(found)))
    }
}

/// Switches to write-ahead logging, and says which journal is in use afterwards.
///
/// SQLite waits for other users of the file in everything but this, so this waits itself. They are
/// done in milliseconds: they do the same.
fn write_ahead(connection: &Connection) -> rusqlite::Result<String> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(1));
            }
            switched => return switched,
        }
    }
}

fn is_no_database(error: &StoreError) -> bool {
    let StoreError::Damaged { source, .. } = error else {
        return false;
    };
    let source = source.downcast_ref::<rusqlite::Error>();
    source.and_then(rusqlite::Error::sqlite_error_code) == Some(ErrorCode::NotADatabase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_is_durable_and_keeps_references_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        for _ in ["new", "reopened"] {
            let (connection, _) = open(&path, true).unwrap();
            let number = |name| -> i64 {
                connection
                    .pragma_query_value(None, name, |row| row.get(0))
                    .unwrap()
            };
            let journal: String = connection
                .pragma_query_value(None, "journal_mode", |row| row.get(0))
                .unwrap();
            assert_eq!(journal, "wal");
            assert_eq!(number("synchronous"), 2);
            assert_eq!(number("foreign_keys"), 1);
        }
    }
}
