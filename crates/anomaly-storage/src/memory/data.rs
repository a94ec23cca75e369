//! What a store in memory holds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, BackupJob, ClientName, JobKey, JobRef, Judgement, Review, ReviewStatus, StreamKey,
    Verdict,
};

use super::log::Logged;
use super::numbered::Numbered;
use crate::{
    AnomalyQuery, Around, AuditEntry, AuditQuery, Delivery, IncidentQuery, IncidentRecord,
    JudgedAs, Message, NearbyAnomaly, ObservationQuery, Origin, PendingChange, SettingsVersion,
    StoreError, Stored, StoredObservation,
};

#[derive(Debug, Default)]
pub(super) struct Data {
    /// In the order in which they were stored.
    pub(super) rows: Vec<Row>,
    /// Where each job is in `rows`.
    places: HashMap<JobKey, usize>,
    /// Where the normal jobs of each stream are in `rows`, by their start.
    normal_places: HashMap<StreamKey, BTreeSet<(i64, usize)>>,
    /// Where the anomalies are in `rows`, by their start.
    anomaly_places: BTreeSet<(i64, usize)>,
    /// In the order in which they were first seen.
    stream_order: Vec<StreamKey>,
    pub(super) streams: HashMap<StreamKey, Stream>,
    pub(super) model_states: HashMap<StreamKey, Vec<u8>>,
    pub(super) reviews: HashMap<JobKey, Vec<Review>>,
    pub(super) incidents: Numbered<IncidentRecord>,
    pub(super) incident_of: HashMap<JobKey, u64>,
    pub(super) audit: Numbered<AuditEntry>,
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
    fn started_at_micros(&self) -> i64 {
        self.job.started_at().timestamp_micros()
    }
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) status: Option<String>,
    pub(super) due_at_micros: Option<i64>,
}

impl Data {
    pub(super) fn place(&self, job: &JobKey) -> Option<usize> {
        self.places.get(job).copied()
    }

    pub(super) fn row(&self, job: &JobKey) -> Option<&Row> {
        self.place(job).map(|place| &self.rows[place])
    }

    /// Keeps a job, and returns its place.
    pub(super) fn push(&mut self, row: Row) -> usize {
        let place = self.rows.len();
        self.places.insert(row.job.key(), place);
        if row.verdict.judgement == Judgement::Normal {
            let places = self.normal_places.entry(row.stream.clone()).or_default();
            places.insert((row.started_at_micros(), place));
        }
        if row.verdict.is_anomalous() {
            self.anomaly_places.insert((row.started_at_micros(), place));
        }
        self.rows.push(row);
        place
    }

    /// Forgets the job that was kept last.
    pub(super) fn pop(&mut self) {
        let Some(row) = self.rows.pop() else { return };
        self.places.remove(&row.job.key());
        self.anomaly_places
            .remove(&(row.started_at_micros(), self.rows.len()));
        if let Some(places) = self.normal_places.get_mut(&row.stream) {
            places.remove(&(row.started_at_micros(), self.rows.len()));
        }
    }

    /// Makes a stream known, and says whether it was not.
    pub(super) fn add_stream(&mut self, stream: &StreamKey) -> bool {
        let is_new = !self.streams.contains_key(stream);
        if is_new {
            self.streams.insert(stream.clone(), Stream::default());
            self.stream_order.push(stream.clone());
        }
        is_new
    }

    /// Forgets the stream that became known last.
    pub(super) fn drop_last_stream(&mut self) {
        if let Some(stream) = self.stream_order.pop() {
            self.streams.remove(&stream);
        }
    }

    pub(super) fn streams_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Vec<Stored<(StreamKey, Option<String>)>> {
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let streams = (1..).zip(&self.stream_order).skip(skipped).take(limit);
        streams
            .map(|(number, stream)| Stored {
                number,
                record: (
                    stream.clone(),
                    self.streams
                        .get(stream)
                        .and_then(|found| found.status.clone()),
                ),
            })
            .collect()
    }

    pub(super) fn streams_of_client(&self, client: &ClientName) -> Vec<StreamKey> {
        let of_client = self.rows.iter();
        let of_client = of_client.filter(|row| row.job.client().name == *client);
        let streams: HashSet<&StreamKey> = of_client.map(|row| &row.stream).collect();
        let in_order = self.stream_order.iter();
        in_order
            .filter(|stream| streams.contains(stream))
            .cloned()
            .collect()
    }

