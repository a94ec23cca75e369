//! Streams: their numbers, what is known of them, and their models.

use std::collections::HashMap;

use anomaly_model::StreamKey;
use rusqlite::{Connection, OptionalExtension};

use super::fault::{Fault, Result};
use super::values::{count, from_count, from_limit, json, to_json};
use crate::Stored;

const ID: &str = "SELECT id FROM streams WHERE key = ?1";
const STATUS: &str = "SELECT status FROM streams WHERE key = ?1";
const STREAMS: &str = "SELECT id, key, status FROM streams WHERE id > ?1 ORDER BY id LIMIT ?2";
const MODEL_STATE: &str = "
    SELECT checksum, state FROM model_states
    WHERE stream = (SELECT id FROM streams WHERE key = ?1)";

/// The numbers of the streams that a transaction has met, by their keys: a job asks for its stream's
/// three times.
#[derive(Debug, Default)]
pub(super) struct StreamIds(HashMap<String, i64>);

impl StreamIds {
    /// The number that stands for the stream with this key, if it was seen.
    pub(super) fn known(&mut self, connection: &Connection, key: &str) -> Result<Option<i64>> {
        if let Some(&id) = self.0.get(key) {
            return Ok(Some(id));
        }
        let id = find(connection, key)?;
        if let Some(id) = id {
            self.0.insert(key.to_owned(), id);
        }
        Ok(id)
    }

    /// The number that stands for the stream with this key, given out when it is first seen.
    pub(super) fn get(&mut self, connection: &Connection, key: &str) -> Result<i64> {
        if let Some(id) = self.known(connection, key)? {
            return Ok(id);
        }
        let id = connection
            .prepare_cached("INSERT INTO streams (key) VALUES (?1)")?
            .insert((key,))?;
        self.0.insert(key.to_owned(), id);
        Ok(id)
    }
}

/// The number that stands for a stream, if it was seen.
pub(super) fn known_id(connection: &Connection, stream: &StreamKey) -> Result<Option<i64>> {
    find(connection, &to_json(stream)?)
}

fn find(connection: &Connection, key: &str) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached(ID)?;
    Ok(statement.query_row((key,), |row| row.get(0)).optional()?)
}

pub(super) fn model_state(connection: &Connection, stream: &StreamKey) -> Result<Option<Vec<u8>>> {
    let found: Option<(u32, Vec<u8>)> = connection
        .prepare_cached(MODEL_STATE)?
        .query_row((to_json(stream)?,), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((checksum, state)) if crc32fast::hash(&state) != checksum => {
            Err(Fault::Damaged(format!(
                "the stored model of {stream} does not have the checksum that it was kept with"
            )))
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

pub(super) fn put_status(
    connection: &Connection,
    ids: &mut StreamIds,
    stream: &StreamKey,
    status: &str,
) -> Result<()> {
    let stream = ids.get(connection, &to_json(stream)?)?;
    connection
        .prepare_cached("UPDATE streams SET status = ?2 WHERE id = ?1")?
        .execute((stream, status))?;
    Ok(())
}

pub(super) fn streams(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<Stored<(StreamKey, Option<String>)>>> {
    let mut statement = connection.prepare_cached(STREAMS)?;
    let range = (from_count(after), from_limit(Some(limit)));
    let rows = statement.query_map(range, |row| {
        Ok(Stored {
            number: count(row, 0)?,
            record: (json(row, 1)?, row.get(2)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
