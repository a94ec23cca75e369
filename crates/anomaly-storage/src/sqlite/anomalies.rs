//! Anomalous jobs as people work with them, and what was decided about them.

use std::collections::BTreeMap;

use anomaly_model::{
    Anomaly, AnomalyKind, ClientName, JobKey, Review, ReviewStatus, Severity, StreamKey,
};
use rusqlite::{Connection, OptionalExtension};

use super::audit;
use super::conditions::Conditions;
use super::fault::Result;
use super::jobs::{self, Place};
use super::log::Log;
use super::records;
use super::values::{
    count, from_count, from_limit, from_time, name, optional_count, time, to_json, word,
};
use crate::evidence::LeafKind;
use crate::{AnomalyQuery, Around, AuditEntry, NearbyAnomaly, StoreError};

pub(super) const REVIEWS: &str = "SELECT number FROM reviews WHERE job = ?1 ORDER BY number";
pub(super) const LAST_REVIEW: &str = "
    SELECT number FROM reviews WHERE job = ?1 ORDER BY number DESC LIMIT 1";
pub(super) const FALSE_POSITIVES: &str = "
    SELECT number FROM jobs
    WHERE state = 'anomalous' AND review_status = 'false_positive'
        AND stream = (SELECT id FROM streams WHERE key = ?1)
    ORDER BY number";
/// Counted, so read from end to end: of those that wait for a person.
pub(super) const UNREVIEWED: &str = "
    SELECT severity, count(*) FROM jobs
    WHERE state = 'anomalous' AND review_status = 'not_reviewed' GROUP BY severity";
pub(super) const IS_ANOMALOUS: &str =
    "SELECT 1 FROM jobs WHERE number = ?1 AND state = 'anomalous'";

/// What `jobs AS this` must meet for a query, which goes on after a place.
pub(super) fn conditions(query: &AnomalyQuery, after: Option<Place>) -> Conditions {
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
    if let Some(place) = after {
        place.bound(&mut conditions);
    }
    conditions
}

pub(super) fn anomalies(connection: &Connection, query: &AnomalyQuery) -> Result<Vec<Anomaly>> {
    let after = jobs::place_of_cursor(connection, query.after.as_ref())?;
    let numbers = conditions(query, after).jobs(connection, query.limit)?;
    let anomalies = numbers.into_iter().map(|number| {
        let Some(observation) = jobs::observation(connection, number)? else {
            return Ok(None);
        };
        let mut anomaly = Anomaly::new(observation.verdict);
        anomaly.review = last_review(connection, number)?;
        anomaly.last_normal = jobs::last_normal_before(connection, number)?;
        Ok(Some(anomaly))
    });
    anomalies.filter_map(Result::transpose).collect()
}

pub(super) fn unreviewed(connection: &Connection) -> Result<BTreeMap<Severity, u64>> {
    let mut statement = connection.prepare_cached(UNREVIEWED)?;
    let rows = statement.query_map([], |row| Ok((word(row, 0)?, count(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn false_positives(connection: &Connection, stream: &StreamKey) -> Result<Vec<Anomaly>> {
    let numbers: Vec<u64> = connection
        .prepare_cached(FALSE_POSITIVES)?
        .query_map((to_json(stream)?,), |row| count(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let anomalies = numbers.into_iter().map(|number| {
        let observation = jobs::observation(connection, number)?;
        let Some(observation) = observation else {
            return Ok(None);
        };
        let mut anomaly = Anomaly::new(observation.verdict);
        anomaly.review = last_review(connection, number)?;
        Ok(Some(anomaly))
    });
    anomalies.filter_map(Result::transpose).collect()
}

/// What `jobs AS this` must meet to be an anomaly of a client that nobody called usual or
/// irrelevant, between two times.
pub(super) fn nearby(client: Option<&ClientName>, from: i64, to: i64) -> Conditions {
    let mut conditions = Conditions::new(
        // The plus keeps SQLite from an index that has them in another order.
        "this.state = 'anomalous' AND +this.review_status IN ('not_reviewed', 'confirmed')",
    );
    let client = client.map(|name| name.as_str().to_owned());
    conditions.and_if("this.client = ?", client);
    let range = [from.into(), to.into()];
    conditions.and("this.started_at_micros BETWEEN ? AND ?", range);
    conditions
}

/// The nearest anomalies that meet some conditions: the first or the last ones by their start.
pub(super) fn nearest(conditions: &Conditions, order: &str, limit: usize) -> String {
    format!(
        "SELECT this.job ->> 'source', this.job ->> 'job_id', this.client,
                this.started_at_micros, this.severity, this.kind, member.incident
         FROM jobs AS this LEFT JOIN incident_jobs AS member ON member.job = this.number
         WHERE {}
         ORDER BY this.started_at_micros {order}, this.number {order} LIMIT {}",
        conditions.sql(),
        from_limit(Some(limit)),
    )
}

pub(super) fn around(connection: &Connection, around: &Around<'_>) -> Result<Vec<NearbyAnomaly>> {
    let (first, last) = around.range_micros();
    let at = around.at.timestamp_micros();
    let near = |from, to, order| -> Result<Vec<NearbyAnomaly>> {
        let conditions = nearby(around.client, from, to);
        let sql = nearest(&conditions, order, around.limit);
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
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let mut found = near(first, at, "DESC")?;
    found.reverse();
    found.extend(near(at.saturating_add(1), last, "ASC")?);
    Ok(found)
}

pub(super) fn reviews(connection: &Connection, key: &JobKey) -> Result<Vec<Review>> {
    let Some(place) = jobs::place(connection, key)? else {
        return Ok(Vec::new());
    };
    let numbers: Vec<u64> = connection
        .prepare_cached(REVIEWS)?
        .query_map((from_count(place.number),), |row| count(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let reviews = numbers
        .into_iter()
        .map(|number| one_review(connection, number));
    reviews.filter_map(Result::transpose).collect()
}

/// The review of a job that counts.
fn last_review(connection: &Connection, job: u64) -> Result<Option<Review>> {
    let last = connection
        .prepare_cached(LAST_REVIEW)?
        .query_row((from_count(job),), |row| count(row, 0))
        .optional()?;
    match last {
        Some(number) => one_review(connection, number),
        None => Ok(None),
    }
}

fn one_review(connection: &Connection, number: u64) -> Result<Option<Review>> {
    records::record(connection, LeafKind::Review, number)
}

/// The place of an anomaly.
pub(super) fn place(connection: &Connection, key: &JobKey) -> Result<Place> {
    let no_such_anomaly = || StoreError::NoSuchAnomaly { job: key.clone() };
    let place = jobs::place(connection, key)?.ok_or_else(no_such_anomaly)?;
    let is_anomalous = connection
        .prepare_cached(IS_ANOMALOUS)?
        .exists((from_count(place.number),))?;
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
    let replaced = last_review(connection, job)?;
    let text = to_json(review)?;
    let number = from_count(log.next(connection)?);
    let status = review.status.as_str();
    connection
        .prepare_cached(
            "INSERT INTO reviews (number, job, status, review) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((number, from_count(job), status, &text))?;
    connection
        .prepare_cached("UPDATE jobs SET review_status = ?2 WHERE number = ?1")?
        .execute((from_count(job), status))?;
    let parts = [key.source.as_str(), key.job_id.as_str(), &text];
    log.append(connection, LeafKind::Review, &parts)?;
    audit::insert(
        connection,
        log,
        &AuditEntry::of_review(key, replaced.as_ref(), review),
    )?;
    Ok(replaced)
}
