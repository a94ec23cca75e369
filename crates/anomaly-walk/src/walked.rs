//! What a walk found.

use std::path::{Path, PathBuf};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupImage, BackupJob, FileInspection, ModelError};

use crate::state::PendingState;
use crate::{WalkError, WalkWarning};

/// What a walk found. The state is that of before until [`commit`](Self::commit).
#[derive(Debug)]
#[must_use = "the next walk compares with the same state as this one unless it is committed"]
pub struct Walked {
    pub(crate) image: BackupImage,
    pub(crate) inspection: FileInspection,
    pub(crate) directory: PathBuf,
    pub(crate) previous: Option<DateTime<Utc>>,
    pub(crate) read_bytes: u64,
    pub(crate) warnings: Vec<WalkWarning>,
    pub(crate) state: Option<PendingState>,
}

impl Walked {
    /// Sizes and counts of an image of the directory, and the statistics of what was written.
    #[must_use]
    pub fn image(&self) -> &BackupImage {
        &self.image
    }

    /// What was seen of the new and changed files beside numbers, and which ones are notable.
    #[must_use]
    pub fn inspection(&self) -> &FileInspection {
        &self.inspection
    }

    /// The directory, without links in its path.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// When the walk before started, with which this one compared; `None` if there was none and all
    /// files count as new.
    #[must_use]
    pub fn previous(&self) -> Option<DateTime<Utc>> {
        self.previous
    }

    /// The bytes that were read of files.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// What a person should know: at most 20 of each kind. How many there were stands in
    /// [`inspection`](Self::inspection).
    #[must_use]
    pub fn warnings(&self) -> &[WalkWarning] {
        &self.warnings
    }

    /// The job with what the walk saw: counts and sizes that the tool did not report, the content
    /// statistics and the inspection.
    ///
    /// Where the walk saw more new and changed files than the tool reports, the counts of new, changed,
    /// unmodified and deleted files are the walk's: content is of those files, and a tool that looks at
    /// size and time is not to hide what was changed behind its back.
    ///
    /// To a first walk all files are new, and the job wrote some of them at most: what it says of
    /// changes, of content and of attributes is left out. What files are called, and what is notable
    /// about them, is not.
    ///
    /// # Errors
    /// [`ModelError`] when what was seen breaks a rule of the job format.
    pub fn fill(&self, job: &BackupJob) -> Result<BackupJob, ModelError> {
        let (mut told, seen) = (*job.image(), &self.image);
        let mut image = told
            .image_bytes(told.image_bytes.or(seen.image_bytes))
            .file_count(told.file_count.or(seen.file_count))
            .directory_count(told.directory_count.or(seen.directory_count));
        let mut inspection = self.inspection.clone();
        if self.previous.is_some() {
            if written_files(&told) < written_files(seen) {
                told.files_new = None;
                told.files_changed = None;
                told.files_unmodified = None;
                told.files_deleted = None;
            }
            image = image
                .files_new(told.files_new.or(seen.files_new))
                .files_changed(told.files_changed.or(seen.files_changed))
                .files_unmodified(told.files_unmodified.or(seen.files_unmodified))
                .files_deleted(told.files_deleted.or(seen.files_deleted))
                .content(seen.content);
        } else {
            inspection.attributes = None;
        }
        job.with_files_seen(image, inspection)
    }

    /// Puts the state of this walk in the place of that before, for the next walk to compare with.
    /// Does nothing on a dry run.
    ///
    /// Commit once the job is judged and kept: if it never is, the next walk sees the same again.
    ///
    /// # Errors
    /// [`WalkError::State`] when the state cannot be written; it is then that of before.
    pub fn commit(self) -> Result<(), WalkError> {
        match self.state {
            Some(state) => state.commit(),
            None => Ok(()),
        }
    }
}

fn written_files(image: &BackupImage) -> Option<u64> {
    Some(image.files_new?.saturating_add(image.files_changed?))
}
