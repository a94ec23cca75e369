//! What is peculiar to each tool: what it leaves out, how it fails, and what it writes that is not a
//! finished backup.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod shared;

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_sources::{Format, ReadOptions, Record, Timezone, read, recognise};
use serde_json::json;
use shared::outline;

fn none() -> ReadOptions {
    ReadOptions::default()
}

fn berlin() -> ReadOptions {
    let zone: Timezone = "Europe/Berlin".parse().unwrap();
    none().client("a".to_owned()).timezone(zone)
}

/// Of a run that said nothing.
fn failed(code: i64) -> ReadOptions {
    let started_at: DateTime<Utc> = "2026-11-22T03:00:00Z".parse().unwrap();
    let options = none().client("a".to_owned()).policy("b".to_owned());
    options.started_at(started_at).exit_code(code)
}

fn lines(input: &str, format: Format, options: &ReadOptions) -> Vec<String> {
    outline(input.as_bytes(), format, options)
}

fn job(input: &str, format: Format, options: &ReadOptions) -> BackupJob {
    let mut reader = read(input.as_bytes(), format, options).unwrap();
    reader
        .find_map(|record| Record::job(record.unwrap()))
        .unwrap()
}

fn archive(name: &str, start: &str, end: &str) -> serde_json::Value {
    json!({"id": name, "name": name, "start": start, "end": end,
        "stats": {"original_size": 900, "nfiles": 3, "compressed_size": 500, "deduplicated_size": 50}})
}

fn created(name: &str, start: &str, end: &str) -> String {
    json!({"archive": archive(name, start, end), "repository": {"id": "0123456789abcdef"}})
        .to_string()
}

const PLAIN: [&str; 3] = [
    "home-2026-11-22",
    "2026-11-22T03:00:00.5",
    "2026-11-22T03:00:01.5",
];

#[test]
fn a_run_that_failed_is_a_job() {
    let of_run = [
        Format::ResticBackup,
        Format::RusticBackup,
        Format::BorgCreate,
        Format::KopiaCreate,
    ];
    for format in of_run {
        for output in ["", "Fatal: no such repository\n"] {
            let found = lines(output, format, &failed(2));
            assert_eq!(
                found.last().unwrap(),
                "line 1: a/b@2026-11-22T03:00:00Z failed",
                "{format}"
            );
        }
        // It did not fail, and yet said nothing.
        let found = lines("", format, &failed(0));
        assert_eq!(
            found,
            ["ended: holds no backup job: the input is empty"],
            "{format}"
        );
        let found = lines("{}\n", format, &failed(0));
        assert_eq!(found.len(), 1, "{format}");
        let killed = lines("", format, &failed(130));
        assert_eq!(
            killed,
            ["line 1: a/b@2026-11-22T03:00:00Z cancelled"],
            "{format}"
        );
    }
    let nameless = lines("", Format::BorgCreate, &none().exit_code(2));
    assert_eq!(
        nameless,
        ["ended: borg-create does not say the client: give it as an option"]
    );
}

#[test]
fn borg_times_without_a_zone_need_one() {
    let document = created(PLAIN[0], PLAIN[1], PLAIN[2]);
    let options = none().client("a".to_owned());
    let needed = ["ended: borg-create does not say the timezone: give it as an option"];
    assert_eq!(lines(&document, Format::BorgCreate, &options), needed);
    let read = job(&document, Format::BorgCreate, &berlin());
    assert_eq!(
        read.started_at().to_rfc3339(),
        "2026-11-22T02:00:00.500+00:00"
    );
    assert_eq!(read.duration_seconds(), Some(1.0));
    // borg 2 among them, in one file.
    let zoned = created(
        "b",
        "2026-11-23T03:00:00+01:00",
        "2026-11-23T03:00:01+01:00",
    );
    let both = format!("{zoned}\n{document}\n");
    let found = lines(&both, Format::BorgCreate, &berlin());
    assert_eq!(
        found,
        ["line 1: b succeeded", "line 2: home-2026-11-22 succeeded"]
    );
    assert_eq!(
        lines(&both, Format::BorgCreate, &options),
        [&found[0], needed[0]]
    );
}

