//! How much of a job a judge is shown.

use std::fmt;

use anomaly_model::{BackupImage, BackupJob, ModelError};
use serde::Serialize;

/// How much of a job a judge is shown: what can be had from it depends on the tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// `NetBackup`'s five attributes (image size, files, transferred data, deduplication rate,
    /// duration), the times and the status.
    Metadata,
    /// Also new, changed, deleted and unmodified files, directories, and stored data.
    Counts,
    /// Everything, with the content statistics.
    Content,
}

impl Track {
    /// Every track, the least first.
    pub const ALL: [Self; 3] = [Self::Metadata, Self::Counts, Self::Content];

    /// Its name, as users write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Counts => "counts",
            Self::Content => "content",
        }
    }

    /// The job without what this track hides.
    ///
    /// # Errors
    /// Never for a job that was valid; the check is the same.
    pub fn view(self, job: &BackupJob) -> Result<BackupJob, ModelError> {
        let all = job.image();
        let image = match self {
            Self::Content => *all,
            Self::Counts => {
                let mut image = *all;
                image.content = None;
                image
            }
            Self::Metadata => BackupImage::default()
                .image_bytes(all.image_bytes)
                .file_count(all.file_count)
                .transferred_bytes(all.transferred_bytes)
                .dedup_ratio(all.dedup_ratio),
        };
        BackupJob::builder(
            job.source().to_string(),
            job.job_id().to_string(),
            job.client().name.to_string(),
            job.policy().name.to_string(),
            job.started_at(),
        )
        .policy_type(job.policy().policy_type.as_ref().map(AsRef::as_ref))
        .schedule(job.schedule().name.as_ref().map(AsRef::as_ref))
        .schedule_type(job.schedule().schedule_type)
        .ended_at(job.ended_at())
        .status(job.status())
        .exit_code(job.exit_code())
        .duration_seconds(job.duration_seconds())
        .image(image)
        .build()
    }
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
