//! Evidence and upkeep of a database, as the administrator meets them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anomaly_model::chrono::TimeDelta;
use anomaly_service::storage::{AuditQuery, Purge, Read as _, SqliteStore, Store as _};
use program::{backwatch, root, stderr, stdout};
use serde_json::json;
use tempfile::TempDir;

const SAMPLE: &str = "examples/data/fileserver.ndjson";

/// A database of the sample history.
struct Database {
    directory: TempDir,
}

impl Database {
    fn new() -> Self {
        let database = Self {
            directory: TempDir::new().unwrap(),
        };
        // The history is older than it would be kept.
        let ingested = database.run("ingest", &[SAMPLE, "--set", "storage.retention_days=0"]);
        assert_eq!(ingested.status.code(), Some(1), "{}", stderr(&ingested));
        database
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, command: &str, options: &[&str]) -> Output {
        let path = self.path("db");
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.extend(["--db", path.to_str().unwrap()]);
        arguments.extend(options);
        backwatch(&arguments)
    }
}

/// With Backwatch's own means: jobs that were not old are deleted, as a purge says that they were.
#[test]
fn what_was_deleted_too_early_is_named() {
    let database = Database::new();
    let path = database.path("db");
    let now = "2014-12-01T00:00:00Z".parse().unwrap();
    let mut store = SqliteStore::open(&path).unwrap();
    let mut transaction = store.transaction().unwrap();
    let purge = Purge {
        now,
        started_before: now - TimeDelta::days(30),
        idle_before: now - TimeDelta::days(30),
        limit: 1,
    };
    assert_eq!(transaction.purge(&purge).unwrap().jobs, 1);
    transaction.commit().unwrap();
    let number = store.log_head().unwrap().size;
    drop(store);
    let found = database.run("verify", &[]);
    assert_eq!(found.status.code(), Some(1), "{}", stdout(&found));
    let expected = format!(
        "leaf {number} deleted jobs 30 days after they had started: every version of the settings up to \
         then kept them for good\n"
    );
    assert_eq!(stdout(&found), expected);

    // Where they were to be kept for no longer, nothing is wrong.
    let other = Database {
        directory: TempDir::new().unwrap(),
    };
    other.run("ingest", &[SAMPLE, "--set", "storage.retention_days=30"]);
    let found = stdout(&other.run("verify", &[]));
    assert!(found.contains("deleted after 30 days or more."), "{found}");

    // What says that it was done when all were old enough, and has yet to be done.
    let other = Database {
        directory: TempDir::new().unwrap(),
    };
    other.run("ingest", &[SAMPLE, "--set", "storage.retention_days=36500"]);
    let mut store = SqliteStore::open(other.path("db")).unwrap();
    let mut transaction = store.transaction().unwrap();
    let now = "9000-01-01T00:00:00Z".parse().unwrap();
    transaction.set_now(now);
    let purge = Purge {
        now,
        started_before: now - TimeDelta::days(36_500),
        ..purge
    };
    assert_eq!(transaction.purge(&purge).unwrap().jobs, 1);
    transaction.commit().unwrap();
    drop(store);
    let forged = other.run("verify", &[]);
    assert_eq!(forged.status.code(), Some(1), "{}", stdout(&forged));
    let told = "deleted jobs at 9000-01-01T00:00:00+00:00, which has yet to come";
    assert!(stdout(&forged).contains(told), "{}", stdout(&forged));
}

