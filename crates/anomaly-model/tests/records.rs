//! `docs/records.md` has each field of a job and of a verdict, and examples that this crate writes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::{env, fs};

use anomaly_model::{
    AnomalyKind, BackupJob, FileReason, JobStatus, ScheduleType, Severity, Verdict,
};
use serde_json::Value;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/records.md");
/// Set to write the examples instead of checking them.
const WRITE: &str = "BLESS";

/// A job with everything that a record may have.
const JOB: &str = r#"{
    "source": "restic", "job_id": "d03-0056", "client": "mail01", "policy": "daily",
    "policy_type": "filesystem", "schedule": "nightly", "schedule_type": "incremental",
    "started_at": "2026-11-25T22:07:30Z", "ended_at": "2026-11-25T22:19:30Z",
    "status": "partial", "exit_code": 3, "duration_seconds": 720.0,
    "image_bytes": 43201331200, "file_count": 81250, "directory_count": 5120,
    "transferred_bytes": 310000000, "stored_bytes": 141000000, "dedup_ratio": 0.9928,
    "files_new": 14, "files_changed": 96, "files_unmodified": 81140, "files_deleted": 2,
    "content": {
        "mean_entropy_bits": 4.9, "mean_entropy_bits_new": 5.2, "mean_entropy_bits_changed": 4.8,
        "entropy_delta_bits_changed": 0.01, "entropy_sd_bits": 1.1, "printable_share": 0.71,
        "high_entropy_share_new": 0.07, "high_entropy_share_changed": 0.05, "random_files": 0,
        "unseen_extension_files": 0, "unseen_extension_share_new": 0.0, "extension_count": 42,
        "extension_shift": 0.001, "renamed_files": 1, "emptied_files": 0,
        "written_bytes": 322000000, "deleted_bytes": 81920
    },
    "inspection": {
        "written_files": 110, "examined_files": 109, "unreadable_files": 1, "unsteady_files": 0,
        "contradicting_files": 0, "partly_random_files": 0, "encoded_files": 0,
        "undecided_files": 3, "ransom_note_files": 0,
        "written_extensions": { "docx": 61, "xlsx": 49 },
        "attributes": { "size": [0, 2, 61, 47] },
        "notable_files": [{
            "path": "reports/q3.docx", "change": "changed", "reasons": ["entropy_rose"],
            "size_bytes": 90112, "entropy_bits": 7.6, "entropy_bits_before": 6.9
        }]
    }
}"#;

/// A verdict with everything that a record may have.
const VERDICT: &str = r#"{
    "source": "restic", "job_id": "d03-0056", "client": "mail01", "policy": "daily",
    "schedule_type": "incremental", "started_at": "2026-11-25T22:07:30Z",
    "state": "anomalous", "score": 3.0, "p_value": 0.001, "severity": "high",
    "kind": "mass_encryption",
    "findings": [{
        "feature": "transferred_bytes", "observed": 9000000.0, "usual_low": 0.0,
        "usual_high": 1900000.0, "direction": "above", "score": 3.5
    }],
    "summary": "Looks like mass encryption: 382 of 732 files were replaced.",
    "unseen": ["files_deleted"],
    "files": [{
        "path": "reports/q3.docx", "change": "changed", "reasons": ["looks_random"],
        "size_bytes": 90112, "entropy_bits": 8.0, "entropy_bits_before": 6.9
    }],
    "covered_by": null,
    "level_shift": { "jobs": 7, "began_with": { "source": "restic", "job_id": "d03-0049" }, "accepted": false }
}"#;

/// What stands between two marks of the page.
fn between<'a>(page: &'a str, mark: &str) -> (&'a str, &'a str, &'a str) {
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{begin}"));
    let (inside, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{end}"));
    (before, inside, after)
}

/// The first column of a table, without its head.
fn fields(page: &str, mark: &str) -> BTreeSet<String> {
    let table = between(page, mark).1.lines();
    let names = table.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    names.map(str::to_owned).collect()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn the_page_has_each_field() {
    let page = fs::read_to_string(PAGE).unwrap();
    let job: BackupJob = serde_json::from_str(JOB).unwrap();
    let job = serde_json::to_value(&job).unwrap();
    for (mark, object) in [
        ("job", &job),
        ("content", &job["content"]),
        ("inspection", &job["inspection"]),
    ] {
        assert_eq!(fields(&page, mark), keys(object), "{mark}");
    }
    let mut of_verdict = fields(&page, "verdict");
    // Left out where there is none.
    assert!(of_verdict.remove("covered_by"));
    let verdict: Verdict = serde_json::from_str(VERDICT).unwrap();
    assert_eq!(of_verdict, keys(&serde_json::to_value(&verdict).unwrap()));
}

#[test]
fn the_page_has_each_word() {
    let page = fs::read_to_string(PAGE).unwrap();
    let mut words: Vec<String> = Vec::new();
    words.extend(AnomalyKind::ALL.iter().map(ToString::to_string));
    words.extend(FileReason::ALL.iter().map(ToString::to_string));
    words.extend(JobStatus::ALL.iter().map(ToString::to_string));
    words.extend(ScheduleType::ALL.iter().map(ToString::to_string));
    words.extend(Severity::ALL.iter().map(ToString::to_string));
    for word in words {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn the_examples_are_what_the_code_writes() {
    let job: BackupJob = serde_json::from_str(JOB).unwrap();
    let verdict: Verdict = serde_json::from_str(VERDICT).unwrap();
    let examples = [
        ("job example", serde_json::to_string_pretty(&job).unwrap()),
        (
            "verdict example",
            serde_json::to_string_pretty(&verdict).unwrap(),
        ),
    ];
    let found = fs::read_to_string(PAGE).unwrap();
    let mut page = found.clone();
    for (mark, text) in examples {
        let (before, _, after) = between(&page, mark);
        page = format!("{before}<!-- {mark} -->\n```json\n{text}\n```\n<!-- /{mark} -->{after}");
    }
    if env::var_os(WRITE).is_some() {
        fs::write(PAGE, &page).unwrap();
        return;
    }
    assert!(
        found == page,
        "docs/records.md differs; {WRITE}=1 cargo test -p anomaly-model --test records writes it anew"
    );
}
