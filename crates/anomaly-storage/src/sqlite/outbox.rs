//! Messages, and how far they have come.

use anomaly_model::chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::fault::Result;
use super::values::{count, from_count, from_limit, from_time, json, optional_time, time, to_json};
use crate::{Delivery, Message, StoreError, Stored, Waiting};

pub(super) const DUE: &str = "
    SELECT number, made_at_micros, topic, body
    FROM deliveries JOIN messages ON messages.number = deliveries.message
    WHERE sink = ?1 AND next_attempt_at_micros <= ?2
    ORDER BY next_attempt_at_micros, message LIMIT ?3";
pub(super) const DELIVERIES: &str = "
    SELECT sink, attempts, next_attempt_at_micros, delivered_at_micros, error
    FROM deliveries WHERE message = ?1 ORDER BY sink";
pub(super) const WAITING: &str = "
    SELECT count(*), min(made_at_micros)
    FROM deliveries JOIN messages ON messages.number = deliveries.message
    WHERE sink = ?1 AND next_attempt_at_micros IS NOT NULL";
pub(super) const IS_MESSAGE: &str = "SELECT 1 FROM messages WHERE number = ?1";

pub(super) fn due(
    connection: &Connection,
    sink: &str,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Stored<Message>>> {
    let mut statement = connection.prepare_cached(DUE)?;
    let due = (sink, now.timestamp_micros(), from_limit(Some(limit)));
    let rows = statement.query_map(due, |row| {
        Ok(Stored {
            number: count(row, 0)?,
            record: Message {
                made_at: time(row, 1)?,
                topic: row.get(2)?,
                body: json(row, 3)?,
            },
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn waiting(connection: &Connection, sink: &str) -> Result<Waiting> {
    let mut statement = connection.prepare_cached(WAITING)?;
    let waiting = statement.query_row((sink,), |row| {
        Ok(Waiting {
            messages: count(row, 0)?,
            oldest_at: optional_time(row, 1)?,
        })
    })?;
    Ok(waiting)
}

pub(super) fn deliveries(connection: &Connection, message: u64) -> Result<Vec<Delivery>> {
    let mut statement = connection.prepare_cached(DELIVERIES)?;
    let rows = statement.query_map((from_count(message),), |row| {
        Ok(Delivery {
            sink: row.get(0)?,
            attempts: row.get(1)?,
            next_attempt_at: optional_time(row, 2)?,
            delivered_at: optional_time(row, 3)?,
            error: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn post(connection: &Connection, message: &Message, sinks: &[&str]) -> Result<u64> {
    let made_at_micros = message.made_at.timestamp_micros();
    let number = connection
        .prepare_cached("INSERT INTO messages (made_at_micros, topic, body) VALUES (?1, ?2, ?3)")?
        .insert((made_at_micros, &message.topic, to_json(&message.body)?))?
        .unsigned_abs();
    for &sink in sinks {
        put_delivery(connection, number, &Delivery::first(sink, message.made_at))?;
    }
    Ok(number)
}

pub(super) fn put_delivery(
    connection: &Connection,
    message: u64,
    delivery: &Delivery,
) -> Result<()> {
    let is_known = connection
        .prepare_cached(IS_MESSAGE)?
        .exists((from_count(message),))?;
    if !is_known {
        let (what, number) = ("message", message);
        return Err(StoreError::NoSuchRecord { what, number }.into());
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO deliveries
                 (message, sink, attempts, next_attempt_at_micros, delivered_at_micros, error)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            from_count(message),
            &delivery.sink,
            delivery.attempts,
            from_time(delivery.next_attempt_at),
            from_time(delivery.delivered_at),
            &delivery.error,
        ))?;
    Ok(())
}
