//! A process that dies loses nothing that it committed, and leaves nothing half.

use std::env;
use std::path::Path;
use std::process::Command;

use anomaly_model::Judgement;
use anomaly_storage::{AnomalyQuery, Inserted, Read, SqliteStore, Store};

use crate::data::{Case, anomalous, model_state};

const DATABASE: &str = "BACKWATCH_TEST_KILL_DATABASE";
const MOMENT: &str = "BACKWATCH_TEST_KILL_MOMENT";

/// Transactions that the child commits before the one in which it dies.
const COMMITTED: usize = 5;
/// Enough for SQLite to write some of them to the disk before the commit.
const JOBS_PER_TRANSACTION: usize = 1_000;

fn batch(number: usize) -> Vec<Case> {
    (0..JOBS_PER_TRANSACTION)
        .map(|job| {
            let judgement = if job % 100 == 0 {
                anomalous()
            } else {
                Judgement::Normal
            };
            let minute = i64::try_from(number * JOBS_PER_TRANSACTION + job).unwrap();
            let mut case = Case::new(&format!("{number}/{job}"), minute, judgement);
            case.verdict.summary = "x".repeat(1_000);
            case
        })
        .collect()
}

fn state_after(number: usize) -> Vec<u8> {
    vec![u8::try_from(number).unwrap(); 20_000]
}

/// The process that dies: the tests below start it, and only then it does anything.
#[test]
#[ignore = "started by the other tests of this file"]
fn child() {
    let (Some(path), Some(moment)) = (env::var_os(DATABASE), env::var_os(MOMENT)) else {
        return;
    };
    let mut store = SqliteStore::open(path).unwrap();
    for number in 0..=COMMITTED {
        let cases = batch(number);
        let mut transaction = store.transaction().unwrap();
        for (place, case) in cases.iter().enumerate() {
            case.insert(&mut *transaction);
            if number == COMMITTED && moment == "between jobs" && place == cases.len() / 2 {
                std::process::abort();
            }
        }
        if number == COMMITTED && moment == "before the state" {
            std::process::abort();
        }
        transaction
            .put_model_state(&cases[0].stream, &state_after(number))
            .unwrap();
        if number == COMMITTED && moment == "before the commit" {
            std::process::abort();
        }
        transaction.commit().unwrap();
    }
    // Before anything is closed.
    assert_eq!(moment, "after the commit");
    std::process::abort();
}

fn run_child(path: &Path, moment: &str) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "kill::child", "--nocapture"])
        .env(DATABASE, path)
        .env(MOMENT, moment)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    // A child that fails an assertion ends with a code; one that aborts has none.
    assert_eq!(output.status.code(), None, "{errors}");
}

/// What must be there when the child died at `moment`: whole batches, and the state after them.
fn check(moment: &str, batches: usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    run_child(&path, moment);

    let mut store = SqliteStore::open(&path).unwrap();
    let stream = &batch(0)[0].stream;
    assert_eq!(model_state(&store, stream), Some(state_after(batches - 1)));
    for number in 0..batches {
        for case in batch(number) {
            assert_eq!(store.job(&case.key()).unwrap(), Some(case.job));
        }
    }
    let anomalies = store.anomalies(&AnomalyQuery::default()).unwrap();
    assert_eq!(anomalies.len(), batches * JOBS_PER_TRANSACTION / 100);

    // The work goes on where it stopped.
    let mut transaction = store.transaction().unwrap();
    for case in batch(COMMITTED) {
        let expected = if batches > COMMITTED {
            Inserted::AlreadyStored
        } else {
            Inserted::New
        };
        assert_eq!(case.insert(&mut *transaction), expected);
    }
    transaction.commit().unwrap();
}

#[test]
fn killed_between_two_jobs_of_a_transaction() {
    check("between jobs", COMMITTED);
}

#[test]
fn killed_before_the_state_is_written() {
    check("before the state", COMMITTED);
}

#[test]
fn killed_before_the_commit() {
    check("before the commit", COMMITTED);
}

#[test]
fn killed_after_the_commit() {
    check("after the commit", COMMITTED + 1);
}
