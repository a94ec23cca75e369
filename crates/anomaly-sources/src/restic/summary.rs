//! What restic and rustic count during a backup.

use anomaly_model::BackupImage;
use anomaly_model::chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::json;

/// The numbers of one backup, with restic's names: in a snapshot since 0.17, and in the last
/// message of `restic backup --json` always.
///
/// restic writes every count that it knows, zeros too, so a number that is not there is one that
/// this version does not know: `data_added_packed` and the times before 0.17.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Summary {
    #[serde(default, deserialize_with = "json::time")]
    pub(super) backup_start: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    pub(super) backup_end: Option<DateTime<Utc>>,
    files_new: Option<u64>,
    files_changed: Option<u64>,
    files_unmodified: Option<u64>,
    dirs_new: Option<u64>,
    dirs_changed: Option<u64>,
    dirs_unmodified: Option<u64>,
    data_added: Option<u64>,
    data_added_packed: Option<u64>,
    total_files_processed: Option<u64>,
    total_bytes_processed: Option<u64>,
    /// rustic's alone.
    total_dirs_processed: Option<u64>,
}

impl Summary {
    /// Without the numbers that only a backup can know.
    ///
    /// `restic rewrite --snapshot-summary` gives an old snapshot a summary of zeros, in which only
    /// the two totals are true.
    pub(super) fn totals(&self) -> Self {
        Self {
            total_files_processed: self.total_files_processed,
            total_bytes_processed: self.total_bytes_processed,
            ..Self::default()
        }
    }

    pub(super) fn image(&self) -> BackupImage {
        BackupImage::default()
            .image_bytes(self.total_bytes_processed)
            .file_count(self.total_files_processed)
            .transferred_bytes(self.data_added)
            .stored_bytes(self.data_added_packed)
            .files_new(self.files_new)
            .files_changed(self.files_changed)
            .files_unmodified(self.files_unmodified)
            .directory_count(self.directory_count())
    }

    /// restic has no total of the directories; without all three parts there is none.
    fn directory_count(&self) -> Option<u64> {
        let sum = || {
            self.dirs_new?
                .checked_add(self.dirs_changed?)?
                .checked_add(self.dirs_unmodified?)
        };
        self.total_dirs_processed.or_else(sum)
    }
}