/// What is wrong may be told with the name of a job in it, which does nothing to a terminal.
#[test]
fn what_was_removed_is_named_without_harm() {
    let database = Database {
        directory: TempDir::new().unwrap(),
    };
    let name = "\u{1b}[2Jlast of borg";
    let job = |source: &str, job_id: &str, day: &str| {
        let started_at = format!("{day}T03:00:00Z");
        let job = json!({ "source": source, "job_id": job_id, "client": "mail01", "policy": "daily",
            "started_at": started_at, "status": "failed" });
        job.to_string()
    };
    // What is left of the first, its review, may be of the second too.
    let jobs = [
        job("restic", name, "2014-10-01"),
        job("borg of restic", "\u{1b}[2Jlast", "2014-11-30"),
    ];
    let file = database.path("jobs.ndjson");
    fs::write(&file, jobs.join("\n")).unwrap();
    let options = [file.to_str().unwrap(), "--set", "storage.retention_days=0"];
    database.run("ingest", &options);
    let named = format!("restic:{name}");
    let review = [&*named, "--as", "ignored", "--by", "ann"];
    let reviewed = database.run("anomalies review", &review);
    assert_eq!(reviewed.status.code(), Some(0), "{}", stderr(&reviewed));
    let now = "2014-12-01T00:00:00Z".parse().unwrap();
    let mut store = SqliteStore::open(database.path("db")).unwrap();
    let mut transaction = store.transaction().unwrap();
    let purge = Purge {
        now,
        started_before: now - TimeDelta::days(30),
        idle_before: now - TimeDelta::days(30),
        limit: 9,
    };
    assert_eq!(transaction.purge(&purge).unwrap().jobs, 1);
    transaction.commit().unwrap();
    let found = database.run("verify", &[]);
    assert_eq!(found.status.code(), Some(1), "{}", stdout(&found));
    let told = "it is a review of job \\u{1b}[2Jlast of borg of restic, which is stored";
    assert!(stdout(&found).contains(told), "{}", stdout(&found));
}

