//! `backwatch backtest` and `backwatch drill`: what would be, without anything being so.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::path::Path;
use std::process::Output;

use anomaly_service::storage::{AuditQuery, Read as _, SqliteStore};
use program::{assert_golden, backwatch, stderr, stdout};
use tempfile::TempDir;

const ATTACK: &str = "restic:d03-fileserv-0056-b02";

/// A database of the sample history, whose attack was confirmed.
fn sample(directory: &Path) -> String {
    let db = directory.join("backwatch.db").to_str().unwrap().to_owned();
    let jobs = "examples/data/fileserver.ndjson";
    assert_eq!(status(&backwatch(&["ingest", "--db", &db, jobs])), 1);
    let now = "2014-11-27T08:00:00Z";
    let confirmed = [
        "anomalies",
        "review",
        "--db",
        &db,
        "--as",
        "confirmed",
        "--by",
        "ann",
        "--now",
        now,
        ATTACK,
    ];
    assert_eq!(status(&backwatch(&confirmed)), 0);
    db
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// All that is in a database, but for the audit log.
fn export(db: &str, directory: &Path) -> String {
    let out = directory.join("export");
    let exported = backwatch(&["db", "export", "--db", db, out.to_str().unwrap()]);
    assert_eq!(status(&exported), 0, "{}", stderr(&exported));
    let files = ["jobs", "verdicts", "reviews"];
    let files = files.map(|name| fs::read_to_string(out.join(format!("{name}.ndjson"))).unwrap());
    fs::remove_dir_all(&out).unwrap();
    let told = [
        stdout(&backwatch(&[
            "incidents",
            "--all",
            "--db",
            db,
            "--now",
            "2014-11-28T00:00:00Z",
        ])),
        stdout(&backwatch(&[
            "coverage",
            "--db",
            db,
            "--now",
            "2014-11-28T00:00:00Z",
        ])),
    ];
    [files.concat(), told.concat()].concat()
}

#[test]
fn a_backtest_tells_first_what_was_confirmed_and_would_be_lost() {
    let directory = TempDir::new().unwrap();
    let db = sample(directory.path());
    let before = fs::read(&db).unwrap();
    let backtest = |more: &[&str]| backwatch(&[&["backtest", "--db", &db], more].concat());
    let lost = backtest(&["--set", "detection.alarm_budget=0.01"]);
    assert_eq!(status(&lost), 1, "{}", stderr(&lost));
    assert_golden("backtest.text", &stdout(&lost));
    let same = backtest(&["--set", "detection.alarm_budget=1", "--json"]);
    assert_eq!(status(&same), 0);
    let same: serde_json::Value = serde_json::from_str(&stdout(&same)).unwrap();
    assert_eq!(same["settings"], serde_json::json!([]));
    assert_eq!(
        (&same["gained"]["count"], &same["lost"]["count"]),
        (&0.into(), &0.into())
    );
    assert_eq!(same["before"], same["after"]);
    assert_eq!(same["before"]["anomalies"], 1);

    // A file is the whole of the other settings.
    let file = directory.path().join("other.toml");
    fs::write(&file, "[detection]\nenabled = false").unwrap();
    let off = backtest(&["--settings", file.to_str().unwrap(), "--threads", "1"]);
    assert_eq!(status(&off), 1);
    assert_eq!(status(&backtest(&[])), 2);
    assert_eq!(
        status(&backtest(&["--set", "detection.alarm_budget=-1"])),
        2
    );
    assert!(fs::read(&db).unwrap() == before, "the database was changed");
}

#[test]
fn a_drill_finds_what_it_brings_and_leaves_no_trace_but_in_the_audit_log() {
    let directory = TempDir::new().unwrap();
    let db = sample(directory.path());
    let before = export(&db, directory.path());
    let drill = |more: &[&str]| {
        let common = ["drill", "--db", &db, "--by", "ann", "--output", "json"];
        backwatch(&[&common, more].concat())
    };
    let stream = "d03-fileserv / restic-daily / incremental";
    let found = drill(&["--stream", stream, "--kind", "enc_half_newext"]);
    assert_eq!(status(&found), 0, "{}", stderr(&found));
    let lines: Vec<serde_json::Value> = stdout(&found)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [drilled, summary] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(drilled["outcome"], "found");
    assert_eq!(drilled["at_job"], 1);
    assert_eq!(drilled["kind"], "mass_encryption");
    assert_eq!(drilled["severity"], "high");
    assert_eq!(drilled["started_at"].as_str().unwrap()[..10], *"2014-11-27");
    assert_eq!(
        *summary,
        serde_json::json!({ "streams": 1, "attacks": 1, "found": 1, "unseen": 0 })
    );

    // A slow one takes several jobs.
    let slow = drill(&[
        "--client",
        "d03-fileserv",
        "--kind",
        "drip_enc_2pct_growing",
    ]);
    let slow = stdout(&slow);
    let slow: serde_json::Value = serde_json::from_str(slow.lines().next().unwrap()).unwrap();
    assert!(slow["at_job"].as_u64().unwrap() > 1, "{slow}");

    // What is not judged is not found, and the reason is told.
    let off = drill(&["--set", "detection.enabled=false"]);
    assert_eq!(status(&off), 1);
    assert!(
        stdout(&off).contains("detection is switched off"),
        "{}",
        stdout(&off)
    );
    assert_eq!(status(&drill(&["--stream", "nobody"])), 4);
    assert_eq!(status(&drill(&["--kind", "nothing"])), 2);

    assert_eq!(export(&db, directory.path()), before);
    assert_eq!(status(&backwatch(&["verify", "--db", &db])), 0);
    // Each has its entry, the last first: who, of what, and how it went.
    let store = SqliteStore::open_existing(&db).unwrap();
    let drills = AuditQuery::default().what("drill".to_owned());
    let drills = store.audit_entries(&drills).unwrap();
    let drills: Vec<_> = drills.iter().map(|stored| &stored.record).collect();
    assert_eq!(drills.len(), 3);
    assert!(drills.iter().all(|drill| drill.who == "ann"));
    let outcomes: Vec<_> = drills
        .iter()
        .filter_map(|drill| drill.after.as_ref())
        .collect();
    let attacks: Vec<_> = outcomes.iter().map(|after| &after["attacks"][0]).collect();
    assert_eq!(
        attacks,
        [
            "enc_20pct_inplace",
            "drip_enc_2pct_growing",
            "enc_half_newext"
        ]
    );
    let went = |after: &serde_json::Value| {
        ["streams", "found", "unseen"].map(|count| after[count].as_u64().unwrap())
    };
    assert_eq!(
        (went(outcomes[0]), went(outcomes[2])),
        ([2, 0, 2], [1, 1, 0])
    );
    let subjects: Vec<&str> = drills.iter().map(|drill| &*drill.subject).collect();
    assert_eq!(subjects, ["all streams", "client d03-fileserv", stream]);
}

/// Over a fleet, what an administrator wants to know is where an attack would go unseen.
#[test]
fn a_fleet_drill_lists_where_an_attack_goes_unseen() {
    let directory = TempDir::new().unwrap();
    let fleet = directory.path().join("fleet");
    let db = directory.path().join("backwatch.db");
    let (fleet, db) = (fleet.to_str().unwrap(), db.to_str().unwrap());
    let simulate = [
        "eval",
        "simulate",
        "--clients",
        "7",
        "--jobs",
        "30",
        "--branches",
        "0",
        "--out",
        fleet,
    ];
    assert_eq!(status(&backwatch(&simulate)), 0);
    let mut files: Vec<String> = fs::read_dir(fleet)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .join("jobs.ndjson")
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    files.sort();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    backwatch(&[&["ingest", "--db", db, "--sort"][..], &files].concat());
    let drill = [
        "drill",
        "--db",
        db,
        "--by",
        "ann",
        "--kind",
        "enc_full_inplace",
        "--kind",
        "enc_largest_5pct",
    ];
    let drilled = backwatch(&drill);
    assert_eq!(status(&drilled), 1, "{}", stderr(&drilled));
    assert_golden("drill-fleet.text", &stdout(&drilled));
}
