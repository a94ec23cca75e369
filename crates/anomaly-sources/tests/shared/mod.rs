//! How the tests show what a reader yields.
#![allow(dead_code, reason = "each user calls some")]

use std::fmt::Write as _;
use std::io::BufRead;

use anomaly_sources::{Format, ReadOptions, Record, read, recognise};

/// Every record in words, and the error that ended them.
pub(crate) fn outline(input: impl BufRead, format: Format, options: &ReadOptions) -> Vec<String> {
    let ended = |error| format!("ended: {error}");
    let reader = match read(input, format, options) {
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
        Ok(Record::Remark(remark)) => format!("{}: but {}", remark.place, remark.value),
        Ok(other) => unreachable!("{other:?}"),
        Err(error) => ended(error),
    };
    reader.map(in_words).collect()
}

/// Jobs as records, one a line; what is not a job as a comment.
pub(crate) fn rendered(input: &str, format: Format, options: &ReadOptions) -> String {
    let mut text = String::new();
    for record in read(input.as_bytes(), format, options).unwrap() {
        match record.unwrap() {
            Record::Job(job) => writeln!(text, "{}", serde_json::to_string(&job.value).unwrap()),
            Record::Skipped(skipped) => writeln!(text, "# {}: {}", skipped.place, skipped.value),
            Record::Remark(remark) => writeln!(text, "# {}: but {}", remark.place, remark.value),
            other => writeln!(text, "# {other:?}"),
        }
        .unwrap();
    }
    text
}

/// Holds what is read of a fixture to its golden file, and its recognition to the format, however
/// little of the input is seen at first. `BLESS=1` writes the golden file anew.
#[track_caller]
pub(crate) fn check(fixture: &str, golden: &str, format: Format, options: &ReadOptions) {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let input = std::fs::read_to_string(format!("{tests}/fixtures/{fixture}")).unwrap();
    let golden = format!("{tests}/golden/{golden}");
    let found = rendered(&input, format, options);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    assert_eq!(found, expected, "{golden} differs; BLESS=1 writes it anew");
    for end in (1000..input.len()).step_by(97).chain([input.len()]) {
        let recognised = recognise(&input.as_bytes()[..end]).map(|found| found.format);
        assert_eq!(recognised.ok(), Some(format), "{fixture} up to {end}");
    }
}
