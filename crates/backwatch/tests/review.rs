//! Anomalies, incidents, recovery points and coverage, as the administrator meets them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use program::{assert_golden, backwatch, root, stderr, stdout};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A client whose name would colour the terminal, forge a line and turn the direction of writing.
const HOSTILE: &str = "evil\u{1b}[31m\nHIGH  incident 99: all is lost\u{202e}";
/// Noon after the night of the attack.
const NOON: &str = "2026-02-01T12:00:00Z";

/// A job of the given night of 2026, the given minutes after ten.
fn job(client: &str, night: u64, minute: u64) -> Value {
    let start: DateTime<Utc> = "2026-01-01T22:00:00Z".parse().unwrap();
    let start = start + TimeDelta::days(night.cast_signed());
    let start = start + TimeDelta::minutes(minute.cast_signed());
    let wave = night * 7 % 11;
    json!({
        "source": "restic", "job_id": format!("{client}-{night}"),
        "client": client, "policy": "daily", "schedule_type": "full", "status": "succeeded",
        "started_at": start, "ended_at": start + TimeDelta::minutes(12),
        "image_bytes": 10_000_000_000_u64 + night * 3_000_000, "file_count": 50_000 + night * 2,
        "transferred_bytes": 100_000_000 + wave * 20_000_000,
        "files_new": 5 + wave, "files_changed": 300 + wave * 40, "files_deleted": 2 + wave % 3,
    })
}

fn overwritten(mut job: Value, percent: u64) -> Value {
    job["transferred_bytes"] = json!(percent * 100_000_000);
    job["files_changed"] = json!(percent * 500);
    job
}

fn failed(job: &Value) -> Value {
    let mut failed = json!({"status": "failed"});
    for field in [
        "source",
        "job_id",
        "client",
        "policy",
        "schedule_type",
        "started_at",
    ] {
        failed[field] = job[field].clone();
    }
    failed
}

/// What happened in one night: twenty clients are encrypted, `files21` overwrites half of its data
/// for two weeks, `gone22` does not come any more, `new23` has just begun, and the hostile
/// one fails once.
fn night(number: u64) -> Vec<Value> {
    let mut jobs: Vec<Value> = (1..=20)
        .map(|client| {
            let usual = job(&format!("srv{client:02}"), number, client);
            if number == 30 {
                overwritten(usual, 95)
            } else {
                usual
            }
        })
        .collect();
    let files = job("files21", number, 21);
    jobs.push(if number < 15 {
        files
    } else {
        overwritten(files, 50)
    });
    if number < 28 {
        jobs.push(job("gone22", number, 22));
    }
    if number > 27 {
        jobs.push(job("new23", number, 23));
    }
    let hostile = job(HOSTILE, number, 24);
    jobs.push(if number == 25 {
        failed(&hostile)
    } else {
        hostile
    });
    jobs
}

/// A database of 31 nights.
struct Database {
    directory: TempDir,
}

