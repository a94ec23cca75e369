//! Files that are not there, not ours or not to be written: one clear error, and nothing touched.

use std::fs;
use std::path::Path;

use anomaly_model::Judgement;
use anomaly_storage::{Read, SqliteStore, StoreError};
use rusqlite::Connection;

use crate::data::{Case, store_all};

fn refused(path: &Path) -> StoreError {
    let error = SqliteStore::open(path).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    error
}

#[test]
fn a_path_that_cannot_be_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "text").unwrap();

    for path in [
        directory.path().to_owned(),
        directory.path().join("missing").join("db"),
        file.join("db"),
    ] {
        let error = refused(&path);
        assert!(matches!(error, StoreError::CannotOpen { .. }), "{error}");
        assert!(
            error.to_string().contains("its directory must exist"),
            "{error}"
        );
    }
    assert!(!directory.path().join("missing").exists());
    // Whoever wants to look at a database makes none.
    let path = directory.path().join("not there");
    let error = SqliteStore::open_existing(&path).unwrap_err();
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error}");
    assert!(!path.exists());
    // SQLite would take this for a database that vanishes when it is closed.
    let error = SqliteStore::open("").unwrap_err();
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error}");
}

/// Permissions do not bind root: run by root, this can only check that writing works.
#[cfg(unix)]
#[test]
fn what_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    store_all(
        &mut SqliteStore::open(&path).unwrap(),
        [&Case::new("a", 1, Judgement::Normal)],
    );
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };

    for (file_mode, directory_mode) in [(0o444, 0o755), (0o644, 0o555), (0o444, 0o555)] {
        allow(&path, file_mode);
        allow(directory.path(), directory_mode);
        let is_bound = tempfile::tempfile_in(directory.path()).is_err()
            || fs::OpenOptions::new().append(true).open(&path).is_err();
        if is_bound {
            let error = refused(&path);
            assert!(matches!(error, StoreError::CannotOpen { .. }), "{error}");
        } else {
            SqliteStore::open(&path).unwrap();
        }
        allow(directory.path(), 0o755);
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();

    // SQLite takes a file of one byte for an empty one.
    for bytes in [
        b"xy".as_slice(),
        b"client,policy,image_bytes\nmail01,daily,1000\n",
        b"SQLite format 3\0",
        &[0; 4096],
        &noise,
    ] {
        fs::write(&path, bytes).unwrap();
        let error = refused(&path);
        assert!(matches!(error, StoreError::NotBackwatch { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");

    for made_by in [
        "CREATE TABLE bookmarks (url);",
        "PRAGMA user_version = 1;",
        "PRAGMA application_id = 0x47504b47;",
        "PRAGMA application_id = 0x47504b47; CREATE TABLE jobs (x); PRAGMA journal_mode = WAL;",
    ] {
        _ = fs::remove_file(&path);
        Connection::open(&path)
            .unwrap()
            .execute_batch(made_by)
            .unwrap();
        let before = fs::read(&path).unwrap();
        let error = refused(&path);
        assert!(matches!(error, StoreError::NotBackwatch { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_newer_version_is_refused_by_both_numbers_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    SqliteStore::open(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 7)
        .unwrap();
    let before = fs::read(&path).unwrap();

    let error = refused(&path);
    assert!(
        matches!(
            error,
            StoreError::NewerVersion {
                found: 7,
                known: 3,
                ..
            }
        ),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("version 7") && message.contains("up to 3"),
        "{message}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn an_empty_file_and_an_empty_database_become_ours() {
    let directory = tempfile::tempdir().unwrap();
    let case = Case::new("a", 1, Judgement::Normal);
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let database = directory.path().join("database");
    // What a process leaves that was killed before the first migration.
    Connection::open(&database)
        .unwrap()
        .pragma_update(None, "journal_mode", "wal")
        .unwrap();

    for path in [file, database] {
        store_all(&mut SqliteStore::open(&path).unwrap(), [&case]);
        let reopened = SqliteStore::open(&path).unwrap();
        assert_eq!(reopened.job(&case.key()).unwrap().as_ref(), Some(&case.job));
    }
}

/// What was written to once is not taken for new when it was cut to nothing.
#[test]
fn a_database_that_was_emptied_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    fs::write(&path, "").unwrap();
    let error = SqliteStore::open_existing(&path).unwrap_err();
    assert!(matches!(error, StoreError::NotBackwatch { .. }), "{error}");

    let case = Case::new("a", 1, Judgement::Normal);
    store_all(&mut SqliteStore::open(&path).unwrap(), [&case]);
    fs::write(&path, "").unwrap();
    for opened in [SqliteStore::open(&path), SqliteStore::open_existing(&path)] {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }
    // As the message says.
    fs::remove_file(&path).unwrap();
    fs::remove_file(directory.path().join("db-holder")).unwrap();
    SqliteStore::open(&path).unwrap();
}
