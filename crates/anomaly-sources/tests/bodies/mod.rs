//! What must hold for any bytes: called with random ones by proptest and by the fuzz targets.
#![allow(dead_code, reason = "each user calls some")]
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "it fails by panicking"
)]

use std::io::{BufRead, BufReader};

use anomaly_model::BackupJob;
use anomaly_model::chrono::DateTime;
use anomaly_sources::{
    Format, ReadOptions, Record, RecordError, SourceError, Timezone, read, recognise,
};

/// Short enough that a fuzzer reaches it.
const MAX_RECORD_BYTES: usize = 2000;

/// Whatever a reader finds, with and without a run that failed.
pub(crate) fn any(bytes: &[u8], format: Format) {
    reads(bytes, format, &options());
    let failed = options().exit_code(1).started_at(DateTime::UNIX_EPOCH);
    reads(bytes, format, &failed);
}

/// What is recognised can at least be opened.
pub(crate) fn recognised(bytes: &[u8]) {
    let Ok(recognised) = recognise(bytes) else {
        return;
    };
    match read(bytes, recognised.format, &options()) {
        Ok(_) | Err(SourceError::Empty { .. }) => {}
        Err(error) => panic!("{recognised:?}, but {error}"),
    }
}

fn options() -> ReadOptions {
    let options = ReadOptions::default().max_record_bytes(MAX_RECORD_BYTES);
    options
        .client("client".to_owned())
        .policy("policy".to_owned())
        .timezone("Europe/Berlin".parse::<Timezone>().unwrap())
}

/// Reads `bytes` and checks what holds for every format.
fn reads(bytes: &[u8], format: Format, options: &ReadOptions) -> (Vec<Record>, Option<String>) {
    let (records, error) = all(bytes, format, options);
    let lines = bytes.split(|&byte| byte == b'\n').count() as u64;
    for record in &records {
        let place = match record {
            Record::Job(job) => {
                // Whatever was accepted can be written and read again.
                let text = serde_json::to_string(&job.value).unwrap();
                assert_eq!(serde_json::from_str::<BackupJob>(&text).unwrap(), job.value);
                job.place
            }
            Record::Skipped(said) | Record::Remark(said) => said.place,
            Record::Bad(RecordError { place, message, .. }) => {
                assert!(!message.is_empty());
                *place
            }
            other => unreachable!("{other:?}"),
        };
        assert!(
            (1..=lines).contains(&place.line),
            "{place} of {lines} lines"
        );
    }
    // How much arrives at a time makes no difference.
    let trickle = BufReader::with_capacity(3, bytes);
    assert_eq!(
        all(trickle, format, options),
        (records.clone(), error.clone())
    );
    (records, error)
}

/// All records, and the error that ended them.
fn all(
    input: impl BufRead,
    format: Format,
    options: &ReadOptions,
) -> (Vec<Record>, Option<String>) {
    let mut reader = match read(input, format, options) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut records = Vec::new();
    let error = loop {
        match reader.next() {
            Some(Ok(record)) => records.push(record),
            Some(Err(error)) => break Some(error.to_string()),
            None => break None,
        }
    };
    assert!(reader.next().is_none(), "the end stays the end");
    (records, error)
}
