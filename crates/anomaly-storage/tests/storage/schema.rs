//! The schema as it is now, and databases of every released version.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anomaly_model::{Judgement, ReviewStatus, Severity};
use anomaly_storage::{
    AnomalyQuery, AuditQuery, IncidentRecord, Message, PendingChange, Purge, Read, SettingsVersion,
    SqliteStore, Store,
};
use rusqlite::Connection;
use serde_json::json;

use crate::data::{Case, anomalous, at, model_state, review, store_all};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Compares with a committed file; with `BLESS` set, writes it instead.
fn assert_golden(name: &str, found: &str) {
    let path = fixture(name);
    if env::var_os("BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(
        found, expected,
        "{name} differs; if that is meant, run the tests once with BLESS=1 and review it"
    );
}

#[test]
fn the_schema_is_the_committed_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    SqliteStore::open(&path).unwrap();

    let connection = Connection::open(&path).unwrap();
    let pragma = |name: &str| -> i64 {
        connection
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    };
    let mut dump = format!(
        "application_id {:#x}\nuser_version {}\n",
        pragma("application_id"),
        pragma("user_version")
    );
    let mut statement = connection
        .prepare(
            "SELECT type || ' ' || name || ' of ' || tbl_name || char(10) || coalesce(sql, '')
             FROM sqlite_schema ORDER BY tbl_name, type DESC, name",
        )
        .unwrap();
    for entry in statement
        .query_map((), |row| row.get::<_, String>(0))
        .unwrap()
    {
        writeln!(dump, "\n{}", entry.unwrap().trim_end()).unwrap();
    }
    assert_golden("schema.txt", &dump);
}

/// What the databases were made of.
fn cases() -> [Case; 5] {
    let mut cases = [
        Case::new("1", 1, Judgement::Normal),
        Case::new("2", 2, anomalous()),
        Case::of_client("web02", "3", 3, Judgement::WarmingUp),
        Case::of_client("web02", "4", 4, anomalous()),
        Case::of_client(
            "web02",
            "5",
            5,
            Judgement::NotScored {
                reason: "excluded".into(),
            },
        ),
    ];
    cases[1].verdict.p_value = Some(anomaly_model::PValue::clamped(1e-9));
    cases
}

/// A job that was purged.
fn purged() -> Case {
    Case::of_client("old03", "0", 0, Judgement::Normal)
}

fn incident() -> IncidentRecord {
    IncidentRecord {
        first_seen: at(2),
        last_seen: at(4),
        severity: Severity::Medium,
        opened_at: at(2),
        closed_at: None,
        details: json!({ "clients": ["mail01", "web02"] }),
    }
}

fn settings() -> SettingsVersion {
    SettingsVersion {
        accepted_at: at(6),
        accepted_by: "ann".into(),
        seconded_by: Some("bob".into()),
        settings: json!({ "detection": { "alarm_budget": 2.0 } }),
    }
}

fn proposal() -> PendingChange {
    PendingChange {
        proposed_at: at(7),
        proposed_by: "ann".into(),
        what: "exclude".into(),
        subject: "web02".into(),
        reason: Some("is being replaced".into()),
        change: json!({ "until": "2030-01-01" }),
        expires_at: Some(at(700)),
        decision: None,
    }
}

fn message() -> Message {
    Message {
        made_at: at(8),
        topic: "anomaly".into(),
        body: json!({ "job": "4" }),
    }
}

/// Makes a database of the newest schema version, 3, where `MAKE_DATABASE` says: the fixture of that
/// version. Released fixtures never change: whoever adds a version makes the next one, with this.
#[test]
#[ignore = "made the fixture, and makes the next one"]
fn make_database() {
    let Some(path) = env::var_os("MAKE_DATABASE") else {
        return;
    };
    let cases = cases();
    let mut store = SqliteStore::open(path).unwrap();
    store_all(&mut store, [&purged()]);
    store_all(&mut store, &cases);
    let mut transaction = store.transaction().unwrap();
    transaction.set_now(at(9));
    transaction
        .put_model_state(&cases[0].stream, b"model of mail01")
        .unwrap();
    for (status, who) in [
        (ReviewStatus::FalsePositive, "ann"),
        (ReviewStatus::Confirmed, "bob"),
    ] {
        transaction
            .review(&cases[1].key(), &review(status, who))
            .unwrap();
    }
    transaction
        .put_stream_status(&cases[0].stream, "{}", Some(at(60)))
        .unwrap();
    let number = transaction.open_incident(&incident()).unwrap();
    for case in [&cases[1], &cases[3]] {
        transaction.put_in_incident(&case.key(), number).unwrap();
    }
    transaction.accept_settings(&settings()).unwrap();
    transaction.propose(&proposal()).unwrap();
    transaction.post(&message(), &["mail"]).unwrap();
    transaction.put_note("tick", "noted").unwrap();
    let purge = Purge {
        now: at(9),
        started_before: at(1),
        idle_before: at(0),
        limit: 9,
    };
    assert_eq!(transaction.purge(&purge).unwrap().jobs, 1);
    transaction.commit().unwrap();
}

#[test]
fn a_database_of_version_2_opens_and_answers() {
    // What was purged then does not prove how old it was.
    opens_and_answers("schema_2", 1);
}

#[test]
fn a_database_of_version_3_opens_and_answers() {
    opens_and_answers("schema_3", 0);
}