#[test]
fn borg_times_when_clocks_change() {
    // It ends earlier on the clock than it starts.
    let autumn = created("a", "2026-10-25T02:50:00", "2026-10-25T02:10:00");
    let read = job(&autumn, Format::BorgCreate, &berlin());
    assert_eq!(read.started_at().to_rfc3339(), "2026-10-25T00:50:00+00:00");
    assert_eq!(read.duration_seconds(), Some(1200.0));
    let spring = created("a", "2026-03-29T02:30:00", "2026-03-29T03:30:00");
    assert_eq!(
        lines(&spring, Format::BorgCreate, &berlin()),
        [
            "bad line 1: `start` is 2026-03-29T02:30:00, which clocks in Europe/Berlin skipped: is that \
          the zone?"
        ]
    );
}

#[test]
fn what_borg_creates() {
    let document = created(PLAIN[0], PLAIN[1], PLAIN[2]);
    let found = job(&document, Format::BorgCreate, &berlin());
    assert_eq!(found.policy().name.as_str(), "01234567::home");
    assert_eq!(found.image().stored_bytes, Some(50));
    assert_eq!(found.image().dedup_ratio, Some(0.9));
    assert_eq!(found.image().transferred_bytes, None);
    // As borgmatic prints it.
    let list = format!("[{document},\n{document}]");
    assert_eq!(
        recognise(list.as_bytes()).unwrap().format,
        Format::BorgCreate
    );
    assert_eq!(lines(&list, Format::BorgCreate, &berlin()).len(), 2);
    for (code, status) in [
        (0, "succeeded"),
        (1, "partial"),
        (105, "partial"),
        (2, "failed"),
        (143, "cancelled"),
    ] {
        let found = lines(&document, Format::BorgCreate, &berlin().exit_code(code));
        assert_eq!(found, [format!("line 1: home-2026-11-22 {status}")]);
    }
    // What was changed while it was read is in the log, and the archive is there.
    let log = r#"{"type":"log_message","levelname":"WARNING","message":"a: file changed"}"#;
    let info = r#"{"type":"log_message","levelname":"INFO","message":"hello"}"#;
    let with = |log: &str| lines(&format!("{log}\n{document}"), Format::BorgCreate, &berlin());
    assert_eq!(with(log), ["line 2: home-2026-11-22 partial"]);
    assert_eq!(with(info), ["line 2: home-2026-11-22 succeeded"]);
    assert_eq!(with(r#"{"dry_run":true}"#)[0], "line 1: skipped, a dry run");
    let too_large = document.replace("900", "18446744073709551616");
    assert!(
        lines(&too_large, Format::BorgCreate, &berlin())[0]
            .starts_with("bad line 1: `archive.stats.original_size`: invalid type: floating point")
    );
    let large = document.replace("900", "18446744073709551615");
    assert_eq!(
        job(&large, Format::BorgCreate, &berlin())
            .image()
            .image_bytes,
        Some(u64::MAX)
    );
}

#[test]
fn borg_archives_wait_for_their_repository() {
    let archives = |names: &[&str]| -> Vec<_> {
        names
            .iter()
            .map(|name| archive(name, PLAIN[1], PLAIN[2]))
            .collect()
    };
    let document = |names: &[&str], id: &str| {
        json!({"archives": archives(names), "repository": {"id": id}}).to_string()
    };
    let policies = |input: &str, options: &ReadOptions| -> Vec<String> {
        read(input.as_bytes(), Format::BorgInfo, options)
            .unwrap()
            .map(|record| match record.unwrap() {
                Record::Job(job) => job.value.policy().name.to_string(),
                other => format!("{other:?}"),
            })
            .collect()
    };
    let two = document(&["x", "y"], "11111111z") + "\n" + &document(&["x"], "22222222z");
    let expected = ["11111111::x", "11111111::y", "22222222::x"];
    assert_eq!(policies(&two, &berlin()), expected);
    // In a list, as borgmatic prints them, and with the repository first.
    let first = document(&["x", "y"], "11111111z");
    let second = format!(
        r#"{{"repository":{{"id":"22222222z"}},"archives":{}}}"#,
        json!(archives(&["x"]))
    );
    assert_eq!(
        policies(&format!("[{first},{second}]"), &berlin()),
        expected
    );
    assert_eq!(
        policies(&format!("{second}{first}"), &berlin()),
        [expected[2], expected[0], expected[1]]
    );

    // That of the next document is another one.
    let unnamed = json!({"archives": archives(&["z"])}).to_string();
    let found = policies(&(unnamed + &second), &berlin());
    assert!(found[0].contains("`repository` is missing"), "{found:?}");
    assert_eq!(found[1..], [expected[2]]);

    let cut = &first[..first.find(r#","repository""#).unwrap()];
    let found = lines(cut, Format::BorgInfo, &berlin());
    assert_eq!(
        found[..1],
        ["bad line 1, element 1: `repository` is missing: the document is cut off behind this"]
    );
    assert_eq!(
        found.last().unwrap(),
        "bad line 1: the document is cut off here"
    );
    let by_series = berlin().policy_parts(vec!["series".to_owned()]);
    assert_eq!(
        lines(cut, Format::BorgInfo, &by_series)[..2],
        [
            "line 1, element 1: x succeeded",
            "line 1, element 2: y succeeded",
        ]
    );
    // One bad archive costs nothing but itself.
    let bad = document(&["x", "y"], "1").replacen("900", "-1", 1);
    let found = lines(&bad, Format::BorgInfo, &berlin());
    assert!(found[0].starts_with("bad line 1, element 1: `stats.original_size`: invalid value"));
    assert_eq!(found[1..], ["line 1, element 2: y succeeded"]);
}

#[test]
fn what_borg_knows_of_an_archive_today_is_not_what_it_stored() {
    let document =
        json!({"archives": [archive("x", PLAIN[1], PLAIN[2])], "repository": {"id": "1"}});
    let found = job(&document.to_string(), Format::BorgInfo, &berlin());
    assert_eq!(found.image().image_bytes, Some(900));
    assert_eq!(
        (found.image().stored_bytes, found.image().dedup_ratio),
        (None, None)
    );
    let needed = lines(&document.to_string(), Format::BorgInfo, &none());
    assert_eq!(
        needed,
        ["ended: borg-info does not say the client: give it as an option"]
    );
}

#[test]
fn what_kopia_leaves_unfinished() {
    let manifest = |incomplete: &str, failed: i64| {
        json!({"id": "k", "source": {"host": "h", "userName": "u", "path": "/p"},
            "startTime": "2026-11-22T03:00:00Z", "endTime": "2026-11-22T03:01:00Z",
            "incomplete": incomplete,
            "rootEntry": {"summ": {"size": 900, "files": 3, "dirs": 1, "numFailed": failed}}})
        .to_string()
    };
    let found =
        |manifest: &str| lines(&format!("[{manifest}]"), Format::KopiaList, &none()).remove(0);
    assert_eq!(found(&manifest("", 0)), "line 1, element 1: k succeeded");
    assert_eq!(found(&manifest("", 1)), "line 1, element 1: k partial");
    assert_eq!(
        found(&manifest("limit reached", 0)),
        "line 1, element 1: k partial"
    );
    assert_eq!(
        found(&manifest("canceled", 0)),
        "line 1, element 1: k cancelled"
    );
    assert_eq!(
        found(&manifest("checkpoint", 0)),
        "line 1, element 1: skipped, a checkpoint of a backup that did not end"
    );
    assert_eq!(
        found(&manifest("", -1)),
        "bad line 1, element 1: `rootEntry.summ.numFailed`: invalid value: integer `-1`, must be a \
         whole number from 0"
    );
    let clean = manifest("", 0);
    let nameless = clean.replace(r#""host":"h","#, "");
    assert_eq!(
        found(&nameless),
        "bad line 1, element 1: `source.host` is missing: give the client as an option"
    );
    // A run of two sources, of which the other failed.
    let found = lines(&clean, Format::KopiaCreate, &none().exit_code(1));
    assert_eq!(found, ["line 1: k succeeded"]);
}

#[test]
fn restic_snapshots_of_all_versions_are_in_one_list() {
    let old =
        r#"{"time":"2026-11-22T03:00:00Z","tree":"t","paths":["/p"],"hostname":"h","id":"old"}"#;
    let new = old.replace("old", "new").replace(
        r#""tree""#,
        r#""summary":{"backup_start":"2026-11-22T03:00:01Z","total_bytes_processed":9},"tree""#,
    );
    let list = format!("[{old},{new}]");
    let jobs = read(list.as_bytes(), Format::ResticSnapshots, &none()).unwrap();
    let jobs = jobs.filter_map(|record| record.unwrap().job());
    let bytes = jobs.map(|job| job.image().image_bytes);
    assert_eq!(bytes.collect::<Vec<_>>(), [None, Some(9)]);
}

#[test]
fn rustic_snapshots_of_a_run_that_failed_are_there() {
    let snapshot = r#"{"time":"2026-11-22T03:00:00+01:00","program_version":"rustic v0.11.3","tree":"t","paths":["/p"],"hostname":"h","id":"s"}"#;
    let found = |options: ReadOptions| lines(snapshot, Format::RusticBackup, &options);
    assert_eq!(found(none()), ["line 1: s succeeded"]);
    assert_eq!(found(none().exit_code(1)), ["line 1: s partial"]);
}

const SNAPSHOT: &str = r#"{"backup-type":"vm","backup-id":"100","backup-time":1000000,"size":900}"#;

fn task(id: &str, start: i64, status: &str) -> String {
    json!({"upid": format!("UPID:{start}"), "worker_type": "backup", "worker_id": id,
        "starttime": start, "endtime": start + 50, "status": status})
    .to_string()
}

#[test]
fn backup_server_lists_are_joined_by_group_and_time() {
    let store = none().policy("store".to_owned());
    let found = |input: String| lines(&input, Format::Pbs, &store);
    assert_eq!(
        lines(SNAPSHOT, Format::Pbs, &none()),
        ["ended: pbs does not say the policy: give it as an option"]
    );
    let id = "store:vm/100/1970-01-12T13:46:40Z";
    // The nearest of its group that is near enough.
    let tasks = [
        task("store:vm/100", 1_000_200, "WARNINGS: 2"),
        task("store:vm/100", 999_990, "OK"),
        task("store:vm/101", 1_000_000, "OK"),
        task("store:vm/100", 990_000, "OK"),
    ];
    let joined = found(format!("[{}]\n{{\"data\":[{SNAPSHOT}]}}", tasks.join(",")));
    let left =
        |n| format!("line 1, element {n}: skipped, a backup task whose snapshot is not there");
    assert_eq!(
        joined,
        [
            format!("line 2, element 5: {id} succeeded"),
            "line 2, element 5: but no manifest of this snapshot is there: what it sent is not known".to_owned(),
            left(1),
            left(3),
            left(4),
        ]
    );
    // A task belongs to one snapshot.
    let twice = found(format!("[{}]\n[{SNAPSHOT},{SNAPSHOT}]", tasks[1]));
    assert_eq!(
        twice[3],
        "line 2, element 3: but no task of this snapshot is there: how long it took is not known"
    );
    let late = found(format!(
        "[{SNAPSHOT}]\n[{},{}]",
        tasks[1],
        task("store:vm/9", 5, "no space")
    ));
    assert_eq!(
        late[3..],
        [
            "line 2, element 2: skipped, a backup task behind the snapshots, too late to be joined: put it first",
            "line 2, element 3: UPID:5 failed",
        ]
    );
    let wrong = found(r#"[{"a":1},{"upid":"u","worker_type":"backup","worker_id":"store","endtime":1,"status":"OK"},{"backup-type":"vm","backup-id":"1"}]"#.to_owned());
    assert_eq!(
        wrong,
        [
            "bad line 1, element 1: neither a task with `upid` nor a snapshot with `backup-id`",
            "bad line 1, element 2: `worker_id` names no backup group",
            "bad line 1, element 3: `backup-time` is no time",
        ]
    );
}

#[test]
fn no_more_tasks_and_manifests_wait_than_are_held() {
    const HELD: usize = 1 << 16;
    let store = none().policy("s".to_owned());
    let manifest = r#"{"backup-type":"vm","backup-id":"1","backup-time":N,"unprotected":{"chunk_upload_stats":{}}}"#;
    for (element, many) in [
        (task("s:vm/1", 5, "OK"), "tasks"),
        (manifest.to_owned(), "manifests"),
    ] {
        let list: Vec<_> = (0..=HELD)
            .map(|n| element.replace('N', &n.to_string()))
            .collect();
        let found = lines(&format!("[{}]", list.join(",")), Format::Pbs, &store);
        assert_eq!(found.len(), HELD + 1);
        assert_eq!(
            found[0],
            format!("bad line 1, element 65537: more {many} before the snapshots than are held")
        );
    }
}

#[test]
fn every_tool_says_how_its_jobs_are_told_apart() {
    for format in Format::ALL {
        let source = format.source();
        assert!(
            !source.stream_key().is_empty() && !source.input().is_empty(),
            "{format}"
        );
        let chooses = source
            .options()
            .contains(&anomaly_sources::ReadOption::PolicyParts);
        assert_eq!(chooses, !source.policy_parts().is_empty(), "{format}");
    }
}
