//! Anomalous jobs as people work with them, and what was decided about them.

use anomaly_model::{Anomaly, AnomalyKind, JobKey, Review, ReviewStatus, StreamKey};
use rusqlite::{Connection, OptionalExtension};

use super::audit;
use super::conditions::Conditions;
use super::fault::Result;
use super::jobs::{self, Place, job_ref, normal_before_this};
use super::log::Log;
use super::values::{
    from_count, from_limit, from_time, json, name, optional_count, optional_json, time, to_json,
    word,
};
use crate::evidence::LeafKind;
use crate::{AnomalyQuery, Around, AuditEntry, NearbyAnomaly, StoreError};

const REVIEWS: &str = "
    SELECT review FROM reviews
    WHERE job = (SELECT sequence FROM jobs WHERE source = ?1 AND job_id = ?2)
    ORDER BY sequence";

const LAST_REVIEW: &str =
    "SELECT review FROM reviews WHERE job = ?1 ORDER BY sequence DESC LIMIT 1";

const FALSE_POSITIVES: &str = "
    SELECT this.verdict, last.review FROM jobs AS this
    JOIN reviews AS last
        ON last.sequence = (SELECT max(sequence) FROM reviews WHERE job = this.sequence)
    WHERE this.state = 'anomalous' AND this.review_status = 'false_positive'
      AND this.stream = (SELECT id FROM streams WHERE key = ?1)
    ORDER BY this.sequence";

const IS_ANOMALOUS: &str = "SELECT 1 FROM jobs WHERE sequence = ?1 AND state = 'anomalous'";

pub(super) fn anomalies(connection: &Connection, query: &AnomalyQuery) -> Result<Vec<Anomaly>> {
    let mut conditions = Conditions::new("this.state = 'anomalous'");
    let owned = str::to_owned;
    conditions.and_if(
        "this.client = ?",
        query.client.as_ref().map(|name| owned(name.as_str())),
    );
    conditions.and_if(
        "this.policy = ?",
        query.policy.as_ref().map(|name| owned(name.as_str())),
    );
    conditions.and_if(
        "this.kind = ?",
        query.kind.map(AnomalyKind::as_str).map(owned),
    );
    conditions.and_at_least("this.severity", query.at_least);
    conditions.and_if(
        "this.review_status = ?",
        query.review_status.map(ReviewStatus::as_str).map(owned),
    );
    conditions.and_if(
        "this.sequence IN (SELECT job FROM incident_jobs WHERE incident = ?)",
        query.incident.map(from_count),
    );
    conditions.and_if("this.started_at_micros >= ?", from_time(query.started_from));
    conditions.and_if("this.started_at_micros < ?", from_time(query.started_until));
    if let Some(place) = jobs::place_of_cursor(connection, query.after.as_ref())? {
        place.bound(&mut conditions);
    }
    let sql = format!(
        "SELECT this.verdict, last.review, {}
         FROM jobs AS this
         LEFT JOIN reviews AS last
             ON last.sequence = (SELECT max(sequence) FROM reviews WHERE job = this.sequence)
         WHERE {}
         ORDER BY this.started_at_micros DESC, this.sequence DESC
         LIMIT {}",
        normal_before_this!(),
        conditions.sql(),
        from_limit(query.limit),
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(conditions.values(), |row| {
        let mut anomaly = Anomaly::new(json(row, 0)?);
        anomaly.review = optional_json(row, 1)?;
        anomaly.last_normal = job_ref(row, 2)?;
        Ok(anomaly)
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn false_positives(connection: &Connection, stream: &StreamKey) -> Result<Vec<Anomaly>> {
    let mut statement = connection.prepare_cached(FALSE_POSITIVES)?;
    let rows = statement.query_map((to_json(stream)?,), |row| {
        let mut anomaly = Anomaly::new(json(row, 0)?);
        anomaly.review = Some(json(row, 1)?);
        Ok(anomaly)
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The anomalies near a time that nobody called usual or irrelevant.
pub(super) fn around(connection: &Connection, around: &Around<'_>) -> Result<Vec<NearbyAnomaly>> {
    let (first, last) = around.range_micros();
    let at = around.at.timestamp_micros();
    let mut found = Vec::new();
    for (from, to, order) in [(first, at, "DESC"), (at.saturating_add(1), last, "ASC")] {
        let mut conditions = Conditions::new(
            "this.state = 'anomalous' AND this.review_status IN ('not_reviewed', 'confirmed')",
        );
        let client = around.client.map(|name| name.as_str().to_owned());
        conditions.and_if("this.client = ?", client);
        let range = [from.into(), to.into()];
        conditions.and("this.started_at_micros BETWEEN ? AND ?", range);
        let sql = format!(
            "SELECT this.source, this.job_id, this.client, this.started_at_micros, this.severity,
                    this.kind, member.incident
             FROM jobs AS this LEFT JOIN incident_jobs AS member ON member.job = this.sequence
             WHERE {}
             ORDER BY this.started_at_micros {order}, this.sequence {order} LIMIT {}",
            conditions.sql(),
            from_limit(Some(around.limit)),
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(conditions.values(), |row| {
            Ok(NearbyAnomaly {
                job: JobKey::new(name(row, 0)?, name(row, 1)?),
                client: name(row, 2)?,
                started_at: time(row, 3)?,
                severity: word(row, 4)?,
                kind: word(row, 5)?,
                incident: optional_count(row, 6)?,
            })
        })?;
        let start = found.len();
        for row in rows {
            found.push(row?);
        }
        if order == "DESC" {
            found[start..].reverse();
        }
    }
    Ok(found)
}

pub(super) fn reviews(connection: &Connection, key: &JobKey) -> Result<Vec<Review>> {
    let mut statement = connection.prepare_cached(REVIEWS)?;
    let key = (key.source.as_str(), key.job_id.as_str());
    let rows = statement.query_map(key, |row| json(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The place of an anomaly.
pub(super) fn place(connection: &Connection, key: &JobKey) -> Result<Place> {
    let no_such_anomaly = || StoreError::NoSuchAnomaly { job: key.clone() };
    let place = jobs::place(connection, key)?.ok_or_else(no_such_anomaly)?;
    let is_anomalous = connection
        .prepare_cached(IS_ANOMALOUS)?
        .exists((place.sequence,))?;
    if is_anomalous {
        Ok(place)
    } else {
        Err(no_such_anomaly().into())
    }
}

/// Takes down a decision about an anomaly, and returns the one that it replaces.
pub(super) fn review(
    connection: &Connection,
    log: &mut Log,
    key: &JobKey,
    review: &Review,
) -> Result<Option<Review>> {
    let job = place(connection, key)?.sequence;
    let replaced: Option<Review> = connection
        .prepare_cached(LAST_REVIEW)?
        .query_row((job,), |row| json(row, 0))
        .optional()?;
    let text = to_json(review)?;
    let leaf = from_count(log.next(connection)?);
    let status = review.status.as_str();
    let sequence = connection
        .prepare_cached("INSERT INTO reviews (leaf, job, status, review) VALUES (?1, ?2, ?3, ?4)")?
        .insert((leaf, job, status, &text))?;
    connection
        .prepare_cached("UPDATE jobs SET review_status = ?2 WHERE sequence = ?1")?
        .execute((job, status))?;
    let parts = [key.source.as_str(), key.job_id.as_str(), &text];
    log.append(connection, LeafKind::Review, sequence, &parts)?;
    audit::insert(
        connection,
        log,
        &AuditEntry::of_review(key, replaced.as_ref(), review),
    )?;
    Ok(replaced)
}
