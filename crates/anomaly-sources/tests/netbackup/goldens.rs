//! What is read of whole outputs.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use anomaly_sources::{Format, ReadOptions, Record, read, recognise};

/// Jobs as records, one a line; what is not a job as a comment.
fn rendered(input: &str, format: Format) -> String {
    let mut text = String::new();
    for record in read(input.as_bytes(), format, &ReadOptions::default()).unwrap() {
        match record.unwrap() {
            Record::Job(job) => writeln!(text, "{}", serde_json::to_string(&job.value).unwrap()),
            Record::Skipped(skipped) => writeln!(text, "# {}: {}", skipped.place, skipped.value),
            other => writeln!(text, "# {other:?}"),
        }
        .unwrap();
    }
    text
}

/// Compares with a committed file; `BLESS=1 cargo test` writes it anew.
#[track_caller]
fn check(name: &str, format: Format) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let input = fs::read_to_string(tests.join("fixtures").join(name)).unwrap();
    let found = rendered(&input, format);
    let (stem, _) = name.rsplit_once('.').unwrap();
    let golden = tests.join("golden").join(format!("{stem}.ndjson"));
    if env::var_os("BLESS").is_some() {
        fs::write(&golden, &found).unwrap();
    }
    assert_eq!(
        found,
        fs::read_to_string(&golden).unwrap_or_default(),
        "{} differs; BLESS=1 writes it anew",
        golden.display()
    );
    assert_eq!(recognise(input.as_bytes()).unwrap().format, format);
    // However little of the input is seen at first.
    for end in (1000..input.len()).step_by(397) {
        assert_eq!(
            recognise(&input.as_bytes()[..end]).unwrap().format,
            format,
            "{end}"
        );
    }
}

#[test]
fn most_columns_of_the_jobs() {
    check("netbackup-bpdbjobs-most.txt", Format::NetBackupBpdbjobs);
}

#[test]
fn all_columns_of_the_jobs() {
    check("netbackup-bpdbjobs-all.txt", Format::NetBackupBpdbjobs);
}

#[test]
fn list_of_images() {
    check("netbackup-bpimagelist.txt", Format::NetBackupBpimagelist);
}

#[test]
fn two_pages_of_jobs() {
    check("netbackup-jobs-14.0.json", Format::NetBackupRest);
}

#[test]
fn a_page_of_jobs_of_8_3() {
    check("netbackup-jobs-4.0.json", Format::NetBackupRest);
}

#[test]
fn a_page_of_images() {
    check("netbackup-images-14.0.json", Format::NetBackupRest);
}
