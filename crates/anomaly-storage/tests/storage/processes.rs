//! Several users of one database. Each has a connection of its own, as each process would.

use std::time::Duration;

use anomaly_model::Judgement;
use anomaly_storage::{AnomalyQuery, Read, SqliteStore, Store};

use crate::data::{Case, anomalous, model_state, store_all};

#[test]
fn what_was_stored_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let case = Case::new("a", 1, anomalous());
    let mut store = SqliteStore::open(&path).unwrap();
    store_all(&mut store, [&case]);
    drop(store);

    let store = SqliteStore::open(&path).unwrap();
    let found = store.anomalies(&AnomalyQuery::default()).unwrap();
    assert_eq!(found[0].verdict, case.verdict);
    assert_eq!(store.job(&case.key()).unwrap(), Some(case.job));
}

#[test]
fn readers_go_on_and_a_second_writer_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let case = Case::new("a", 1, Judgement::Normal);
    let mut writer = SqliteStore::open(&path).unwrap();
    let mut other = SqliteStore::open(&path).unwrap();
    other.set_busy_timeout(Duration::ZERO).unwrap();

    let mut transaction = writer.transaction().unwrap();
    case.insert(&mut *transaction);
    assert_eq!(other.job(&case.key()).unwrap(), None);
    let error = other.transaction().map(drop).unwrap_err();
    assert!(error.is_busy(), "{error}");
    assert!(
        error.to_string().contains(&path.display().to_string()),
        "{error}"
    );
    // Opening needs no lock.
    SqliteStore::open(&path).unwrap();
    transaction.commit().unwrap();

    assert_eq!(other.job(&case.key()).unwrap(), Some(case.job));
    other.transaction().unwrap().commit().unwrap();
}

#[test]
fn a_new_database_may_be_opened_by_many_at_once() {
    for _ in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| SqliteStore::open(&path).unwrap());
            }
        });
    }
}

#[test]
fn no_writer_works_on_a_stale_state() {
    const WRITERS: u32 = 4;
    const STEPS: u32 = 25;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let stream = Case::new("a", 1, Judgement::Normal).stream;
    let count = |state: Option<Vec<u8>>| {
        state.map_or(0, |state| u32::from_le_bytes(state.try_into().unwrap()))
    };

    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut store = SqliteStore::open(&path).unwrap();
                store.set_busy_timeout(Duration::from_mins(10)).unwrap();
                for _ in 0..STEPS {
                    let mut transaction = store.transaction().unwrap();
                    let next = count(transaction.model_state(&stream).unwrap()) + 1;
                    transaction
                        .put_model_state(&stream, &next.to_le_bytes())
                        .unwrap();
                    transaction.commit().unwrap();
                }
            });
        }
    });

    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(count(model_state(&store, &stream)), WRITERS * STEPS);
}
