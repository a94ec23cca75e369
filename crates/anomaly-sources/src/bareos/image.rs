//! What a job read and wrote.

use anomaly_model::BackupImage;

use super::row::{Column, Row};
use crate::RecordError;

/// `ReadBytes` is what the client read, `JobBytes` what was left of it when it was compressed and
/// written. All that is read is sent: there is no deduplication on the way.
///
/// `JobFiles` counts directories too, and with `Accurate = yes` the files that are gone.
pub(super) fn image<T: AsRef<str>>(row: &Row<T>) -> Result<BackupImage, RecordError> {
    let written = row.count(Column::JobBytes)?;
    // NDMP and some plugins do not count what they read.
    let read = row.count(Column::ReadBytes)?;
    let read = read.filter(|read| *read > 0 || written.is_none_or(|written| written == 0));
    Ok(BackupImage::default()
        .image_bytes(read)
        .file_count(row.count(Column::JobFiles)?)
        .transferred_bytes(read)
        .stored_bytes(written))
}
