//! What is read of the outputs of tools.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod shared;

use std::collections::BTreeSet;
use std::path::Path;

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_sources::{Format, ReadOptions, Record, read};
use shared::{check, rendered};

/// The formats and the fixtures that are in them, with what the input does not say.
fn fixtures() -> Vec<(Format, &'static str, ReadOptions)> {
    use Format::{
        BareosCatalogue, BareosJson, BareosLlist, BorgCreate, BorgInfo, BorgList, Csv, KopiaCreate,
        KopiaList, Ndjson, NetBackupBpdbjobs, NetBackupBpimagelist, NetBackupBpimagelistJson,
        NetBackupRest, ResticBackup, ResticSnapshots, RusticBackup, RusticSnapshots,
    };
    let none = ReadOptions::default;
    let berlin = || {
        none().timezone(
            "Europe/Berlin"
                .parse::<anomaly_sources::Timezone>()
                .unwrap(),
        )
    };
    // The zone is not needed, but must fit.
    let adelaide = none().timezone(
        "Australia/Adelaide"
            .parse::<anomaly_sources::Timezone>()
            .unwrap(),
    );
    let mail01 = || berlin().client("mail01".to_owned());
    vec![
        (Ndjson, "jobs.ndjson", none()),
        (ResticSnapshots, "restic-snapshots-0.14.json", none()),
        (
            ResticSnapshots,
            "restic-snapshots-grouped-0.14.json",
            none(),
        ),
        (ResticSnapshots, "restic-snapshots-summary.json", none()),
        (
            ResticBackup,
            "restic-backup-0.14.txt",
            of_run().exit_code(0),
        ),
        (ResticBackup, "restic-backup-unreadable-0.14.txt", of_run()),
        (
            ResticBackup,
            "restic-backup-0.17.txt",
            of_run().exit_code(3),
        ),
        (RusticSnapshots, "rustic-snapshots-grouped.json", none()),
        (RusticSnapshots, "rustic-snapshots-zoned.json", none()),
        (RusticBackup, "rustic-backup.json", none().exit_code(0)),
        (BorgCreate, "borg-create-1.2.json", mail01()),
        (BorgCreate, "borg-create-warning-1.2.txt", mail01()),
        (
            BorgCreate,
            "borg-create-2.0.0b9.json",
            of_run().exit_code(0),
        ),
        (BorgCreate, "borg-create-2.0.0b22.json", of_run()),
        (BorgInfo, "borg-info-1.2.json", berlin()),
        (BorgInfo, "borg-info-2.0.0b22.json", none()),
        (BorgList, "borg-list-1.2.json", mail01()),
        (BorgList, "borg-list-format-1.2.json", berlin()),
        (BorgList, "borg-list-2.0.0b22.json", none()),
        (KopiaList, "kopia-list.json", none()),
        (KopiaCreate, "kopia-create.json", none().exit_code(1)),
        (Format::Pbs, "pbs-tasks.json", store1()),
        (Format::Pbs, "pbs-snapshots.json", store1()),
        (NetBackupBpdbjobs, "netbackup-bpdbjobs-most.txt", none()),
        (NetBackupBpdbjobs, "netbackup-bpdbjobs-all.txt", none()),
        (NetBackupBpimagelist, "netbackup-bpimagelist.txt", none()),
        (
            NetBackupBpimagelistJson,
            "netbackup-bpimagelist-json.json",
            none(),
        ),
        (NetBackupRest, "netbackup-jobs-14.0.json", none()),
        (NetBackupRest, "netbackup-jobs-4.0.json", none()),
        (NetBackupRest, "netbackup-images-14.0.json", none()),
        (Csv, "csv-own-columns.csv", none()),
        (BareosCatalogue, "bacula-9.6-catalogue.csv", none()),
        (BareosCatalogue, "bacula-9.6-tables.csv", none()),
        (BareosJson, "bareos-llist.json", none()),
        (BareosJson, "bareos-query.json", none()),
        (BareosLlist, "bacula-9.6-llist-postgresql.txt", adelaide),
        (BareosLlist, "bacula-9.6-llist-sqlite.txt", none()),
    ]
}

/// What the output of a run does not say.
fn of_run() -> ReadOptions {
    let started_at: DateTime<Utc> = "2026-11-22T03:00:00Z".parse().unwrap();
    ReadOptions::default()
        .client("fixture".to_owned())
        .policy("daily".to_owned())
        .started_at(started_at)
}

fn store1() -> ReadOptions {
    ReadOptions::default().policy("store1".to_owned())
}

fn golden(fixture: &str) -> String {
    let stem = Path::new(fixture).with_extension("");
    format!("{}.ndjson", stem.display())
}

