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
    CsvMapping, Format, ReadOptions, Record, RecordError, SourceError, Timezone, read, recognise,
};

/// Short enough that a fuzzer reaches it.
const MAX_RECORD_BYTES: usize = 2000;

/// Whatever a reader finds, with and without a run that failed.
pub(crate) fn any(bytes: &[u8], format: Format) {
    reads(bytes, format, &options());
    let failed = options().exit_code(1).started_at(DateTime::UNIX_EPOCH);
    reads(bytes, format, &failed);
}

/// CSV files with a mapping that uses what there is.
pub(crate) fn csv(bytes: &[u8]) {
    const COLUMNS: &str = r#"
        [columns]
        client = "client"
        job_id = ["client", "start"]
        started_at = { column = "start", format = "%d.%m.%Y %H:%M" }
        ended_at = "end"
        status = { column = "status", words = { OK = "succeeded", run = "skip" }, otherwise = "failed" }
        schedule_type = { column = "level", words = { F = "full" } }
        duration_seconds = { column = "length", unit = "hh:mm:ss" }
        image_bytes = { column = "size", unit = "cell" }
        transferred_bytes = { column = "sent", unit = "GiB" }
        dedup_ratio = { column = "saved", unit = "percent" }
        file_count = "files"
        exit_code = "code"
        random_files = "random"
    "#;
    const NUMBERS: &str = r#"
        header = false
        skip_lines = 1
        missing = ["-"]
        only = { column = 1, equals = ["a", "b"] }
        [constants]
        policy = "p"
        status = "partial"
        [columns]
        started_at = { column = 2, format = "epoch" }
        image_bytes = { column = 3, unit = "TiB" }
        dedup_ratio = { column = 4, unit = "factor" }
    "#;
    for mapping in [
        format!("decimal_comma = true\n{COLUMNS}"),
        NUMBERS.to_owned(),
    ] {
        let mapping = CsvMapping::parse(&mapping).unwrap();
        reads(bytes, Format::Csv, &options().csv_mapping(mapping));
    }
}

/// A mapping is read or refused, and one that is read reads a file.
pub(crate) fn csv_mapping(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match CsvMapping::parse(text) {
        Ok(mapping) => {
            let report = b"a,b,c\n1,2026-11-22T03:00:00Z,OK\nx,5,7%\n\"1,5 GB\",-,0\n";
            reads(report, Format::Csv, &options().csv_mapping(mapping));
        }
        Err(SourceError::Mapping { line, message }) => {
            let lines = text.matches('\n').count() as u64 + 1;
            assert!((1..=lines).contains(&line) && !message.is_empty());
        }
        Err(error) => panic!("{error}"),
    }
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
