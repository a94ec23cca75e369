//! `backwatch` as its users meet it: what it prints, and with what status it ends.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anomaly_model::{Judgement, Verdict};
use program::{assert_golden, backwatch, root, stderr, stdout};
use tempfile::TempDir;

/// The sample's second stream, of full backups, never warms up.
const FULLS: u32 = 8;

/// What was printed, on one line.
fn unwrapped(output: &Output) -> String {
    stdout(output)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The lines of the sample history.
fn sample() -> Vec<String> {
    let text = fs::read_to_string(root().join("examples/data/fileserver.ndjson")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A file with these lines, in a directory that is gone with the test.
fn file(content: impl AsRef<[u8]>) -> (TempDir, String) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("jobs.ndjson");
    fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (directory, path)
}

fn scan(content: impl AsRef<[u8]>) -> Output {
    let (_directory, path) = file(content);
    backwatch(&["scan", &path])
}

#[test]
fn the_sample_is_golden_in_every_output() {
    for output in ["text", "table", "json", "ndjson"] {
        let found = backwatch(&[
            "scan",
            "examples/data/fileserver.ndjson",
            "--output",
            output,
        ]);
        assert_eq!(found.status.code(), Some(1));
        assert_eq!(stderr(&found), "");
        assert_golden(&format!("fileserver.{output}"), &stdout(&found));
    }
}

/// The verdict record, field for field, and one for each job in time order.
#[test]
fn ndjson_is_exactly_the_verdict_record() {
    let found = backwatch(&[
        "scan",
        "examples/data/fileserver.ndjson",
        "--output",
        "ndjson",
    ]);
    let fields: BTreeSet<&str> = [
        "source",
        "job_id",
        "client",
        "policy",
        "schedule_type",
        "started_at",
        "state",
        "score",
        "p_value",
        "severity",
        "kind",
        "findings",
        "summary",
        "unseen",
    ]
    .into();
    let mut last = None;
    let text = stdout(&found);
    assert_eq!(text.lines().count(), 57);
    for line in text.lines() {
        let record: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).unwrap();
        assert_eq!(
            record.keys().map(String::as_str).collect::<BTreeSet<_>>(),
            fields
        );
        let verdict: Verdict = serde_json::from_str(line).unwrap();
        assert!(last.is_none_or(|last| last <= verdict.started_at));
        last = Some(verdict.started_at);
    }
}

#[test]
fn the_status_says_what_was_found() {
    let quiet = sample()[..56].join("\n");
    assert_eq!(scan(&quiet).status.code(), Some(0));
    assert_eq!(scan(sample().join("\n")).status.code(), Some(1));
    assert_eq!(backwatch(&["scan"]).status.code(), Some(2));
    assert_eq!(
        backwatch(&["scan", "x", "--output", "xml"]).status.code(),
        Some(2)
    );
    let bad = scan(format!("{quiet}\nnonsense\n"));
    assert_eq!(bad.status.code(), Some(3));
    assert!(
        unwrapped(&bad).contains("1 record could not be read"),
        "{}",
        stdout(&bad)
    );
    assert_eq!(backwatch(&["scan", "no/such/file"]).status.code(), Some(4));
}

/// Status 3 says that the rest was judged: where none of it was, that is told first.
#[test]
fn broken_lines_do_not_hide_that_nothing_was_judged() {
    let off = ["--format", "ndjson", "--set", "detection.enabled=false"];
    let directory = TempDir::new().unwrap();
    let database = directory.path().join("db");
    let ingest = |path: &str| {
        let to = ["ingest", path, "--db", database.to_str().unwrap()];
        backwatch(&[&to[..], &off].concat())
    };
    let unjudged = format!("{}\nnonsense\n", sample()[0]);
    for text in ["nonsense\n".repeat(3), unjudged.clone()] {
        let (_directory, path) = file(text);
        let scanned = backwatch(&[&["scan", &path][..], &off].concat());
        for output in [scanned, ingest(&path)] {
            let stderr = stderr(&output);
            assert_eq!(output.status.code(), Some(4), "{stderr}");
            assert!(stderr.contains("not one job could be judged"), "{stderr}");
        }
    }
    // The job is known by now: what could be done is done.
    let (_directory, path) = file(unjudged);
    assert_eq!(ingest(&path).status.code(), Some(3));
}

/// Each kind of broken input gives one message that names the place, and the rest is judged.
#[test]
fn bad_records_are_named_and_skipped() {
    let good = sample();
    let with = |line: usize, text: &str| {
        let mut lines = good.clone();
        lines.insert(line - 1, text.to_owned());
        lines.join("\n")
    };
    let cut = &good[5][..good[5].len() / 2];
    let year = good[5].replace("2014-", "9999-").replace("-0005\"", "-x\"");
    let negative = good[5].replace("\"file_count\":", "\"file_count\":-");
    let long = format!("{{\"job_id\":\"{}\"}}", "x".repeat(10_000_000));
    for (text, message) in [
        (cut, ": line 6"),
        (&year, ": line 6: `started_at` is \"9999-"),
        (&negative, ": line 6: `file_count` is -"),
        (&long, ": line 6"),
        ("[1,2]", ": line 6"),
        ("\u{1}\u{2}", ": line 6"),
    ] {
        let output = scan(with(6, text));
        let (stdout, stderr) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.starts_with("warning: ") && stderr.contains(message),
            "{stderr}"
        );
        assert!(stderr.len() < 1_000, "a message is no place for the input");
        assert!(
            stdout.contains("57 jobs: 42 normal, 1 anomalous (1 high)"),
            "{stdout}"
        );
    }
}

