//! What was altered, removed, moved or added after it was recorded is found, and where.

use std::fs;

use anomaly_storage::{SqliteStore, Tampering};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::small_log::{SmallLog, leaf, rows};

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
