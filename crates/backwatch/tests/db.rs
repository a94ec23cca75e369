//! Evidence and upkeep of a database, as the administrator meets them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use program::{assert_golden, backwatch, root, stderr, stdout};
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

#[test]
fn help_is_golden() {
    let mut help = String::new();
    for command in [
        "verify",
        "checkpoint",
        "db",
        "db check",
        "db backup",
        "db compact",
        "db export",
    ] {
        let mut arguments: Vec<&str> = command.split(' ').collect();
        arguments.push("--help");
        help += &format!(
            "$ backwatch {command} --help\n{}\n",
            stdout(&backwatch(&arguments))
        );
    }
    assert_golden("db-help.txt", &help);
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
    assert_eq!(database.run("db backup", &[copy]).status.code(), Some(0));
    let again = database.run("db backup", &[copy]);
    assert_eq!(again.status.code(), Some(4));
    assert!(stderr(&again).contains("exists"), "{}", stderr(&again));
    assert_eq!(backwatch(&["verify", "--db", copy]).status.code(), Some(0));
    assert_eq!(database.run("db compact", &[]).status.code(), Some(0));
    assert_eq!(database.run("verify", &[]).status.code(), Some(0));

    let exported = database.path("exported");
    let written = database.run("db export", &[exported.to_str().unwrap()]);
    assert_eq!(written.status.code(), Some(0), "{}", stderr(&written));
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

    let missing = root().join("not-there.db");
    for command in [&["verify"][..], &["db", "check"]] {
        let arguments = [command, &["--db", missing.to_str().unwrap()]].concat();
        assert_eq!(backwatch(&arguments).status.code(), Some(4));
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
    // To keep less is a change of the settings, with its entry. Nothing new, and still a little of what is old goes. The newest job says what time it is to a
    // clock that is years ahead of it.
    let quiet = database.run("ingest", &[SAMPLE, "--set", "storage.retention_days=40"]);
    assert_eq!(quiet.status.code(), Some(0), "{}", stderr(&quiet));
    let found = kept(&database);
    assert!(
        found.contains("62 records") && !found.contains(" 0 deleted"),
        "{found}"
    );
}
