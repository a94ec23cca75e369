//! Jobs and reviews together, in the order in which they were recorded.

use anomaly_model::{JobId, JobKey, SourceName, StreamKey};
use rusqlite::Connection;

use super::fault::{Fault, Result};
use super::values::{count, from_count, from_limit};
use super::{jobs, records, streams};
use crate::Recorded;
use crate::evidence::LeafKind;

pub(super) const RECORDED: &str = "
    SELECT number, 1 FROM jobs WHERE number > ?1
    UNION ALL
    SELECT number, 2 FROM reviews WHERE number > ?1
    ORDER BY 1 LIMIT ?2";
/// The jobs of a stream are put in order: its index has them by their start.
pub(super) const RECORDED_OF_STREAM: &str = "
    SELECT number, 1 FROM jobs WHERE stream = ?3 AND number > ?1
    UNION ALL
    SELECT reviews.number, 2 FROM jobs JOIN reviews ON reviews.job = jobs.number
    WHERE jobs.stream = ?3 AND jobs.state = 'anomalous' AND reviews.number > ?1
    ORDER BY 1 LIMIT ?2";

pub(super) fn recorded_after(
    connection: &Connection,
    stream: Option<&StreamKey>,
    after: u64,
    limit: usize,
) -> Result<Vec<Recorded>> {
    let (after, limit) = (from_count(after), from_limit(Some(limit)));
    let places: Vec<(u64, i64)> = match stream {
        None => connection
            .prepare_cached(RECORDED)?
            .query_map((after, limit), |row| Ok((count(row, 0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?,
        Some(stream) => {
            let Some(id) = streams::known_id(connection, stream)? else {
                return Ok(Vec::new());
            };
            connection
                .prepare_cached(RECORDED_OF_STREAM)?
                .query_map((after, limit, id), |row| Ok((count(row, 0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?
        }
    };
    let recorded = places.into_iter().map(|(number, kind)| match kind {
        1 => Ok(jobs::observation(connection, number)?.map(Recorded::Observation)),
        _ => review(connection, number),
    });
    recorded.filter_map(Result::transpose).collect()
}

fn review(connection: &Connection, number: u64) -> Result<Option<Recorded>> {
    let Some(parts) = records::parts(connection, LeafKind::Review, number)? else {
        return Ok(None);
    };
    let part = |place: usize| parts.get(place).map_or("", String::as_str);
    let damaged = |error: anomaly_model::ModelError| Fault::Damaged(error.to_string());
    let source = SourceName::new(part(0)).map_err(damaged)?;
    let job_id = JobId::new(part(1)).map_err(damaged)?;
    Ok(Some(Recorded::Review {
        number,
        job: JobKey::new(source, job_id),
        review: records::parse(parts.get(2))?,
    }))
}
