//! A walk, from its options to what it found.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use anomaly_features::content::{FilesSeen, Inspection, StoredStatistics};
use anomaly_model::chrono::TimeDelta;
use ignore::gitignore::Gitignore;

use crate::directories;
use crate::exclude;
use crate::progress::Progress;
use crate::shared::{Shared, lock};
use crate::state::key::{Key, KeyedHash, Time};
use crate::state::{NewState, OldState, StateLock, StatePaths, Summary};
use crate::worker::{Worker, observe_deleted, observe_kept};
use crate::{WalkError, WalkOptions, WalkProgress, Walked};

/// Directories that are found and not yet listed.
const MOST_WAITING: usize = 256;

/// Threads that are started unasked. Disks gain little from more, and each takes memory.
const MOST_THREADS: usize = 8;

/// How far before its start a walk takes files to be at rest: time stamps of file systems go in steps
/// of up to two seconds.
const UNSETTLED_SECONDS: i64 = 2;

/// A walk that is about to begin: its options are checked, its state is read and locked.
///
/// See the [crate's documentation](crate) for an example.
#[derive(Debug)]
pub struct Walk {
    pub(crate) options: WalkOptions,
    /// The directory, without links in its path.
    pub(crate) root: PathBuf,
    pub(crate) paths: StatePaths,
    pub(crate) exclude: Gitignore,
    pub(crate) hash: KeyedHash,
    pub(crate) old: Option<OldState>,
    /// What changed from then on may change again without a trace.
    pub(crate) settled_until: Time,
    key: Key,
    /// Nothing on a dry run.
    lock: Option<StateLock>,
}

impl Walk {
    /// Reads the state and locks it.
    ///
    /// # Errors
    /// [`WalkError`] when the directory cannot be listed, a pattern is none, or the state cannot be
    /// used: it is damaged, of another directory or a newer version, or used by another walk.
    pub fn new(options: WalkOptions) -> Result<Self, WalkError> {
        let unusable = |source| WalkError::Root {
            path: options.directory.clone(),
            source,
        };
        let root = options.directory.canonicalize().map_err(unusable)?;
        root.read_dir().map_err(unusable)?;
        let paths = StatePaths::of(&options.state)?;
        let exclude = exclude::patterns(&root, &options)?;
        let lock = if options.dry_run {
            None
        } else {
            Some(StateLock::take(&paths)?)
        };
        let old = OldState::open(&paths, &root)?;
        let mut key = Key::default();
        match &old {
            Some(old) => key = old.key,
            None => getrandom::fill(&mut key).map_err(|source| WalkError::Key {
                source: source.into(),
            })?,
        }
        let settled_until = options.started_at - TimeDelta::seconds(UNSETTLED_SECONDS);
        Ok(Self {
            settled_until: Time {
                seconds: settled_until.timestamp(),
                nanoseconds: settled_until.timestamp_subsec_nanos(),
            },
            options,
            root,
            paths,
            exclude,
            hash: KeyedHash::new(&key),
            old,
            key,
            lock,
        })
    }

    /// How many files the walk before saw; `None` if there was none.
    #[must_use]
    pub fn expected_files(&self) -> Option<u64> {
        Some(self.old.as_ref()?.summary.file_count)
    }

    /// Reads the directory, and says what has changed since the walk before.
    ///
    /// # Errors
    /// [`WalkError`] when the state can no longer be read or written. What cannot be read of the
    /// directory is counted and no error.
    pub fn run(self) -> Result<Walked, WalkError> {
        self.run_with(&|_| ())
    }

