//! `backwatch eval` as its users meet it: what it prints, and with what status it ends.
//!
//! What it counts is tested in `anomaly-eval`; how good the judge is, is no test of this program.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::process::{Command, Output, Stdio};

use program::{stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

fn eval(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_backwatch"))
        .arg("eval")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn measured(arguments: &[&str]) -> String {
    let output = eval(arguments);
    assert_eq!(
        (stderr(&output).as_str(), output.status.code()),
        ("", Some(0))
    );
    stdout(&output)
}

/// The program needs no file beside it.
#[test]
fn the_histories_that_it_carries_are_measured_on_every_track() {
    let document: Value = serde_json::from_str(&measured(&["--output", "json"])).unwrap();
    assert_eq!(document["histories"], 16);
    let tracks = document["measured"].as_array().unwrap().iter();
    let tracks: Vec<&str> = tracks.map(|one| one["track"].as_str().unwrap()).collect();
    assert_eq!(tracks, ["metadata", "counts", "content"]);
    for one in document["measured"].as_array().unwrap() {
        assert_eq!(one["judge"], "backwatch");
        assert_eq!(one["normal_jobs"], 1296);
        assert_eq!(one["groups"]["ALL ATTACKS"]["first"]["all"], 80);
    }
}

#[test]
fn a_fleet_is_measured_alike_from_memory_and_from_files() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("fleet");
    let path = path.to_str().unwrap();
    let fleet = [
        "simulate",
        "--clients=3",
        "--jobs=30",
        "--branches=2",
        "--seed=9",
    ];
    assert_eq!(measured(&[&fleet[..], &["--out", path]].concat()), "");
    for output in ["text", "markdown", "json"] {
        let options = ["--compare", "--list", "--track=counts", "--output", output];
        let from_files = measured(&[&["--histories", path], &options[..]].concat());
        assert_eq!(measured(&[&fleet[..], &options].concat()), from_files);
    }
    let options = ["--compare", "--list", "--track=counts", "--short-histories"];
    let text = measured(&[&["--histories", path], &options[..]].concat());
    for part in [
        "3 histories, 90 clean jobs, 6 branches.",
        "alarms in a stream's first 14 jobs",
        "weekly-full",
        "two points: half of the files gone, 80 % new",
        "With so many jobs of history, counts",
        "Events, npbackup, metadata",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn settings_and_patterns_are_those_given() {
    let fleet = [
        "simulate",
        "--pattern=flat",
        "--clients=1",
        "--jobs=60",
        "--branches=0",
    ];
    let at =
        |set: &[&str]| measured(&[&fleet[..], &["--track=counts", "--output=json"], set].concat());
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let off = read(at(&["--set=detection.enabled=false"]));
    assert_eq!(off["measured"][0]["threshold_per_90"], Value::Null);
    assert_ne!(
        read(at(&[]))["measured"][0]["threshold_per_90"],
        Value::Null
    );
}

#[test]
fn what_cannot_be_measured_is_said() {
    let output = eval(&["--histories", "nowhere"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        stderr(&output).starts_with("error: cannot read nowhere: "),
        "{}",
        stderr(&output)
    );

    let empty = TempDir::new().unwrap();
    let output = eval(&["--histories", empty.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("holds no history"));

    let client = empty.path().join("client");
    fs::create_dir(&client).unwrap();
    fs::write(client.join("jobs.ndjson"), "{}\n").unwrap();
    fs::write(client.join("labels.ndjson"), "").unwrap();
    let output = eval(&["--histories", empty.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        stderr(&output).contains("jobs.ndjson: line 1"),
        "{}",
        stderr(&output)
    );

    assert_eq!(
        eval(&["--set", "detection.nothing=1"]).status.code(),
        Some(2)
    );
    assert_eq!(
        eval(&["simulate", "--pattern", "odd"]).status.code(),
        Some(2)
    );
}
