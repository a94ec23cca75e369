//! What is written to the tables, always inside a transaction.

use anomaly_model::{AnomalyKind, JobKey, Judgement, Review, Severity, StreamKey, Verdict};
use rusqlite::{Connection, OptionalExtension, Result, named_params};

use super::json::Json;
use super::read;
use crate::{Inserted, Observation};

pub(super) fn insert(
    connection: &Connection,
    key: &JobKey,
    observation: &Observation<'_>,
) -> Result<Inserted> {
    let Observation {
        job,
        stream,
        verdict,
    } = observation;
    if read::is_known(connection, key)? {
        return Ok(Inserted::AlreadyStored);
    }
    let stream = stream_id(connection, stream)?;
    connection
        .prepare_cached(
            "INSERT INTO jobs (stream, source, job_id, client, policy, started_at_micros,
                               state, severity, kind, job, verdict)
             VALUES (:stream, :source, :job_id, :client, :policy, :started_at_micros,
                     :state, :severity, :kind, :job, :verdict)",
        )?
        .execute(named_params! {
            ":stream": stream,
            ":source": key.source.as_str(),
            ":job_id": key.job_id.as_str(),
            ":client": job.client().name.as_str(),
            ":policy": job.policy().name.as_str(),
            ":started_at_micros": job.started_at().timestamp_micros(),
            ":state": state(verdict),
            ":severity": verdict.severity().map(Severity::as_str),
            ":kind": verdict.kind().map(AnomalyKind::as_str),
            ":job": Json(job),
            ":verdict": Json(verdict),
        })?;
    Ok(Inserted::New)
}

pub(super) fn put_model_state(
    connection: &Connection,
    stream: &StreamKey,
    state: &[u8],
) -> Result<()> {
    let stream = stream_id(connection, stream)?;
    connection
        .prepare_cached(
            "INSERT INTO model_states (stream, state) VALUES (?1, ?2)
             ON CONFLICT (stream) DO UPDATE SET state = excluded.state",
        )?
        .execute((stream, state))?;
    Ok(())
}

pub(super) fn review(connection: &Connection, key: &JobKey, review: &Review) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO reviews (job, status, review)
             SELECT sequence, ?3, ?4 FROM jobs WHERE source = ?1 AND job_id = ?2",
        )?
        .execute((
            key.source.as_str(),
            key.job_id.as_str(),
            review.status.as_str(),
            Json(review),
        ))?;
    Ok(())
}

/// The number that stands for a stream, given out when the stream is first seen.
fn stream_id(connection: &Connection, stream: &StreamKey) -> Result<i64> {
    let stream = Json(stream);
    let known = connection
        .prepare_cached("SELECT id FROM streams WHERE key = ?1")?
        .query_row((&stream,), |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => connection
            .prepare_cached("INSERT INTO streams (key) VALUES (?1)")?
            .insert((&stream,)),
    }
}

/// The verdict record's word for the judgement.
fn state(verdict: &Verdict) -> &'static str {
    match verdict.judgement {
        Judgement::Normal => "normal",
        Judgement::Anomalous { .. } => "anomalous",
        Judgement::WarmingUp => "warming_up",
        // Whatever else a job may be, it was not scored.
        _ => "not_scored",
    }
}
