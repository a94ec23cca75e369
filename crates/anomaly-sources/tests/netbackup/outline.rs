//! What is read of an input, in words.

use anomaly_model::BackupJob;
use anomaly_sources::{Format, ReadOptions, Record, read};

/// Every record in words, and the error that ended them.
pub(crate) fn outline(input: impl AsRef<[u8]>, format: Format) -> Vec<String> {
    let ended = |error| format!("ended: {error}");
    let reader = match read(input.as_ref(), format, &ReadOptions::default()) {
        Ok(reader) => reader,
        Err(error) => return vec![ended(error)],
    };
    let in_words = |record| match record {
        Ok(Record::Job(job)) => {
            let (id, status) = (job.value.job_id().clone(), job.value.status());
            format!("{}: {id} {status}", job.place)
        }
        Ok(Record::Skipped(skipped)) => format!("{}: skipped, {}", skipped.place, skipped.value),
        Ok(Record::Bad(error)) => format!("bad {error}"),
        Ok(other) => unreachable!("{other:?}"),
        Err(error) => ended(error),
    };
    reader.map(in_words).collect()
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
