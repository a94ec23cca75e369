//! What all threads of a walk use.

use std::collections::HashSet;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anomaly_features::content::{FilesSeen, Inspection, Sampling};

use crate::progress::Progress;
use crate::state::NewState;
use crate::throttle::Throttle;
use crate::walk::Walk;
use crate::warnings::{WalkWarningKind, Warnings};

/// What all threads of a walk use.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) walk: &'a Walk,
    /// Nothing on a dry run.
    pub(crate) new: Option<Mutex<NewState>>,
    pub(crate) inspection: Arc<Inspection>,
    pub(crate) sampling: Sampling,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) progress: Progress<'a>,
    /// The directories of which not all could be listed, by path: nobody knows what became of all
    /// that is below them.
    unlisted: Mutex<HashSet<u64>>,
    warnings: Mutex<Warnings>,
    /// Some thread cannot go on, so that no other needs to.
    stopped: AtomicBool,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(
        walk: &'a Walk,
        new: Option<NewState>,
        inspection: Inspection,
        progress: Progress<'a>,
    ) -> Self {
        Self {
            walk,
            new: new.map(Mutex::new),
            inspection: Arc::new(inspection),
            sampling: walk.options.sampling.with_seed(walk.hash.seed()),
            throttle: walk.options.max_read_bytes_per_second.map(Throttle::new),
            progress,
            unlisted: Mutex::default(),
            warnings: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// What the threads leave behind: the new state, the directories that were not listed, and the
    /// warnings.
    pub(crate) fn into_parts(self) -> (Option<NewState>, HashSet<u64>, Warnings) {
        let new = self.new.map(into_inner);
        (new, into_inner(self.unlisted), into_inner(self.warnings))
    }

    /// What stands in the state for a directory.
    pub(crate) fn directory(&self, path: &Path) -> u64 {
        let below = path.strip_prefix(&self.walk.root).unwrap_or(path);
        self.walk.hash.directory(below.as_os_str().as_bytes())
    }

    pub(crate) fn warn(&self, kind: WalkWarningKind, path: &Path, reason: Option<String>) {
        lock(&self.warnings).add(kind, path, reason);
    }

    /// Notes that not all of a directory could be listed, once.
    pub(crate) fn note_unlisted(&self, seen: &mut FilesSeen, path: &Path, error: &io::Error) {
        if error.kind() == io::ErrorKind::NotFound {
            // It vanished since its own directory was listed.
            seen.observe_unsteady();
            self.warn(WalkWarningKind::Unsteady, path, None);
        } else if lock(&self.unlisted).insert(self.directory(path)) {
            seen.observe_unreadable();
            self.warn(WalkWarningKind::Unreadable, path, Some(error.to_string()));
        }
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// A thread that panicked left nothing half done that matters here: the panic goes on in the caller.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
