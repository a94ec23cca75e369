//! Settings of a database as their administrators meet them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use program::{root, stderr, stdout};
use tempfile::TempDir;

fn sample() -> Vec<String> {
    let text = fs::read_to_string(root().join("examples/data/fileserver.ndjson")).unwrap();
    text.lines().map(str::to_owned).collect()
}

struct Case {
    directory: TempDir,
}

impl Case {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn start(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_backwatch"))
            .args(arguments)
            .args(["--db", "backwatch.db"])
            .current_dir(self.directory.path())
            .env("USER", "root")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.start(arguments);
        // Whoever refuses the command line reads nothing.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }
}

/// A file that loosens between two runs: said at once, in every output until it ends, and in the
/// history.
#[test]
fn a_file_that_changed_is_noticed() {
    let case = Case::new();
    let jobs = sample().join("\n");
    case.write("settings.toml", "");
    let file = ["--settings", "settings.toml"];
    let ingest =
        |input: &str, more: &[&str]| case.run(&[&["ingest", "-"], &file[..], more].concat(), input);
    let quiet = ingest(&jobs, &[]);
    assert_eq!(stderr(&quiet), "");
    assert!(!stdout(&quiet).contains("Loosened"));

    case.write("settings.toml", "[detection.rules]\nclock = false");
    let noticed = ingest(&jobs, &[]);
    assert_eq!(noticed.status.code(), Some(0));
    let said = "detection.rules.clock from true to false, by root, until";
    let told = stderr(&noticed);
    assert!(told.contains("warning: the settings see less than before") && told.contains(said));
    let again = ingest(&jobs, &["--output", "json"]);
    assert_eq!(stderr(&again), "");
    let again: serde_json::Value = serde_json::from_str(&stdout(&again)).unwrap();
    let loosened = &again["switched_off"]["loosened"][0];
    assert_eq!(loosened["part"], "detection.rules.clock");
    assert_eq!(loosened["state"], "holds");
    for command in [&["coverage"][..], &["anomalies", "list"], &["incidents"]] {
        let output = case.run(&[command, &file[..]].concat(), "");
        let text = stdout(&output).replace('\n', " ");
        assert!(text.contains("Loosened: detection.rules.clock"), "{text}");
    }
    let history = stdout(&case.run(&["settings", "history"], ""));
    assert!(
        history.contains("detection.rules.clock: true -> false (loosens)"),
        "{history}"
    );
}

#[test]
fn a_second_person_is_asked_for() {
    let case = Case::new();
    case.run(&["ingest", "-"], &sample().join("\n"));
    let settings = |arguments: &[&str]| case.run(&[&["settings"], arguments].concat(), "");
    let status = |arguments: &[&str]| settings(arguments).status.code();
    let guard = ["set", "guard.second_person=true", "--by", "ann"];
    assert_eq!(status(&guard), Some(0));
    assert_eq!(status(&["pending"]), Some(0));
    let exclude = [
        "set",
        "detection.enabled=false",
        "--client",
        "mail01",
        "--by",
        "ann",
        "--reason",
        "is being replaced",
    ];
    assert_eq!(status(&exclude), Some(1));
    let pending = settings(&["pending"]);
    assert_eq!(pending.status.code(), Some(1));
    let text = stdout(&pending).replace('\n', " ");
    assert!(text.starts_with("1: scope client mail01"), "{text}");
    assert!(text.contains("asked for by ann") && text.contains("is being replaced"));
    let same = settings(&["approve", "1", "--by", "ANN"]);
    assert_eq!(same.status.code(), Some(3));
    assert!(stderr(&same).contains("someone else has to approve"));
    assert_eq!(status(&["approve", "1", "--by", "bob"]), Some(0));
    assert_eq!(status(&["approve", "1", "--by", "bob"]), Some(3));
    let shown = stdout(&settings(&["show"])).replace('\n', " ");
    assert!(
        shown.contains("scope client mail01 = ") && shown.contains("by ann and bob, until"),
        "{shown}"
    );
    assert_eq!(
        status(&["unset", "--client", "mail01", "--by", "ann"]),
        Some(0)
    );
    assert!(!stdout(&settings(&["show"])).contains("mail01"));
    assert_eq!(
        status(&["set", "detection.enabeld=false", "--by", "ann"]),
        Some(2)
    );
    assert_eq!(status(&["unset", "--by", "ann"]), Some(4));
}

/// The settings of a run are those that were read when it began.
#[cfg(unix)]
#[test]
fn a_file_that_changes_while_running_has_no_part_in_the_run() {
    let verdicts = |change: bool| {
        let case = Case::new();
        // Whoever writes to it knows when it was opened for reading.
        let pipe = case.path("settings.toml");
        make_pipe(&pipe);
        let mut child = case.start(&[
            "ingest",
            "-",
            "--settings",
            "settings.toml",
            "--output",
            "ndjson",
        ]);
        fs::write(&pipe, "[detection]\nwarm_up_jobs = 5").unwrap();
        fs::remove_file(&pipe).unwrap();
        let text = if change {
            "enabled = false"
        } else {
            "warm_up_jobs = 5"
        };
        case.write("settings.toml", &format!("[detection]\n{text}"));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(sample().join("\n").as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let next = case.run(&["ingest", "-", "--settings", "settings.toml"], "");
        assert_eq!(stderr(&next).contains("see less"), change);
        stdout(&output)
    };
    let undisturbed = verdicts(false);
    assert!(undisturbed.contains("mass_encryption"));
    assert!(verdicts(true) == undisturbed, "the verdicts differ");
}

#[cfg(unix)]
fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// A part of the watching that is off is no good news: whoever asks for what rests on it gets status 4,
/// and the sentence that says so.
#[test]
fn what_is_switched_off_is_never_quiet() {
    let asked: [&[&str]; 6] = [
        &["anomalies", "list"],
        &["incidents"],
        &["coverage"],
        &["tick"],
        &["ingest", "-"],
        &["scan", "-"],
    ];
    // What each answer rests on.
    for (key, words, expected) in [
        ("", "", [0, 0, 0, 0, 0, 0]),
        ("roles.gather", "is switched off", [4, 4, 4, 4, 4, 4]),
        ("detection.enabled", "is switched off", [4, 4, 4, 4, 4, 4]),
        ("roles.alert", "is switched off", [0, 0, 4, 0, 0, 0]),
    ] {
        let case = Case::new();
        let jobs = sample()[..5].join("\n");
        assert_eq!(case.run(&["ingest", "-"], &jobs).status.code(), Some(0));
        if !key.is_empty() {
            let set = case.run(&["settings", "set", &format!("{key}=false")], "");
            assert_eq!(set.status.code(), Some(0), "{}", stderr(&set));
            let said = stdout(&set) + &stderr(&set);
            assert!(said.contains(key) && said.contains("until"), "{said}");
        }
        for (arguments, expected) in asked.iter().zip(expected) {
            let output = case.run(arguments, &jobs);
            let said = stdout(&output) + &stderr(&output);
            let name = format!("{key} {arguments:?}: {said}");
            assert_eq!(output.status.code(), Some(expected), "{name}");
            assert!(expected == 0 || said.contains(words), "{name}");
        }
    }
}