#[test]
fn a_file_that_is_no_history_is_an_error() {
    for (content, message) in [
        (b"".as_slice(), "empty"),
        (
            b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00",
            "not text",
        ),
        (b"client,policy\nmail01,daily\n", "ndjson"),
    ] {
        let output = scan(content);
        assert_eq!(output.status.code(), Some(4));
        let stderr = stderr(&output);
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.starts_with("error: ") && stderr.contains(message),
            "{stderr}"
        );
        assert!(stderr.contains("jobs.ndjson"), "{stderr}");
    }
}

#[test]
fn duplicates_and_disorder_are_warned_of() {
    let mut twice = sample();
    twice.push(twice[3].clone());
    let output = scan(twice.join("\n"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(": line 58: job d03-fileserv-0003 was there before"));
    assert!(stdout(&output).contains("57 jobs: 42 normal, 1 anomalous"));

    let mut swapped = sample();
    swapped.swap(20, 22);
    let (_directory, path) = file(swapped.join("\n"));
    let output = backwatch(&["scan", &path]);
    assert!(
        stderr(&output).contains(": line 22: starts at"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("--sort"));

    // A listing that is newest first is no series of late arrivals.
    let reversed: Vec<String> = sample().into_iter().rev().collect();
    let output = scan(reversed.join("\n"));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("judged in order of their start"));
    assert!(
        stdout(&output).contains("HIGH  2014-11-26 22:00"),
        "{}",
        stdout(&output)
    );
    let sorted = backwatch(&["scan", "--sort", &path, "--output", "ndjson"]);
    assert_eq!(stderr(&sorted), "");
    assert_eq!(
        stdout(&sorted),
        stdout(&scan_as(&sample().join("\n"), "ndjson"))
    );
}

fn scan_as(content: &str, output: &str) -> Output {
    let (_directory, path) = file(content);
    backwatch(&["scan", &path, "--output", output])
}

#[test]
fn a_database_remembers() {
    let directory = TempDir::new().unwrap();
    let database = directory.path().join("backwatch.db");
    let database = database.to_str().unwrap();
    let (_files, half) = file(sample()[..30].join("\n"));
    assert_eq!(
        backwatch(&["scan", &half, "--db", database]).status.code(),
        Some(0)
    );
    let all = ["scan", "examples/data/fileserver.ndjson", "--db", database];
    let second = backwatch(&all);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        unwrapped(&second).contains("30 jobs were known already"),
        "{}",
        stdout(&second)
    );
    let ndjson = [&all[..], &["--output", "ndjson"]].concat();
    let in_memory = backwatch(&[
        "scan",
        "examples/data/fileserver.ndjson",
        "--output",
        "ndjson",
    ]);
    assert_eq!(
        stdout(&backwatch(&ndjson)),
        stdout(&in_memory),
        "the same verdicts, from the store"
    );
}

