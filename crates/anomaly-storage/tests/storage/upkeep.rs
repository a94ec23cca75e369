//! Checking, copying and compacting a database.

use std::fs;

use anomaly_model::Judgement;
use anomaly_storage::{Purge, Read, SqliteStore, Store, StoreError};
use rusqlite::Connection;

use crate::data::{Case, anomalous, at, model_state, store_all};

fn cases(first: i64, number: i64) -> Vec<Case> {
    (first..first + number)
        .map(|minute| Case::new(&minute.to_string(), minute, Judgement::Normal))
        .collect()
}

#[test]
fn a_check_finds_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut store = SqliteStore::open(&path).unwrap();
    let cases = cases(0, 3);
    store_all(&mut store, &cases);
    let mut transaction = store.transaction().unwrap();
    transaction
        .put_model_state(&cases[0].stream, b"learnt")
        .unwrap();
    transaction.commit().unwrap();
    assert_eq!(store.check().unwrap(), [""; 0]);

    let tamper = |sql: &str| {
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        connection.execute_batch(sql).unwrap();
    };
    for (sql, back, found) in [
        (
            "UPDATE model_states SET state = x'00'",
            "UPDATE model_states SET state = CAST('learnt' AS BLOB)",
            "the model of stream 1",
        ),
        (
            "UPDATE jobs SET stream = 99 WHERE number = 2",
            "UPDATE jobs SET stream = 1 WHERE number = 2",
            "row 2 of jobs refers to a row of streams",
        ),
        (
            "INSERT INTO messages VALUES (7, 0, 'x', 'no JSON')",
            "DELETE FROM messages",
            "the message with the number 7",
        ),
        (
            "INSERT INTO streams (id, key) VALUES (8, '[1]')",
            "DELETE FROM streams WHERE id = 8",
            "the key of stream 8",
        ),
    ] {
        tamper(sql);
        let problems = store.check().unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(found), "{problems:?}");
        tamper(back);
    }
    assert_eq!(store.check().unwrap(), [""; 0]);
    tamper("UPDATE model_states SET state = x'00'");
    let error = store.model_state(&cases[0].stream).unwrap_err();
    assert!(matches!(error, StoreError::DamagedModel { .. }), "{error}");
}

#[test]
fn a_copy_is_of_one_moment_while_others_write() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("db"), directory.path().join("copy"));
    let mut store = SqliteStore::open(&path).unwrap();
    let mut writer = SqliteStore::open(&path).unwrap();
    store_all(&mut store, &cases(0, 50));
    let head = store.log_head().unwrap();

    // In the middle of what another process writes.
    let mut transaction = writer.transaction().unwrap();
    for case in &cases(100, 50) {
        case.insert(&mut *transaction);
    }
    store.copy_to(&copy).unwrap();
    transaction.commit().unwrap();

    let copied = SqliteStore::open(&copy).unwrap();
    assert_eq!(copied.log_head().unwrap(), head);
    assert_eq!(copied.verify(&[head]).unwrap().tampering, None);
    assert_eq!(copied.check().unwrap(), [""; 0]);
    assert_eq!(store.log_head().unwrap().size, 100);

    let error = store.copy_to(&copy).unwrap_err();
    assert!(matches!(error, StoreError::CannotCopy { .. }), "{error}");
    assert_eq!(SqliteStore::open(&copy).unwrap().log_head().unwrap(), head);
    let error = store
        .copy_to(directory.path().join("missing/copy"))
        .unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    let names = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut left_over = names.filter(|name| name.to_string_lossy().contains("unfinished"));
    assert_eq!(left_over.next(), None);

    // What is in the way is somebody else's, such as another copy that is being made.
    let others = directory.path().join("another.unfinished");
    fs::write(&others, "of somebody else").unwrap();
    let error = store.copy_to(directory.path().join("another")).unwrap_err();
    assert!(error.to_string().contains("another.unfinished"), "{error}");
    assert_eq!(fs::read(&others).unwrap(), b"of somebody else");
}

/// It holds whose backups run when, and hashes of passwords.
#[cfg(unix)]
#[test]
fn only_its_owner_reads_a_database_or_a_copy() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(directory.path().join("db")).unwrap();
    store_all(&mut store, &cases(0, 1));
    store.copy_to(directory.path().join("copy")).unwrap();
    for name in ["db", "db-wal", "db-shm", "copy"] {
        let file = directory.path().join(name);
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn compacting_gives_back_space_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut store = SqliteStore::open(&path).unwrap();
    store_all(&mut store, &cases(0, 500));
    let kept = Case::of_client("web02", "kept", 1_000, anomalous());
    store_all(&mut store, [&kept]);
    let mut transaction = store.transaction().unwrap();
    transaction
        .put_model_state(&kept.stream, b"learnt")
        .unwrap();
    let purge = Purge {
        now: at(2_000),
        started_before: at(1_000),
        idle_before: at(0),
        limit: 1_000,
    };
    assert_eq!(transaction.purge(&purge).unwrap().jobs, 500);
    transaction.commit().unwrap();
    let head = store.log_head().unwrap();
    drop(store);
    let before = fs::metadata(&path).unwrap().len();

    let mut store = SqliteStore::open(&path).unwrap();
    store.compact().unwrap();
    // These records are small, beside what is left of each.
    assert!(fs::metadata(&path).unwrap().len() < before / 3 * 2);
    assert_eq!(store.verify(&[head]).unwrap().tampering, None);
    assert_eq!(store.verdict(&kept.key()).unwrap(), Some(kept.verdict));
    assert_eq!(model_state(&store, &kept.stream).unwrap(), b"learnt");

    let mut other = SqliteStore::open(&path).unwrap();
    let transaction = other.transaction().unwrap();
    // Longer than SQLite can count is as long as it can.
    store.set_busy_timeout(std::time::Duration::MAX).unwrap();
    store.set_busy_timeout(std::time::Duration::ZERO).unwrap();
    let error = store.compact().unwrap_err();
    assert!(error.is_busy(), "{error}");
    drop(transaction);
}
