//! Jobs, and the verdicts on them.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    AnomalyKind, BackupJob, ClientName, JobKey, JobRef, ReviewStatus, Severity, Verdict,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use super::conditions::Conditions;
use super::fault::{Fault, Result};
use super::log::Log;
use super::records;
use super::streams::{self, StreamIds};
use super::values::{count, from_count, from_limit, from_time, name, time, to_json};
use crate::evidence::LeafKind;
use crate::job_key::{ShortKey, job_key};
use crate::purge::PurgeRecord;
use crate::{
    Inserted, JudgedAs, Observation, ObservationQuery, Origin, StoreError, StoredObservation,
};

/// The indexes of keys alone answer it.
pub(super) const IS_KNOWN: &str = "
    SELECT 1 FROM jobs WHERE key = ?1 UNION ALL SELECT 1 FROM purged_jobs WHERE key = ?1";
pub(super) const PLACE: &str = "SELECT number, started_at_micros FROM jobs WHERE key = ?1";
pub(super) const RUN_OF: &str = "SELECT client, started_at_micros FROM jobs WHERE key = ?1";
pub(super) const PURGE_OF: &str = "SELECT purge FROM purged_jobs WHERE key = ?1";
pub(super) const STORED_AFTER: &str =
    "SELECT number FROM jobs WHERE number > ?1 ORDER BY number LIMIT ?2";
pub(super) const LAST_NORMAL: &str = "
    SELECT normal.number FROM jobs AS normal, jobs AS this
    WHERE this.number = ?1
        AND normal.stream = this.stream AND normal.state = 'normal'
        AND normal.started_at_micros <= this.started_at_micros AND normal.number < this.number
    ORDER BY normal.started_at_micros DESC, normal.number DESC LIMIT 1";

pub(super) fn is_known(connection: &Connection, key: &JobKey) -> Result<bool> {
    let mut statement = connection.prepare_cached(IS_KNOWN)?;
    Ok(statement.exists((short(key),))?)
}

pub(super) fn run_of(
    connection: &Connection,
    key: &JobKey,
) -> Result<Option<(ClientName, DateTime<Utc>)>> {
    let mut statement = connection.prepare_cached(RUN_OF)?;
    let run = statement.query_row((short(key),), |row| Ok((name(row, 0)?, time(row, 1)?)));
    Ok(run.optional()?)
}

pub(super) fn purged_before(
    connection: &Connection,
    key: &JobKey,
) -> Result<Option<DateTime<Utc>>> {
    let purge = connection
        .prepare_cached(PURGE_OF)?
        .query_row((short(key),), |row| count(row, 0))
        .optional()?;
    let Some(purge) = purge else { return Ok(None) };
    let record: Option<PurgeRecord> = records::record(connection, LeafKind::Purge, purge)?;
    Ok(record.map(|record| record.started_before))
}

pub(super) fn job(connection: &Connection, key: &JobKey) -> Result<Option<BackupJob>> {
    Ok(by_key(connection, key)?.map(|one| one.job))
}

pub(super) fn verdict(connection: &Connection, key: &JobKey) -> Result<Option<Verdict>> {
    Ok(by_key(connection, key)?.map(|one| one.verdict))
}

pub(super) fn origin(connection: &Connection, key: &JobKey) -> Result<Option<Origin>> {
    Ok(by_key(connection, key)?.map(|one| one.origin))
}

pub(super) fn last_normal(connection: &Connection, key: &JobKey) -> Result<Option<JobRef>> {
    match place(connection, key)? {
        Some(place) => last_normal_before(connection, place.number),
        None => Ok(None),
    }
}

/// The last normal job before the one with this number.
pub(super) fn last_normal_before(connection: &Connection, number: u64) -> Result<Option<JobRef>> {
    let found = connection
        .prepare_cached(LAST_NORMAL)?
        .query_row((from_count(number),), |row| count(row, 0))
        .optional()?;
    match found {
        Some(number) => {
            let found = observation(connection, number)?;
            Ok(found.map(|one| JobRef::new(one.job.key(), one.job.started_at())))
        }
        None => Ok(None),
    }
}

pub(super) fn by_key(connection: &Connection, key: &JobKey) -> Result<Option<StoredObservation>> {
    match place(connection, key)? {
        Some(place) => observation(connection, place.number),
        None => Ok(None),
    }
}

/// The observation with a number.
pub(super) fn observation(
    connection: &Connection,
    number: u64,
) -> Result<Option<StoredObservation>> {
    let Some(parts) = records::parts(connection, LeafKind::Observation, number)? else {
        return Ok(None);
    };
    let word = parts.first().map_or("", String::as_str);
    let origin = Origin::ALL.into_iter().find(|one| one.as_str() == word);
    Ok(Some(StoredObservation {
        number,
        stream: records::parse(parts.get(1))?,
        job: records::parse(parts.get(2))?,
        verdict: records::parse(parts.get(3))?,
        origin: origin.ok_or_else(|| Fault::Damaged(format!("{word:?} is no origin of a job")))?,
    }))
}

/// The row of a job: what orders lists of jobs.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(Default))]
pub(super) struct Place {
    pub(super) number: u64,
    started_at_micros: i64,
}

impl Place {
    /// Adds that a list of `jobs AS this` goes on after this place.
    pub(super) fn bound(self, conditions: &mut Conditions) {
        conditions.and(
            "(this.started_at_micros, this.number) < (?, ?)",
            self.values(),
        );
    }

