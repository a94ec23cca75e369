//! The schema as it is now, and databases of every released version.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anomaly_model::{Judgement, ReviewStatus};
use anomaly_storage::{AnomalyQuery, Read, SqliteStore, Store};
use rusqlite::Connection;

use crate::data::{Case, anomalous, model_state, review, store_all};

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

/// What the database of schema version 1 was made of.
fn version_1_cases() -> [Case; 5] {
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

/// Makes a database of the newest schema version where `MAKE_DATABASE` says, to be
/// committed as the fixture of that version when it is released. Released fixtures never change.
#[test]
#[ignore = "made the fixture, and makes the next one"]
fn make_database() {
    let Some(path) = env::var_os("MAKE_DATABASE") else {
        return;
    };
    let cases = version_1_cases();
    let mut store = SqliteStore::open(path).unwrap();
    store_all(&mut store, &cases);
    let mut transaction = store.transaction().unwrap();
    transaction
        .put_model_state(&cases[0].stream, b"model of mail01")
        .unwrap();
    transaction
        .review(&cases[1].key(), &review(ReviewStatus::FalsePositive, "ann"))
        .unwrap();
    transaction
        .review(&cases[1].key(), &review(ReviewStatus::Confirmed, "bob"))
        .unwrap();
    transaction.commit().unwrap();
}

#[test]
fn a_database_of_version_1_opens_and_answers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    fs::copy(fixture("schema_1.sqlite"), &path).unwrap();

    let mut store = SqliteStore::open(&path).unwrap();
    let cases = version_1_cases();
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
    // And takes more.
    store_all(&mut store, [&Case::new("6", 6, anomalous())]);
    let found = store.anomalies(&AnomalyQuery::default()).unwrap();
    assert_eq!(found[0].last_normal.as_ref().unwrap().key, cases[0].key());
}
