//! A snapshot as a backup job.

use anomaly_features::content::Inspected;
use anomaly_model::BackupJob;
use anomaly_sources::{Format, ReadOptions, Record, read};
use rustic_core::repofile::SnapshotFile;

use crate::RusticJobError;

/// The backup that a snapshot is the result of, as [`rustic_core::Repository::backup`] returns it.
///
/// It is the job that reading the output of `rustic backup --json` gives: host as client, paths and
/// tags as policy, the snapshot's id as the job's. A function, because neither type is this crate's,
/// so that `From` cannot be implemented between them.
///
/// # Errors
/// [`RusticJobError`] when the snapshot has no id, host or paths, as one that was not saved.
pub fn backup_job(snapshot: &SnapshotFile) -> Result<BackupJob, RusticJobError> {
    let printed = serde_json::to_vec(snapshot)?;
    let no_job = |reason: String| RusticJobError::NoJob { reason };
    let mut records = read(
        printed.as_slice(),
        Format::RusticBackup,
        &ReadOptions::default(),
    )?;
    match records.next().transpose()? {
        Some(Record::Job(job)) => Ok(job.value),
        Some(Record::Bad(error)) => Err(no_job(error.message)),
        Some(Record::Skipped(skipped)) => Err(no_job(skipped.value.to_owned())),
        _ => Err(no_job("it says nothing".to_owned())),
    }
}

/// The job, with what was seen of its files while they were backed up.
///
/// Counts stay those of rustic, which knows the files that it did not read. What only a look at those and
/// at the deleted ones could tell is missing: the extensions of the image, and what was renamed and deleted.
///
/// # Errors
/// [`RusticJobError::Inspection`] when what was seen breaks a rule of the job format.
pub fn with_inspection(job: &BackupJob, seen: Inspected) -> Result<BackupJob, RusticJobError> {
    let content = seen.image.content.map(|content| {
        content
            .extension_count(None::<u64>)
            .extension_shift(None::<f64>)
            .renamed_files(None::<u64>)
            .deleted_bytes(None::<u64>)
    });
    let image = job.image().content(content);
    Ok(job.with_files_seen(image, seen.files)?)
}