#[test]
fn a_database_that_cannot_be_used_is_an_error_and_stays_as_it_is() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let sample = "examples/data/fileserver.ndjson";
    let refused = |database: &str, message: &str| {
        let before = fs::read(database).ok();
        let output = backwatch(&["scan", sample, "--db", database]);
        let stderr = stderr(&output);
        assert_eq!(output.status.code(), Some(4), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.contains(message) && stderr.contains(database),
            "{stderr}"
        );
        assert_eq!(fs::read(database).ok(), before);
    };
    // A directory that nobody can write to, not even root: it is a file.
    fs::write(path("file"), "not a directory").unwrap();
    refused(&path("file/backwatch.db"), "cannot open");
    refused(&path("missing/backwatch.db"), "cannot open");
    fs::write(
        path("text.db"),
        "this is no database, however long it is ".repeat(200),
    )
    .unwrap();
    refused(&path("text.db"), "is not a Backwatch database");

    // SQLite keeps the schema's version in bytes 60 to 63 of the file.
    let database = path("newer.db");
    assert_eq!(
        backwatch(&["scan", sample, "--db", &database])
            .status
            .code(),
        Some(1)
    );
    let mut bytes = fs::read(&database).unwrap();
    bytes[60..64].copy_from_slice(&999_u32.to_be_bytes());
    fs::write(&database, bytes).unwrap();
    refused(&database, "999");
}