#[test]
fn what_was_altered_is_named() {
    let database = Database::new();
    let untouched = database.run("verify", &[]);
    assert_eq!(untouched.status.code(), Some(0), "{}", stderr(&untouched));
    // 57 jobs, and the first settings with their entry of the audit log.
    assert!(stdout(&untouched).starts_with("59 records are as they were recorded: 59 hashed anew"));
    assert!(stdout(&untouched).contains("No checkpoint was given"));

    let checkpoints = database.path("checkpoints");
    let out = checkpoints.to_str().unwrap();
    for _ in 0..2 {
        let written = database.run("checkpoint", &["--out", out]);
        assert_eq!(written.status.code(), Some(0), "{}", stderr(&written));
    }
    let agrees = database.run("verify", &["--checkpoint", out]);
    assert!(
        stdout(&agrees).contains("agrees with 2 checkpoints"),
        "{}",
        stderr(&agrees)
    );
    // The half that is no secret is enough.
    fs::rename(database.path("db.key"), database.path("elsewhere")).unwrap();
    let public = database.path("db.key.pub");
    let key = ["--checkpoint", out, "--key", public.to_str().unwrap()];
    assert_eq!(database.run("verify", &key).status.code(), Some(0));

    // One byte of one verdict.
    let path = database.path("db");
    let bytes = fs::read(&path).unwrap();
    let place = bytes
        .windows(4)
        .rposition(|bytes| bytes == b"high")
        .unwrap();
    let mut changed = bytes.clone();
    changed[place] = b'l';
    fs::write(&path, &changed).unwrap();
    let found = database.run("verify", &key);
    assert_eq!(found.status.code(), Some(1), "{}", stderr(&found));
    assert!(
        stdout(&found).contains("was altered or moved"),
        "{}",
        stdout(&found)
    );
    fs::write(&path, &bytes).unwrap();

    // A checkpoint of another database.
    let other = Database::new();
    let other_out = other.path("checkpoint");
    other.run("checkpoint", &["--out", other_out.to_str().unwrap()]);
    let foreign = ["--checkpoint", other_out.to_str().unwrap(), "--key", key[3]];
    let refused = database.run("verify", &foreign);
    assert_eq!(refused.status.code(), Some(4));
    assert!(
        stderr(&refused).contains("not signed by backwatch.log/"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn a_database_is_checked_copied_compacted_and_taken_out() {
    let database = Database::new();
    let check = database.run("db check", &[]);
    assert_eq!(stdout(&check), "The whole file reads.\n");
    let copy = database.path("copy");
    let copy = copy.to_str().unwrap();
    let copied = database.run("db backup", &[copy]);
    assert_eq!(copied.status.code(), Some(0));
    assert_eq!(stdout(&copied), format!("Copied to {copy}.\n"));
    let again = database.run("db backup", &[copy]);
    assert_eq!(again.status.code(), Some(4));
    assert!(stderr(&again).contains("exists"), "{}", stderr(&again));
    assert_eq!(backwatch(&["verify", "--db", copy]).status.code(), Some(0));
    let compacted = database.run("db compact", &[]);
    assert_eq!(compacted.status.code(), Some(0));
    let told = stdout(&compacted);
    assert!(
        told.starts_with("The file had ") && told.lines().count() == 1,
        "{told}"
    );
    assert_eq!(database.run("verify", &[]).status.code(), Some(0));

    let exported = database.path("exported");
    let written = database.run("db export", &[exported.to_str().unwrap()]);
    assert_eq!(written.status.code(), Some(0), "{}", stderr(&written));
    assert!(
        stdout(&written).starts_with("57 jobs written to "),
        "{}",
        stdout(&written)
    );
    let jobs = exported.join("jobs.ndjson");
    let lines = |name: &str| {
        fs::read_to_string(exported.join(name))
            .unwrap()
            .lines()
            .count()
    };
    assert_eq!(
        (
            lines("jobs.ndjson"),
            lines("verdicts.ndjson"),
            lines("reviews.ndjson")
        ),
        (57, 57, 0)
    );
    // What was taken out is judged as it was.
    let scan = |path: &str| stdout(&backwatch(&["scan", path, "--output", "ndjson"]));
    assert_eq!(scan(jobs.to_str().unwrap()), scan(SAMPLE));
    let verdicts = fs::read_to_string(exported.join("verdicts.ndjson")).unwrap();
    assert_eq!(verdicts, scan(SAMPLE));

    // What people did is taken out, the last first; what the clock missed is no job to take in again.
    let reviewed = database.run(
        "anomalies review",
        &[
            "restic:d03-fileserv-0056-b02",
            "--as",
            "confirmed",
            "--by",
            "ann",
        ],
    );
    assert_eq!(reviewed.status.code(), Some(0), "{}", stderr(&reviewed));
    for now in [
        "2014-11-27T00:00:00Z",
        "2014-12-03T00:00:00Z",
        "2014-12-03T01:00:00Z",
    ] {
        database.run("tick", &["--now", now]);
    }
    let exported = database.path("exported again");
    database.run("db export", &[exported.to_str().unwrap()]);
    let read = |name: &str| -> Vec<serde_json::Value> {
        let text = fs::read_to_string(exported.join(name)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    };
    let verdicts = read("verdicts.ndjson");
    assert_eq!((read("jobs.ndjson").len(), verdicts.len()), (57, 58));
    assert_eq!(verdicts[57]["source"], "backwatch");
    let review = read("reviews.ndjson").pop().unwrap();
    assert_eq!(
        (&review["job_id"], &review["status"]),
        (&json!("d03-fileserv-0056-b02"), &json!("confirmed"))
    );
    let audit = read("audit.ndjson");
    let what: Vec<&str> = audit
        .iter()
        .filter_map(|entry| entry["what"].as_str())
        .collect();
    assert_eq!(
        what.first().zip(what.last()),
        Some((&"review", &"settings")),
        "{what:?}"
    );
    assert_eq!(
        (&audit[0]["who"], &audit[0]["after"]["status"]),
        (&json!("ann"), &json!("confirmed"))
    );
    assert_eq!(audit[0]["before"], json!(null));
}

#[test]
fn every_command_says_that_there_is_no_database() {
    let missing = root().join("not-there.db");
    for command in [
        "verify",
        "checkpoint --out -",
        "coverage",
        "backtest --set detection.seed=3",
        "db check",
        "db backup copy",
        "db compact",
        "db export taken-out",
        "db forget --stream x --by ann",
        "user list",
        "user remove ann",
    ] {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.extend(["--db", missing.to_str().unwrap()]);
        let refused = backwatch(&arguments);
        assert_eq!(refused.status.code(), Some(4), "{command}");
        let told = format!("error: there is no database {}: ", missing.display());
        assert!(stderr(&refused).starts_with(&told), "{}", stderr(&refused));
        assert!(!missing.exists());
    }
}

#[test]
fn what_is_older_than_it_is_kept_is_deleted_beside_ingest() {
    let database = Database::new();
    let kept = |database: &Database| {
        let found = stdout(&database.run("verify", &[]));
        found.lines().next().unwrap().to_owned()
    };
    // To keep less is a change of the settings, with its entry. Nothing is new, and still a little of
    // what is old goes. The newest job says what time it is to a clock that is years ahead of it.
    let quiet = database.run("ingest", &[SAMPLE, "--set", "storage.retention_days=40"]);
    assert_eq!(quiet.status.code(), Some(0), "{}", stderr(&quiet));
    let found = kept(&database);
    assert!(
        found.contains("62 records") && !found.contains(" 0 deleted"),
        "{found}"
    );
    // The tool goes on listing what was deleted: none of it is news, or learnt twice.
    let listed = database.run("ingest", &[SAMPLE, "--set", "storage.retention_days=40"]);
    assert_eq!(listed.status.code(), Some(0), "{}", stderr(&listed));
    let told = "No new job. 57 jobs were known already.";
    assert!(stdout(&listed).starts_with(told), "{}", stdout(&listed));
    assert_eq!(kept(&database), found);
}

/// A model that cannot be used stops its stream, until somebody has it forgotten.
#[test]
fn what_was_learnt_of_a_stream_is_forgotten() {
    let database = Database::new();
    let store = || SqliteStore::open(database.path("db")).unwrap();
    let stream = store().streams(0, 1).unwrap().remove(0).record.0;
    let mut damaged = store();
    let mut transaction = damaged.transaction().unwrap();
    transaction.put_model_state(&stream, b"").unwrap();
    transaction.commit().unwrap();
    drop(damaged);
    let unknown = database.run("db forget", &["--stream", "nobody", "--by", "ann"]);
    assert_eq!(unknown.status.code(), Some(4));
    let told = "nothing is known of the stream \"nobody\"";
    assert!(stderr(&unknown).contains(told), "{}", stderr(&unknown));
    assert_eq!(store().model_state(&stream).unwrap().unwrap(), b"");

    let name = stream.to_string();
    let forgotten = database.run("db forget", &["--stream", &name, "--by", "ann"]);
    assert_eq!(forgotten.status.code(), Some(0), "{}", stderr(&forgotten));
    assert_eq!(stdout(&forgotten), format!("{name} warms up anew.\n"));
    let query = AuditQuery::default().what("forget".to_owned());
    let entries = store().audit_entries(&query).unwrap();
    let entry = &entries[0].record;
    assert_eq!(
        (&*entry.who, &*entry.subject, entries.len()),
        ("ann", &*name, 1)
    );
    let coverage = database.run("coverage", &["--list", "all"]);
    assert!(stdout(&coverage).contains("warm"), "{}", stdout(&coverage));
    assert_eq!(store().observations_stored_after(0, 99).unwrap().len(), 57);
}

#[test]
fn who_waits_in_vain_is_told_for_whom() {
    let database = Database::new();
    let mut store = SqliteStore::open(database.path("db")).unwrap();
    store.set_program("a test");
    let transaction = store.transaction().unwrap();
    let new = database.path("job.ndjson");
    let sample = fs::read_to_string(root().join(SAMPLE)).unwrap();
    let last = sample.lines().last().unwrap();
    let renamed = last.replace("\"job_id\":\"", "\"job_id\":\"x");
    assert_ne!(renamed, last);
    fs::write(&new, renamed).unwrap();
    let options = [new.to_str().unwrap(), "--set", "storage.wait_seconds=0"];
    let refused = database.run("ingest", &options);
    assert_eq!(refused.status.code(), Some(4));
    let told = format!("a test (process {}) since ", std::process::id());
    assert!(stderr(&refused).contains(&told), "{}", stderr(&refused));
    // What the hook could not store, the next one stores.
    drop(transaction);
    let stored = database.run("ingest", &options);
    assert_ne!(stored.status.code(), Some(4), "{}", stderr(&stored));
    assert_ne!(stdout(&stored), "");
}

/// All jobs of a run are judged by the settings that it began with.
#[test]
fn settings_that_change_meanwhile_are_those_of_the_next_run() {
    let directory = TempDir::new().unwrap();
    let [path, settings] = ["db", "settings.toml"].map(|name| directory.path().join(name));
    let arguments = [
        "ingest",
        "--db",
        path.to_str().unwrap(),
        "--settings",
        settings.to_str().unwrap(),
        "-",
    ];
    let sample = fs::read_to_string(root().join(SAMPLE)).unwrap();
    let (before, last) = sample.trim_end().rsplit_once('\n').unwrap();
    let usual = "[storage]\nretention_days = 0\n";
    let ingest = |meanwhile: &str| {
        fs::write(&settings, usual).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_backwatch"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // More than a pipe holds: once it is written, somebody reads, and has read the settings.
        for _ in 0..8 {
            stdin.write_all(before.as_bytes()).unwrap();
            stdin.write_all(b"\n").unwrap();
        }
        fs::write(&settings, meanwhile).unwrap();
        stdin.write_all(last.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    };
    assert!(8 * before.len() > 256 * 1024, "a pipe may hold it all");

    let changed = ingest("[detection]\nenabled = false\n");
    assert_eq!(changed.status.code(), Some(1), "{}", stderr(&changed));
    fs::remove_file(&path).unwrap();
    let broken = ingest("[detection]\nenabled = fal");
    assert_eq!(broken.status.code(), Some(1), "{}", stderr(&broken));
    assert_eq!(stdout(&broken), stdout(&changed));
    fs::remove_file(&path).unwrap();
    assert_eq!(stdout(&ingest(usual)), stdout(&changed));

    // The next run meets them: a broken file stops it before it does anything, and says where.
    fs::write(&settings, "[detection]\nenabled = fal").unwrap();
    let stopped = backwatch(&[&arguments[..5], &[SAMPLE]].concat());
    assert_eq!(stopped.status.code(), Some(2));
    assert!(
        stderr(&stopped).contains("settings.toml"),
        "{}",
        stderr(&stopped)
    );
}

#[test]
fn a_damaged_database_is_refused_by_name() {
    let database = Database::new();
    let path = database.path("db");
    let mut bytes = fs::read(&path).unwrap();
    // A page in the middle; the sample's database has a few dozen.
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let refused = database.run("ingest", &[SAMPLE]);
    assert_eq!(refused.status.code(), Some(4), "{}", stdout(&refused));
    let told = format!("{} is damaged: restore it from a copy", path.display());
    assert!(stderr(&refused).contains(&told), "{}", stderr(&refused));
    let checked = database.run("db check", &[]);
    assert_eq!(checked.status.code(), Some(1), "{}", stderr(&checked));
    assert_ne!(stdout(&checked), "");
}

/// The program that docs/evidence.md gives to others sees what ours sees.
#[test]
fn another_program_verifies_the_same_log() {
    let page = fs::read_to_string(root().join("docs/evidence.md")).unwrap();
    let (_, program) = page.split_once("```python\n").unwrap();
    let (program, _) = program.split_once("```").unwrap();
    let python = |path: &PathBuf| {
        let mut command = Command::new("python3");
        command.args(["-c", program]).arg(path).output()
    };
    let database = Database::new();
    let path = database.path("db");
    let Ok(found) = python(&path) else {
        _ = writeln!(std::io::stderr(), "python3 is not installed: not tested");
        return;
    };
    let ours = stdout(&database.run("verify", &[]));
    assert_eq!(
        stdout(&found).lines().last(),
        ours.lines().last(),
        "{}",
        stderr(&found)
    );
    // Also where some of it was deleted.
    database.run("ingest", &[SAMPLE, "--set", "storage.retention_days=40"]);
    let ours = stdout(&database.run("verify", &[]));
    let found = python(&path).unwrap();
    assert_eq!(
        stdout(&found).lines().last(),
        ours.lines().last(),
        "{}",
        stderr(&found)
    );

    let bytes = fs::read(&path).unwrap();
    let text = br#""severity":"high""#;
    let place = bytes.windows(text.len()).position(|bytes| bytes == text);
    let mut changed = bytes;
    changed[place.unwrap() + text.len() - 2] = b'H';
    fs::write(&path, changed).unwrap();
    assert!(stderr(&python(&path).unwrap()).contains("was altered or moved"));
}
