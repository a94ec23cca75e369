//! What is read of the outputs of real tools.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use anomaly_model::chrono::DateTime;
use anomaly_sources::{Format, ReadOptions, Record, read, recognise};

/// Jobs as records, one a line; what is not a job as a comment.
fn rendered(input: &str, format: Format, options: &ReadOptions) -> String {
    let mut text = String::new();
    for record in read(input.as_bytes(), format, options).unwrap() {
        match record.unwrap() {
            Record::Job(job) => writeln!(text, "{}", serde_json::to_string(&job.value).unwrap()),
            Record::Skipped(skipped) => writeln!(text, "# {}: {}", skipped.place, skipped.value),
            other => writeln!(text, "# {other:?}"),
        }
        .unwrap();
    }
    text
}

#[track_caller]
fn check(input: &str, golden: &str, format: Format, options: &ReadOptions) {
    assert_eq!(rendered(input, format, options), golden);
    assert_eq!(recognise(input.as_bytes()).unwrap().format, format);
    // However little of the input is seen at first.
    for end in (400..input.len()).step_by(97) {
        assert_eq!(
            recognise(&input.as_bytes()[..end]).unwrap().format,
            format,
            "{end}"
        );
    }
}

/// What `restic backup` does not say.
fn of_run() -> ReadOptions {
    let started_at: DateTime<_> = "2026-11-22T03:00:00Z".parse().unwrap();
    ReadOptions::default()
        .client("fixture".to_owned())
        .policy("daily".to_owned())
        .started_at(started_at)
}

#[test]
fn ndjson_is_read_as_it_was_written() {
    let input = include_str!("fixtures/jobs.ndjson");
    let golden = include_str!("golden/jobs.ndjson");
    check(input, golden, Format::Ndjson, &ReadOptions::default());
}

#[test]
fn snapshots_with_summary() {
    let input = include_str!("fixtures/restic-snapshots-summary.json");
    let golden = include_str!("golden/restic-snapshots-summary.ndjson");
    check(
        input,
        golden,
        Format::ResticSnapshots,
        &ReadOptions::default(),
    );
}

#[test]
fn snapshots_without_summary_have_no_numbers() {
    let input = include_str!("fixtures/restic-snapshots-0.14.json");
    let golden = include_str!("golden/restic-snapshots-0.14.ndjson");
    check(
        input,
        golden,
        Format::ResticSnapshots,
        &ReadOptions::default(),
    );
}

#[test]
fn backup_messages() {
    let input = include_str!("fixtures/restic-backup-0.14.txt");
    let golden = include_str!("golden/restic-backup-0.14.ndjson");
    check(input, golden, Format::ResticBackup, &of_run());
}

#[test]
fn backup_that_could_not_read_a_file_is_partial() {
    let input = include_str!("fixtures/restic-backup-unreadable-0.14.txt");
    let golden = include_str!("golden/restic-backup-unreadable-0.14.ndjson");
    check(input, golden, Format::ResticBackup, &of_run());
    let with_code = rendered(input, Format::ResticBackup, &of_run().exit_code(3));
    let code = r#""status":"partial","exit_code":3"#;
    assert_eq!(with_code, golden.replace(r#""status":"partial""#, code));
}

#[test]
fn bless_tmp() {
    for (f, fmt) in [
        ("bacula-9.6-catalogue.csv", Format::BareosCatalogue),
        ("bacula-9.6-tables.csv", Format::BareosCatalogue),
        ("bacula-9.6-llist-sqlite.txt", Format::BareosLlist),
        ("bacula-9.6-llist-postgresql.txt", Format::BareosLlist),
        ("bareos-llist.json", Format::BareosJson),
    ] {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/");
        let text = std::fs::read_to_string(format!("{dir}fixtures/{f}")).unwrap();
        let out = rendered(&text, fmt, &ReadOptions::default());
        std::fs::write(
            format!("{dir}golden/{}.ndjson", f.rsplit_once('.').unwrap().0),
            out,
        )
        .unwrap();
    }
}
