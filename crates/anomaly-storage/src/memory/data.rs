//! What a store in memory holds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, BackupJob, ClientName, JobKey, JobRef, Judgement, Review, ReviewStatus, Severity,
    StreamKey, Verdict,
};

use super::log::Logged;
use super::numbered::Numbered;
use super::place::Place;
use crate::purge::PurgeRecord;
use crate::{
    AnomalyQuery, Around, AuditEntry, AuditQuery, Delivery, IncidentQuery, IncidentRecord,
    JudgedAs, ListedAnomaly, Message, NearbyAnomaly, ObservationQuery, Origin, PendingChange,
    Recorded, SettingsVersion, StoreError, Stored, StoredObservation, Waiting,
};

#[derive(Debug, Default)]
pub(super) struct Data {
    /// By their numbers, which are those of their leaves: in the order in which they were stored.
    pub(super) rows: BTreeMap<u64, Row>,
    numbers: HashMap<JobKey, u64>,
    /// Those of which no more is left.
    pub(super) purged_jobs: HashSet<JobKey>,
    /// The numbers of the normal jobs of each stream, by their start.
    normal: HashMap<StreamKey, BTreeSet<(i64, u64)>>,
    /// The numbers of the anomalies, by their start.
    anomalous: BTreeSet<(i64, u64)>,
    /// In the order in which they were first seen.
    pub(super) stream_order: BTreeMap<u64, StreamKey>,
    pub(super) streams: HashMap<StreamKey, Stream>,
    pub(super) model_states: HashMap<StreamKey, Vec<u8>>,
    pub(super) reviews: HashMap<JobKey, Vec<Stored<Review>>>,
    pub(super) incidents: Numbered<IncidentRecord>,
    pub(super) incident_of: HashMap<JobKey, u64>,
    pub(super) audit: Numbered<AuditEntry>,
    pub(super) purges: Numbered<PurgeRecord>,
    pub(super) settings: Numbered<SettingsVersion>,
    pub(super) proposals: Numbered<PendingChange>,
    pub(super) messages: Numbered<Message>,
    /// By message, then by sink.
    pub(super) deliveries: HashMap<u64, BTreeMap<String, Delivery>>,
    pub(super) log: Vec<Logged>,
    pub(super) notes: HashMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) job: BackupJob,
    pub(super) stream: StreamKey,
    pub(super) verdict: Verdict,
    pub(super) origin: Origin,
}

impl Row {
    pub(super) fn started_at_micros(&self) -> i64 {
        self.job.started_at().timestamp_micros()
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    pub(super) status: Option<String>,
    pub(super) due_at_micros: Option<i64>,
    /// When the newest of its jobs that were purged started.
    pub(super) purged_until_micros: Option<i64>,
}

impl Data {
    /// The number that the next record of the log gets.
    pub(super) fn next(&self) -> u64 {
        self.log.len() as u64 + 1
    }

    pub(super) fn number(&self, job: &JobKey) -> Option<u64> {
        self.numbers.get(job).copied()
    }

    pub(super) fn is_known(&self, job: &JobKey) -> bool {
        self.numbers.contains_key(job) || self.purged_jobs.contains(job)
    }

    pub(super) fn row(&self, job: &JobKey) -> Option<&Row> {
        self.rows.get(&self.number(job)?)
    }

    /// Keeps a job.
    pub(super) fn put(&mut self, number: u64, row: Row) {
        self.numbers.insert(row.job.key(), number);
        if row.verdict.judgement == Judgement::Normal {
            let normal = self.normal.entry(row.stream.clone()).or_default();
            normal.insert((row.started_at_micros(), number));
        }
        if row.verdict.is_anomalous() {
            self.anomalous.insert((row.started_at_micros(), number));
        }
        self.rows.insert(number, row);
    }

    /// Forgets a job.
    pub(super) fn remove(&mut self, number: u64) -> Option<Row> {
        let row = self.rows.remove(&number)?;
        self.numbers.remove(&row.job.key());
        self.anomalous.remove(&(row.started_at_micros(), number));
        if let Some(normal) = self.normal.get_mut(&row.stream) {
            normal.remove(&(row.started_at_micros(), number));
        }
        Some(row)
    }

    /// Makes a stream known, and returns its number if it was not.
    pub(super) fn add_stream(&mut self, stream: &StreamKey) -> Option<u64> {
        if self.streams.contains_key(stream) {
            return None;
        }
        let last = self.stream_order.last_key_value();
        let number = last.map_or(1, |(last, _)| last + 1);
        self.put_stream(number, stream.clone(), Stream::default());
        Some(number)
    }

    pub(super) fn put_stream(&mut self, number: u64, key: StreamKey, stream: Stream) {
        self.streams.insert(key.clone(), stream);
        self.stream_order.insert(number, key);
    }

    pub(super) fn remove_stream(&mut self, number: u64) -> Option<(StreamKey, Stream)> {
        let key = self.stream_order.remove(&number)?;
        let stream = self.streams.remove(&key)?;
        Some((key, stream))
    }

    /// Keeps the status of a known stream with when its next job is due, and returns those before.
    pub(super) fn set_status(
        &mut self,
        stream: &StreamKey,
        (status, due_at_micros): (Option<String>, Option<i64>),
    ) -> (Option<String>, Option<i64>) {
        let Some(stream) = self.streams.get_mut(stream) else {
            return (None, None);
        };
        let status = std::mem::replace(&mut stream.status, status);
        (
            status,
            std::mem::replace(&mut stream.due_at_micros, due_at_micros),
        )
    }

