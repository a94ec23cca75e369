//! A copy of the whole database, made while others go on.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::fault::{Fault, Result};
use super::private;
use crate::StoreError;

/// All pages in one step: the copy is of one moment, however much is written meanwhile.
const ALL_PAGES: i32 = -1;

/// Copies the database to a new file, which has its name once it is whole and on the disk.
pub(super) fn copy(connection: &Connection, path: &Path) -> Result<()> {
    let failed = |source: io::Error| StoreError::CannotCopy {
        path: path.to_owned(),
        source: source.into(),
    };
    let path = std::path::absolute(path).map_err(failed)?;
    if path.symlink_metadata().is_ok() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()).into());
    }
    // Nobody else's may be overwritten, or deleted.
    let beside = beside(&path);
    private::make(&beside).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => StoreError::CannotCopy {
            path: beside.clone(),
            source: source.into(),
        },
        _ => failed(source),
    })?;
    let unfinished = Unfinished(beside);
    let copied = pages(connection, &unfinished.0);
    copied.map_err(|error| match error {
        Fault::Sqlite(source) => Fault::Store(StoreError::CannotCopy {
            path: path.clone(),
            source: source.into(),
        }),
        fault => fault,
    })?;
    File::open(&unfinished.0)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&unfinished.0, &path))
        .and_then(|()| sync_directory(&path))
        .map_err(failed)?;
    Ok(())
}

fn pages(connection: &Connection, path: &Path) -> Result<()> {
    let mut to = Connection::open(path)?;
    let step = Backup::new(connection, &mut to)?.step(ALL_PAGES)?;
    match step {
        StepResult::Done => {}
        other => {
            return Err(Fault::Damaged(format!(
                "the copy stopped half way: {other:?}"
            )));
        }
    }
    let found: String = to.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(Fault::Damaged(found))
    }
}

/// A file that is deleted unless it got its name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Once it has its name, there is nothing to delete.
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.0.as_os_str().to_owned();
            name.push(end);
            _ = fs::remove_file(name);
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

/// That the file has its name is on the disk too.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
