//! `backwatch convert`: what is written is what was read, but for the names where that is asked.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::collections::BTreeSet;
use std::fs;

use anomaly_model::{BackupJob, Verdict};
use anomaly_sources::Format;
use program::{backwatch, root, stderr, stdout};
use tempfile::TempDir;

const SAMPLE: &str = "examples/data/fileserver.ndjson";

fn jobs(text: &str) -> Vec<BackupJob> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Runs with a directory for files; its path stands for `DIR` in the arguments.
fn convert(directory: &TempDir, arguments: &[&str]) -> std::process::Output {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| argument.replace("DIR", directory.path().to_str().unwrap()))
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    backwatch(&[&["convert"], &arguments[..]].concat())
}

#[test]
fn what_is_converted_is_the_same_jobs_and_the_same_bytes_again() {
    let directory = TempDir::new().unwrap();
    let once = convert(&directory, &[SAMPLE, "--out", "DIR/once"]);
    assert_eq!(once.status.code(), Some(0));
    assert_eq!(stdout(&once) + &stderr(&once), "");
    let once = fs::read_to_string(directory.path().join("once")).unwrap();
    let sample = fs::read_to_string(root().join(SAMPLE)).unwrap();
    assert_eq!(jobs(&once), jobs(&sample));
    assert_eq!(stdout(&convert(&directory, &["DIR/once"])), once);
}

/// What the readers are tested with: of every format, the same bytes the second time, and none of the
/// names when they are not wanted.
#[test]
fn every_format_is_converted() {
    let directory = TempDir::new().unwrap();
    let fixtures = root().join("crates/anomaly-sources/tests/fixtures");
    let options = "--client=host7 --policy=plan9 --started-at=2026-01-01T00:00:00Z";
    let options: Vec<&str> = options.split(' ').collect();
    let mut formats = BTreeSet::from(["ndjson".to_owned()]);
    for entry in fixtures.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let path = path.to_str().unwrap();
        // Bareos tells which zone its clock was in, and is not read with another.
        let zone = if path.contains("bareos") {
            "--timezone=+10:30"
        } else {
            "--timezone=UTC"
        };
        let once = convert(&directory, &[&[path, zone], &options[..]].concat());
        if once.stdout.is_empty() {
            continue;
        }
        if let Some((_, said)) = stderr(&once).split_once(": read as ") {
            formats.insert(said.split(':').next().unwrap().to_owned());
        }
        fs::write(directory.path().join("once"), &once.stdout).unwrap();
        let twice = convert(&directory, &["DIR/once"]);
        assert_eq!(twice.stdout, once.stdout, "{path}");

        let anonymous = stdout(&convert(&directory, &["DIR/once", "--anonymise"]));
        let original = jobs(&stdout(&once));
        assert_eq!(jobs(&anonymous).len(), original.len(), "{path}");
        for job in original {
            let names = [
                job.job_id().as_str(),
                job.client().name.as_str(),
                job.policy().name.as_str(),
            ];
            for name in names.iter().filter(|name| name.len() > 4) {
                assert!(!anonymous.contains(name), "{path}: {name}");
            }
        }
    }
    let all: BTreeSet<String> = Format::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(
        formats, all,
        "each format has a file that says so of itself"
    );
}

#[test]
fn a_bad_record_is_left_out_and_a_file_that_is_read_stays() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("jobs");
    let sample = fs::read_to_string(root().join(SAMPLE)).unwrap();
    let broken = format!("{sample}nonsense\n");
    fs::write(&path, &broken).unwrap();
    let output = convert(&directory, &["DIR/jobs"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(stdout(&output).lines().count(), 57);
    assert!(stderr(&output).contains(": line 58"), "{}", stderr(&output));

    let to_itself = convert(&directory, &["DIR/jobs", "--out", "DIR/./jobs"]);
    assert_eq!(to_itself.status.code(), Some(4));
    assert_eq!(fs::read_to_string(&path).unwrap(), broken);
}

#[test]
fn sorted_is_by_start() {
    let directory = TempDir::new().unwrap();
    let sample = fs::read_to_string(root().join(SAMPLE)).unwrap();
    let reversed: Vec<&str> = sample.lines().rev().collect();
    fs::write(directory.path().join("jobs"), reversed.join("\n")).unwrap();
    let output = stdout(&convert(&directory, &["DIR/jobs", "--sort"]));
    assert_eq!(jobs(&output), jobs(&sample));
}

/// Under the same key the same names, under another key others; and no verdict changes.
#[test]
fn an_anonymised_history_is_judged_as_the_original() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("key"), [7; 32]).unwrap();
    let keyed = ["--anonymise", "--key-file", "DIR/key"];
    let output = convert(&directory, &[&[SAMPLE], &keyed[..]].concat());
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("policy_type filesystem, source restic"));
    let anonymous = stdout(&output);
    for name in ["fileserv", "daily"] {
        assert!(!anonymous.contains(name), "{anonymous}");
    }
    let again = stdout(&convert(&directory, &[&[SAMPLE], &keyed[..]].concat()));
    assert_eq!(again, anonymous);
    let other = stdout(&convert(&directory, &[SAMPLE, "--anonymise"]));
    assert_ne!(
        other,
        stdout(&convert(&directory, &[SAMPLE, "--anonymise"]))
    );

    for converted in [anonymous, other] {
        let path = directory.path().join("anonymous");
        fs::write(&path, &converted).unwrap();
        let verdicts = |file: &str| -> Vec<Verdict> {
            let output = stdout(&backwatch(&["scan", file, "--output", "ndjson"]));
            output
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        };
        let (original, anonymous) = (verdicts(SAMPLE), verdicts(path.to_str().unwrap()));
        assert_eq!(original.len(), anonymous.len());
        let shift = original[0].started_at - anonymous[0].started_at;
        assert_eq!(shift.num_seconds() % (7 * 86_400), 0);
        assert!(shift.num_days() > 0);
        for (original, mut anonymous) in original.into_iter().zip(anonymous) {
            anonymous.job_id = original.job_id.clone();
            anonymous.client = original.client.clone();
            anonymous.policy = original.policy.clone();
            anonymous.started_at += shift;
            assert_eq!(anonymous, original);
        }
    }
}

#[test]
fn a_key_that_can_be_guessed_is_refused() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("key"), "secret").unwrap();
    let output = convert(
        &directory,
        &[SAMPLE, "--anonymise", "--key-file", "DIR/key"],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("holds 6 bytes"));
    assert_eq!(stdout(&output), "");
    let output = convert(&directory, &[SAMPLE, "--key-file", "DIR/key"]);
    assert_eq!(output.status.code(), Some(2), "a key without --anonymise");
}
