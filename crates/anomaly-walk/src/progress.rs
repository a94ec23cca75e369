//! How far a walk has come.

use std::sync::atomic::{AtomicU64, Ordering};

/// How far a walk has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WalkProgress {
    /// Files that were seen.
    pub files: u64,
    /// Bytes that were read of them.
    pub read_bytes: u64,
}

/// Counts for all threads, and tells whoever wants to know.
pub(crate) struct Progress<'a> {
    files: AtomicU64,
    read_bytes: AtomicU64,
    tell: &'a (dyn Fn(WalkProgress) + Sync),
}

impl<'a> Progress<'a> {
    pub(crate) fn new(tell: &'a (dyn Fn(WalkProgress) + Sync)) -> Self {
        Self {
            files: AtomicU64::new(0),
            read_bytes: AtomicU64::new(0),
            tell,
        }
    }

    pub(crate) fn add(&self, files: u64, read_bytes: u64) {
        let add = |counter: &AtomicU64, more| counter.fetch_add(more, Ordering::Relaxed) + more;
        (self.tell)(WalkProgress {
            files: add(&self.files, files),
            read_bytes: add(&self.read_bytes, read_bytes),
        });
    }

    pub(crate) fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Progress<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress")
            .field("files", &self.files)
            .field("read_bytes", &self.read_bytes)
            .finish_non_exhaustive()
    }
}
