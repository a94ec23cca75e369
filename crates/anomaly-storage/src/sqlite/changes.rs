//! Settings that were accepted, and changes that wait for a second person.

use rusqlite::{Connection, OptionalExtension};

use super::fault::Result;
use super::log::Log;
use super::records;
use super::values::{count, from_count, json, to_json};
use crate::evidence::LeafKind;
use crate::{Decision, PendingChange, SettingsVersion, StoreError, Stored};

pub(super) const SETTINGS: &str =
    "SELECT number FROM settings_versions ORDER BY number DESC LIMIT 1";
pub(super) const SETTINGS_VERSIONS: &str = "SELECT number FROM settings_versions ORDER BY number";
pub(super) const PROPOSAL: &str = "SELECT proposal FROM proposals WHERE number = ?1";
pub(super) const PENDING: &str =
    "SELECT number, proposal FROM proposals WHERE decided = 0 ORDER BY number";

pub(super) fn settings(connection: &Connection) -> Result<Option<Stored<SettingsVersion>>> {
    Ok(versions(connection, SETTINGS)?.pop())
}

pub(super) fn settings_versions(connection: &Connection) -> Result<Vec<Stored<SettingsVersion>>> {
    versions(connection, SETTINGS_VERSIONS)
}

fn versions(connection: &Connection, sql: &str) -> Result<Vec<Stored<SettingsVersion>>> {
    let numbers: Vec<u64> = connection
        .prepare_cached(sql)?
        .query_map((), |row| count(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let versions = numbers.into_iter().map(|number| {
        let version = records::record(connection, LeafKind::Settings, number)?;
        Ok(version.map(|record| Stored { number, record }))
    });
    versions.filter_map(Result::transpose).collect()
}

pub(super) fn accept_settings(
    connection: &Connection,
    log: &mut Log,
    version: &SettingsVersion,
) -> Result<u64> {
    let text = to_json(version)?;
    let number = log.next(connection)?;
    connection
        .prepare_cached("INSERT INTO settings_versions (number, version) VALUES (?1, ?2)")?
        .execute((from_count(number), &text))?;
    log.append(connection, LeafKind::Settings, &[&text])?;
    Ok(number)
}

pub(super) fn proposal(connection: &Connection, number: u64) -> Result<Option<PendingChange>> {
    let mut statement = connection.prepare_cached(PROPOSAL)?;
    let proposal = statement.query_row((from_count(number),), |row| json(row, 0));
    Ok(proposal.optional()?)
}

pub(super) fn pending(connection: &Connection) -> Result<Vec<Stored<PendingChange>>> {
    let mut statement = connection.prepare_cached(PENDING)?;
    let rows = statement.query_map((), |row| {
        Ok(Stored {
            number: count(row, 0)?,
            record: json(row, 1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn propose(connection: &Connection, change: &PendingChange) -> Result<u64> {
    let number = connection
        .prepare_cached("INSERT INTO proposals (decided, proposal) VALUES (?1, ?2)")?
        .insert((change.decision.is_some(), to_json(change)?))?;
    Ok(number.unsigned_abs())
}

pub(super) fn decide(connection: &Connection, number: u64, decision: &Decision) -> Result<()> {
    let waiting = proposal(connection, number)?.filter(|change| change.decision.is_none());
    let Some(mut change) = waiting else {
        let what = "pending change";
        return Err(StoreError::NoSuchRecord { what, number }.into());
    };
    change.decision = Some(decision.clone());
    connection
        .prepare_cached("UPDATE proposals SET decided = 1, proposal = ?2 WHERE number = ?1")?
        .execute((from_count(number), to_json(&change)?))?;
    Ok(())
}