    pub(super) fn due_streams(
        &self,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Vec<Stored<(StreamKey, String)>> {
        let mut due: Vec<_> = (1..)
            .zip(&self.stream_order)
            .filter_map(|(number, key)| {
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
        anomaly.review = reviews.and_then(|reviews| reviews.last().cloned());
        anomaly
    }

    pub(super) fn false_positives(&self, stream: &StreamKey) -> Vec<Anomaly> {
        let reviewed = self.reviews.keys().filter_map(|job| self.place(job));
        let mut places: Vec<usize> = reviewed
            .filter(|&place| self.rows[place].stream == *stream)
            .collect();
        places.sort_unstable();
        places
            .into_iter()
            .map(|place| self.anomaly(&self.rows[place]))
            .filter(|anomaly| anomaly.review_status() == ReviewStatus::FalsePositive)
            .collect()
    }

    pub(super) fn anomalies_around(&self, around: &Around<'_>) -> Vec<NearbyAnomaly> {
        let (first, last) = around.range_micros();
        let at = around.at.timestamp_micros();
        let between = |from: i64, to: i64| self.anomaly_places.range((from, 0)..=(to, usize::MAX));
        let stands = |place: &usize| self.nearby(*place, around.client);
        let before = between(first, at).rev();
        let before = before.filter_map(|(_, place)| stands(place));
        let mut near: Vec<NearbyAnomaly> = before.take(around.limit).collect();
        near.reverse();
        if at < last {
            let after = between(at + 1, last).filter_map(|(_, place)| stands(place));
            near.extend(after.take(around.limit));
        }
        near
    }

    /// An anomaly of a client that nobody has called a false positive or ignored.
    fn nearby(&self, place: usize, client: Option<&ClientName>) -> Option<NearbyAnomaly> {
        let row = &self.rows[place];
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

    pub(super) fn last_normal(&self, place: usize) -> Option<JobRef> {
        let this = &self.rows[place];
        let normal = self.normal_places.get(&this.stream)?;
        // Jobs mostly come in the order of their start: the first of these is nearly always it.
        let mut earlier = normal
            .range(..=(this.started_at_micros(), usize::MAX))
            .rev();
        let (_, found) = earlier.find(|(_, normal)| *normal < place)?;
        let job = &self.rows[*found].job;
        Some(JobRef::new(job.key(), job.started_at()))
    }

    /// The places of the rows that `meets` takes, newest start first, after the job `after`.
    fn listed(
        &self,
        after: Option<&JobKey>,
        limit: Option<usize>,
        meets: impl Fn(&Row) -> bool,
    ) -> Result<Vec<usize>, StoreError> {
        let order = |place: &usize| Reverse((self.rows[*place].started_at_micros(), *place));
        let after = after
            .map(|job| {
                let place = self.place(job);
                place.ok_or_else(|| StoreError::NoSuchJob { job: job.clone() })
            })
            .transpose()?;
        let mut places: Vec<usize> = (0..self.rows.len())
            .filter(|&place| meets(&self.rows[place]))
            .filter(|place| after.is_none_or(|after| order(place) > order(&after)))
            .collect();
        places.sort_by_key(order);
        places.truncate(limit.unwrap_or(usize::MAX));
        Ok(places)
    }

    pub(super) fn anomalies(&self, query: &AnomalyQuery) -> Result<Vec<Anomaly>, StoreError> {
        let places = self.listed(query.after.as_ref(), query.limit, |row| {
            let incident = self.incident_of.get(&row.job.key());
            row.verdict.is_anomalous()
                && query
                    .incident
                    .is_none_or(|number| incident == Some(&number))
                && query.includes(&self.anomaly(row))
        })?;
        Ok(places
            .into_iter()
            .map(|place| {
                let mut anomaly = self.anomaly(&self.rows[place]);
                anomaly.last_normal = self.last_normal(place);
                anomaly
            })
            .collect())
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
        let places = self.listed(query.after.as_ref(), query.limit, |row| {
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
        Ok(places
            .into_iter()
            .map(|place| self.observation(place))
            .collect())
    }

    pub(super) fn observations_stored_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Vec<StoredObservation> {
        let first = usize::try_from(after).unwrap_or(usize::MAX);
        let places = (first..self.rows.len()).take(limit);
        places.map(|place| self.observation(place)).collect()
    }

    fn observation(&self, place: usize) -> StoredObservation {
        let row = &self.rows[place];
        StoredObservation {
            number: place as u64 + 1,
            stream: row.stream.clone(),
            job: row.job.clone(),
            verdict: row.verdict.clone(),
            origin: row.origin,
        }
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
        };
        let newest_first = self.audit.stored().rev().filter(meets);
        newest_first
            .take(query.limit.unwrap_or(usize::MAX))
            .collect()
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
