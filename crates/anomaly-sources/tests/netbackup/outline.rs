//! What is read of an input, in words.

use anomaly_model::BackupJob;
use anomaly_sources::{Format, ReadOptions, read};

use crate::shared;

/// Every record in words, and the error that ended them.
pub(crate) fn outline(input: impl AsRef<[u8]>, format: Format) -> Vec<String> {
    shared::outline(input.as_ref(), format, &ReadOptions::default())
}

/// The jobs alone.
pub(crate) fn jobs(input: impl AsRef<[u8]>, format: Format) -> Vec<BackupJob> {
    let records = read(input.as_ref(), format, &ReadOptions::default()).unwrap();
    records.filter_map(|record| record.unwrap().job()).collect()
}

/// The only job.
#[track_caller]
pub(crate) fn job(input: impl AsRef<[u8]>, format: Format) -> BackupJob {
    let jobs = jobs(input, format);
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    jobs[0].clone()
}
