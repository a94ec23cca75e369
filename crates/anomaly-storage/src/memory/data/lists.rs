//! Lists by a filter, in an order, from a place on and no longer than asked for.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{JobKey, ReviewStatus, Severity, StreamKey};

use super::{Data, Row};
use crate::memory::place::Place;
use crate::{
    AnomalyQuery, AuditEntry, AuditQuery, IncidentQuery, IncidentRecord, JudgedAs, ListedAnomaly,
    Message, ObservationQuery, Recorded, StoreError, Stored, StoredObservation, Waiting,
};

impl Data {
    /// The rows that `meets` takes, newest start first, after the job `after`.
    fn listed<'a>(
        &'a self,
        rows: impl Iterator<Item = (u64, &'a Row)>,
        after: Option<&JobKey>,
        limit: Option<usize>,
        meets: impl Fn(&Row) -> bool,
    ) -> Result<Vec<(u64, &'a Row)>, StoreError> {
        let order = |(number, row): &(u64, &Row)| Reverse((row.started_at_micros(), *number));
        let after = match after {
            None => None,
            Some(job) => {
                let row = self
                    .number(job)
                    .and_then(|number| Some((number, self.row(job)?)));
                Some(row.ok_or_else(|| StoreError::NoSuchJob { job: job.clone() })?)
            }
        };
        let mut found: Vec<_> = rows
            .filter(|(_, row)| meets(row))
            .filter(|row| after.is_none_or(|after| order(row) > order(&after)))
            .collect();
        found.sort_by_key(order);
        found.truncate(limit.unwrap_or(usize::MAX));
        Ok(found)
    }

