//! Deleting what is older than it is kept for.

use rusqlite::{Connection, Result as SqlResult};

use super::fault::{Fault, Result};
use super::log::Log;
use super::records;
use super::values::{from_count, from_limit, to_json};
use crate::evidence::{LeafKind, digest};
use crate::job_key::ShortKey;
use crate::purge::PurgeRecord;
use crate::{Hash, Purge, Purged};

/// Anomalies that were confirmed, or that are part of an open incident, are kept.
pub(super) const OLD_JOBS: &str = "
    SELECT number, key, stream, started_at_micros FROM jobs
    WHERE started_at_micros < ?1
        AND (review_status IS NULL OR review_status <> 'confirmed')
        AND NOT EXISTS (SELECT 1 FROM incident_jobs
                        JOIN incidents ON incidents.number = incident_jobs.incident
                        WHERE job = jobs.number AND closed_at_micros IS NULL)
    ORDER BY started_at_micros, number LIMIT ?2";
pub(super) const REVIEWS: &str = "SELECT number FROM reviews WHERE job = ?1";
pub(super) const LEAF: &str = "SELECT kind, hash FROM log WHERE number = ?1";

/// Incidents that were closed, and of which no job is left.
pub(super) const OLD_INCIDENTS: &str = "
    DELETE FROM incidents WHERE number IN (
        SELECT number FROM incidents
        WHERE last_seen_micros < ?1 AND closed_at_micros IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM incident_jobs WHERE incident = incidents.number)
        LIMIT ?2)";
/// Messages that nobody waits for. Their deliveries go first.
pub(super) const OLD_MESSAGES: &str = "
    SELECT number FROM messages
    WHERE made_at_micros < ?1
        AND NOT EXISTS (SELECT 1 FROM deliveries
                        WHERE message = messages.number AND next_attempt_at_micros IS NOT NULL)
    ORDER BY number LIMIT ?2";
pub(super) const IDLE_STREAMS: &str = "
    SELECT id FROM streams
    WHERE purged_until_micros < ?1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE stream = streams.id)
    LIMIT ?2";

pub(super) fn purge(connection: &Connection, log: &mut Log, purge: &Purge) -> Result<Purged> {
    let before = purge.started_before.timestamp_micros();
    let limit = from_limit(Some(purge.limit));
    let jobs: Vec<(i64, ShortKey, i64, i64)> = connection
        .prepare_cached(OLD_JOBS)?
        .query_map((before, limit), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<SqlResult<_>>()?;
    let number = from_count(log.next(connection)?);
    let mut leaves = Vec::new();
    for &(job, key, stream, started_at_micros) in &jobs {
        leaves.push(leave_proof(connection, job, started_at_micros)?);
        for review in numbers(connection, REVIEWS, job)? {
            let (_, leaf) = leaf(connection, review)?;
            leaves.push(leaf);
        }
        for sql in [
            "DELETE FROM reviews WHERE job = ?1",
            "DELETE FROM incident_jobs WHERE job = ?1",
            "DELETE FROM jobs WHERE number = ?1",
        ] {
            connection.prepare_cached(sql)?.execute((job,))?;
        }
        connection
            .prepare_cached("INSERT INTO purged_jobs (key, purge) VALUES (?1, ?2)")?
            .execute((key, number))?;
        connection
            .prepare_cached(
                "UPDATE streams
                 SET purged_until_micros = max(coalesce(purged_until_micros, ?2), ?2)
                 WHERE id = ?1",
            )?
            .execute((stream, started_at_micros))?;
    }
    if !leaves.is_empty() {
        let keys = jobs.iter().map(|&(_, key, ..)| key).collect();
        let record = PurgeRecord::new(purge, leaves, keys);
        let text = to_json(&record)?;
        connection
            .prepare_cached("INSERT INTO purges (number, purge) VALUES (?1, ?2)")?
            .execute((number, &text))?;
        log.append(connection, LeafKind::Purge, &[&text])?;
    }
    let incidents = connection
        .prepare_cached(OLD_INCIDENTS)?
        .execute((before, limit))?;
    let messages = delete_each(
        connection,
        (OLD_MESSAGES, before, limit),
        &[
            "DELETE FROM deliveries WHERE message = ?1",
            "DELETE FROM messages WHERE number = ?1",
        ],
    )?;
    let streams = delete_each(
        connection,
        (IDLE_STREAMS, purge.idle_before.timestamp_micros(), limit),
        &[
            "DELETE FROM model_states WHERE stream = ?1",
            "DELETE FROM other_clients WHERE stream = ?1",
            "DELETE FROM streams WHERE id = ?1",
        ],
    )?;
    Ok(Purged {
        jobs: jobs.len() as u64,
        streams,
        incidents: incidents as u64,
        messages,
    })
}

/// Runs `deletions` for each number that `found` selects, and says for how many.
fn delete_each(
    connection: &Connection,
    found: (&str, i64, i64),
    deletions: &[&str],
) -> Result<u64> {
    let (sql, before, limit) = found;
    let numbers: Vec<i64> = connection
        .prepare_cached(sql)?
        .query_map((before, limit), |row| row.get(0))?
        .collect::<SqlResult<_>>()?;
    for number in &numbers {
        for sql in deletions {
            connection.prepare_cached(sql)?.execute((number,))?;
        }
    }
    Ok(numbers.len() as u64)
}

fn numbers(connection: &Connection, sql: &str, of: i64) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(sql)?;
    let numbers = statement.query_map((of,), |row| row.get(0))?;
    Ok(numbers.collect::<SqlResult<_>>()?)
}

/// A leaf's kind, number and hash.
fn leaf(connection: &Connection, number: i64) -> Result<(u8, (u64, Hash))> {
    let (kind, hash): (u8, Hash) = connection
        .prepare_cached(LEAF)?
        .query_row((number,), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let number = u64::try_from(number)
        .map_err(|_| Fault::Damaged(format!("a record has the number {number}")))?;
    Ok((kind, (number, hash)))
}

/// Leaves what proves how old a job is that is about to go, and says what its leaf is.
fn leave_proof(connection: &Connection, job: i64, started_at_micros: i64) -> Result<(u64, Hash)> {
    let (kind, leaf) = leaf(connection, job)?;
    if kind == LeafKind::Observation as u8
        && let Some(parts) = records::stored_parts(connection, LeafKind::Observation, leaf.0)?
        && let [record @ .., _] = parts.as_slice()
    {
        connection
            .prepare_cached(
                "INSERT INTO purged_observations (number, started_at_micros, digest)
                 VALUES (?1, ?2, ?3)",
            )?
            .execute((job, started_at_micros, digest(record)))?;
    }
    Ok(leaf)
}
