//! Jobs, and the verdicts on them.

use anomaly_model::{
    AnomalyKind, BackupJob, JobKey, JobRef, ReviewStatus, Severity, StreamKey, Verdict,
};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row};

use super::conditions::Conditions;
use super::fault::Result;
use super::job_key::{ShortKey, job_key};
use super::log::Log;
use super::streams::{self, StreamIds};
use super::values::{
    count, from_count, from_limit, from_time, json, optional_json, to_json, unknown_word,
};
use crate::evidence::LeafKind;
use crate::{
    Inserted, JudgedAs, Observation, ObservationQuery, Origin, StoreError, StoredObservation,
};

/// The index of keys alone answers it.
const IS_KNOWN: &str = "SELECT 1 FROM jobs WHERE key = ?1";
const JOB: &str = "SELECT job FROM jobs WHERE key = ?1";
const VERDICT: &str = "SELECT verdict FROM jobs WHERE key = ?1";
const ORIGIN: &str = "SELECT origin FROM jobs WHERE key = ?1";
const PLACE: &str = "SELECT number, started_at_micros FROM jobs WHERE key = ?1";

/// The last normal job before `jobs AS this`.
macro_rules! normal_before_this {
    () => {
        "(SELECT normal.job FROM jobs AS normal
          WHERE normal.stream = this.stream AND normal.state = 'normal'
              AND normal.started_at_micros <= this.started_at_micros
              AND normal.number < this.number
          ORDER BY normal.started_at_micros DESC, normal.number DESC LIMIT 1)"
    };
}
pub(super) use normal_before_this;

const LAST_NORMAL: &str = concat!(
    "SELECT ",
    normal_before_this!(),
    " FROM jobs AS this WHERE this.key = ?1"
);

const STORED_AFTER: &str = "
    SELECT number, streams.key, job, verdict, origin
    FROM jobs JOIN streams ON streams.id = jobs.stream
    WHERE number > ?1 ORDER BY number LIMIT ?2";

pub(super) fn is_known(connection: &Connection, key: &JobKey) -> Result<bool> {
    let mut statement = connection.prepare_cached(IS_KNOWN)?;
    Ok(statement.exists((short(key),))?)
}

pub(super) fn job(connection: &Connection, key: &JobKey) -> Result<Option<BackupJob>> {
    by_key(connection, JOB, key, |row| json(row, 0))
}

pub(super) fn verdict(connection: &Connection, key: &JobKey) -> Result<Option<Verdict>> {
    by_key(connection, VERDICT, key, |row| json(row, 0))
}

pub(super) fn origin(connection: &Connection, key: &JobKey) -> Result<Option<Origin>> {
    by_key(connection, ORIGIN, key, |row| origin_in(row, 0))
}

pub(super) fn last_normal(connection: &Connection, key: &JobKey) -> Result<Option<JobRef>> {
    by_key(connection, LAST_NORMAL, key, |row| job_ref(row, 0)).map(Option::flatten)
}

/// The row of a job: what orders lists of jobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) number: i64,
    pub(super) started_at_micros: i64,
}

impl Place {
    /// Adds that a list of `jobs AS this` goes on after this place.
    pub(super) fn bound(self, conditions: &mut Conditions) {
        conditions.and(
            "(this.started_at_micros, this.number) < (?, ?)",
            [self.started_at_micros.into(), self.number.into()],
        );
    }
}

/// Where a job is.
pub(super) fn place(connection: &Connection, key: &JobKey) -> Result<Option<Place>> {
    by_key(connection, PLACE, key, |row| {
        Ok(Place {
            number: row.get(0)?,
            started_at_micros: row.get(1)?,
        })
    })
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

pub(super) fn observations(
    connection: &Connection,
    query: &ObservationQuery,
) -> Result<Vec<StoredObservation>> {
    let mut conditions = Conditions::new("TRUE");
    if let Some(stream) = &query.stream {
        let Some(stream) = streams::known_id(connection, stream)? else {
            return Ok(Vec::new());
        };
        conditions.and("this.stream = ?", [stream.into()]);
    }
    if let Some(client) = &query.client {
        let client: Value = client.as_str().to_owned().into();
        if query.stream.is_none() {
            conditions.and(
                "this.stream IN (SELECT id FROM streams WHERE client = ?
                     UNION SELECT stream FROM other_clients WHERE client = ?)",
                [client.clone(), client.clone()],
            );
        }
        conditions.and("this.client = ?", [client]);
    }
    conditions.and_if(
        "state = ?",
        query.judged_as.map(|state| state.as_str().to_owned()),
    );
    conditions.and_if("started_at_micros >= ?", from_time(query.started_from));
    conditions.and_if("started_at_micros < ?", from_time(query.started_until));
    if let Some(place) = place_of_cursor(connection, query.after.as_ref())? {
        place.bound(&mut conditions);
    }
    // Which jobs, first: only these are read whole.
    let sql = format!(
        "SELECT number, streams.key, job, verdict, origin
         FROM jobs JOIN streams ON streams.id = jobs.stream
         WHERE number IN (
             SELECT number FROM jobs AS this WHERE {}
             ORDER BY started_at_micros DESC, number DESC LIMIT {})
         ORDER BY started_at_micros DESC, number DESC",
        conditions.sql(),
        from_limit(query.limit),
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(conditions.values(), observation)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn observations_stored_after(
    connection: &Connection,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredObservation>> {
    let mut statement = connection.prepare_cached(STORED_AFTER)?;
    let rows = statement.query_map((from_count(after), from_limit(Some(limit))), observation)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
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
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
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
    let parts = [origin.as_str(), &stream_key, &job_json, &verdict_json];
    log.append(connection, LeafKind::Observation, &parts)?;
    Ok(Inserted::New)
}

pub(super) fn job_ref(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<JobRef>> {
    let job: Option<BackupJob> = optional_json(row, column)?;
    Ok(job.map(|job| JobRef::new(job.key(), job.started_at())))
}

fn observation(row: &Row<'_>) -> rusqlite::Result<StoredObservation> {
    Ok(StoredObservation {
        number: count(row, 0)?,
        stream: json::<StreamKey>(row, 1)?,
        job: json(row, 2)?,
        verdict: json(row, 3)?,
        origin: origin_in(row, 4)?,
    })
}

fn origin_in(row: &Row<'_>, column: usize) -> rusqlite::Result<Origin> {
    let word = row.get_ref(column)?.as_str()?;
    [Origin::Tool, Origin::Clock]
        .into_iter()
        .find(|origin| origin.as_str() == word)
        .ok_or_else(|| unknown_word(column, word))
}

/// What a job is found by.
pub(super) fn short(key: &JobKey) -> ShortKey {
    job_key(key.source.as_str(), key.job_id.as_str())
}

fn by_key<T>(
    connection: &Connection,
    sql: &str,
    key: &JobKey,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>> {
    Ok(connection
        .prepare_cached(sql)?
        .query_row((short(key),), read)
        .optional()?)
}
