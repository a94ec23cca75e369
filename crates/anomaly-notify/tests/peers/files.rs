//! Lines at the end of a file.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anomaly_notify::{Event, NotifyError};
use serde_json::Value;
use tempfile::TempDir;

use super::shared::{night, samples, sink};

#[tokio::test]
async fn lines_are_added_and_a_file_that_was_moved_away_is_made_anew() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("findings.ndjson");
    let file = sink(&format!("name = \"a\"\n[file]\npath = {path:?}"));
    let samples = samples();
    let events: Vec<&Event> = samples.iter().map(|(_, event)| event).collect();
    file.deliver(&events[..1], night()).await.unwrap();
    file.deliver(&events[1..], night()).await.unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<&str> = lines
        .iter()
        .map(|line| line["metadata"]["uid"].as_str().unwrap())
        .collect();
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(told, ids);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);

    fs::rename(&path, directory.path().join("findings.ndjson.1")).unwrap();
    file.deliver(&events[..1], night()).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_an_error_that_may_pass() {
    let file = sink("name = \"a\"\n[file]\npath = \"/nowhere/findings.ndjson\"");
    let samples = samples();
    let error = file.deliver(&[&samples[0].1], night()).await.unwrap_err();
    assert!(matches!(error, NotifyError::File { .. }), "{error:?}");
    assert!(!error.is_permanent());
}

fn told(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    Some(line["metadata"]["uid"].as_str()?.to_owned())
}

/// What a full disk left of a line takes nothing with it.
#[tokio::test]
async fn a_torn_line_does_not_take_the_next_event() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("findings.ndjson");
    fs::write(&path, "{\"metadata\":{\"uid\":\"ha").unwrap();
    let file = sink(&format!("name = \"a\"\n[file]\npath = {path:?}"));
    let samples = samples();
    for (_, event) in &samples {
        file.deliver(&[event], night()).await.unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let ids: Vec<Option<String>> = text.lines().map(told).collect();
    let whole = samples.iter().map(|(_, event)| Some(event.id.clone()));
    let expected: Vec<Option<String>> = std::iter::once(None).chain(whole).collect();
    assert_eq!(ids, expected);
}

fn pipe(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("findings");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    path
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_is_not_waited_for() {
    let directory = TempDir::new().unwrap();
    let path = pipe(&directory);
    let file = sink(&format!("name = \"a\"\n[file]\npath = {path:?}"));
    let samples = samples();
    let events = [&samples[0].1];
    let told = tokio::time::timeout(Duration::from_secs(20), file.deliver(&events, night())).await;
    if told.is_err() {
        // Whoever waits for a reader gets one, so that the test ends.
        File::open(&path).unwrap();
    }
    let error = told.unwrap().unwrap_err();
    assert!(matches!(error, NotifyError::File { .. }), "{error:?}");
    assert!(!error.is_permanent());
}

#[tokio::test]
async fn a_pipe_whose_reader_is_stuck_is_left_and_told_again() {
    let directory = TempDir::new().unwrap();
    let path = pipe(&directory);
    let file = sink(&format!("name = \"a\"\n[file]\npath = {path:?}"));
    let samples = samples();
    let ((_, first), (_, second)) = (&samples[0], &samples[1]);
    // Open for both, nobody has to be waited for.
    let reader = File::options().read(true).write(true).open(&path).unwrap();
    tokio::time::pause();
    let more_than_a_pipe_holds = vec![first; 1_000];
    let error = file
        .deliver(&more_than_a_pipe_holds, night())
        .await
        .unwrap_err();
    assert!(matches!(error, NotifyError::TimedOut { .. }), "{error:?}");

    tokio::time::resume();
    let id = second.id.clone();
    let reading = thread::spawn(move || {
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        lines.find(|line| line.contains(&id)).unwrap()
    });
    file.deliver(&[second], night()).await.unwrap();
    assert_eq!(told(&reading.join().unwrap()), Some(second.id.clone()));
}
