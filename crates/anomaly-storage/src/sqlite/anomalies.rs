//! Anomalous jobs as people work with them, and what was decided about them.

use std::collections::BTreeMap;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, AnomalyKind, ClientName, JobKey, Review, ReviewStatus, ScheduleType, Severity,
    StreamKey,
};
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension};

use super::audit;
use super::conditions::Conditions;
use super::fault::Result;
use super::jobs::{self, Place};
use super::log::Log;
use super::records;
use super::values::{
    count, from_count, from_limit, from_time, name, optional_count, optional_time, time, to_json,
    word,
};
use crate::evidence::LeafKind;
use crate::{
    AnomalyQuery, Around, AuditEntry, ListedAnomaly, NearbyAnomaly, Sort, SortKey, StoreError,
};

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

/// Of an incident that has more than a thousand anomalies.
pub(super) const HAS_MANY: &str =
    "SELECT 1 FROM incident_jobs WHERE incident = ?1 LIMIT 1 OFFSET 1000";
pub(super) const RECORDED_AT: &str = "SELECT recorded_at_micros FROM log WHERE number = ?1";
pub(super) const IS_ANOMALOUS: &str =
    "SELECT 1 FROM jobs WHERE number = ?1 AND state = 'anomalous'";

/// How many anomalies the incident has that a query asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    /// They are looked up and put in order.
    Few,
    /// It may have half of all anomalies: these are read in the order of the list, until there are
    /// enough of its own.
    Many,
}

impl Membership {
    fn of(connection: &Connection, incident: Option<u64>) -> Result<Self> {
        let Some(number) = incident else {
            return Ok(Self::Few);
        };
        let is_many = connection
            .prepare_cached(HAS_MANY)?
            .exists((from_count(number),))?;
        Ok(if is_many { Self::Many } else { Self::Few })
    }
}

/// What `jobs AS this` must meet for a query, which goes on after a place, and their order.
///
/// What no index has in order is answered from the one that has all that is searched for and sorted
/// by: as many of its entries are read as there are anomalies, and no job but those of the list.
pub(super) fn conditions(
    query: &AnomalyQuery,
    after: Option<Cursor>,
    incident: Membership,
) -> Conditions {
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
        "iif(json_valid(this.job), this.job ->> 'policy_type', NULL) = ?",
        query.policy_type.as_ref().map(|name| owned(name.as_str())),
    );
    conditions.and_if(
        "iif(json_valid(this.job), this.job ->> 'schedule', NULL) = ?",
        query.schedule.as_ref().map(|name| owned(name.as_str())),
    );
    conditions.and_if(
        "iif(json_valid(this.job), this.job ->> 'schedule_type', NULL) = ?",
        query.schedule_type.map(ScheduleType::as_str).map(owned),
    );
    if let Some(text) = &query.containing {
        let text: Value = text.to_ascii_lowercase().into();
        conditions.and(
            "(instr(lower(this.client), ?) OR instr(lower(this.policy), ?)
              OR instr(lower(iif(json_valid(this.job), this.job ->> 'job_id', NULL)), ?))",
            [text.clone(), text.clone(), text],
        );
    }
    conditions.and_if(
        "this.kind = ?",
        query.kind.map(AnomalyKind::as_str).map(owned),
    );
    conditions.and_at_least("this.severity", query.at_least);
    conditions.and_if(
        &format!("{} >= ?", key(SortKey::Score)),
        // A missing one is below all.
        query.least_score.map(|least| match least {
            ..0.0 => 0.0,
            least if least.is_nan() => f64::MAX,
            least => least,
        }),
    );
    conditions.and_if(
        "this.review_status = ?",
        query.review_status.map(ReviewStatus::as_str).map(owned),
    );
    let membership = match incident {
        Membership::Few => "this.number IN (SELECT job FROM incident_jobs WHERE incident = ?)",
        Membership::Many => "? = (SELECT incident FROM incident_jobs WHERE job = this.number)",
    };
    conditions.and_if(membership, query.incident.map(from_count));
    conditions.and_if("this.started_at_micros >= ?", from_time(query.started_from));
    conditions.and_if("this.started_at_micros < ?", from_time(query.started_until));
    if let Some(after) = after {
        after.bound(&mut conditions, query.sort);
    }
    if query.sort != Sort::default() {
        let direction = if query.sort.ascending { "ASC" } else { "DESC" };
        conditions.set_order(&format!("{} {direction}", key(query.sort.key)));
    }
    let is_walked = query.incident.is_none() || incident == Membership::Many;
    if is_walked && !is_narrow(query) {
        conditions.set_index("anomaly_list");
    }
    conditions
}

/// Whether an index has what is asked for in its order.
fn is_narrow(query: &AnomalyQuery) -> bool {
    let its_own = [
        query.client.is_some(),
        query.at_least.is_some(),
        query.review_status.is_some(),
    ];
    query.sort == Sort::default()
        && its_own.into_iter().filter(|is_asked| *is_asked).count() <= 1
        && query.policy.is_none()
        && query.policy_type.is_none()
        && query.schedule.is_none()
        && query.schedule_type.is_none()
        && query.containing.is_none()
        && query.kind.is_none()
        && query.least_score.is_none()
}

