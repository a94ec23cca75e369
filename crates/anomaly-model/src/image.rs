//! The backup image that a job produced, in numbers.

use crate::ContentStatistics;
use crate::numbers::numbers;

numbers! {
    /// What a job stored: sizes, file counts, changes against the previous image.
    pub struct BackupImage, unchecked ImageRecord {
        /// Logical size of what the image represents.
        image_bytes: whole,
        /// Files in the image.
        file_count: whole,
        /// New data sent to storage, before compression.
        transferred_bytes: whole,
        /// New data after deduplication and compression.
        stored_bytes: whole,
        /// Share of `image_bytes` that needed no transfer, 0 to 1, as the tool reports it.
        dedup_ratio: share,
        /// Files that the previous image did not have.
        files_new: whole,
        /// Files that differ from the previous image.
        files_changed: whole,
        /// Files that are as in the previous image.
        files_unmodified: whole,
        /// Files of the previous image that are gone.
        files_deleted: whole,
        /// Directories in the image.
        directory_count: whole,
    }
    /// Statistics of the new and changed files.
    + content: ContentStatistics
}

impl BackupImage {
    /// The reported `dedup_ratio`, or else `1 - transferred_bytes / image_bytes`, at least 0.
    ///
    /// `None` when it is neither reported nor derivable (an empty image saves nothing).
    ///
    /// ```
    /// # use anomaly_model::BackupImage;
    /// let image = BackupImage::default().image_bytes(1_000).transferred_bytes(250);
    /// assert_eq!(image.dedup_ratio_or_derived(), Some(0.75));
    /// ```
    #[must_use]
    pub fn dedup_ratio_or_derived(&self) -> Option<f64> {
        self.dedup_ratio
            .or_else(|| match (self.transferred_bytes?, self.image_bytes?) {
                (_, 0) => None,
                (transferred, image) => Some((1.0 - transferred as f64 / image as f64).max(0.0)),
            })
    }
}