fn opens_and_answers(name: &str, unproven_leaves: u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    fs::copy(fixture(&format!("{name}.sqlite")), &path).unwrap();

    let mut store = SqliteStore::open(&path).unwrap();
    let cases = cases();
    for case in &cases {
        assert_eq!(store.job(&case.key()).unwrap().as_ref(), Some(&case.job));
        let verdict = store.verdict(&case.key()).unwrap();
        assert_eq!(verdict.as_ref(), Some(&case.verdict));
    }
    let stream = &cases[0].stream;
    assert_eq!(model_state(&store, stream).unwrap(), b"model of mail01");
    assert_eq!(store.stream_status(stream).unwrap().unwrap(), "{}");
    assert_eq!(store.due_streams(at(60), 9).unwrap()[0].record.0, *stream);
    assert_eq!(
        store.reviews(&cases[1].key()).unwrap(),
        [
            review(ReviewStatus::FalsePositive, "ann"),
            review(ReviewStatus::Confirmed, "bob")
        ]
    );
    let audited = store.audit_entries(&AuditQuery::default()).unwrap();
    assert_eq!(audited.len(), 2);
    assert_eq!(store.incident_of(&cases[3].key()).unwrap(), Some(1));
    assert_eq!(store.incident(1).unwrap(), Some(incident()));
    assert_eq!(store.settings().unwrap().unwrap().record, settings());
    assert_eq!(store.pending().unwrap()[0].record, proposal());
    let due = store.due_messages("mail", at(9), 9).unwrap();
    assert_eq!(due[0].record, message());
    assert_eq!(store.note("tick").unwrap().unwrap(), "noted");
    assert!(store.is_known(&purged().key()).unwrap());

    // The log is the one that this version wrote, to the last bit.
    let verification = store.verify(&[]).unwrap();
    assert_eq!(verification.tampering, None);
    assert_eq!(verification.unproven_leaves, unproven_leaves);
    assert_golden(
        &format!("{name}.head.txt"),
        &format!("{}\n", verification.head),
    );
    assert_eq!(store.check().unwrap(), [""; 0]);
    let by_score = "-score".parse().unwrap();
    let found = store
        .anomalies(&AnomalyQuery::default().sorted(by_score))
        .unwrap();
    assert_eq!(found[0].verdict.key(), cases[1].key());
    // And takes more, and lets go of what an earlier version wrote.
    store_all(&mut store, [&Case::new("6", 6, anomalous())]);
    let found = store.anomalies(&AnomalyQuery::default()).unwrap();
    assert_eq!(found[0].last_normal.as_ref().unwrap().key, cases[0].key());
    let mut transaction = store.transaction().unwrap();
    let purge = Purge {
        now: at(900),
        started_before: at(800),
        idle_before: at(0),
        limit: 100,
    };
    assert_eq!(transaction.purge(&purge).unwrap().jobs, 4);
    transaction.commit().unwrap();
    let verification = store.verify(&[verification.head]).unwrap();
    assert_eq!(verification.tampering, None);
    assert_eq!(verification.purged_leaves, 5);
}

#[test]
fn a_database_of_version_1_opens_and_answers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    fs::copy(fixture("schema_1.sqlite"), &path).unwrap();

    let mut store = SqliteStore::open(&path).unwrap();
    let cases = cases();
    for case in &cases {
        assert_eq!(store.job(&case.key()).unwrap().as_ref(), Some(&case.job));
        assert_eq!(
            store.verdict(&case.key()).unwrap().as_ref(),
            Some(&case.verdict)
        );
    }
    let found = store.anomalies(&AnomalyQuery::default()).unwrap();
    assert_golden(
        "schema_1.anomalies.json",
        &(serde_json::to_string_pretty(&found).unwrap() + "\n"),
    );
    assert_eq!(
        store.reviews(&cases[1].key()).unwrap(),
        [
            review(ReviewStatus::FalsePositive, "ann"),
            review(ReviewStatus::Confirmed, "bob")
        ]
    );
    assert_eq!(
        model_state(&store, &cases[0].stream).unwrap(),
        b"model of mail01"
    );
    // What was stored before there was a log is in it now.
    let verification = store.verify(&[]).unwrap();
    assert_eq!(
        (verification.verified_leaves, verification.tampering),
        (7, None)
    );
    assert_eq!(store.check().unwrap(), [""; 0]);
    // And takes more.
    store_all(&mut store, [&Case::new("6", 6, anomalous())]);
    let found = store.anomalies(&AnomalyQuery::default()).unwrap();
    assert_eq!(found[0].last_normal.as_ref().unwrap().key, cases[0].key());
    // Of what is purged, no leaf from before there was a log proves how old it was.
    let ignored = review(ReviewStatus::Ignored, "ann");
    store.review(&cases[1].key(), &ignored).unwrap();
    let mut transaction = store.transaction().unwrap();
    let purge = Purge {
        now: at(2_000),
        started_before: at(1_000),
        idle_before: at(0),
        limit: 100,
    };
    assert_eq!(transaction.purge(&purge).unwrap().jobs, 6);
    transaction.commit().unwrap();
    let verification = store.verify(&[]).unwrap();
    assert_eq!(
        (verification.unproven_leaves, verification.tampering),
        (7, None)
    );
}