    /// Walks, and tells now and then how far it has come, from any of its threads.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_with(mut self, tell: &(dyn Fn(WalkProgress) + Sync)) -> Result<Walked, WalkError> {
        let lock = self.lock.take();
        let new =
            lock.map(|lock| NewState::create(lock, self.paths.clone(), &self.root, &self.key));
        let shared = Shared::new(
            &self,
            new.transpose()?,
            self.inspection(),
            Progress::new(tell),
        );
        let mut seen = all_directories(&shared)?;
        let read_bytes = shared.progress.read_bytes();
        let (mut new, unlisted, warnings) = shared.into_parts();
        if let Some(old) = &self.old {
            old.untaken(
                |directory| unlisted.contains(&directory),
                |directory| {
                    let observe = if directory.is_kept {
                        observe_kept
                    } else {
                        observe_deleted
                    };
                    for entry in &directory.entries {
                        observe(&mut seen, entry);
                    }
                    if let Some(new) = new.as_mut().filter(|_| directory.is_kept) {
                        new.add(directory.path, directory.parent, &directory.entries)?;
                    }
                    Ok(())
                },
            )?;
        }
        let found = seen.finish();
        let state = new.map(|new| {
            new.finish(&Summary {
                started_at: self.options.started_at,
                statistics_version: StoredStatistics::VERSION,
                file_count: found.image.file_count.unwrap_or_default(),
                extensions: found.extensions,
            })
        });
        Ok(Walked {
            image: found.image,
            inspection: found.files,
            directory: self.root,
            previous: self.old.map(|old| old.summary.started_at),
            read_bytes,
            warnings: warnings.into_vec(),
            state: state.transpose()?,
        })
    }

    fn inspection(&self) -> Inspection {
        let inspection = Inspection::new()
            .started_at_seconds(self.options.started_at.timestamp())
            .suspicious(self.options.suspicious_extensions.clone());
        match &self.old {
            Some(old) if old.summary.statistics_version == StoredStatistics::VERSION => {
                inspection.extensions_before(old.summary.extensions.clone())
            }
            _ => inspection,
        }
    }
}

/// Finds the directories in one thread, and takes them in in the others.
fn all_directories(shared: &Shared<'_>) -> Result<FilesSeen, WalkError> {
    let threads = shared.walk.options.threads.map_or_else(
        || {
            thread::available_parallelism()
                .map_or(1, |processors| processors.get().min(MOST_THREADS))
        },
        NonZeroUsize::get,
    );
    let (found, waiting) = sync_channel(MOST_WAITING);
    let waiting = Arc::new(Mutex::new(waiting));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let waiting = waiting.clone();
                scope.spawn(move || work(shared, &waiting))
            })
            .collect();
        // With the last thread goes the receiving end, so that the search does not wait for it.
        drop(waiting);
        let mut seen = directories::find(shared, &found);
        drop(found);
        let mut failed = None;
        for worker in workers {
            match worker.join() {
                Ok(Ok(more)) => seen.merge(more),
                Ok(Err(error)) => failed = Some(error),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        failed.map_or(Ok(seen), Err)
    })
}

/// Takes in directories until there are no more.
fn work(shared: &Shared<'_>, waiting: &Mutex<Receiver<PathBuf>>) -> Result<FilesSeen, WalkError> {
    let mut worker = Worker::new(shared);
    loop {
        let next = lock(waiting).recv();
        let Ok(directory) = next else {
            return Ok(worker.seen);
        };
        // After a stop, what is waiting is let go, so that the search does not wait for room.
        if shared.is_stopped() {
            continue;
        }
        if let Err(error) = worker.visit(&directory) {
            shared.stop();
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use anomaly_model::chrono::DateTime;
    use tempfile::TempDir;

    use super::*;

    /// From a state of a version that saw files otherwise, names, sizes and times are taken alone.
    #[test]
    fn what_meant_something_else_is_forgotten() {
        let scratch = TempDir::new().unwrap();
        let root = scratch.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("a.txt"), "some text").unwrap();
        let walk = || {
            let started_at = DateTime::from_timestamp(7_000_000_000, 0).unwrap();
            let options = WalkOptions::new(&root, scratch.path().join("state"), started_at);
            Walk::new(options).unwrap()
        };
        walk().run().unwrap().commit().unwrap();
        fs::write(root.join("b.odd"), "some other text").unwrap();
        let unseen = |walk: Walk| {
            let image = *walk.run().unwrap().image();
            assert_eq!(
                (image.files_unmodified, image.files_new),
                (Some(1), Some(1))
            );
            image.content.unwrap().unseen_extension_files
        };
        assert_eq!(unseen(walk()), Some(1));
        let mut other = walk();
        other.old.as_mut().unwrap().summary.statistics_version -= 1;
        assert_eq!(unseen(other), None);
    }
}
