//! Incidents, and which anomalies belong to which.

use anomaly_model::JobKey;
use rusqlite::{Connection, OptionalExtension, Row};

use super::conditions::Conditions;
use super::fault::Result;
use super::values::{
    count, from_count, from_limit, from_time, json, optional_time, time, to_json, word,
};
use super::{anomalies, jobs};
use crate::{IncidentQuery, IncidentRecord, StoreError, Stored};

/// The columns that `record` reads.
macro_rules! columns {
    () => {
        "number, first_seen_micros, last_seen_micros, severity, opened_at_micros,
         closed_at_micros, details"
    };
}

pub(super) const INCIDENT: &str =
    concat!("SELECT ", columns!(), " FROM incidents WHERE number = ?1");
pub(super) const PLACE: &str = "SELECT last_seen_micros FROM incidents WHERE number = ?1";
pub(super) const INCIDENT_OF: &str = "
    SELECT incident FROM incident_jobs
    WHERE job = (SELECT number FROM jobs WHERE key = ?1)";

pub(super) fn incident(connection: &Connection, number: u64) -> Result<Option<IncidentRecord>> {
    let mut statement = connection.prepare_cached(INCIDENT)?;
    Ok(statement
        .query_row((from_count(number),), |row| Ok(record(row)?.record))
        .optional()?)
}

/// What selects the incidents that a query asks for, with its values; the list goes on after one that
/// was seen last then, and has this number.
pub(super) fn select(query: &IncidentQuery, after: Option<(i64, u64)>) -> (String, Conditions) {
    let mut conditions = Conditions::new("TRUE");
    match query.open {
        Some(true) => conditions.and("closed_at_micros IS NULL", []),
        Some(false) => conditions.and("closed_at_micros IS NOT NULL", []),
        None => {}
    }
    conditions.and_at_least("severity", query.at_least);
    conditions.and_if("last_seen_micros >= ?", from_time(query.seen_from));
    if let Some((last_seen_micros, number)) = after {
        conditions.and(
            "(last_seen_micros, number) < (?, ?)",
            [last_seen_micros.into(), from_count(number).into()],
        );
    }
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM incidents WHERE {} ORDER BY last_seen_micros DESC, number DESC LIMIT {}"
        ),
        conditions.sql(),
        from_limit(query.limit),
    );
    (sql, conditions)
}

pub(super) fn incidents(
    connection: &Connection,
    query: &IncidentQuery,
) -> Result<Vec<Stored<IncidentRecord>>> {
    let after = match query.after {
        Some(number) => {
            let place: Option<i64> = connection
                .prepare_cached(PLACE)?
                .query_row((from_count(number),), |row| row.get(0))
                .optional()?;
            Some((place.ok_or_else(|| no_such_incident(number))?, number))
        }
        None => None,
    };
    let (sql, conditions) = select(query, after);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(conditions.values(), record)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn incident_of(connection: &Connection, job: &JobKey) -> Result<Option<u64>> {
    let mut statement = connection.prepare_cached(INCIDENT_OF)?;
    Ok(statement
        .query_row((jobs::short(job),), |row| count(row, 0))
        .optional()?)
}

pub(super) fn open(connection: &Connection, incident: &IncidentRecord) -> Result<u64> {
    let number = connection
        .prepare_cached(
            "INSERT INTO incidents (first_seen_micros, last_seen_micros, severity,
                                    opened_at_micros, closed_at_micros, details)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .insert((
            incident.first_seen.timestamp_micros(),
            incident.last_seen.timestamp_micros(),
            incident.severity.as_str(),
            incident.opened_at.timestamp_micros(),
            from_time(incident.closed_at),
            to_json(&incident.details)?,
        ))?;
    Ok(number.unsigned_abs())
}

pub(super) fn put(connection: &Connection, number: u64, incident: &IncidentRecord) -> Result<()> {
    let changed = connection
        .prepare_cached(
            "UPDATE incidents
             SET first_seen_micros = ?2, last_seen_micros = ?3, severity = ?4,
                 opened_at_micros = ?5, closed_at_micros = ?6, details = ?7
             WHERE number = ?1",
        )?
        .execute((
            from_count(number),
            incident.first_seen.timestamp_micros(),
            incident.last_seen.timestamp_micros(),
            incident.severity.as_str(),
            incident.opened_at.timestamp_micros(),
            from_time(incident.closed_at),
            to_json(&incident.details)?,
        ))?;
    if changed == 0 {
        Err(no_such_incident(number).into())
    } else {
        Ok(())
    }
}

pub(super) fn put_job(connection: &Connection, job: &JobKey, number: u64) -> Result<()> {
    let job = anomalies::place(connection, job)?.number;
    if incident(connection, number)?.is_none() {
        return Err(no_such_incident(number).into());
    }
    connection
        .prepare_cached(
            "INSERT INTO incident_jobs (job, incident) VALUES (?1, ?2)
             ON CONFLICT (job) DO UPDATE SET incident = excluded.incident",
        )?
        .execute((from_count(job), from_count(number)))?;
    Ok(())
}

fn no_such_incident(number: u64) -> StoreError {
    StoreError::NoSuchRecord {
        what: "incident",
        number,
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Stored<IncidentRecord>> {
    Ok(Stored {
        number: count(row, 0)?,
        record: IncidentRecord {
            first_seen: time(row, 1)?,
            last_seen: time(row, 2)?,
            severity: word(row, 3)?,
            opened_at: time(row, 4)?,
            closed_at: optional_time(row, 5)?,
            details: json(row, 6)?,
        },
    })
}
