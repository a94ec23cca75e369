//! A small log of every kind of leaf, and what somebody may do to it.

use std::fs;
use std::path::{Path, PathBuf};

use anomaly_model::{Judgement, ReviewStatus, Severity};
use anomaly_storage::{
    AuditEntry, LogHead, Purge, Read, SettingsVersion, SqliteStore, Store, Tampering,
};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::data::{Case, anomalous, at, review, store_all};

/// A log with a leaf of every kind, some of them purged:
///
/// 1 to 6 jobs, 7 a review and 8 its audit entry, 9 settings, 10 an audit entry, 11 the purge of 1
/// and 2, 12 a job.
pub(crate) struct SmallLog {
    pub(crate) directory: TempDir,
    /// What the log was after 6 and after 12 leaves.
    pub(crate) heads: [LogHead; 2],
}

impl SmallLog {
    pub(crate) const LEAVES: i64 = 12;

    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(directory.path().join("db")).unwrap();
        let cases: Vec<Case> = (1..=6)
            .map(|minute| {
                let client = ["mail01", "web02"][usize::from(minute > 4)];
                let judgement = if minute % 2 == 0 {
                    anomalous()
                } else {
                    Judgement::Normal
                };
                Case::of_client(client, &minute.to_string(), minute, judgement)
            })
            .collect();
        store_all(&mut store, &cases);
        let head = store.log_head().unwrap();
        let mut transaction = store.transaction().unwrap();
        transaction.set_now(at(50));
        let review = review(ReviewStatus::Confirmed, "ann");
        transaction.review(&cases[3].key(), &review).unwrap();
        let version = SettingsVersion {
            accepted_at: at(1),
            accepted_by: "ann".into(),
            seconded_by: None,
            settings: json!({ "detection": { "alarm_budget": 1.0 } }),
        };
        transaction.accept_settings(&version).unwrap();
        let entry = AuditEntry::new(at(1), "ann", "exclude", "web02")
            .with_severity(Severity::Medium)
            .with_reason("is being replaced");
        transaction.audit(&entry).unwrap();
        let purge = Purge {
            now: at(60),
            started_before: at(3),
            idle_before: at(0),
            limit: 10,
        };
        assert_eq!(transaction.purge(&purge).unwrap().jobs, 2);
        Case::new("7", 7, Judgement::WarmingUp).insert(&mut *transaction);
        transaction.commit().unwrap();
        let heads = [head, store.log_head().unwrap()];
        assert_eq!(heads[1].size, Self::LEAVES.cast_unsigned());
        Self { directory, heads }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("db")
    }

    pub(crate) fn connection(&self) -> Connection {
        tampering(&self.path())
    }

    pub(crate) fn verify(&self, checkpoints: &[LogHead]) -> Option<Tampering> {
        verify(&self.path(), checkpoints)
    }

    /// What is found after `tamper`, which is taken back.
    pub(crate) fn found(&self, tamper: impl FnOnce(&Connection)) -> Option<Tampering> {
        let copy = self.directory.path().join("copy");
        for end in ["", "-wal", "-shm"] {
            _ = fs::remove_file(self.directory.path().join(format!("copy{end}")));
        }
        fs::copy(self.path(), &copy).unwrap();
        let connection = tampering(&copy);
        tamper(&connection);
        drop(connection);
        verify(&copy, &[])
    }
}

/// A connection that may do anything; what it does need not be on the disk.
pub(crate) fn tampering(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let anything = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
                    PRAGMA synchronous = OFF;";
    connection.execute_batch(anything).unwrap();
    connection
}

pub(crate) fn verify(path: &Path, checkpoints: &[LogHead]) -> Option<Tampering> {
    let store = SqliteStore::open_existing(path).unwrap();
    store.verify(checkpoints).unwrap().tampering
}

/// The number of the leaf that a finding names.
pub(crate) fn leaf(found: Option<Tampering>) -> i64 {
    match found.unwrap() {
        Tampering::Altered { leaf, .. } | Tampering::Removed { leaf, .. } => leaf.cast_signed(),
        other => panic!("{other}"),
    }
}

pub(crate) fn rows(connection: &Connection, table: &str, column: &str) -> Vec<(i64, Value)> {
    let mut statement = connection
        .prepare(&format!(
            "SELECT number, {column} FROM {table} ORDER BY number"
        ))
        .unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}
