//! How a job ended.

use crate::words::words;

words! {
    /// How a job ended.
    pub enum JobStatus, "status" {
        /// Everything selected was backed up.
        Succeeded = "succeeded",
        /// An image was made, but some of the source could not be read.
        Partial = "partial",
        /// No usable image was made.
        Failed = "failed",
        /// Someone stopped the job.
        Cancelled = "cancelled",
    }
}

impl JobStatus {
    /// Whether the job left an image, of all that was selected or of some.
    #[must_use]
    pub const fn has_image(self) -> bool {
        matches!(self, Self::Succeeded | Self::Partial)
    }
}
