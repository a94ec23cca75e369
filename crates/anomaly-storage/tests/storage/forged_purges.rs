//! A purge that was not due is found, however well it was forged.

use std::fs;

use anomaly_model::chrono::TimeDelta;
use anomaly_storage::{Purge, SqliteStore, Store, Tampering};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::data::at;
use crate::small_log::{SmallLog, rows, tampering, verify};

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

/// What a purge says of the leaves that it emptied holds without any checkpoint, too.
#[test]
fn a_purged_leaf_that_changed_is_found() {
    let log = SmallLog::new();
    assert_eq!(log.found(grow_tree_anew), None);
    let found = log.found(|connection| {
        // Job 2 was another, which started at the same time.
        let (started_at, digest) = (at(2).timestamp_micros(), [7; 32]);
        let mut leaf = vec![0, 6];
        leaf.extend(2_u64.to_be_bytes());
        leaf.extend(i64::MIN.to_be_bytes());
        for part in [started_at.to_string().as_bytes(), &digest] {
            leaf.extend((part.len() as u64).to_be_bytes());
            leaf.extend(part);
        }
        let hash: [u8; 32] = Sha256::digest(leaf).into();
        let changed = connection.execute("UPDATE log SET hash = ?1 WHERE number = 2", [hash]);
        assert_eq!(changed.unwrap(), 1);
        let sql = "UPDATE purged_observations SET digest = ?1 WHERE number = 2";
        assert_eq!(connection.execute(sql, [digest]).unwrap(), 1);
        grow_tree_anew(connection);
    });
    assert_eq!(found, Some(Tampering::Rewritten { first: 1, last: 2 }));
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
    assert_eq!(verification.latest_purge.unwrap().purged_at, at(60));
    // A later one that kept for longer does not make up for it.
    let mut store = SqliteStore::open(log.path()).unwrap();
    let mut transaction = store.transaction().unwrap();
    let later = Purge {
        now: at(500),
        started_before: at(6),
        idle_before: at(0),
        limit: 10,
    };
    assert!(transaction.purge(&later).unwrap().jobs > 0);
    transaction.commit().unwrap();
    let verification = store.verify(&log.heads).unwrap();
    let kept_for = verification.kept_for.unwrap();
    assert_eq!(
        (kept_for.purge, kept_for.time),
        (11, TimeDelta::minutes(57))
    );
    let latest = verification.latest_purge.unwrap();
    assert_eq!((latest.purge, latest.purged_at), (13, at(500)));
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
    grow_tree_anew(connection);
}

/// Makes the tree that of the leaves: the roots of perfect trees, and how high they are.
fn grow_tree_anew(connection: &Connection) {
    let leaves = rows(connection, "log", "hash");
    let size = i64::try_from(leaves.len()).unwrap();
    let mut peaks: Vec<([u8; 32], u32)> = Vec::new();
    for (_, value) in leaves {
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
    connection.execute(sql, (size, peaks)).unwrap();
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
