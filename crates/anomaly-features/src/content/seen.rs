//! The files of a job, added up.

use std::sync::Arc;

use anomaly_model::{BackupImage, FileInspection};

use super::{ExtensionMix, FileObservation, SuspiciousExtensions};

/// What is known before the files of a job are looked at. Shared by all threads that look.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    started_at_seconds: Option<i64>,
    extensions_before: Option<ExtensionMix>,
    suspicious: SuspiciousExtensions,
}

impl Inspection {
    /// Nothing is known: no ages of files, no extension is unseen, and the shipped list of suspicious
    /// extensions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// When the job started, in seconds since 1970: ages of files are counted from there.
    #[must_use]
    pub fn started_at_seconds(mut self, seconds: i64) -> Self {
        self.started_at_seconds = Some(seconds);
        self
    }

    /// The extensions of the image before: what [`Inspected::extensions`] was then.
    #[must_use]
    pub fn extensions_before(mut self, mix: ExtensionMix) -> Self {
        self.extensions_before = Some(mix);
        self
    }

    /// The extensions that are suspicious, instead of the shipped ones.
    #[must_use]
    pub fn suspicious(mut self, suspicious: SuspiciousExtensions) -> Self {
        self.suspicious = suspicious;
        self
    }
}

/// The files of a job, added up one by one.
///
/// Each thread that looks has its own; [`merge`](Self::merge) brings them together. Neither the
/// order of files nor that of threads changes the result. Memory is bounded, whatever the number of
/// files.
#[derive(Debug, Clone)]
pub struct FilesSeen {
    inspection: Arc<Inspection>,
}

impl FilesSeen {
    /// No file yet.
    #[must_use]
    pub fn new(inspection: Arc<Inspection>) -> Self {
        Self { inspection }
    }

    /// Adds a file: each new, changed, renamed, unmodified and deleted one, once.
    pub fn observe(&mut self, file: &FileObservation<'_>) {
        let _ = (file, &self.inspection);
    }

    /// Adds a directory of the image.
    pub fn observe_directory(&mut self) {}

    /// Adds a file or directory that could not be read.
    pub fn observe_unreadable(&mut self) {}

    /// Adds a file that vanished, or changed while it was read.
    pub fn observe_unsteady(&mut self) {}

    /// Adds what another thread saw.
    pub fn merge(&mut self, other: Self) {
        let _ = other;
    }

    /// What the job wrote.
    #[must_use]
    pub fn finish(self) -> Inspected {
        Inspected {
            image: BackupImage::default(),
            files: FileInspection::default(),
            extensions: ExtensionMix::default(),
        }
    }
}

/// What a job wrote.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Inspected {
    /// The counts of files, the size of the image, and the statistics of the written content.
    /// What a walk cannot know, such as the bytes transferred, is `None`.
    pub image: BackupImage,
    /// What was seen beside numbers, and the files that weigh most.
    pub files: FileInspection,
    /// The extensions of this image, and all that were seen before: to be kept for the next job.
    pub extensions: ExtensionMix,
}
