//! What a stream's previous image was.

use anomaly_model::BackupJob;
use serde::{Deserialize, Serialize};

/// What is remembered of the stream's previous image, to tell change from level.
///
/// Sizes of backups are walks with jumps: the change against the image before says more than the
/// distance from a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Previous {
    /// Logical size.
    pub image_bytes: Option<u64>,
    /// How many files the image held.
    pub file_count: Option<u64>,
    /// How many directories the image held.
    pub directory_count: Option<u64>,
}

impl Previous {
    /// What to remember of `job`.
    #[must_use]
    pub fn of(job: &BackupJob) -> Self {
        let image = job.image();
        Self {
            image_bytes: image.image_bytes,
            file_count: image.file_count,
            directory_count: image.directory_count,
        }
    }

    /// The same, with what it does not know taken from an older image.
    #[must_use]
    pub fn or(self, older: Option<&Self>) -> Self {
        let Some(older) = older else { return self };
        Self {
            image_bytes: self.image_bytes.or(older.image_bytes),
            file_count: self.file_count.or(older.file_count),
            directory_count: self.directory_count.or(older.directory_count),
        }
    }

    /// Whether it is known to have held no files or no data.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.image_bytes == Some(0) || self.file_count == Some(0)
    }
}
