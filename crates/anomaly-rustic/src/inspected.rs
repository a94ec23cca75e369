//! Looking at the bytes while rustic reads them.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anomaly_features::content::{
    BlockStatistics, FileObservation, FilesSeen, Inspected, Inspection, Sampling, StoredStatistics,
};
use anomaly_model::FileChange;
use rustic_core::repofile::Metadata;
use rustic_core::{ReadSource, ReadSourceEntry, ReadSourceOpen, RusticResult};

/// What is known of a file from the backup before.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Before {
    /// Its size, in bytes, where it is known.
    pub size_bytes: Option<u64>,
    /// What its bytes looked like, where that is known.
    pub statistics: Option<StoredStatistics>,
}

impl Before {
    /// A file that was there, of which nothing more is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            size_bytes: None,
            statistics: None,
        }
    }
}

impl Default for Before {
    fn default() -> Self {
        Self::new()
    }
}

/// What is known of the files of the backup before: by it, new files are told from changed ones,
/// and what they look like from what they looked like.
pub trait FilesBefore: Send + Sync {
    /// The file at `path`, if it was there.
    fn file(&self, path: &Path) -> Option<Before>;
}

impl<F: Fn(&Path) -> Option<Before> + Send + Sync> FilesBefore for F {
    fn file(&self, path: &Path) -> Option<Before> {
        self(path)
    }
}

/// A source of which the bytes are looked at as rustic reads them: those of new and changed files,
/// since rustic does not open the others.
///
/// Nothing is read twice, and nothing that goes wrong here reaches the backup.
pub struct InspectedSource<S> {
    source: S,
    shared: Arc<Shared>,
}

struct Shared {
    sampling: Sampling,
    before: Box<dyn FilesBefore>,
    inspection: Arc<Inspection>,
    seen: Mutex<FilesSeen>,
}

impl Shared {
    /// A count is never half made, so that a thread that died with the lock leaves nothing broken.
    fn seen(&self) -> MutexGuard<'_, FilesSeen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> InspectedSource<S> {
    /// Looks at what is read from `source`, with what is known of the backup before.
    #[must_use]
    pub fn new(
        source: S,
        sampling: Sampling,
        inspection: Inspection,
        before: impl FilesBefore + 'static,
    ) -> Self {
        let inspection = Arc::new(inspection);
        let shared = Shared {
            sampling,
            before: Box::new(before),
            seen: Mutex::new(FilesSeen::new(inspection.clone())),
            inspection,
        };
        Self {
            source,
            shared: Arc::new(shared),
        }
    }

    /// What was seen since the last call: to be asked when the backup has ended.
    #[must_use]
    pub fn take(&self) -> Inspected {
        let fresh = FilesSeen::new(self.shared.inspection.clone());
        std::mem::replace(&mut *self.shared.seen(), fresh).finish()
    }
}

impl<S: fmt::Debug> fmt::Debug for InspectedSource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InspectedSource")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl<S: ReadSource> ReadSource for InspectedSource<S> {
    type Open = Open<S::Open>;
    type Iter = Entries<S::Iter>;

    fn size(&self) -> RusticResult<Option<u64>> {
        self.source.size()
    }

    fn entries(&self) -> Self::Iter {
        Entries {
            entries: self.source.entries(),
            shared: self.shared.clone(),
        }
    }
}

/// The entries of an [`InspectedSource`].
pub struct Entries<I> {
    entries: I,
    shared: Arc<Shared>,
}

impl<I> fmt::Debug for Entries<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries").finish_non_exhaustive()
    }
}

impl<O, I: Iterator<Item = RusticResult<ReadSourceEntry<O>>>> Iterator for Entries<I> {
    type Item = RusticResult<ReadSourceEntry<Open<O>>>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        Some(entry.map(|ReadSourceEntry { path, node, open }| {
            let open = open.map(|source| Open {
                source,
                path: path.clone(),
                metadata: node.meta.clone(),
                shared: self.shared.clone(),
            });
            ReadSourceEntry { path, node, open }
        }))
    }
}

/// A file that can be opened, to be looked at as it is read.
pub struct Open<O> {
    source: O,
    path: PathBuf,
    metadata: Metadata,
    shared: Arc<Shared>,
}

impl<O> fmt::Debug for Open<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<O: ReadSourceOpen> ReadSourceOpen for Open<O> {
    type Reader = Looking<O::Reader>;

    fn open(self) -> RusticResult<Self::Reader> {
        let reader = self.source.open().inspect_err(|_| {
            self.shared.seen().observe_unreadable();
        })?;
        Ok(Looking {
            reader,
            statistics: BlockStatistics::new(self.shared.sampling, Some(self.metadata.size)),
            path: self.path,
            metadata: self.metadata,
            shared: self.shared,
            failed: false,
        })
    }
}

/// A file that is looked at as it is read.
pub struct Looking<R> {
    reader: R,
    statistics: BlockStatistics,
    path: PathBuf,
    metadata: Metadata,
    shared: Arc<Shared>,
    failed: bool,
}

impl<R> fmt::Debug for Looking<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Looking")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Read for Looking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        match &read {
            Ok(bytes) => self
                .statistics
                .update(buffer.get(..*bytes).unwrap_or_default()),
            Err(error) => self.failed |= error.kind() != io::ErrorKind::Interrupted,
        }
        read
    }
}

impl<R> Drop for Looking<R> {
    /// The file was read to its end, or as far as it goes.
    fn drop(&mut self) {
        if self.failed {
            self.shared.seen().observe_unsteady();
            return;
        }
        let statistics = self.statistics.finish();
        let before = self.shared.before.file(&self.path);
        let change = if before.is_some() {
            FileChange::Changed
        } else {
            FileChange::New
        };
        let path = self.path.to_string_lossy();
        let mut file = FileObservation::new(&path, change);
        let seconds = |time: &Option<rustic_core::jiff::Timestamp>| {
            time.map(rustic_core::jiff::Timestamp::as_second)
        };
        file.size_bytes = Some(self.metadata.size);
        file.accessed_seconds = seconds(&self.metadata.atime);
        file.changed_seconds = seconds(&self.metadata.ctime);
        file.modified_seconds = seconds(&self.metadata.mtime);
        // Of the rest rustic keeps bits of its own.
        file.permissions = self.metadata.mode.map(|mode| mode & 0o777);
        file.statistics = Some(&statistics);
        file.size_bytes_before = before.and_then(|before| before.size_bytes);
        file.before = before.and_then(|before| before.statistics);
        self.shared.seen().observe(&file);
    }
}
