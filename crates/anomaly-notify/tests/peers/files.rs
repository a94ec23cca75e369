//! Lines at the end of a file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

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