    /// When the job started, and its number.
    pub(super) fn values(self) -> [Value; 2] {
        [
            self.started_at_micros.into(),
            from_count(self.number).into(),
        ]
    }
}

/// Where a job is.
pub(super) fn place(connection: &Connection, key: &JobKey) -> Result<Option<Place>> {
    let mut statement = connection.prepare_cached(PLACE)?;
    let place = statement.query_row((short(key),), |row| {
        Ok(Place {
            number: count(row, 0)?,
            started_at_micros: row.get(1)?,
        })
    });
    Ok(place.optional()?)
}

/// Where a list goes on.
pub(super) fn place_of_cursor(
    connection: &Connection,
    after: Option<&JobKey>,
) -> Result<Option<Place>> {
    let Some(job) = after else { return Ok(None) };
    match place(connection, job)? {
        Some(place) => Ok(Some(place)),
        None => Err(StoreError::NoSuchJob { job: job.clone() }.into()),
    }
}

/// What `jobs AS this` must meet for a query of a stream with this number, which goes on after a
/// place.
pub(super) fn conditions(
    query: &ObservationQuery,
    stream: Option<i64>,
    after: Option<Place>,
) -> Conditions {
    let mut conditions = Conditions::new("TRUE");
    conditions.and_if("this.stream = ?", stream);
    if let Some(client) = &query.client {
        let client: Value = client.as_str().to_owned().into();
        if stream.is_none() {
            conditions.and(
                "this.stream IN (SELECT id FROM streams WHERE client = ?
                     UNION SELECT stream FROM other_clients WHERE client = ?)",
                [client.clone(), client.clone()],
            );
        }
        conditions.and("this.client = ?", [client]);
    }
    let origin = query.origin.map(|origin| origin.as_str().to_owned());
    conditions.and_if("this.origin = ?", origin);
    let state = query.judged_as.map(|state| state.as_str().to_owned());
    conditions.and_if("state = ?", state);
    conditions.and_if("started_at_micros >= ?", from_time(query.started_from));
    conditions.and_if("started_at_micros < ?", from_time(query.started_until));
    if let Some(place) = after {
        place.bound(&mut conditions);
    }
    conditions
}

pub(super) fn observations(
    connection: &Connection,
    query: &ObservationQuery,
) -> Result<Vec<StoredObservation>> {
    let stream = match &query.stream {
        None => None,
        Some(stream) => match streams::known_id(connection, stream)? {
            Some(id) => Some(id),
            None => return Ok(Vec::new()),
        },
    };
    let after = place_of_cursor(connection, query.after.as_ref())?;
    let numbers = conditions(query, stream, after).jobs(connection, query.limit)?;
    all(connection, numbers)
}

pub(super) fn observations_stored_after(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredObservation>> {
    let range = (from_count(after), from_limit(Some(limit)));
    let numbers = connection
        .prepare_cached(STORED_AFTER)?
        .query_map(range, |row| count(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    all(connection, numbers)
}

fn all(connection: &Connection, numbers: Vec<u64>) -> Result<Vec<StoredObservation>> {
    let found = numbers
        .into_iter()
        .map(|number| observation(connection, number));
    found.filter_map(Result::transpose).collect()
}

pub(super) fn insert(
    connection: &Connection,
    log: &mut Log,
    ids: &mut StreamIds,
    key: &JobKey,
    observation: &Observation<'_>,
) -> Result<Inserted> {
    let Observation {
        job,
        stream,
        verdict,
        origin,
    } = observation;
    let stream_key = to_json(stream)?;
    // A known job does not make its stream known.
    if !ids.has(connection, &stream_key)? && is_known(connection, key)? {
        return Ok(Inserted::AlreadyStored);
    }
    let client = job.client().name.as_str();
    let stream = ids.get_with_client(connection, &stream_key, client)?;
    let (job_json, verdict_json) = (to_json(job)?, to_json(verdict)?);
    let severity = verdict.severity().map(Severity::as_str);
    let inserted = connection
        .prepare_cached(
            "INSERT INTO jobs (number, key, stream, origin, client, policy, started_at_micros,
                               state, severity, kind, review_status, job, verdict)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
             WHERE NOT EXISTS (SELECT 1 FROM purged_jobs WHERE key = ?2)
             ON CONFLICT (key) DO NOTHING",
        )?
        .execute((
            from_count(log.next(connection)?),
            short(key),
            stream,
            origin.as_str(),
            client,
            job.policy().name.as_str(),
            job.started_at().timestamp_micros(),
            JudgedAs::from(&verdict.judgement).as_str(),
            severity,
            verdict.kind().map(AnomalyKind::as_str),
            severity.map(|_| ReviewStatus::NotReviewed.as_str()),
            &job_json,
            &verdict_json,
        ))?;
    if inserted == 0 {
        return Ok(Inserted::AlreadyStored);
    }
    let started_at_micros = job.started_at().timestamp_micros().to_string();
    let parts = [
        origin.as_str(),
        &stream_key,
        &job_json,
        &verdict_json,
        &started_at_micros,
    ];
    log.append(connection, LeafKind::Observation, &parts)?;
    Ok(Inserted::New)
}

/// What a job is found by.
pub(super) fn short(key: &JobKey) -> ShortKey {
    job_key(key.source.as_str(), key.job_id.as_str())
}
