//! Streams: their numbers, what is known of them, and their models.

use std::collections::HashMap;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{ClientName, StreamKey};
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row};

use super::fault::{Fault, Result};
use super::values::{count, from_count, from_limit, from_time, json, optional_time, to_json};
use crate::Stored;

pub(super) const STREAM: &str = "SELECT id, client FROM streams WHERE key = ?1";
pub(super) const STATUS: &str = "SELECT status FROM streams WHERE key = ?1";
pub(super) const PURGED_UNTIL: &str = "SELECT purged_until_micros FROM streams WHERE key = ?1";
pub(super) const STREAMS: &str =
    "SELECT id, key, status FROM streams WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(super) const OF_CLIENT: &str = "
    SELECT key FROM streams WHERE client = ?1
        OR id IN (SELECT stream FROM other_clients WHERE client = ?1)
    ORDER BY id";
pub(super) const DUE: &str = "
    SELECT id, key, status FROM streams
    WHERE due_at_micros <= ?1 AND status IS NOT NULL ORDER BY due_at_micros LIMIT ?2";
pub(super) const COUNT_DUE: &str = "SELECT count(*) FROM streams WHERE due_at_micros <= ?1";
pub(super) const NOTE: &str = "SELECT note FROM notes WHERE name = ?1";
pub(super) const MODEL_STATE: &str = "
    SELECT checksum, state FROM model_states
    WHERE stream = (SELECT id FROM streams WHERE key = ?1)";

/// The streams that a transaction has met, by their keys: a job asks for its stream three times.
#[derive(Debug, Default)]
pub(super) struct StreamIds(HashMap<String, Known>);

#[derive(Debug, Default)]
struct Known {
    id: i64,
    /// The client of its first job.
    client: Option<String>,
}

impl StreamIds {
    /// The number that stands for the stream with this key, given out when it is first seen.
    pub(super) fn get(&mut self, connection: &Connection, key: &str) -> Result<i64> {
        Ok(self.known(connection, key)?.id)
    }

    /// The same, of a stream that has a job of this client.
    pub(super) fn get_with_client(
        &mut self,
        connection: &Connection,
        key: &str,
        client: &str,
    ) -> Result<i64> {
        let stream = self.known(connection, key)?;
        match stream.client.as_deref() {
            Some(first) if first == client => {}
            Some(_) => {
                connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO other_clients (client, stream) VALUES (?1, ?2)",
                    )?
                    .execute((client, stream.id))?;
            }
            None => {
                connection
                    .prepare_cached("UPDATE streams SET client = ?2 WHERE id = ?1")?
                    .execute((stream.id, client))?;
                stream.client = Some(client.to_owned());
            }
        }
        Ok(stream.id)
    }

    /// Whether a stream was met or is stored.
    pub(super) fn has(&mut self, connection: &Connection, key: &str) -> Result<bool> {
        if self.0.contains_key(key) {
            return Ok(true);
        }
        let known = find(connection, key)?;
        let is_known = known.is_some();
        self.0.extend(known.map(|known| (key.to_owned(), known)));
        Ok(is_known)
    }

    fn known(&mut self, connection: &Connection, key: &str) -> Result<&mut Known> {
        if !self.has(connection, key)? {
            let id = connection
                .prepare_cached("INSERT INTO streams (key) VALUES (?1)")?
                .insert((key,))?;
            let client = None;
            self.0.insert(key.to_owned(), Known { id, client });
        }
        // It is there by now.
        Ok(self.0.entry(key.to_owned()).or_default())
    }
}

/// The number that stands for a stream, if it was seen.
pub(super) fn known_id(connection: &Connection, stream: &StreamKey) -> Result<Option<i64>> {
    Ok(find(connection, &to_json(stream)?)?.map(|known| known.id))
}

fn find(connection: &Connection, key: &str) -> Result<Option<Known>> {
    let mut statement = connection.prepare_cached(STREAM)?;
    let known = statement.query_row((key,), |row| {
        Ok(Known {
            id: row.get(0)?,
            client: row.get(1)?,
        })
    });
    Ok(known.optional()?)
}