    pub(super) fn streams_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Vec<Stored<(StreamKey, Option<String>)>> {
        let later = (Bound::Excluded(after), Bound::Unbounded);
        let streams = self.stream_order.range(later).take(limit);
        streams
            .map(|(&number, key)| {
                let status = self
                    .streams
                    .get(key)
                    .and_then(|stream| stream.status.clone());
                let record = (key.clone(), status);
                Stored { number, record }
            })
            .collect()
    }

    pub(super) fn streams_of_client(&self, client: &ClientName) -> Vec<StreamKey> {
        let of_client = self.rows.values();
        let of_client = of_client.filter(|row| row.job.client().name == *client);
        let streams: HashSet<&StreamKey> = of_client.map(|row| &row.stream).collect();
        let in_order = self.stream_order.values();
        let in_order = in_order.filter(|stream| streams.contains(stream));
        in_order.cloned().collect()
    }

    pub(super) fn due_streams(
        &self,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Vec<Stored<(StreamKey, String)>> {
        let mut due: Vec<_> = self
            .stream_order
            .iter()
            .filter_map(|(&number, key)| {
                let stream = self.streams.get(key)?;
                let due_at = stream.due_at_micros?;
                let record = (key.clone(), stream.status.clone()?);
                (due_at <= until.timestamp_micros()).then_some((due_at, Stored { number, record }))
            })
            .collect();
        due.sort_by_key(|(due_at, stream)| (*due_at, stream.number));
        let due = due.into_iter().map(|(_, stream)| stream);
        due.take(limit).collect()
    }

    fn anomaly(&self, row: &Row) -> Anomaly {
        let mut anomaly = Anomaly::new(row.verdict.clone());
        let reviews = self.reviews.get(&row.job.key());
        anomaly.review = reviews.and_then(|reviews| Some(reviews.last()?.record.clone()));
        anomaly
    }

    pub(super) fn false_positives(&self, stream: &StreamKey) -> Vec<Anomaly> {
        let reviewed = self.reviews.keys().filter_map(|job| self.number(job));
        let reviewed: BTreeSet<u64> = reviewed.collect();
        let rows = reviewed.iter().filter_map(|number| self.rows.get(number));
        rows.filter(|row| row.stream == *stream)
            .map(|row| self.anomaly(row))
            .filter(|anomaly| anomaly.review_status() == ReviewStatus::FalsePositive)
            .collect()
    }

    pub(super) fn anomalies_around(&self, around: &Around<'_>) -> Vec<NearbyAnomaly> {
        let (first, last) = around.range_micros();
        let at = around.at.timestamp_micros();
        let between = |from: i64, to: i64| self.anomalous.range((from, 0)..=(to, u64::MAX));
        let stands = |number: &u64| self.nearby(*number, around.client);
        let before = between(first, at).rev();
        let before = before.filter_map(|(_, number)| stands(number));
        let mut near: Vec<NearbyAnomaly> = before.take(around.limit).collect();
        near.reverse();
        if at < last {
            let after = between(at + 1, last).filter_map(|(_, number)| stands(number));
            near.extend(after.take(around.limit));
        }
        near
    }

    /// An anomaly of a client that nobody has called a false positive or ignored.
    fn nearby(&self, number: u64, client: Option<&ClientName>) -> Option<NearbyAnomaly> {
        let row = self.rows.get(&number)?;
        let anomaly = self.anomaly(row);
        let verdict = &anomaly.verdict;
        let stands = matches!(
            anomaly.review_status(),
            ReviewStatus::NotReviewed | ReviewStatus::Confirmed
        );
        if !stands || client.is_some_and(|client| *client != verdict.client) {
            return None;
        }
        let job = verdict.key();
        Some(NearbyAnomaly {
            incident: self.incident_of.get(&job).copied(),
            job,
            client: verdict.client.clone(),
            started_at: DateTime::from_timestamp_micros(row.started_at_micros())?,
            severity: verdict.severity()?,
            kind: verdict.kind()?,
        })
    }

    pub(super) fn last_normal(&self, number: u64) -> Option<JobRef> {
        let this = self.rows.get(&number)?;
        let normal = self.normal.get(&this.stream)?;
        // Jobs mostly come in the order of their start: the first of these is nearly always it.
        let mut earlier = normal.range(..=(this.started_at_micros(), u64::MAX)).rev();
        let (_, found) = earlier.find(|(_, normal)| *normal < number)?;
        let job = &self.rows.get(found)?.job;
        Some(JobRef::new(job.key(), job.started_at()))
    }

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

    pub(super) fn listed_anomalies(
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

    pub(super) fn observations(
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
                && query
                    .judged_as
                    .is_none_or(|state| JudgedAs::from(&row.verdict.judgement) == state)
                && from.is_none_or(|from| from <= started_at)
                && until.is_none_or(|until| started_at < until)
        })?;
        Ok(found.into_iter().map(observation).collect())
    }

    pub(super) fn observations_stored_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Vec<StoredObservation> {
        let later = self.rows.range((Bound::Excluded(after), Bound::Unbounded));
        let later = later.map(|(&number, row)| (number, row));
        later.take(limit).map(observation).collect()
    }

    pub(super) fn recorded_after(
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

    pub(super) fn incidents(
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

    pub(super) fn audit_entries(&self, query: &AuditQuery) -> Vec<Stored<AuditEntry>> {
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

    pub(super) fn count_unreviewed(&self) -> Result<BTreeMap<Severity, u64>, StoreError> {
        let query = AnomalyQuery::default().review_status(ReviewStatus::NotReviewed);
        let mut counts = BTreeMap::new();
        for listed in self.listed_anomalies(&query)? {
            if let Some(severity) = listed.anomaly.verdict.severity() {
                *counts.entry(severity).or_default() += 1;
            }
        }
        Ok(counts)
    }

    pub(super) fn waiting(&self, sink: &str) -> Waiting {
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

    pub(super) fn due_messages(
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