impl Database {
    fn new() -> Self {
        let database = Self {
            directory: TempDir::new().unwrap(),
        };
        let jobs: Vec<String> = (0..31).flat_map(night).map(|job| job.to_string()).collect();
        let settings = "[storage]\nretention_days = 0\n\
             [[scope]]\nclient = \"srv05\"\nuntil = \"2026-03-01T00:00:00Z\"\ndetection.enabled = false\n\
             [[scope]]\nclient = \"srv06\"\ndetection.rules.missed_backup = false\n";
        fs::write(database.path("jobs.ndjson"), jobs.join("\n")).unwrap();
        fs::write(database.path("settings.toml"), settings).unwrap();
        let ingested = database.run("ingest --db DB JOBS");
        assert_eq!(ingested.status.code(), Some(1), "{}", stderr(&ingested));
        database
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn arguments(&self, command: &str) -> Vec<String> {
        let path = |name| self.path(name).to_str().unwrap().to_owned();
        let words = command.split(' ').map(|word| match word {
            "DB" => path("db"),
            "JOBS" => path("jobs.ndjson"),
            "SETTINGS" => path("settings.toml"),
            "NOON" => NOON.to_owned(),
            // One argument each.
            word => word.replace('~', " "),
        });
        words.collect()
    }

    fn run(&self, command: &str) -> Output {
        // These hold from the first command on: what was never otherwise is not loosened.
        Command::new(env!("CARGO_BIN_EXE_backwatch"))
            .args(self.arguments(command))
            .env("BACKWATCH_STORAGE_RETENTION_DAYS", "0")
            .env("BACKWATCH_GUARD_ENDLESS", "true")
            .current_dir(root())
            .output()
            .unwrap()
    }

    fn json(&self, command: &str) -> Value {
        let output = self.run(command);
        serde_json::from_str(&stdout(&output)).unwrap()
    }

    /// What stands on the screen after some commands.
    fn session(&self, commands: &[&str]) -> String {
        let mut text = String::new();
        for command in commands {
            let output = self.run(command);
            let (out, err) = (stdout(&output), stderr(&output));
            for shown in [&out, &err] {
                let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
                assert!(!shown.contains(harmful), "{command}: {shown:?}");
            }
            let status = output.status.code().unwrap();
            let command = command.replace('~', " ");
            _ = write!(text, "$ backwatch {command}\n{out}{err}[{status}]\n\n");
        }
        text
    }
}

/// The morning after: one page for twenty clients, where to restore from, and who is not watched.
#[test]
fn the_morning_after_is_golden() {
    let database = Database::new();
    let shown = database.session(&[
        "incidents --db DB --now NOON",
        "anomalies list --db DB --now NOON --at-least high --limit 3",
        "anomalies list --db DB --now NOON --client nobody",
        "anomalies show --db DB restic:srv01-30",
        "recovery-point --db DB --client srv01",
        "recovery-point --db DB --client files21",
        "recovery-point --db DB --client new23",
        "recovery-point --db DB --client nobody",
        "coverage --db DB --now NOON --list silent",
        "tick --db DB --now NOON",
        "tick --db DB --now 2026-02-01T13:00:00Z",
        "tick --db DB --now 2026-02-01T14:00:00Z --output json",
        "tick --db DB --now 2026-01-31T14:00:00Z",
    ]);
    assert_golden("morning.text", &shown);
}

#[test]
fn decisions_are_golden() {
    let database = Database::new();
    let review = |rest: &str| format!("anomalies review --db DB --now NOON --by ada {rest}");
    let commands = [
        review("--incident 3 --as confirmed --reason the~night~of~31~January"),
        "incidents --db DB --now NOON".to_owned(),
        review("restic:files21-15 --as false_positive --scope level-shift --reason video~archive"),
        review("restic:files21-15 --as ignored"),
        review("restic:files21-15 --undo --reason not~sure"),
        "anomalies show --db DB restic:files21-15".to_owned(),
        review("restic:files21-15 --as false_positive --scope this-stream"),
        review(
            "restic:files21-15 --as false_positive --scope this-stream --reason video --ceiling 1.2",
        ),
        review("restic:files21-15 --as false_positive --expires 2026-03-01T00:00:00Z"),
        review("restic:files21-15 --as false_positive --feature entropy --reason video --replace"),
        review(
            "restic:srv01-30 restic:gone --as false_positive --reason x --replace --output json",
        ),
        review("--incident 77 --as ignored"),
        review("restic:srv01-30"),
        "incidents --db DB --now NOON --all --limit 1".to_owned(),
    ];
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    assert_golden("decisions.text", &database.session(&commands));
}

/// Every output for programs is JSON, says the same, and holds nothing that could harm a terminal.
#[test]
fn programs_are_told_the_same() {
    let database = Database::new();
    let incidents = database.json("incidents --db DB --now NOON --output json");
    let night = &incidents["incidents"][0];
    assert_eq!(
        (&night["severity"], &night["kind"]),
        (&json!("high"), &json!("mass_encryption"))
    );
    assert_eq!(night["clients"]["names"].as_array().unwrap().len(), 20);
    assert_eq!(incidents["coverage"]["fleet"]["streams"], 24);
    let number = night["number"].as_u64().unwrap();
    let one = database.json(&format!(
        "incidents {number} --db DB --now NOON --output json"
    ));
    assert_eq!(
        one["incidents"][0]["anomalies"].as_array().unwrap().len(),
        20
    );
    // Whoever is shown the first of them is told that there are more, and only then.
    for (list, of) in [
        ("anomalies list", "/anomalies"),
        ("incidents --all", "/incidents"),
        (&*format!("incidents {number}"), "/incidents/0/anomalies"),
    ] {
        let whole = database.json(&format!("{list} --db DB --now NOON --output json"));
        let all = whole.pointer(of).unwrap().as_array().unwrap().len();
        assert!((2..50).contains(&all), "{list}: {all}");
        for (limit, more) in [(all - 1, true), (all, false)] {
            let command = format!("{list} --db DB --now NOON --limit {limit}");
            let listed = database.json(&format!("{command} --output json"));
            let shown = listed.pointer(of).unwrap().as_array().unwrap().len();
            assert_eq!((shown, &listed["more"]), (limit, &json!(more)), "{command}");
            let text = stdout(&database.run(&command));
            let told = format!("There are more than {limit}: see them with a larger --limit.");
            assert_eq!(text.contains(&told), more, "{text}");
        }
    }

    let listed = database.json("anomalies list --db DB --now NOON --kind failure --output json");
    assert_eq!(listed["anomalies"][0]["verdict"]["client"], HOSTILE);
    assert_eq!(listed["coverage"]["fleet"]["silent"], 1);
    let shown = database.json("anomalies show --db DB restic:srv01-30 --output json");
    assert_eq!(shown["incident"], number);
    assert_eq!(shown["reviews"], json!([]));
    let points = database.json("recovery-point --db DB --client srv01 --output json");
    assert_eq!(points, shown["recovery_points"]);
    assert_eq!(points[0]["image"]["job"]["key"]["job_id"], "srv01-29");
    assert_eq!(points[0]["suspects"][0]["reason"], "anomalous");

    let all = "coverage --db DB --now NOON --settings SETTINGS --list all --output json";
    let lines: Vec<Value> = stdout(&database.run(all))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |client: &str| {
        let mut streams = lines.iter();
        streams.find(|line| line["stream"][0][1] == client).unwrap()
    };
    assert_eq!(of("srv01")["watch"], json!({"state": "judged"}));
    assert_eq!(
        of("new23")["watch"],
        json!({"state": "warming_up", "jobs_left": 4})
    );
    assert_eq!(
        of("srv05")["watch"],
        json!({"state": "excluded", "by": "client srv05", "until": "2026-03-01T00:00:00Z"})
    );
    assert_eq!(of("srv06")["switched_off"], json!(["missed_backup"]));
    assert_eq!(of("gone22")["silence"]["since"], "2026-01-28T22:22:00Z");
    assert!(of("files21")["proposal"]["jobs"].as_u64() >= Some(7));
    let fleet = &lines.last().unwrap()["fleet"];
    let counts = [
        "streams",
        "judged",
        "warming_up",
        "excluded",
        "silent",
        "partly_off",
    ];
    assert_eq!(
        counts.map(|name| fleet[name].as_u64().unwrap()),
        [24, 22, 1, 1, 1, 1]
    );
    assert!(!stdout(&database.run(all)).contains('\u{1b}'));
}

/// A job of an excluded stream is kept and not judged, which nobody can take for normal.
#[test]
fn an_excluded_job_is_kept_and_not_called_normal() {
    let database = Database::new();
    let job = overwritten(job("srv05", 31, 5), 95);
    fs::write(database.path("jobs.ndjson"), job.to_string()).unwrap();
    let output = database.run("ingest --db DB --settings SETTINGS JOBS");
    assert_eq!(output.status.code(), Some(4), "not one job was judged");
    let text = stdout(&output);
    assert!(text.contains("1 new job: 1 not scored"), "{text}");
    assert!(text.contains("because detection is switched off"), "{text}");
    let list = "anomalies list --db DB --now NOON --client srv05 --since 2026-02-01T12:00:00Z";
    let listed = database.run(&format!("{list} --settings SETTINGS"));
    assert_eq!(listed.status.code(), Some(0));
    let text = stdout(&listed).replace('\n', " ");
    assert!(text.contains("1 excluded by the settings"), "{text}");
    // It is in no recovery point either.
    let points = database.json("recovery-point --db DB --client srv05 --output json");
    assert_eq!(points[0]["suspects"][0]["reason"], "not_judged");
    // After the end of the exclusion the stream is judged again.
    let later = "coverage --db DB --now 2026-03-02T12:00:00Z --settings SETTINGS --output json";
    let fleet = &database.json(later)["fleet"];
    let counts = ["judged", "warming_up", "excluded", "not_scored"];
    let counts = counts.map(|name| fleet[name].as_u64().unwrap());
    assert_eq!(counts, [23, 1, 0, 0]);
}

/// Of two who decide in the same instant, one is told of the other; nothing is lost.
#[test]
fn of_two_reviews_at_once_one_is_refused() {
    let database = Database::new();
    let start = |by: &str, status: &str| {
        let command = format!("anomalies review --db DB restic:srv01-30 --as {status} --by {by}");
        Command::new(env!("CARGO_BIN_EXE_backwatch"))
            .args(database.arguments(&command))
            .current_dir(root())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running = [start("ada", "confirmed"), start("eve", "false_positive")];
    let done = running.map(|child| child.wait_with_output().unwrap());
    let mut statuses = done.each_ref().map(|output| output.status.code().unwrap());
    statuses.sort_unstable();
    assert_eq!(statuses, [0, 3]);
    let refused = done
        .iter()
        .find(|output| output.status.code() == Some(3))
        .unwrap();
    assert!(
        stdout(refused).contains("is not as expected: "),
        "{}",
        stdout(refused)
    );
    assert!(stdout(refused).contains("--replace"), "{}", stdout(refused));
    let shown = database.json("anomalies show --db DB restic:srv01-30 --output json");
    assert_eq!(shown["reviews"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_no_time_is_told_what_one_looks_like() {
    for words in [
        "anomalies list --since yesterday",
        "anomalies list --until 2026-11-22",
        "coverage --now 03:00",
        "backtest --set detection.seed=3 --since yesterday",
    ] {
        let mut arguments: Vec<&str> = words.split(' ').collect();
        arguments.extend(["--db", "not-there.db"]);
        let refused = backwatch(&arguments);
        assert_eq!(refused.status.code(), Some(2), "{words}");
        let told = stderr(&refused);
        assert!(told.contains("2026-11-22T03:00:00Z"), "{told}");
    }
}
