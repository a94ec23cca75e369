//! What was recorded, read by its number and held against its leaf of the log.

use rusqlite::{Connection, OptionalExtension};
use serde::de::DeserializeOwned;

use super::fault::{Fault, Result};
use super::values::from_count;
use crate::evidence::{Leaf, LeafKind};
use crate::{Hash, LogLeaf};

/// The parts that the leaf of a record is hashed of, in their order.
pub(super) fn sql(kind: LeafKind) -> &'static str {
    match kind {
        LeafKind::OldObservation | LeafKind::Observation => {
            "SELECT origin, streams.key, job, verdict, CAST(started_at_micros AS TEXT)
             FROM jobs JOIN streams ON streams.id = jobs.stream WHERE number = ?1"
        }
        LeafKind::Review => {
            "SELECT iif(json_valid(jobs.job), jobs.job ->> 'source', NULL),
                    iif(json_valid(jobs.job), jobs.job ->> 'job_id', NULL), review
             FROM reviews JOIN jobs ON jobs.number = reviews.job WHERE reviews.number = ?1"
        }
        LeafKind::Settings => "SELECT version FROM settings_versions WHERE number = ?1",
        LeafKind::Audit => "SELECT entry FROM audit WHERE number = ?1",
        LeafKind::Purge => "SELECT purge FROM purges WHERE number = ?1",
    }
}

pub(super) const LEAF: &str = "SELECT kind, recorded_at_micros, hash FROM log WHERE number = ?1";

/// The parts of a record as they are stored; `None` when there is no such record.
pub(super) fn stored_parts(
    connection: &Connection,
    kind: LeafKind,
    number: u64,
) -> Result<Option<Vec<String>>> {
    let mut statement = connection.prepare_cached(sql(kind))?;
    let columns = statement.column_count();
    let parts = statement.query_row((from_count(number),), |row| {
        let texts = (0..columns).map(|column| Ok(row.get_ref(column)?.as_str()?.to_owned()));
        Ok(texts.collect::<rusqlite::Result<_>>())
    });
    let parts = parts.optional()?.transpose();
    parts.map_err(|error| Fault::Damaged(format!("the record with the number {number}: {error}")))
}

/// The hash of a leaf with these parts.
pub(super) fn hash(
    kind: LeafKind,
    number: u64,
    recorded_at_micros: Option<i64>,
    parts: &[String],
) -> Hash {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let leaf = Leaf {
        number,
        kind,
        recorded_at_micros,
        parts: &parts,
    };
    leaf.hash()
}

/// The parts of a record, if they are what was recorded; `None` when there is no such record.
pub(super) fn parts(
    connection: &Connection,
    kind: LeafKind,
    number: u64,
) -> Result<Option<Vec<String>>> {
    let Some(parts) = stored_parts(connection, kind, number)? else {
        return Ok(None);
    };
    let leaf: Option<(u8, Option<i64>, Hash)> = connection
        .prepare_cached(LEAF)?
        .query_row((from_count(number),), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let is_recorded = leaf.is_some_and(|(found, recorded_at_micros, recorded)| {
        // An observation may be of an earlier version.
        let kind = match kind {
            LeafKind::Observation if found == LeafKind::OldObservation as u8 => {
                LeafKind::OldObservation
            }
            kind => kind,
        };
        found == kind as u8 && hash(kind, number, recorded_at_micros, &parts) == recorded
    });
    if is_recorded {
        Ok(Some(parts))
    } else {
        Err(Fault::Damaged(format!(
            "what is stored with the number {number} is not what was recorded"
        )))
    }
}

/// A leaf with its data, if they are what was recorded; `None` when there is no such leaf.
pub(super) fn leaf(connection: &Connection, number: u64) -> Result<Option<LogLeaf>> {
    let found: Option<(i64, Option<i64>, Hash)> = connection
        .prepare_cached(LEAF)?
        .query_row((from_count(number),), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((kind, recorded_at_micros, hash)) = found else {
        return Ok(None);
    };
    let kind = LeafKind::of_number(kind)
        .ok_or_else(|| Fault::Damaged(format!("leaf {number} is of no known kind")))?;
    let data = parts(connection, kind, number)?.map(|parts| {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let leaf = Leaf {
            number,
            kind,
            recorded_at_micros,
            parts: &parts,
        };
        leaf.data()
    });
    Ok(Some(LogLeaf { number, hash, data }))
}

/// A record whose leaf has one part: its JSON text.
pub(super) fn record<T: DeserializeOwned>(
    connection: &Connection,
    kind: LeafKind,
    number: u64,
) -> Result<Option<T>> {
    let parts = parts(connection, kind, number)?;
    parts.map(|parts| parse(parts.last())).transpose()
}

/// A record from one of its parts.
pub(super) fn parse<T: DeserializeOwned>(part: Option<&String>) -> Result<T> {
    let text = part.map_or("", String::as_str);
    serde_json::from_str(text).map_err(|error| Fault::Damaged(error.to_string()))
}
