//! What a store in memory holds.

mod lists;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, BackupJob, ClientName, JobKey, JobRef, Judgement, Review, ReviewStatus, StreamKey,
    Verdict,
};

use super::log::Logged;
use super::numbered::Numbered;
use crate::purge::PurgeRecord;
use crate::{
    Around, AuditEntry, Delivery, IncidentRecord, Message, NearbyAnomaly, Origin, PendingChange,
    SettingsVersion, Stored,
};

#[derive(Debug, Default)]
pub(super) struct Data {
    /// By their numbers, which are those of their leaves: in the order in which they were stored.
    pub(super) rows: BTreeMap<u64, Row>,
    numbers: HashMap<JobKey, u64>,
    /// Those of which no more is left than before when they had started.
    pub(super) purged_jobs: HashMap<JobKey, DateTime<Utc>>,
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
        self.numbers.contains_key(job) || self.purged_jobs.contains_key(job)
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

    pub(super) fn members(&self, incident: u64) -> Vec<Anomaly> {
        let newest_first = self.anomalous.iter().rev();
        newest_first
            .filter_map(|(_, number)| self.rows.get(number))
            .filter(|row| self.incident_of.get(&row.job.key()) == Some(&incident))
            .map(|row| self.anomaly(row))
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
        if !anomaly.review_status().stands()
            || client.is_some_and(|client| *client != verdict.client)
        {
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
}
