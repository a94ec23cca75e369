//! What was altered, removed, moved or added after it was recorded is found, and where.

use std::fs;
use std::path::{Path, PathBuf};

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{Judgement, ReviewStatus, Severity};
use anomaly_storage::{
    AuditEntry, LogHead, Purge, Read, SettingsVersion, SqliteStore, Store, Tampering,
};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::data::{Case, anomalous, at, review, store_all};

/// A log with a leaf of every kind, some of them purged:
///
/// 1 to 6 jobs, 7 a review and 8 its audit entry, 9 settings, 10 an audit entry, 11 the purge of 1
/// and 2, 12 a job.
struct SmallLog {
    directory: TempDir,
    /// What the log was after 6 and after 12 leaves.
    heads: [LogHead; 2],
}

impl SmallLog {
    const LEAVES: i64 = 12;

    fn new() -> Self {
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

    fn path(&self) -> PathBuf {
        self.directory.path().join("db")
    }

    fn connection(&self) -> Connection {
        tampering(&self.path())
    }

    fn verify(&self, checkpoints: &[LogHead]) -> Option<Tampering> {
        verify(&self.path(), checkpoints)
    }

    /// What is found after `tamper`, which is taken back.
    fn found(&self, tamper: impl FnOnce(&Connection)) -> Option<Tampering> {
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
fn tampering(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let anything = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
                    PRAGMA synchronous = OFF;";
    connection.execute_batch(anything).unwrap();
    connection
}

fn verify(path: &Path, checkpoints: &[LogHead]) -> Option<Tampering> {
    let store = SqliteStore::open_existing(path).unwrap();
    store.verify(checkpoints).unwrap().tampering
}

/// The number of the leaf that a finding names.
fn leaf(found: Option<Tampering>) -> i64 {
    match found.unwrap() {
        Tampering::Altered { leaf, .. } | Tampering::Removed { leaf, .. } => leaf.cast_signed(),
        other => panic!("{other}"),
    }
}

#[test]
fn what_was_not_touched_is_found_so() {
    let log = SmallLog::new();
    let store = SqliteStore::open(log.path()).unwrap();
    let verification = store.verify(&log.heads).unwrap();
    assert_eq!(verification.tampering, None);
    assert_eq!(verification.head, log.heads[1]);
    assert_eq!(verification.verified_leaves, 10);
    assert_eq!(verification.purged_leaves, 2);
    assert_eq!(verification.matched_checkpoints, 2);
}

/// Every column of the records, with the leaves that its rows are of.
const RECORDS: [(&str, &[&str]); 6] = [
    (
        "jobs",
        &[
            "job",
            "verdict",
            "origin",
            "key",
            "client",
            "policy",
            "state",
            "severity",
            "kind",
            "review_status",
        ],
    ),
    ("reviews", &["review", "status"]),
    ("settings_versions", &["version"]),
    ("audit", &["entry", "who", "what", "subject", "severity"]),
    ("purges", &["purge"]),
    ("purged_observations", &["digest"]),
];

#[test]
fn every_byte_of_every_record_is_held() {
    let log = SmallLog::new();
    let connection = log.connection();
    let store = SqliteStore::open_existing(log.path()).unwrap();
    let mut flipped = 0;
    for (table, columns) in RECORDS {
        for column in columns {
            for (number, value) in rows(&connection, table, column) {
                let (bytes, is_text) = match &value {
                    Value::Text(text) => (text.as_bytes().to_vec(), true),
                    Value::Blob(bytes) => (bytes.clone(), false),
                    _ => continue,
                };
                let kind = if is_text { "TEXT" } else { "BLOB" };
                let sql =
                    format!("UPDATE {table} SET {column} = CAST(?1 AS {kind}) WHERE number = ?2");
                for place in 0..bytes.len() {
                    let mut changed = bytes.clone();
                    changed[place] ^= 1;
                    connection.execute(&sql, (changed, number)).unwrap();
                    let found = leaf(store.verify(&[]).unwrap().tampering);
                    assert_eq!(found, number, "byte {place} of {column} of {table}");
                    flipped += 1;
                }
                connection.execute(&sql, (&bytes, number)).unwrap();
            }
        }
    }
    assert!(flipped > 3_000, "{flipped}");
    assert_eq!(log.verify(&log.heads), None);
}

fn rows(connection: &Connection, table: &str, column: &str) -> Vec<(i64, Value)> {
    let mut statement = connection
        .prepare(&format!(
            "SELECT number, {column} FROM {table} ORDER BY number"
        ))
        .unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_byte_of_the_log_itself_is_held() {
    let log = SmallLog::new();
    let connection = log.connection();
    for (number, value) in rows(&connection, "log", "hash") {
        let Value::Blob(hash) = value else { panic!() };
        let sql = "UPDATE log SET hash = ?1 WHERE number = ?2";
        for place in 0..hash.len() {
            let mut changed = hash.clone();
            changed[place] ^= 1;
            connection.execute(sql, (changed, number)).unwrap();
            assert_eq!(leaf(log.verify(&[])), number);
        }
        connection.execute(sql, (hash, number)).unwrap();
    }
    for number in 3..=SmallLog::LEAVES {
        for sql in [
            "UPDATE log SET kind = kind % 6 + 1 WHERE number = ?1",
            "UPDATE log SET kind = 77 WHERE number = ?1",
            "UPDATE log SET recorded_at_micros = coalesce(recorded_at_micros, 0) + 1 WHERE number = ?1",
            "DELETE FROM log WHERE number = ?1",
        ] {
            let found = log.found(|connection| {
                connection.execute(sql, (number,)).unwrap();
            });
            match found {
                // The end of it is cut off.
                Some(Tampering::CutOff { first, size }) => {
                    assert_eq!((first, size), (12, 12));
                    assert!(sql.contains("DELETE") && number == SmallLog::LEAVES);
                }
                found => assert_eq!(leaf(found), number, "{sql}"),
            }
        }
    }
    for sql in [
        "UPDATE log_tree SET size = size - 1, peaks = x''",
        "UPDATE log_tree SET size = 0, peaks = x''",
        "UPDATE log_tree SET peaks = CAST(substr(peaks, 33) || substr(peaks, 1, 32) AS BLOB)",
    ] {
        let copy = log.directory.path().join("tree");
        _ = fs::remove_file(&copy);
        fs::copy(log.path(), &copy).unwrap();
        Connection::open(&copy).unwrap().execute(sql, ()).unwrap();
        let found = SqliteStore::open(&copy).and_then(|store| store.verify(&[]));
        let found = found.map(|verification| verification.tampering);
        assert!(!matches!(found, Ok(None)), "{sql}");
    }
}

#[test]
fn every_two_records_that_change_places_are_found() {
    let log = SmallLog::new();
    for (table, _) in RECORDS {
        let numbers: Vec<i64> = rows(&log.connection(), table, "1")
            .into_iter()
            .map(|row| row.0)
            .collect();
        for (place, one) in numbers.iter().enumerate() {
            for other in &numbers[place + 1..] {
                // The record alone, and the record with its leaf.
                for tables in [&[table][..], &[table, "log"]] {
                    let found = log.found(|connection| {
                        for table in tables {
                            for (from, to) in [(*one, 0), (*other, *one), (0, *other)] {
                                let sql =
                                    format!("UPDATE {table} SET number = ?2 WHERE number = ?1");
                                connection.execute(&sql, (from, to)).unwrap();
                            }
                        }
                    });
                    assert_eq!(leaf(found), *one, "{one} and {other} of {table}");
                }
            }
        }
    }
}

/// Jobs in every order but their own: the records alone, and the records with their leaves.
#[test]
fn every_order_of_records_is_found() {
    const JOBS: [i64; 4] = [3, 4, 5, 6];
    let log = SmallLog::new();
    let mut orders = 0;
    for order in orders_of(&JOBS) {
        let mut places = order.iter().zip(JOBS);
        let Some((_, first)) = places.find(|(number, place)| *number != place) else {
            continue;
        };
        for tables in [&["jobs"][..], &["jobs", "log"]] {
            let found = log.found(|connection| {
                for table in tables {
                    let sql = format!("UPDATE {table} SET number = ?2 WHERE number = ?1");
                    for (number, place) in order.iter().zip(JOBS) {
                        connection.execute(&sql, (number, 100 + place)).unwrap();
                    }
                    for place in JOBS {
                        connection.execute(&sql, (100 + place, place)).unwrap();
                    }
                }
            });
            assert_eq!(leaf(found), first, "{order:?} of {tables:?}");
        }
        orders += 1;
    }
    assert_eq!(orders, 23);
}

/// All orders of some numbers.
fn orders_of(numbers: &[i64]) -> Vec<Vec<i64>> {
    if numbers.is_empty() {
        return vec![Vec::new()];
    }
    let first_and_rest = (0..numbers.len()).map(|place| {
        let mut rest = numbers.to_vec();
        (rest.remove(place), rest)
    });
    first_and_rest
        .flat_map(|(first, rest)| {
            let orders = orders_of(&rest).into_iter();
            orders.map(move |order| [vec![first], order].concat())
        })
        .collect()
}

#[test]
fn what_was_removed_or_added_is_found() {
    let log = SmallLog::new();
    for (table, _) in RECORDS {
        for (number, _) in rows(&log.connection(), table, "1") {
            let found = log.found(|connection| {
                let sql = format!("DELETE FROM {table} WHERE number = ?1");
                connection.execute(&sql, (number,)).unwrap();
            });
            // Without the purge, it is the jobs that it purged which are missed.
            let expected = if table == "purges" { 1 } else { number };
            assert_eq!(leaf(found), expected, "{table}");
        }
    }
    for sql in [
        "INSERT INTO audit VALUES (99, 'eve', 'exclude', 'mail01', NULL, '{}')",
        "INSERT INTO reviews SELECT 99, job, status, review FROM reviews",
        "INSERT INTO settings_versions SELECT 99, version FROM settings_versions",
        "INSERT INTO purges VALUES (99, '{}')",
        "INSERT INTO purged_observations SELECT 99, started_at_micros, digest FROM purged_observations LIMIT 1",
        "INSERT INTO jobs SELECT 99, x'00', stream, origin, client, policy, started_at_micros, state,
             severity, kind, review_status, job, verdict FROM jobs WHERE number = 3",
    ] {
        let found = log.found(|connection| {
            connection.execute(sql, ()).unwrap();
        });
        let Some(Tampering::Unrecorded { what }) = &found else {
            panic!("{found:?} after {sql}")
        };
        assert!(what.ends_with("number 99"), "{what}");
    }
    // A purge that no one made: what is gone is gone, but that it was purged is not in the log.
    let found = log.found(|connection| {
        connection.execute("DELETE FROM jobs WHERE number = 5", ()).unwrap();
        let purge = "INSERT INTO purges SELECT 99, replace(purge, '\"first\":1,\"last\":2', '\"first\":5,\"last\":5') FROM purges";
        connection.execute(purge, ()).unwrap();
    });
    let what = "the purge with the number 99".to_owned();
    assert_eq!(found, Some(Tampering::Unrecorded { what }));
    // A job to come that is to be taken for one that was purged, and one of those that is not.
    for sql in [
        "INSERT INTO purged_jobs VALUES (zeroblob(16), 11)",
        "UPDATE purged_jobs SET key = zeroblob(16) WHERE key = (SELECT min(key) FROM purged_jobs)",
        "DELETE FROM purged_jobs WHERE key = (SELECT min(key) FROM purged_jobs)",
        "INSERT INTO purged_jobs VALUES (zeroblob(16), 3)",
    ] {
        let found = log.found(|connection| {
            connection.execute(sql, ()).unwrap();
        });
        assert_eq!(leaf(found), 11, "{sql}");
    }
    let found = log.found(|connection| {
        let sql = "INSERT INTO purged_jobs VALUES (zeroblob(16), 99)";
        connection.execute(sql, ()).unwrap();
    });
    assert!(
        matches!(found, Some(Tampering::Unrecorded { .. })),
        "{found:?}"
    );
    // A record that is here although it was purged.
    let found = log.found(|connection| {
        connection
            .execute("UPDATE jobs SET number = 2 WHERE number = 3", ())
            .unwrap();
    });
    assert_eq!(leaf(found), 2);
}

/// Deletes job 6, which started six minutes late.
const JOB_6: &str = "DELETE FROM incident_jobs WHERE job = 6; DELETE FROM jobs WHERE number = 6;";

/// What would prove that job 6 started at this minute.
fn proof(minute: i64, digest: &str) -> String {
    let started_at = at(minute).timestamp_micros();
    format!("INSERT INTO purged_observations VALUES (6, {started_at}, x'{digest}');")
}

/// Somebody who knows the log deletes a record, and adds a purge that says that it was old: every
/// earlier checkpoint agrees, because the hash is where it was.
#[test]
fn a_purge_that_was_not_due_is_found() {
    let log = SmallLog::new();
    let digest = digest_of(&log.connection(), 6);
    let review_7 =
        "DELETE FROM reviews; UPDATE jobs SET review_status = 'not_reviewed' WHERE number = 4;";
    for (leaf, deletion, proof, what) in [
        (6, JOB_6, "", "nothing is left that proves how old it was"),
        (
            6,
            JOB_6,
            &proof(6, &digest),
            "it was deleted as one of the jobs before",
        ),
        (
            6,
            JOB_6,
            &proof(1, &digest),
            "its record is not what was recorded",
        ),
        (
            6,
            JOB_6,
            &proof(6, &"00".repeat(32)),
            "its record is not what was recorded",
        ),
        (
            6,
            &format!("{JOB_6} UPDATE log SET kind = 1 WHERE number = 6;"),
            "",
            "no version writes such a leaf any more",
        ),
        (
            12,
            "DELETE FROM jobs WHERE number = 12; UPDATE log SET kind = 2 WHERE number = 12;",
            "",
            "it is a review that the audit log does not have",
        ),
        (
            7,
            review_7,
            "",
            "it is a review of job 4 of restic, which is stored",
        ),
        (
            8,
            "DELETE FROM audit WHERE number = 8;",
            "",
            "its record is never deleted",
        ),
        (
            9,
            "DELETE FROM settings_versions;",
            "",
            "its record is never deleted",
        ),
    ] {
        let copy = log.directory.path().join("forged");
        _ = fs::remove_file(&copy);
        fs::copy(log.path(), &copy).unwrap();
        let connection = tampering(&copy);
        forge_purge(&connection, leaf, 3, deletion);
        connection.execute_batch(proof).unwrap();
        drop(connection);
        let found = verify(&copy, &log.heads);
        let Some(
            Tampering::Altered {
                leaf: place,
                what: found,
            }
            | Tampering::Removed {
                leaf: place,
                what: found,
            },
        ) = &found
        else {
            panic!("{found:?} after {deletion}")
        };
        assert_eq!(place.cast_signed(), leaf, "{found}");
        assert!(found.starts_with(what), "{found}");
    }
}

/// A purge that calls old what is not has kept nothing for long, and says so.
#[test]
fn a_hasty_purge_shows_for_how_long_it_kept() {
    let log = SmallLog::new();
    let proof = proof(6, &digest_of(&log.connection(), 6));
    let copy = log.directory.path().join("hasty");
    fs::copy(log.path(), &copy).unwrap();
    let connection = tampering(&copy);
    forge_purge(&connection, 6, 60, JOB_6);
    connection.execute_batch(&proof).unwrap();
    let verification = SqliteStore::open_existing(&copy)
        .unwrap()
        .verify(&log.heads);
    let verification = verification.unwrap();
    assert_eq!(verification.tampering, None);
    let kept_for = verification.kept_for.unwrap();
    assert_eq!((kept_for.purge, kept_for.time), (13, TimeDelta::zero()));
    let honest = SqliteStore::open_existing(log.path()).unwrap().verify(&[]);
    let kept_for = honest.unwrap().kept_for.unwrap();
    assert_eq!(
        (kept_for.purge, kept_for.time),
        (11, TimeDelta::minutes(57))
    );
}

/// A purge of one leaf at minute 60, with all that belongs to it but a proof.
fn forge_purge(connection: &Connection, leaf: i64, started_before: i64, deletion: &str) {
    let number = SmallLog::LEAVES + 1;
    let hash: [u8; 32] = connection
        .query_row("SELECT hash FROM log WHERE number = ?1", [leaf], |row| {
            row.get(0)
        })
        .unwrap();
    let key: Option<[u8; 16]> = connection
        .query_row("SELECT key FROM jobs WHERE number = ?1", [leaf], |row| {
            row.get(0)
        })
        .ok();
    connection.execute_batch(deletion).unwrap();
    let is_gone = |key: &[u8; 16]| {
        let mut jobs = connection
            .prepare("SELECT 1 FROM jobs WHERE key = ?1")
            .unwrap();
        !jobs.exists([key]).unwrap()
    };
    let key = key.filter(is_gone);
    let purge = json!({
        "purged_at": at(60),
        "started_before": at(started_before),
        "leaves": [{ "first": leaf, "last": leaf, "root": hex(&hash) }],
        "keys": hex(&Sha256::digest(key.as_ref().map_or(&[][..], |key| key))),
    })
    .to_string();
    if let Some(key) = key {
        let sql = "INSERT INTO purged_jobs VALUES (?1, ?2)";
        connection.execute(sql, (key, number)).unwrap();
    }
    let sql = "INSERT INTO purges VALUES (?1, ?2)";
    connection.execute(sql, (number, &purge)).unwrap();
    let micros = at(60).timestamp_micros();
    let mut leaf = vec![0, 5];
    leaf.extend(number.to_be_bytes());
    leaf.extend(micros.to_be_bytes());
    leaf.extend((purge.len() as u64).to_be_bytes());
    leaf.extend(purge.as_bytes());
    let sql = "INSERT INTO log VALUES (?1, 5, ?2, ?3)";
    let hash: [u8; 32] = Sha256::digest(leaf).into();
    connection.execute(sql, (number, micros, hash)).unwrap();
    // The tree: the roots of perfect trees, and how high they are.
    let mut peaks: Vec<([u8; 32], u32)> = Vec::new();
    for (_, value) in rows(connection, "log", "hash") {
        let Value::Blob(hash) = value else { panic!() };
        let (mut node, mut height) = (<[u8; 32]>::try_from(hash).unwrap(), 0);
        while let Some((left, _)) = peaks.pop_if(|(_, last)| *last == height) {
            node = Sha256::digest([&[1][..], &left, &node].concat()).into();
            height += 1;
        }
        peaks.push((node, height));
    }
    let peaks: Vec<u8> = peaks.into_iter().flat_map(|(node, _)| node).collect();
    let sql = "UPDATE log_tree SET size = ?1, peaks = ?2";
    connection.execute(sql, (number, peaks)).unwrap();
}

/// What an honest purge would leave of a job.
fn digest_of(connection: &Connection, number: i64) -> String {
    let sql = "SELECT origin, streams.key, job, verdict FROM jobs
               JOIN streams ON streams.id = jobs.stream WHERE number = ?1";
    let parts: [String; 4] = connection
        .query_row(sql, [number], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })
        .unwrap();
    let mut data = Vec::new();
    for part in parts {
        data.extend((part.len() as u64).to_be_bytes());
        data.extend(part.as_bytes());
    }
    hex(&Sha256::digest(data))
}

fn hex(bytes: &[u8]) -> String {
    let digit =
        |byte: &u8| [byte >> 4, byte & 15].map(|half| b"0123456789abcdef"[usize::from(half)]);
    String::from_utf8(bytes.iter().flat_map(digit).collect()).unwrap()
}

/// Who writes the whole log anew, with all its hashes: only what was kept elsewhere tells.
#[test]
fn a_log_written_anew_is_found_by_a_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let cases: Vec<Case> = (0..6)
        .map(|minute| Case::new(&minute.to_string(), minute, anomalous()))
        .collect();
    let log = |name: &str, order: &[usize]| {
        let path = directory.path().join(name);
        let mut store = SqliteStore::open(&path).unwrap();
        let mut heads = Vec::new();
        for &place in order {
            store_all(&mut store, [&cases[place]]);
            heads.push(store.log_head().unwrap());
        }
        (path, heads)
    };
    let (path, heads) = log("honest", &[0, 1, 2, 3, 4, 5]);
    assert_eq!(verify(&path, &heads), None);

    for size in 0..6 {
        let (path, _) = log(&format!("cut to {size}"), &[0, 1, 2, 3, 4, 5][..size]);
        // In itself it is whole: this is what a checkpoint is for.
        assert_eq!(verify(&path, &[]), None);
        let size = size as u64;
        let expected = Tampering::CutOff {
            first: size + 1,
            size: 6,
        };
        assert_eq!(verify(&path, &[heads[5]]), Some(expected));
    }
    for (one, other) in (0..6).flat_map(|one| (one + 1..6).map(move |other| (one, other))) {
        let mut order = [0, 1, 2, 3, 4, 5];
        order.swap(one, other);
        let (path, _) = log(&format!("{one} for {other}"), &order);
        assert_eq!(verify(&path, &[]), None);
        let found = verify(&path, &[heads[5]]);
        assert_eq!(found, Some(Tampering::Rewritten { first: 1, last: 6 }));
        // The more checkpoints, the nearer: with one after each leaf, it is named.
        let found = verify(&path, &heads);
        let first = one as u64 + 1;
        assert_eq!(found, Some(Tampering::Rewritten { first, last: first }));
    }
}

#[cfg(feature = "checkpoints")]
#[test]
fn a_checkpoint_is_signed_kept_and_read_back() {
    use anomaly_storage::{Checkpoint, SigningKey, VerifyingKey};

    let log = SmallLog::new();
    let path = log.directory.path().join("key");
    let key = SigningKey::open_or_make(&path).unwrap();
    let same = SigningKey::open_or_make(&path).unwrap();
    assert_eq!(key.verifying_key(), same.verifying_key());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = SigningKey::open_or_make(&path).unwrap_err();
        assert!(error.to_string().contains("others may read"), "{error}");
    }
    let public = VerifyingKey::open(&log.directory.path().join("key.pub")).unwrap();
    assert_eq!(public, key.verifying_key());
    assert_eq!(VerifyingKey::open(&path).unwrap(), public);

    // One file may hold many.
    let text: String = log
        .heads
        .iter()
        .map(|head| Checkpoint::sign(*head, &key).to_string())
        .collect();
    let read = Checkpoint::parse_all(&text).unwrap();
    let heads: Vec<LogHead> = read
        .iter()
        .map(|one| one.verified_by(&public).unwrap())
        .collect();
    assert_eq!(heads, log.heads);
    assert_eq!(log.verify(&heads), None);

    let other = SigningKey::open_or_make(&log.directory.path().join("other")).unwrap();
    read[0].verified_by(&other.verifying_key()).unwrap_err();
    // A checkpoint of which anything is changed is none.
    let one = Checkpoint::sign(log.heads[1], &key).to_string();
    for place in 0..one.len() {
        let mut bytes = one.clone().into_bytes();
        bytes[place] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        let verified = changed
            .parse::<Checkpoint>()
            .and_then(|one| one.verified_by(&public));
        assert!(verified.is_err(), "byte {place}: {changed}");
    }
    for text in [
        "",
        "\n",
        "origin\n1\n",
        "a\n\nb\n",
        "origin\n01\nAAAA\n\n\u{2014} a AAAA\n",
    ] {
        Checkpoint::parse_all(text).unwrap_err();
    }
}
