//! A file beside the database that says who holds the write lock.
//!
//! `SQLite` keeps the lock itself, and does not say whose it is. The holder writes its name into this
//! file and locks it while it holds the other lock. The system takes that lock away from a process
//! that has died, so that the name of a dead one is never told.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use anomaly_model::chrono::{DateTime, Utc};

use crate::Holder;

/// The name of this process, to be told to those that wait for it.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    program: String,
    /// Opened when the lock is first held.
    file: Option<File>,
}

impl Lock {
    /// Of the database at `path`.
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: Self::path(path),
            program: "a program".into(),
            file: None,
        }
    }

    /// The file beside the database at `path`: there once somebody has written to that.
    pub(super) fn path(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push("-holder");
        name.into()
    }

    pub(super) fn set_program(&mut self, program: &str) {
        // One line, and not a long one.
        self.program = program
            .chars()
            .filter(|c| !c.is_control())
            .take(100)
            .collect();
    }

    /// Says that this process holds the write lock until what is returned is dropped.
    ///
    /// Not to be able to say it is no reason not to write.
    pub(super) fn hold(&mut self) -> Option<Held<'_>> {
        match self.announce() {
            Ok(()) => self.file.as_ref().map(Held),
            Err(error) => {
                tracing::debug!(%error, "cannot say who holds the write lock");
                None
            }
        }
    }

    fn announce(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            empty => empty.insert(open(&self.path)?),
        };
        // Whoever asks who holds it has it locked for a moment.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let text = format!("{}\n{}\n", process::id(), self.program);
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)
    }

    /// Who holds the write lock now; `None` when that cannot be told, and when nobody does.
    pub(super) fn holder(&self) -> Option<Holder> {
        let file = File::open(&self.path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            // Nobody holds it, whoever is named in it.
            Ok(()) | Err(TryLockError::Error(_)) => return None,
        }
        let mut text = String::new();
        (&file).take(1024).read_to_string(&mut text).ok()?;
        let (process_id, program) = text.strip_suffix('\n')?.split_once('\n')?;
        let since = file.metadata().and_then(|file| file.modified()).ok();
        Some(Holder {
            process_id: process_id.parse().ok()?,
            program: program.to_owned(),
            since: since.map(DateTime::<Utc>::from),
        })
    }
}

/// Keeps this process named as the holder.
pub(super) struct Held<'a>(&'a File);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // The end of the process unlocks it too.
        _ = self.0.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}
