//! Jobs read live, as users of the program meet it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;
#[path = "../../anomaly-remote/tests/servers/mod.rs"]
mod servers;

use std::fs;
use std::process::{Command, Output};

use program::{backwatch, stderr, stdout};
use servers::https::{Reply, Server};
use servers::postgresql::PostgreSql;
use tempfile::TempDir;

const DUMP: &str = include_str!("../../anomaly-remote/tests/fixtures/bacula-9.6.sql");
const PAGES: &str = include_str!("../../anomaly-sources/tests/fixtures/netbackup-jobs-14.0.json");
const KEY: &str = "A1uMjmj93mrpsW9qWroT-paNdMSDPdABCEDi7PRPD";

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn a_catalogue_is_ingested_again_and_again() {
    let Some(server) = PostgreSql::start() else {
        return;
    };
    let mut admin = server.database("bareos");
    admin.batch_execute(DUMP).unwrap();
    let address = server.address("admin", "bareos");
    let directory = TempDir::new().unwrap();
    let db = directory.path().join("backwatch.db");
    let ingest = |more: &[&str]| {
        let arguments = ["ingest", "--db", db.to_str().unwrap(), &address];
        backwatch(&[&arguments, more].concat())
    };

    let first = ingest(&[]);
    // Backups of a client that was not there, and one that missed a directory.
    assert_eq!(status(&first), 1, "{}", stderr(&first));
    assert!(stdout(&first).contains("ghost-fd / Backup-NoClient / full"));
    // What is no backup is counted by its reason: there are no lines to look at.
    let notes = format!(
        "note: {address}: 13 records skipped: a copy of a backup\n\
         note: {address}: 1 record skipped: has not ended\n\
         note: {address}: 2 records skipped: made of earlier backups, not from the client\n"
    );
    assert_eq!(stderr(&first), notes);

    let again = ingest(&["--since", "2026-11-25T23:00:00Z"]);
    assert_eq!(stdout(&again), "No new job. 11 jobs were known already.\n");
    assert_eq!(status(&again), 0);
    // The job that still ran has ended, and what started before it is known.
    admin
        .batch_execute(
            "UPDATE Job SET JobStatus = 'T', EndTime = StartTime + interval '5 minutes',
             RealEndTime = StartTime + interval '5 minutes', JobTDate = JobTDate + 300,
             JobFiles = 10, JobBytes = 1000, ReadBytes = 2000 WHERE JobId = 27",
        )
        .unwrap();
    let new = ingest(&["--since", "26"]);
    assert!(stdout(&new).starts_with("1 new job: "), "{}", stdout(&new));
    let nothing = ingest(&["--since", "27"]);
    assert_eq!((status(&nothing), stderr(&nothing)), (0, String::new()));
}

#[test]
fn a_primary_server_is_read_with_a_key() {
    let documents = serde_json::Deserializer::from_str(PAGES).into_iter::<serde_json::Value>();
    let pages = documents.map(|page| Reply::new(200, page.unwrap().to_string()));
    let server = Server::start(pages.collect());
    let key = server.directory().join("key");
    fs::write(&key, KEY).unwrap();
    let address = format!("netbackup+https://localhost:{}", server.port);
    let (key, ca) = (key.to_str().unwrap(), server.ca_file.to_str().unwrap());
    let converted = backwatch(&["convert", &address, "--api-key-file", key, "--ca-file", ca]);
    assert_eq!(status(&converted), 0, "{}", stderr(&converted));
    let saved = backwatch(&[
        "convert",
        "crates/anomaly-sources/tests/fixtures/netbackup-jobs-14.0.json",
    ]);
    assert_eq!(stdout(&converted), stdout(&saved));
    assert_eq!(server.requests()[0].header("authorization"), KEY);

    // What the environment names as a proxy gets neither the request nor the key.
    let next = server.requests().len();
    let unproxied = Command::new(env!("CARGO_BIN_EXE_backwatch"))
        .args(["convert", &address, "--api-key-file", key, "--ca-file", ca])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1")
        .current_dir(program::root())
        .output()
        .unwrap();
    assert!(server.requests().len() > next, "{}", stderr(&unproxied));

    let nobody = backwatch(&["convert", &address, "--ca-file", ca]);
    assert_eq!(status(&nobody), 2);
    assert!(
        stderr(&nobody).contains("--api-key-file"),
        "{}",
        stderr(&nobody)
    );
    assert_eq!(
        server.requests()[1].query("page[after]").as_deref(),
        Some("20112")
    );
    let distrusted = backwatch(&["convert", &address, "--api-key-file", key]);
    assert_eq!(status(&distrusted), 4);
    let said = stderr(&distrusted);
    assert!(
        said.contains("certificate") && !said.contains(KEY),
        "{said}"
    );
}

#[test]
fn nothing_new_is_no_failure() {
    let server = Server::start(vec![Reply::new(
        200,
        r#"{"data":[],"meta":{"pagination":{}}}"#,
    )]);
    let key = server.directory().join("key");
    fs::write(&key, KEY).unwrap();
    let address = format!("netbackup+https://localhost:{}", server.port);
    let scan = |more: &[&str]| {
        let (key, ca) = (key.to_str().unwrap(), server.ca_file.to_str().unwrap());
        let arguments = ["convert", &address, "--api-key-file", key, "--ca-file", ca];
        backwatch(&[&arguments, more].concat())
    };
    assert_eq!(status(&scan(&["--since", "2026-11-22T03:00:00Z"])), 0);
    assert_eq!(status(&scan(&[])), 4);
}

#[test]
fn no_password_is_taken_from_the_command_line() {
    let refused = backwatch(&["scan", "postgresql://backwatch:hunter2@db.example/bareos"]);
    assert_eq!(status(&refused), 2);
    let said = stderr(&refused);
    assert!(
        said.contains("PGPASSWORD") && !said.contains("hunter2"),
        "{said}"
    );
}
