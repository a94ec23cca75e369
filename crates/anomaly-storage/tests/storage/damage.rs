//! A damaged database says so, or answers as if it were whole.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{Judgement, ReviewStatus};
use anomaly_storage::{AnomalyQuery, Around, Read, SqliteStore, Store, StoreError};
use rusqlite::Connection;

use crate::data::{Case, anomalous, at, review, store_all};

const PAGE_BYTES: usize = 4096;

fn cases() -> Vec<Case> {
    (0..60)
        .map(|minute| {
            let judgement = if minute % 3 == 2 {
                anomalous()
            } else {
                Judgement::Normal
            };
            Case::new(&format!("job {minute}"), minute, judgement)
        })
        .collect()
}

fn healthy(path: &Path) -> Vec<u8> {
    let cases = cases();
    let mut store = SqliteStore::open(path).unwrap();
    store_all(&mut store, &cases);
    let mut transaction = store.transaction().unwrap();
    transaction
        .put_model_state(&cases[0].stream, &[7; 3 * PAGE_BYTES])
        .unwrap();
    transaction
        .review(&cases[2].key(), &review(ReviewStatus::Confirmed, "ann"))
        .unwrap();
    transaction.commit().unwrap();
    drop(store);
    fs::read(path).unwrap()
}

/// Every answer but the model states, as one text. What is in a state only its reader can check:
/// SQLite keeps no checksums.
fn everything(path: &Path) -> Result<String, StoreError> {
    let store = SqliteStore::open(path)?;
    let mut answers = format!("{:?}", store.anomalies(&AnomalyQuery::default())?);
    for case in cases() {
        let key = case.key();
        let job = (store.job(&key)?, store.verdict(&key)?);
        let rest = (store.last_normal(&key)?, store.reviews(&key)?);
        write!(answers, "{job:?}{rest:?}").unwrap();
    }
    let usual = store.false_positives(&cases()[0].stream)?;
    let due = (store.due_streams(at(0), 9)?, store.note("tick")?);
    write!(answers, "{usual:?}{due:?}").unwrap();
    Ok(answers)
}

#[test]
fn a_database_that_was_cut_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let bytes = healthy(&path);
    assert!(bytes.len() > 10 * PAGE_BYTES, "there is something to cut");

    // SQLite takes a file of one byte, as of none, for a new database.
    let within_the_header = [2, 15, 50, 99, 511];
    let at_pages = (1..bytes.len() / PAGE_BYTES).map(|pages| pages * PAGE_BYTES);
    for length in within_the_header.into_iter().chain(at_pages) {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Damaged { .. } | StoreError::NotBackwatch { .. }
            ),
            "cut to {length} bytes: {error}"
        );
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }
}

#[test]
fn an_overwritten_page_is_found_or_does_not_matter() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let bytes = healthy(&path);
    let answers = everything(&path).unwrap();

    let mut found = 0;
    let pages = bytes.len() / PAGE_BYTES;
    for page in 1..pages {
        let mut damaged = bytes.clone();
        damaged[page * PAGE_BYTES..(page + 1) * PAGE_BYTES].fill(0xff);
        fs::write(&path, damaged).unwrap();
        match everything(&path) {
            Ok(same) => assert!(same == answers, "page {page} changes the answers"),
            Err(StoreError::Damaged { .. }) => found += 1,
            Err(error) => panic!("page {page}: {error}"),
        }
    }
    assert!(found > pages / 2, "{found} of {pages} found");
}

#[test]
fn a_record_that_cannot_be_read_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    healthy(&path);
    let key = cases()[2].key();

    for (column, value) in [("verdict", "'not JSON'"), ("job", "'{}'")] {
        let sql = format!("UPDATE jobs SET {column} = {value} WHERE job ->> 'job_id' = 'job 2'");
        Connection::open(&path).unwrap().execute(&sql, ()).unwrap();
    }

    let store = SqliteStore::open(&path).unwrap();
    let errors = [
        store.job(&key).unwrap_err(),
        store.verdict(&key).unwrap_err(),
        store.anomalies(&AnomalyQuery::default()).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.is_damaged() && !error.is_busy() && !error.is_refused());
    }
}

/// A job whose text does not read keeps no anomaly near it from being stored, and its reviews are told
/// to be damaged.
#[test]
fn a_damaged_anomaly_stands_in_the_way_of_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    healthy(&path);
    let sql = "UPDATE jobs SET job = 'not JSON' WHERE job ->> 'job_id' = 'job 2'";
    Connection::open(&path).unwrap().execute(sql, ()).unwrap();

    let store = SqliteStore::open(&path).unwrap();
    let cases = cases();
    for client in [None, Some(&cases[2].job.client().name)] {
        let around = Around {
            at: at(30),
            within: TimeDelta::hours(1),
            client,
            limit: 100,
        };
        let near = store.anomalies_around(&around).unwrap();
        let near: Vec<_> = near.into_iter().map(|near| near.job).collect();
        let others = (5..60).step_by(3).map(|minute| cases[minute].key());
        assert_eq!(near, others.collect::<Vec<_>>());
    }
    let error = store.reviews(&cases[2].key()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

/// A bit that flips on the disk is told, or changes no answer.
#[test]
fn a_flipped_bit_is_told_or_does_not_matter() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let bytes = healthy(&path);
    let answers = everything(&path).unwrap();
    let mut told = 0;
    // Every page, and every place in a page.
    for place in (0..bytes.len()).step_by(379) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        fs::write(&path, damaged).unwrap();
        match everything(&path) {
            Ok(same) => assert!(same == answers, "byte {place}"),
            // A file that is no database of ours any more, or of a version that there is not.
            Err(_) => told += 1,
        }
    }
    assert!(told > 50, "{told} told");
}

/// A file that is too large to be looked over at each opening.
#[test]
fn damage_of_a_large_file_is_told_when_it_is_met() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    healthy(&path);
    let large: Vec<Case> = (0..40)
        .map(|number| {
            let id = format!("large {number}");
            let mut case = Case::new(&id, 1_000 + number, Judgement::Normal);
            case.verdict.summary = format!("{number:02}").repeat(75_000);
            case
        })
        .collect();
    store_all(&mut SqliteStore::open(&path).unwrap(), &large);
    let answers = everything(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(6).position(|text| text == b"171717");
    bytes[place.unwrap() + 3_000] ^= 1;
    fs::write(&path, &bytes).unwrap();

    let store = SqliteStore::open(&path).unwrap();
    let error = store.verdict(&large[17].key()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let verdict = store.verdict(&large[18].key()).unwrap();
    assert_eq!(verdict.as_ref(), Some(&large[18].verdict));
    assert!(store.verify(&[]).unwrap().tampering.is_some());
    drop(store);
    assert!(everything(&path).unwrap() == answers);

    // A page of an index, of which no list has said anything yet.
    let connection = Connection::open(&path).unwrap();
    let [index, table] = ["jobs_by_start", "jobs"].map(|name| {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let root: i64 = connection.query_row(sql, [name], |row| row.get(0)).unwrap();
        (usize::try_from(root).unwrap() - 1) * PAGE_BYTES
    });
    drop(connection);
    bytes[index + 5] ^= 0xff;
    fs::write(&path, &bytes).unwrap();
    let problems = SqliteStore::open(&path).unwrap().check().unwrap();
    assert!(!problems.is_empty());
    // A page of the table itself, at which whoever reads jobs ends: a check tells of it, and goes on.
    bytes[table..table + PAGE_BYTES].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    let problems = SqliteStore::open(&path).unwrap().check().unwrap();
    assert!(!problems.is_empty());
}
