//! What is read from the tables, inside a transaction or outside.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, AnomalyKind, BackupJob, JobKey, JobRef, Review, ReviewStatus, Severity, StreamKey,
    Verdict,
};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::json::Json;
use crate::AnomalyQuery;

const JOB: &str = "SELECT job FROM jobs WHERE source = ?1 AND job_id = ?2";

/// The index of keys alone answers it.
const IS_KNOWN: &str = "SELECT 1 FROM jobs WHERE source = ?1 AND job_id = ?2";

const VERDICT: &str = "SELECT verdict FROM jobs WHERE source = ?1 AND job_id = ?2";

const REVIEWS: &str = "
    SELECT review FROM reviews
    WHERE job = (SELECT sequence FROM jobs WHERE source = ?1 AND job_id = ?2)
    ORDER BY sequence";

const MODEL_STATE: &str = "
    SELECT state FROM model_states
    WHERE stream = (SELECT id FROM streams WHERE key = ?1)";

/// The last normal job before `jobs AS this`.
macro_rules! last_normal {
    () => {
        "(SELECT normal.job FROM jobs AS normal
          WHERE normal.stream = this.stream AND normal.state = 'normal'
              AND normal.started_at_micros <= this.started_at_micros
              AND normal.sequence < this.sequence
          ORDER BY normal.started_at_micros DESC, normal.sequence DESC LIMIT 1)"
    };
}

const LAST_NORMAL: &str = concat!(
    "SELECT ",
    last_normal!(),
    " FROM jobs AS this WHERE this.source = ?1 AND this.job_id = ?2"
);

const ANOMALIES: &str = concat!(
    "SELECT this.verdict, last.review, ",
    last_normal!(),
    " FROM jobs AS this
      LEFT JOIN reviews AS last
          ON last.sequence = (SELECT max(sequence) FROM reviews WHERE job = this.sequence)
      WHERE this.state = 'anomalous'
          AND this.started_at_micros >= :started_from
          AND this.started_at_micros < :started_until
          AND (:client IS NULL OR this.client = :client)
          AND (:policy IS NULL OR this.policy = :policy)
          AND (:kind IS NULL OR this.kind = :kind)
          AND (:severities IS NULL
              OR this.severity IN (SELECT value FROM json_each(:severities)))
          AND (:review_status IS NULL
              OR coalesce(last.status, 'not_reviewed') = :review_status)
      ORDER BY this.started_at_micros DESC, this.sequence DESC
      LIMIT :limit"
);

pub(super) fn job(connection: &Connection, key: &JobKey) -> Result<Option<BackupJob>> {
    by_key(connection, JOB, key, |row| Ok(row.get::<_, Json<_>>(0)?.0))
}

pub(super) fn verdict(connection: &Connection, key: &JobKey) -> Result<Option<Verdict>> {
    by_key(connection, VERDICT, key, |row| {
        Ok(row.get::<_, Json<_>>(0)?.0)
    })
}

pub(super) fn is_known(connection: &Connection, key: &JobKey) -> Result<bool> {
    connection
        .prepare_cached(IS_KNOWN)?
        .exists((key.source.as_str(), key.job_id.as_str()))
}

pub(super) fn last_normal(connection: &Connection, key: &JobKey) -> Result<Option<JobRef>> {
    by_key(connection, LAST_NORMAL, key, |row| job_ref(row, 0)).map(Option::flatten)
}

fn by_key<T>(
    connection: &Connection,
    sql: &str,
    key: &JobKey,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    connection
        .prepare_cached(sql)?
        .query_row((key.source.as_str(), key.job_id.as_str()), read)
        .optional()
}

pub(super) fn reviews(connection: &Connection, key: &JobKey) -> Result<Vec<Review>> {
    connection
        .prepare_cached(REVIEWS)?
        .query_map((key.source.as_str(), key.job_id.as_str()), |row| {
            Ok(row.get::<_, Json<_>>(0)?.0)
        })?
        .collect()
}

pub(super) fn model_state(connection: &Connection, stream: &StreamKey) -> Result<Option<Vec<u8>>> {
    connection
        .prepare_cached(MODEL_STATE)?
        .query_row((Json(stream),), |row| row.get(0))
        .optional()
}

pub(super) fn anomalies(connection: &Connection, query: &AnomalyQuery) -> Result<Vec<Anomaly>> {
    let micros = |time: Option<DateTime<Utc>>| time.map(|time| time.timestamp_micros());
    let severities = query.at_least.map(|least| {
        let high_enough = Severity::ALL.iter().filter(|&&severity| severity >= least);
        Json(high_enough.collect::<Vec<_>>())
    });
    connection
        .prepare_cached(ANOMALIES)?
        .query_map(
            named_params! {
                ":client": query.client.as_ref().map(AsRef::<str>::as_ref),
                ":policy": query.policy.as_ref().map(AsRef::<str>::as_ref),
                ":kind": query.kind.map(AnomalyKind::as_str),
                ":severities": severities,
                ":review_status": query.review_status.map(ReviewStatus::as_str),
                ":started_from": micros(query.started_from).unwrap_or(i64::MIN),
                ":started_until": micros(query.started_until).unwrap_or(i64::MAX),
                ":limit": query.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
            },
            |row| {
                let mut anomaly = Anomaly::new(row.get::<_, Json<_>>(0)?.0);
                anomaly.review = row.get::<_, Option<Json<_>>>(1)?.map(|Json(review)| review);
                anomaly.last_normal = job_ref(row, 2)?;
                Ok(anomaly)
            },
        )?
        .collect()
}

fn job_ref(row: &Row<'_>, column: usize) -> Result<Option<JobRef>> {
    let job: Option<Json<BackupJob>> = row.get(column)?;
    Ok(job.map(|Json(job)| JobRef::new(job.key(), job.started_at())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migrations::MIGRATIONS;

    /// No query reads all jobs, and none sorts what an index holds in order.
    #[test]
    fn every_query_follows_an_index() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&MIGRATIONS.concat()).unwrap();

        for sql in [
            JOB,
            IS_KNOWN,
            VERDICT,
            REVIEWS,
            MODEL_STATE,
            LAST_NORMAL,
            ANOMALIES,
        ] {
            let mut statement = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let plan: Vec<String> = statement
                .raw_query()
                .mapped(|row| row.get("detail"))
                .collect::<Result<_>>()
                .unwrap();
            for step in plan {
                let reads_all = step.starts_with("SCAN") && !step.contains("json_each");
                let sorts = step.contains("TEMP B-TREE");
                assert!(!reads_all && !sorts, "{step} in {sql}");
            }
        }
    }
}
