//! `backwatch ingest` as a hook meets it: only what is new counts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::storage::{AuditQuery, ObservationQuery, Read as _, SqliteStore};
use program::{assert_golden, backwatch, root, stderr, stdout};
use tempfile::TempDir;

const SAMPLE: &str = "examples/data/fileserver.ndjson";

/// The lines of the sample history; the last job is the attack.
fn sample() -> Vec<String> {
    let text = fs::read_to_string(root().join(SAMPLE)).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A database of its own for a test.
struct Database {
    directory: TempDir,
}

impl Database {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        Self { directory }
    }

    fn ingest(&self, jobs: &[String], options: &[&str]) -> Output {
        let path = self.directory.path().join("backwatch.db");
        let mut child = Command::new(env!("CARGO_BIN_EXE_backwatch"))
            .args(["ingest", "--db", path.to_str().unwrap(), "-"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Whoever refuses the command line reads nothing.
        _ = stdin.write_all(jobs.join("\n").as_bytes());
        drop(stdin);
        child.wait_with_output().unwrap()
    }
}

fn scanned(jobs: &[String]) -> String {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("jobs.ndjson");
    fs::write(&path, jobs.join("\n")).unwrap();
    stdout(&backwatch(&[
        "scan",
        path.to_str().unwrap(),
        "--output",
        "ndjson",
    ]))
}

/// Whoever is told what is news goes by when a job came: a history that is imported is none.
#[test]
fn jobs_are_kept_with_the_time_when_they_came() {
    let database = Database::new();
    let before: DateTime<Utc> = SystemTime::now().into();
    assert_eq!(database.ingest(&sample()[..2], &[]).status.code(), Some(0));
    let store = SqliteStore::open(database.directory.path().join("backwatch.db")).unwrap();
    let jobs = store.observations(&ObservationQuery::default()).unwrap();
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        let came_at = store.recorded_at(job.number).unwrap().unwrap();
        // To the microsecond, as it is stored.
        assert!((came_at - before).num_microseconds().unwrap() >= -1);
    }
}

#[test]
fn only_what_is_new_counts() {
    let database = Database::new();
    let quiet = database.ingest(&sample()[..56], &[]);
    assert_eq!(quiet.status.code(), Some(0), "{}", stderr(&quiet));
    // What was not found is said with what was looked at.
    let text = stdout(&quiet).replace('\n', " ");
    let expected =
        "56 new jobs: 42 normal, 14 warming up. Every stream was judged on all its features. ";
    assert_eq!(text, expected);

    let attacked = database.ingest(&sample(), &[]);
    assert_eq!(attacked.status.code(), Some(1));
    assert_golden("fileserver-ingest.text", &stdout(&attacked));

    // The anomaly is still in the list, and was told.
    let again = database.ingest(&sample(), &[]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(stdout(&again), "No new job. 57 jobs were known already.\n");
    for quiet in [quiet, attacked, again] {
        assert_eq!(stderr(&quiet), "");
    }
}

/// A director that was set up anew counts from the beginning: its jobs are not those of before.
#[test]
fn ids_that_begin_again_are_told() {
    let database = Database::new();
    database.ingest(&sample(), &[]);
    let again: Vec<String> = sample()[..12]
        .iter()
        .map(|job| job.replace("\"client\":\"d03-fileserv\"", "\"client\":\"web02\""))
        .collect();
    let told = database.ingest(&again, &[]);
    assert_eq!(told.status.code(), Some(4), "{}", stderr(&told));
    let text = stdout(&told).replace('\n', " ");
    assert_eq!(text, "No new job. 12 jobs were neither judged nor kept. ");
    let warnings = stderr(&told);
    let first = "line 1: job d03-fileserv-0000 is not judged: its id is that of another job, of \
                 d03-fileserv, started 2014-10-01 22:00 UTC, which is stored";
    assert!(warnings.contains(first), "{warnings}");
    assert!(
        warnings.contains("2 more jobs that are not judged"),
        "{warnings}"
    );
    assert!(
        warnings.contains("not one job could be judged"),
        "{warnings}"
    );
    assert_eq!(warnings.lines().count(), 12, "{warnings}");
    // `scan` tells the same.
    let list = database.directory.path().join("again.ndjson");
    fs::write(&list, again.join("\n")).unwrap();
    let db = database.directory.path().join("backwatch.db");
    let told = backwatch(&["scan", "--db", db.to_str().unwrap(), list.to_str().unwrap()]);
    assert_eq!(told.status.code(), Some(4));
    assert!(stderr(&told).contains("is not judged: its id is that of another job"));
    assert!(
        stdout(&told).contains("12 jobs were neither judged nor kept."),
        "{}",
        stdout(&told)
    );
}

/// A hook's verdicts are those of a scan of all, however the list was handed over.
#[test]
fn the_verdicts_are_those_of_a_scan() {
    let expected = scanned(&sample());
    let database = Database::new();
    let by_and_by: String = (1..=19)
        .map(|days| stdout(&database.ingest(&sample()[..days * 3], &["--output", "ndjson"])))
        .collect();
    assert_eq!(by_and_by, expected);

    let newest_first: Vec<String> = sample().into_iter().rev().collect();
    let database = Database::new();
    let reversed = database.ingest(&newest_first, &["--output", "ndjson"]);
    assert_eq!(reversed.status.code(), Some(1));
    assert!(stderr(&reversed).contains("judged in order of their start"));
    assert_eq!(stdout(&reversed), expected);
}

/// More jobs than are held at a time, in order and not.
#[test]
fn a_long_list_is_judged_as_a_short_one() {
    let job = |n: u32| {
        let (day, client) = (n / 40, n % 40);
        let date = 1_700_000_000 + i64::from(day) * 86_400 + i64::from(client);
        let start = anomaly_model::chrono::DateTime::from_timestamp(date, 0).unwrap();
        format!(
            r#"{{"source":"borg","job_id":"{n}","client":"c{client}","policy":"p","started_at":"{}","status":"{}","image_bytes":{}}}"#,
            start.to_rfc3339(),
            if n == 2_300 { "failed" } else { "succeeded" },
            1_000_000 + n
        )
    };
    let jobs: Vec<String> = (0..2_400).map(job).collect();
    let expected = scanned(&jobs);
    let database = Database::new();
    let found = database.ingest(&jobs, &["--output", "ndjson"]);
    assert_eq!(found.status.code(), Some(1), "{}", stderr(&found));
    assert!(stdout(&found) == expected, "the verdicts differ");

    let newest_first: Vec<String> = jobs.iter().rev().cloned().collect();
    let found = Database::new().ingest(&newest_first, &["--output", "ndjson"]);
    assert!(stdout(&found) == expected, "the verdicts differ");
    let known = database.ingest(&newest_first, &["--output", "json"]);
    assert_eq!(known.status.code(), Some(0));
    let known: serde_json::Value = serde_json::from_str(&stdout(&known)).unwrap();
    assert_eq!(known["already_known"], 2_400);
    assert_eq!(known["jobs"], 0);
}

#[test]
fn the_status_is_that_of_the_new_jobs() {
    let database = Database::new();
    let status = |jobs: &[String], options: &[&str]| {
        let output = database.ingest(jobs, options);
        output.status.code()
    };
    let history = &sample()[..55];
    assert_eq!(status(history, &[]), Some(0));
    let bad = [history, &["nonsense".to_owned()]].concat();
    assert_eq!(
        status(&bad, &[]),
        Some(3),
        "a bad record, though no job is new"
    );
    assert_eq!(status(history, &["--output", "xml"]), Some(2));
    assert_eq!(status(history, &["--set", "detection.seed=x"]), Some(2));
    assert_eq!(status(history, &["--policy-parts", "x"]), Some(2));
    assert_eq!(status(&[], &[]), Some(4));
    let off = ["--set", "detection.enabled=false"];
    assert_eq!(status(&sample()[..56], &off), Some(4), "nobody looked");
    assert_eq!(status(&sample(), &[]), Some(1));
    assert_eq!(backwatch(&["ingest", SAMPLE]).status.code(), Some(2));
}

/// A job that one input names twice is one job.
#[test]
fn a_job_named_twice_is_judged_once() {
    let twice = [&sample()[..30], &sample()[20..30]].concat();
    let output = Database::new().ingest(&twice, &["--sort"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.starts_with("30 new jobs: "), "{text}");
    assert!(text.contains("10 jobs were known already"), "{text}");
}

/// What was read before can be left out by its last job, or by time.
#[test]
fn since_passes_over_what_was_read_before() {
    let expected = scanned(&sample());
    for since in ["d03-fileserv-0039", "2014-11-09T22:59:00Z"] {
        let database = Database::new();
        let first = database.ingest(&sample()[..40], &["--output", "ndjson"]);
        let rest = database.ingest(&sample(), &["--output", "ndjson", "--since", since]);
        assert_eq!(rest.status.code(), Some(1));
        let message = "standard input: 40 records passed over";
        assert!(stderr(&rest).contains(message), "{}", stderr(&rest));
        assert_eq!(stdout(&first) + &stdout(&rest), expected);
    }
    let lost = Database::new().ingest(&sample(), &["--since", "no-such-job"]);
    assert_eq!(lost.status.code(), Some(4), "nothing was read");
}

/// Whoever puts another population in place of the shipped one can make anything usual: it is told,
/// once each time that it changes.
#[test]
fn another_population_is_a_system_event() {
    let database = Database::new();
    let file = database.directory.path().join("population.json");
    let learnt = backwatch(&["eval", "learn", "--out", file.to_str().unwrap()]);
    assert_eq!(learnt.status.code(), Some(0), "{}", stderr(&learnt));
    let own = ["--population", file.to_str().unwrap()];
    let told: Vec<bool> = [&[][..], &own, &own, &[], &[]]
        .into_iter()
        .map(|options| {
            let ingested = database.ingest(&sample()[..3], options);
            assert_eq!(ingested.status.code(), Some(0), "{}", stderr(&ingested));
            stderr(&ingested).contains("another population than before")
        })
        .collect();
    assert_eq!(told, [false, true, false, true, false]);
    let store = SqliteStore::open(database.directory.path().join("backwatch.db")).unwrap();
    let events = AuditQuery::default()
        .what("population".to_owned())
        .at_least(Severity::Medium);
    let events = store.audit_entries(&events).unwrap();
    assert_eq!(events.len(), 2);
    let [back, other] = [&events[0].record, &events[1].record];
    assert!(other.before.is_none() && other.after.as_ref().unwrap().as_str().unwrap().len() == 64);
    assert_eq!((&back.before, &back.after), (&other.after, &None));
}
