//! Several users of one database. Each has a connection of its own, as each process would.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anomaly_model::Judgement;
use anomaly_storage::{AnomalyQuery, Read as _, SqliteStore, Store, StoreError};
use rusqlite::Connection;

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
    let waited =
        |error: &StoreError| matches!(error, StoreError::Busy { waited, .. } if waited.is_zero());
    assert!(waited(&error), "{error:?}");
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

const DATABASE: &str = "BACKWATCH_TEST_HOLDER_DATABASE";

/// The process that holds the write lock until it is killed.
#[test]
#[ignore = "started by the test below"]
fn holder() {
    let Some(path) = env::var_os(DATABASE) else {
        return;
    };
    let mut store = SqliteStore::open(path).unwrap();
    store.set_program("backwatch\ningest");
    let transaction = store.transaction().unwrap();
    println!("holds");
    // Until it is killed, or has lost who started it.
    _ = std::io::stdin().read(&mut [0]);
    drop(transaction);
}

#[test]
fn who_waits_in_vain_is_told_for_whom() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut store = SqliteStore::open(&path).unwrap();
    store.set_busy_timeout(Duration::ZERO).unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "processes::holder", "--nocapture"])
        .env(DATABASE, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.ends_with("holds")));

    let error = store.transaction().map(drop).unwrap_err();
    let StoreError::Busy {
        holder: Some(holder),
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(holder.process_id, child.id());
    assert_eq!(holder.program, "backwatchingest");
    assert!(holder.since.is_some());
    let message = error.to_string();
    assert!(message.contains("backwatchingest (process "), "{message}");

    // A dead one holds nothing, whatever it left behind; and its name is not told for another's.
    child.kill().unwrap();
    child.wait().unwrap();
    store.transaction().unwrap().commit().unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.transaction().map(drop).unwrap_err();
    assert!(
        matches!(error, StoreError::Busy { holder: None, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("another process is writing"),
        "{error}"
    );
}

/// One that writes batch after batch lets in those that wait.
#[test]
fn no_writer_keeps_all_others_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut store = SqliteStore::open(&path).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut other = SqliteStore::open(&path).unwrap();
            other.set_busy_timeout(Duration::from_mins(10)).unwrap();
            other.transaction().unwrap().commit().unwrap();
            is_done.store(true, Ordering::Relaxed);
        });
        let mut number = 0;
        while !is_done.load(Ordering::Relaxed) {
            // Long enough to be noticed.
            let mut transaction = store.transaction().unwrap();
            let begun_at = Instant::now();
            while begun_at.elapsed() < Duration::from_millis(60) {
                number += 1;
                let case = Case::new(&number.to_string(), number, Judgement::Normal);
                case.insert(&mut *transaction);
            }
            transaction.commit().unwrap();
        }
    });
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