/// What `jobs AS this` are sorted by, as the index has it.
fn key(key: SortKey) -> &'static str {
    match key {
        SortKey::Started => "this.started_at_micros",
        SortKey::Received => "this.number",
        SortKey::Score => "iif(json_valid(this.verdict), ifnull(this.verdict ->> 'score', -1), -1)",
        SortKey::Severity => {
            "CASE this.severity WHEN 'high' THEN 2 WHEN 'medium' THEN 1 ELSE 0 END"
        }
        SortKey::Client => "this.client",
        SortKey::Policy => "this.policy",
        SortKey::Count => {
            "iif(json_valid(this.verdict), json_array_length(this.verdict, '$.findings'), 0)"
        }
    }
}

/// Where a list goes on.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    place: Place,
    key: Value,
}

impl Cursor {
    pub(super) fn new(place: Place, key: Value) -> Self {
        Self { place, key }
    }

    /// Adds that a list goes on after it.
    fn bound(self, conditions: &mut Conditions, sort: Sort) {
        if sort == Sort::default() {
            self.place.bound(conditions);
            return;
        }
        let key = key(sort.key);
        let is_later = if sort.ascending { '>' } else { '<' };
        let [started_at, number] = self.place.values();
        conditions.and(
            &format!(
                "({key} {is_later} ? OR ({key} = ?
                  AND (this.started_at_micros, this.number) < (?, ?)))"
            ),
            [self.key.clone(), self.key, started_at, number],
        );
    }
}

fn cursor(connection: &Connection, query: &AnomalyQuery) -> Result<Option<Cursor>> {
    let Some(place) = jobs::place_of_cursor(connection, query.after.as_ref())? else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT {} FROM jobs AS this WHERE number = ?1",
        key(query.sort.key)
    );
    let key = connection
        .prepare_cached(&sql)?
        .query_row((from_count(place.number),), |row| row.get(0))?;
    Ok(Some(Cursor::new(place, key)))
}

pub(super) fn listed(connection: &Connection, query: &AnomalyQuery) -> Result<Vec<ListedAnomaly>> {
    let after = cursor(connection, query)?;
    let incident = Membership::of(connection, query.incident)?;
    let numbers = conditions(query, after, incident).jobs(connection, query.limit)?;
    let anomalies = numbers.into_iter().map(|number| {
        let Some(observation) = jobs::observation(connection, number)? else {
            return Ok(None);
        };
        let mut anomaly = Anomaly::new(observation.verdict);
        anomaly.review = last_review(connection, number)?;
        anomaly.last_normal = jobs::last_normal_before(connection, number)?;
        Ok(Some(ListedAnomaly {
            number,
            received_at: recorded_at(connection, number)?,
            job: observation.job,
            anomaly,
        }))
    });
    anomalies.filter_map(Result::transpose).collect()
}

pub(super) fn members(connection: &Connection, incident: u64) -> Result<Vec<Anomaly>> {
    let query = AnomalyQuery::default().incident(incident);
    // All of them are asked for, so that they are looked up.
    let numbers = conditions(&query, None, Membership::Few).jobs(connection, None)?;
    reviewed(connection, numbers)
}

/// The anomalies with these numbers, with their reviews.
fn reviewed(connection: &Connection, numbers: Vec<u64>) -> Result<Vec<Anomaly>> {
    let anomalies = numbers.into_iter().map(|number| {
        let Some(observation) = jobs::observation(connection, number)? else {
            return Ok(None);
        };
        let mut anomaly = Anomaly::new(observation.verdict);
        anomaly.review = last_review(connection, number)?;
        Ok(Some(anomaly))
    });
    anomalies.filter_map(Result::transpose).collect()
}

pub(super) fn unreviewed(connection: &Connection) -> Result<BTreeMap<Severity, u64>> {
    let mut statement = connection.prepare_cached(UNREVIEWED)?;
    let rows = statement.query_map([], |row| Ok((word(row, 0)?, count(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When a record was recorded, where whoever did it said so.
pub(super) fn recorded_at(connection: &Connection, number: u64) -> Result<Option<DateTime<Utc>>> {
    let recorded_at = connection
        .prepare_cached(RECORDED_AT)?
        .query_row((from_count(number),), |row| optional_time(row, 0))
        .optional()?;
    Ok(recorded_at.flatten())
}

pub(super) fn false_positives(connection: &Connection, stream: &StreamKey) -> Result<Vec<Anomaly>> {
    let numbers: Vec<u64> = connection
        .prepare_cached(FALSE_POSITIVES)?
        .query_map((to_json(stream)?,), |row| count(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    reviewed(connection, numbers)
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
        "SELECT iif(json_valid(this.job), this.job ->> 'source', NULL),
                iif(json_valid(this.job), this.job ->> 'job_id', NULL), this.client,
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
            // One that is damaged keeps no other from being stored: whoever looks at it is told.
            if row.get_ref(0)?.data_type() == Type::Null {
                return Ok(None);
            }
            Ok(Some(NearbyAnomaly {
                job: JobKey::new(name(row, 0)?, name(row, 1)?),
                client: name(row, 2)?,
                started_at: time(row, 3)?,
                severity: word(row, 4)?,
                kind: word(row, 5)?,
                incident: optional_count(row, 6)?,
            }))
        })?;
        let found = rows.filter_map(rusqlite::Result::transpose);
        Ok(found.collect::<rusqlite::Result<_>>()?)
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