pub(super) fn model_state(connection: &Connection, stream: &StreamKey) -> Result<Option<Vec<u8>>> {
    let found: Option<(u32, Vec<u8>)> = connection
        .prepare_cached(MODEL_STATE)?
        .query_row((to_json(stream)?,), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((checksum, state)) if crc32fast::hash(&state) != checksum => {
            Err(Fault::DamagedModel(stream.to_string()))
        }
        found => Ok(found.map(|(_, state)| state)),
    }
}

pub(super) fn put_model_state(
    connection: &Connection,
    ids: &mut StreamIds,
    stream: &StreamKey,
    state: &[u8],
) -> Result<()> {
    let stream = ids.get(connection, &to_json(stream)?)?;
    connection
        .prepare_cached(
            "INSERT INTO model_states (stream, checksum, state) VALUES (?1, ?2, ?3)
             ON CONFLICT (stream) DO UPDATE SET checksum = excluded.checksum,
                                                state = excluded.state",
        )?
        .execute((stream, crc32fast::hash(state), state))?;
    Ok(())
}

pub(super) fn status(connection: &Connection, stream: &StreamKey) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached(STATUS)?;
    let status = statement.query_row((to_json(stream)?,), |row| row.get(0));
    Ok(status.optional()?.flatten())
}

pub(super) fn purged_until(
    connection: &Connection,
    stream: &StreamKey,
) -> Result<Option<DateTime<Utc>>> {
    let mut statement = connection.prepare_cached(PURGED_UNTIL)?;
    let until = statement.query_row((to_json(stream)?,), |row| optional_time(row, 0));
    Ok(until.optional()?.flatten())
}

pub(super) fn put_status(
    connection: &Connection,
    ids: &mut StreamIds,
    stream: &StreamKey,
    status: &str,
    due_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let stream = ids.get(connection, &to_json(stream)?)?;
    connection
        .prepare_cached("UPDATE streams SET status = ?2, due_at_micros = ?3 WHERE id = ?1")?
        .execute((stream, status, from_time(due_at)))?;
    Ok(())
}

pub(super) fn of_client(connection: &Connection, client: &ClientName) -> Result<Vec<StreamKey>> {
    let mut statement = connection.prepare_cached(OF_CLIENT)?;
    let rows = statement.query_map((client.as_str(),), |row| json(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn due(
    connection: &Connection,
    until: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Stored<(StreamKey, String)>>> {
    let mut statement = connection.prepare_cached(DUE)?;
    let range = (until.timestamp_micros(), from_limit(Some(limit)));
    let rows = statement.query_map(range, numbered)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn count_due(connection: &Connection, until: DateTime<Utc>) -> Result<u64> {
    let mut statement = connection.prepare_cached(COUNT_DUE)?;
    Ok(statement.query_row((until.timestamp_micros(),), |row| count(row, 0))?)
}

pub(super) fn note(connection: &Connection, name: &str) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached(NOTE)?;
    Ok(statement.query_row((name,), |row| row.get(0)).optional()?)
}

pub(super) fn put_note(connection: &Connection, name: &str, note: &str) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO notes (name, note) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET note = excluded.note",
        )?
        .execute((name, note))?;
    Ok(())
}

/// A stream and its status, with the stream's number.
fn numbered<S: FromSql>(row: &Row<'_>) -> rusqlite::Result<Stored<(StreamKey, S)>> {
    Ok(Stored {
        number: count(row, 0)?,
        record: (json(row, 1)?, row.get(2)?),
    })
}

/// A stream and its status.
type Listed = (StreamKey, Option<String>);

pub(super) fn streams(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<Stored<Listed>>> {
    let mut statement = connection.prepare_cached(STREAMS)?;
    let range = (from_count(after), from_limit(Some(limit)));
    let rows = statement.query_map(range, numbered)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