#[test]
fn settings_come_from_file_environment_and_flags() {
    let directory = TempDir::new().unwrap();
    let settings = directory.path().join("backwatch.toml");
    fs::write(&settings, "[detection]\nwarm_up_jobs = 40\n").unwrap();
    let settings = settings.to_str().unwrap();
    let sample = "examples/data/fileserver.ndjson";
    let warming_up = |output: &Output| {
        let text = unwrapped(output);
        let (before, _) = text.split_once(" warming up").unwrap();
        before.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(
        warming_up(&backwatch(&["scan", sample, "--settings", settings])),
        40 + FULLS
    );
    let environment = Command::new(env!("CARGO_BIN_EXE_backwatch"))
        .args(["scan", sample, "--settings", settings])
        .current_dir(root())
        .env("BACKWATCH_DETECTION_WARM_UP_JOBS", "30")
        .output()
        .unwrap();
    assert_eq!(warming_up(&environment), 30 + FULLS);
    let set = [
        "scan",
        sample,
        "--settings",
        settings,
        "--set",
        "detection.warm_up_jobs=20",
    ];
    assert_eq!(warming_up(&backwatch(&set)), 20 + FULLS);

    fs::write(settings, "[detection]\nwarm_up_job = 40\n").unwrap();
    let output = backwatch(&["scan", sample, "--settings", settings]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("backwatch.toml:2"),
        "{}",
        stderr(&output)
    );
    assert!(
        stderr(&output).contains("warm_up_jobs"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn standard_input_is_a_file_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_backwatch"))
        .args(["scan", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(sample().join("\n").as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("standard input: 57 jobs, 1 client, 2 streams"));
}

/// Names come from outside: they cannot move the cursor or colour the terminal.
#[test]
fn names_from_outside_are_harmless() {
    let failed = sample()[0].replace("succeeded", "failed").replace(
        "\"client\":\"d03-fileserv\"",
        "\"client\":\"\\u001b[2Jmail\\u202e01\"",
    );
    for output in ["text", "table"] {
        let text = stdout(&scan_as(&failed, output));
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{202e}'),
            "{text:?}"
        );
        assert!(text.contains("mail"), "{text}");
    }
}

#[test]
fn colour_needs_a_terminal() {
    let output = backwatch(&["scan", "examples/data/fileserver.ndjson"]);
    assert!(!stdout(&output).contains('\u{1b}'));
}

#[test]
fn switched_off_never_looks_like_nothing_found() {
    let set = [
        "scan",
        "examples/data/fileserver.ndjson",
        "--set",
        "detection.enabled=false",
    ];
    let text = unwrapped(&backwatch(&set));
    assert!(text.contains("57 not scored"), "{text}");
    assert!(text.contains("detection is switched off"), "{text}");
    assert!(text.contains("No stream was judged"), "{text}");
    assert_eq!(backwatch(&set).status.code(), Some(4));
    let ndjson = stdout(&backwatch(&[&set[..], &["--output", "ndjson"]].concat()));
    for line in ndjson.lines() {
        let verdict: Verdict = serde_json::from_str(line).unwrap();
        assert!(matches!(verdict.judgement, Judgement::NotScored { .. }));
    }
}

#[test]
fn completions_and_manual_pages_are_made() {
    let completions = stdout(&backwatch(&["completions", "bash"]));
    assert!(completions.contains("--output"));
    let directory = TempDir::new().unwrap();
    let pages = directory.path().join("man");
    assert!(
        backwatch(&["man", pages.to_str().unwrap()])
            .status
            .success()
    );
    let page = fs::read_to_string(pages.join("backwatch-scan.1")).unwrap();
    assert!(
        page.contains("exit status") || page.contains("Exit status"),
        "{page}"
    );
}

#[test]
fn what_is_switched_off_is_said() {
    let exclude = "detection.excluded_features=[\"random_files\"]";
    let rule = "detection.rules.clock=false";
    let output = backwatch(&[
        "scan",
        "examples/data/fileserver.ndjson",
        "--set",
        exclude,
        "--set",
        rule,
    ]);
    let text = unwrapped(&output);
    assert!(
        text.ends_with("Switched off in the settings: random_files, clock."),
        "{text}"
    );
    assert!(!text.contains("all its features"), "{text}");
}

/// The status says what was found, even when nobody reads the output to its end.
#[test]
fn a_closed_pipe_does_not_change_the_status() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_backwatch"))
        .args([
            "scan",
            "examples/data/fileserver.ndjson",
            "--output",
            "ndjson",
        ])
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "");
}

/// What was normal after an attack may hold what the attack left: it is not called clean.
#[test]
fn the_last_clean_job_is_before_the_attack() {
    let mut jobs = sample();
    let attack = jobs[56].clone();
    let quiet = sample()[54]
        .replace("-0054\"", "-quiet\"")
        .replace("2014-11-24T", "2014-11-27T")
        .replace("2014-11-25T", "2014-11-28T");
    jobs.push(quiet);
    let again = attack
        .replace("-0056-b02", "-again")
        .replace("2014-11-26", "2014-11-28");
    jobs.push(again);
    let text = stdout(&scan(jobs.join("\n")));
    assert!(text.contains("HIGH  2014-11-28"), "{text}");
    assert!(!text.contains("-quiet)"), "{text}");
    assert_eq!(
        text.matches("(d03-fileserv-0054)").count(),
        text.matches("Last job").count()
    );
}

#[test]
fn an_option_that_is_missing_or_not_used_is_named() {
    let summary = r#"{"message_type":"summary","files_new":1,"total_bytes_processed":5,
        "total_files_processed":1,"data_added":5,"snapshot_id":"ab12"}"#
        .replace('\n', "");
    let (_directory, path) = file(summary);
    let output = backwatch(&["scan", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("give it with --client"),
        "{}",
        stderr(&output)
    );
    let output = backwatch(&["scan", "examples/data/fileserver.ndjson", "--client", "x"]);
    assert!(
        stderr(&output).contains("--client is not used"),
        "{}",
        stderr(&output)
    );
}

/// Every mistake in a settings file has a line of its own.
#[test]
fn several_mistakes_are_several_lines() {
    let directory = TempDir::new().unwrap();
    let settings = directory.path().join("backwatch.toml");
    fs::write(
        &settings,
        "[detection]\nseed = -1\nwarm_up_jobs = 'x'\ncolour = 3\n",
    )
    .unwrap();
    let path = settings.to_str().unwrap();
    let output = backwatch(&[
        "scan",
        "examples/data/fileserver.ndjson",
        "--settings",
        path,
    ]);
    assert_eq!(stderr(&output).lines().count(), 3, "{}", stderr(&output));
    assert!(
        stderr(&output)
            .lines()
            .all(|line| line.starts_with("error: "))
    );
}