#[test]
fn outputs_of_tools() {
    for (format, fixture, options) in fixtures() {
        check(fixture, &golden(fixture), format, &options);
    }
}

#[test]
fn the_exit_status_says_more_than_the_messages() {
    let input = include_str!("fixtures/restic-backup-unreadable-0.14.txt");
    let golden = include_str!("golden/restic-backup-unreadable-0.14.ndjson");
    let with_code = rendered(input, Format::ResticBackup, &of_run().exit_code(3));
    let code = r#""status":"partial","exit_code":3"#;
    assert_eq!(with_code, golden.replace(r#""status":"partial""#, code));
}

#[test]
fn tasks_manifests_and_snapshots_are_joined() {
    let [tasks, manifests, snapshots] = [
        include_str!("fixtures/pbs-tasks.json"),
        include_str!("fixtures/pbs-manifests.json"),
        include_str!("fixtures/pbs-snapshots.json"),
    ];
    let joined = [tasks, manifests, snapshots].concat();
    let found = rendered(&joined, Format::Pbs, &store1());
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/pbs-joined.ndjson"
    );
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(path).unwrap());
    // The two first may come in either order.
    let manifests_first = [manifests, tasks, snapshots].concat();
    let jobs = |text: String| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(str::to_owned)
            .collect()
    };
    let other = rendered(&manifests_first, Format::Pbs, &store1());
    assert_eq!(jobs(other), jobs(found));
}

#[test]
fn a_cut_output_gives_the_jobs_before_the_cut() {
    // A list of images does not say whether another stream of a backup follows.
    let formats = |format: &Format| {
        !matches!(
            format,
            Format::NetBackupBpimagelist | Format::NetBackupBpimagelistJson
        )
    };
    let fixtures = fixtures();
    for (format, fixture, options) in fixtures.into_iter().filter(|(format, ..)| formats(format)) {
        let path = format!("{}/tests/fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
        let input = std::fs::read(path).unwrap();
        // Of a line of columns, less is another line.
        if !input.starts_with(b"{") && !input.starts_with(b"[") {
            continue;
        }
        let jobs = |input: &[u8]| -> Vec<BackupJob> {
            let records = read(input, format, &options).into_iter().flatten();
            records
                .map_while(Result::ok)
                .filter_map(Record::job)
                .collect()
        };
        let whole = jobs(&input);
        for end in (0..input.len()).step_by(41) {
            let cut = jobs(&input[..end]);
            assert!(whole.starts_with(&cut), "{fixture} up to {end}");
        }
    }
}

/// The optional fields of a job that hold what the tool reports, in a fixture or never.
#[test]
fn what_a_format_never_knows_is_never_there_and_all_else_is() {
    let mut known: Vec<(Format, BTreeSet<String>)> = Vec::new();
    let joined = concat!(
        include_str!("fixtures/pbs-tasks.json"),
        include_str!("fixtures/pbs-manifests.json"),
        include_str!("fixtures/pbs-snapshots.json")
    );
    let mut inputs: Vec<_> = fixtures()
        .into_iter()
        .map(|(format, fixture, options)| {
            let path = format!("{}/tests/fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
            (format, std::fs::read_to_string(path).unwrap(), options)
        })
        .collect();
    inputs.push((Format::Pbs, joined.to_owned(), store1()));
    for (format, input, options) in &inputs {
        let jobs = read(input.as_bytes(), *format, options)
            .unwrap()
            .filter_map(|record| Record::job(record.unwrap()));
        let fields = jobs.flat_map(|job| match serde_json::to_value(&job).unwrap() {
            serde_json::Value::Object(fields) => fields,
            other => unreachable!("{other}"),
        });
        let fields = fields.map(|(name, _)| name).collect::<BTreeSet<String>>();
        match known.iter_mut().find(|(other, _)| other == format) {
            Some((_, known)) => known.extend(fields),
            None => known.push((*format, fields)),
        }
    }
    let optional = [
        "exit_code",
        "image_bytes",
        "file_count",
        "transferred_bytes",
        "stored_bytes",
        "dedup_ratio",
        "files_new",
        "files_changed",
        "files_unmodified",
        "files_deleted",
        "directory_count",
        "content",
    ];
    for (format, known) in known {
        let never = format.source().never_knows();
        for name in never {
            assert!(optional.contains(name), "{format}: {name}");
        }
        for name in optional
            .into_iter()
            .filter(|name| *name != "files_unmodified")
        {
            let is_never = never.contains(&name);
            assert_ne!(known.contains(name), is_never, "{format}: {name}");
        }
    }
}
