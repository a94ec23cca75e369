//! Anomalous jobs as people work with them, and what was decided about them.

use anomaly_model::{Anomaly, AnomalyKind, JobKey, Review, ReviewStatus};
use rusqlite::{Connection, OptionalExtension};

use super::audit;
use super::conditions::Conditions;
use super::fault::Result;
use super::jobs::{self, Place, job_ref, normal_before_this};
use super::log::Log;
use super::values::{from_count, from_limit, from_time, json, optional_json, to_json};
use crate::evidence::LeafKind;
use crate::{AnomalyQuery, AuditEntry, StoreError};

const REVIEWS: &str = "
    SELECT review FROM reviews
    WHERE job = (SELECT number FROM jobs WHERE key = ?1)
    ORDER BY number";

const LAST_REVIEW: &str = "SELECT review FROM reviews WHERE job = ?1 ORDER BY number DESC LIMIT 1";

const IS_ANOMALOUS: &str = "SELECT 1 FROM jobs WHERE number = ?1 AND state = 'anomalous'";

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
        "this.number IN (SELECT job FROM incident_jobs WHERE incident = ?)",
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
             ON last.number = (SELECT max(number) FROM reviews WHERE job = this.number)
         WHERE {}
         ORDER BY this.started_at_micros DESC, this.number DESC
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

pub(super) fn reviews(connection: &Connection, key: &JobKey) -> Result<Vec<Review>> {
    let mut statement = connection.prepare_cached(REVIEWS)?;
    let rows = statement.query_map((jobs::short(key),), |row| json(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The place of an anomaly.
pub(super) fn place(connection: &Connection, key: &JobKey) -> Result<Place> {
    let no_such_anomaly = || StoreError::NoSuchAnomaly { job: key.clone() };
    let place = jobs::place(connection, key)?.ok_or_else(no_such_anomaly)?;
    let is_anomalous = connection
        .prepare_cached(IS_ANOMALOUS)?
        .exists((place.number,))?;
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
    let job = place(connection, key)?.number;
    let replaced: Option<Review> = connection
        .prepare_cached(LAST_REVIEW)?
        .query_row((job,), |row| json(row, 0))
        .optional()?;
    let text = to_json(review)?;
    let number = from_count(log.next(connection)?);
    let status = review.status.as_str();
    connection
        .prepare_cached(
            "INSERT INTO reviews (number, job, status, review) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((number, job, status, &text))?;
    connection
        .prepare_cached("UPDATE jobs SET review_status = ?2 WHERE number = ?1")?
        .execute((job, status))?;
    let parts = [key.source.as_str(), key.job_id.as_str(), &text];
    log.append(connection, LeafKind::Review, &parts)?;
    audit::insert(
        connection,
        log,
        &AuditEntry::of_review(key, replaced.as_ref(), review),
    )?;
    Ok(replaced)
}