    pub(in crate::memory) fn listed_anomalies(
        &self,
        query: &AnomalyQuery,
    ) -> Result<Vec<ListedAnomaly>, StoreError> {
        let after = match &query.after {
            None => None,
            Some(job) => {
                let place = self.number(job).zip(self.row(job));
                let (number, row) =
                    place.ok_or_else(|| StoreError::NoSuchJob { job: job.clone() })?;
                Some(Place::of(query.sort, number, row))
            }
        };
        let anomalous = self.anomalous.iter();
        let anomalous = anomalous.filter_map(|(_, number)| Some((*number, self.rows.get(number)?)));
        let mut found: Vec<(Place<'_>, u64, &Row)> = anomalous
            .filter(|(_, row)| {
                query
                    .incident
                    .is_none_or(|number| self.incident_of.get(&row.job.key()) == Some(&number))
                    && query.includes(&row.job, &self.anomaly(row))
            })
            .map(|(number, row)| (Place::of(query.sort, number, row), number, row))
            .filter(|(place, ..)| {
                let is_later = |after: &Place<'_>| place.compare(after, query.sort).is_gt();
                after.as_ref().is_none_or(is_later)
            })
            .collect();
        found.sort_by(|a, b| a.0.compare(&b.0, query.sort));
        found.truncate(query.limit.unwrap_or(usize::MAX));
        let listed = found.into_iter().map(|(_, number, row)| {
            let mut anomaly = self.anomaly(row);
            anomaly.last_normal = self.last_normal(number);
            ListedAnomaly {
                number,
                received_at: self.recorded_at(number),
                job: row.job.clone(),
                anomaly,
            }
        });
        Ok(listed.collect())
    }

    pub(in crate::memory) fn observation(&self, job: &JobKey) -> Option<StoredObservation> {
        self.number(job).zip(self.row(job)).map(observation)
    }

    pub(in crate::memory) fn observations(
        &self,
        query: &ObservationQuery,
    ) -> Result<Vec<StoredObservation>, StoreError> {
        let micros = |time: &DateTime<Utc>| time.timestamp_micros();
        let (from, until) = (
            query.started_from.as_ref().map(micros),
            query.started_until.as_ref().map(micros),
        );
        let rows = self.rows.iter().map(|(&number, row)| (number, row));
        let found = self.listed(rows, query.after.as_ref(), query.limit, |row| {
            let started_at = row.started_at_micros();
            query
                .stream
                .as_ref()
                .is_none_or(|stream| row.stream == *stream)
                && query
                    .client
                    .as_ref()
                    .is_none_or(|client| row.job.client().name == *client)
                && query.origin.is_none_or(|origin| row.origin == origin)
                && query
                    .judged_as
                    .is_none_or(|state| JudgedAs::from(&row.verdict.judgement) == state)
                && from.is_none_or(|from| from <= started_at)
                && until.is_none_or(|until| started_at < until)
        })?;
        Ok(found.into_iter().map(observation).collect())
    }

    pub(in crate::memory) fn observations_stored_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Vec<StoredObservation> {
        let later = self.rows.range((Bound::Excluded(after), Bound::Unbounded));
        let later = later.map(|(&number, row)| (number, row));
        later.take(limit).map(observation).collect()
    }

    pub(in crate::memory) fn recorded_after(
        &self,
        stream: Option<&StreamKey>,
        after: u64,
        limit: usize,
    ) -> Vec<Recorded> {
        let is_meant = |row: &Row| stream.is_none_or(|stream| row.stream == *stream);
        let jobs = self.rows.range((Bound::Excluded(after), Bound::Unbounded));
        let jobs = jobs.filter(|(_, row)| is_meant(row));
        let jobs = jobs.map(|(&number, row)| Recorded::Observation(observation((number, row))));
        let reviewed = self.reviews.iter();
        let reviewed = reviewed.filter(|(job, _)| self.row(job).is_some_and(is_meant));
        let reviews = reviewed.flat_map(|(job, reviews)| {
            let later = reviews.iter().filter(|review| review.number > after);
            later.map(|review| Recorded::Review {
                number: review.number,
                job: job.clone(),
                review: review.record.clone(),
            })
        });
        let mut recorded: Vec<Recorded> = jobs.chain(reviews).collect();
        recorded.sort_by_key(Recorded::number);
        recorded.truncate(limit);
        recorded
    }

    pub(in crate::memory) fn incidents(
        &self,
        query: &IncidentQuery,
    ) -> Result<Vec<Stored<IncidentRecord>>, StoreError> {
        let order = |incident: &Stored<IncidentRecord>| {
            Reverse((incident.record.last_seen, incident.number))
        };
        let after = match query.after {
            None => None,
            Some(number) => {
                let what = "incident";
                let record = self.incidents.get(number).cloned();
                let record = record.ok_or(StoreError::NoSuchRecord { what, number })?;
                Some(order(&Stored { number, record }))
            }
        };
        let mut found: Vec<_> = self
            .incidents
            .stored()
            .filter(|incident| {
                let record = &incident.record;
                query
                    .open
                    .is_none_or(|open| record.closed_at.is_none() == open)
                    && query.at_least.is_none_or(|least| record.severity >= least)
                    && query.seen_from.is_none_or(|from| {
                        record.last_seen.timestamp_micros() >= from.timestamp_micros()
                    })
                    && after.is_none_or(|after| order(incident) > after)
            })
            .collect();
        found.sort_by_key(order);
        found.truncate(query.limit.unwrap_or(usize::MAX));
        Ok(found)
    }

    pub(in crate::memory) fn audit_entries(&self, query: &AuditQuery) -> Vec<Stored<AuditEntry>> {
        let meets = |stored: &Stored<AuditEntry>| {
            let entry = &stored.record;
            query.who.as_ref().is_none_or(|who| entry.who == *who)
                && query.what.as_ref().is_none_or(|what| entry.what == *what)
                && query
                    .subject
                    .as_ref()
                    .is_none_or(|subject| entry.subject == *subject)
                && query
                    .at_least
                    .is_none_or(|least| entry.severity >= Some(least))
                && query.before.is_none_or(|before| stored.number < before)
                && query.after.is_none_or(|after| stored.number > after)
        };
        let limit = query.limit.unwrap_or(usize::MAX);
        let found = self.audit.stored().filter(meets);
        if query.after.is_some() {
            found.take(limit).collect()
        } else {
            found.rev().take(limit).collect()
        }
    }

    pub(in crate::memory) fn count_unreviewed(
        &self,
    ) -> Result<BTreeMap<Severity, u64>, StoreError> {
        let query = AnomalyQuery::default().review_status(ReviewStatus::NotReviewed);
        let mut counts = BTreeMap::new();
        for listed in self.listed_anomalies(&query)? {
            if let Some(severity) = listed.anomaly.verdict.severity() {
                *counts.entry(severity).or_default() += 1;
            }
        }
        Ok(counts)
    }

    pub(in crate::memory) fn waiting(&self, sink: &str) -> Waiting {
        let waits = |message: &Stored<Message>| {
            let sinks = self.deliveries.get(&message.number);
            sinks
                .and_then(|sinks| sinks.get(sink))
                .is_some_and(|delivery| delivery.next_attempt_at.is_some())
        };
        let mut waiting = Waiting::default();
        for message in self.messages.stored().filter(waits) {
            let made_at = message.record.made_at;
            waiting.messages += 1;
            waiting.oldest_at = Some(waiting.oldest_at.map_or(made_at, |at| at.min(made_at)));
        }
        waiting
    }

    pub(in crate::memory) fn due_messages(
        &self,
        sink: &str,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Vec<Stored<Message>> {
        let due_at = |message: &Stored<Message>| {
            let delivery = self.deliveries.get(&message.number)?.get(sink)?;
            delivery
                .next_attempt_at
                .filter(|time| time.timestamp_micros() <= now.timestamp_micros())
        };
        let mut due: Vec<_> = self
            .messages
            .stored()
            .filter_map(|message| Some((due_at(&message)?, message)))
            .collect();
        due.sort_by_key(|(due_at, message)| (*due_at, message.number));
        due.into_iter()
            .map(|(_, message)| message)
            .take(limit)
            .collect()
    }
}

fn observation((number, row): (u64, &Row)) -> StoredObservation {
    StoredObservation {
        number,
        stream: row.stream.clone(),
        job: row.job.clone(),
        verdict: row.verdict.clone(),
        origin: row.origin,
    }
}
