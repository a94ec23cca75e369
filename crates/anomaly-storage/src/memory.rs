//! A store that lasts as long as the process.

mod data;
mod log;
mod numbered;
mod place;
mod purge;

use std::collections::BTreeMap;

use anomaly_model::chrono::{DateTime, SubsecRound, Utc};
use anomaly_model::{
    Anomaly, BackupJob, ClientName, JobKey, JobRef, Review, Severity, StreamKey, Verdict,
};

use self::data::{Data, Row};
use self::log::Entry;
use crate::{
    AnomalyQuery, Around, AuditEntry, AuditQuery, Decision, Delivery, Hash, IncidentQuery,
    IncidentRecord, Inserted, ListedAnomaly, LogHead, LogLeaf, Message, NearbyAnomaly, Observation,
    ObservationQuery, Origin, PendingChange, Purge, Purged, Read, Recorded, SettingsVersion, Store,
    StoreError, Stored, StoredObservation, Transaction, Waiting,
};

/// A store that lasts as long as the process: for a single scan, and for tests.
///
/// ```
/// use anomaly_storage::{AnomalyQuery, MemoryStore, Read};
///
/// let store = MemoryStore::default();
/// assert!(store.anomalies(&AnomalyQuery::default())?.is_empty());
/// # Ok::<(), anomaly_storage::StoreError>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    data: Data,
}

impl Store for MemoryStore {
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(MemoryTransaction {
            data: &mut self.data,
            undo: Vec::new(),
            now: None,
        }))
    }
}

type Undo = Box<dyn FnOnce(&mut Data)>;

/// Writes at once, since nobody reads beside it, and takes back what was not committed.
struct MemoryTransaction<'a> {
    data: &'a mut Data,
    /// What takes back each write, in the order of the writes.
    undo: Vec<Undo>,
    now: Option<DateTime<Utc>>,
}

impl MemoryTransaction<'_> {
    fn on_drop(&mut self, undo: impl FnOnce(&mut Data) + 'static) {
        self.undo.push(Box::new(undo));
    }

    fn add_stream(&mut self, stream: &StreamKey) {
        if let Some(number) = self.data.add_stream(stream) {
            self.on_drop(move |data| _ = data.remove_stream(number));
        }
    }

    /// Adds a leaf to the log, and returns its number.
    fn log(&mut self, entry: Entry) -> u64 {
        let number = self.data.next();
        self.data.log.push((entry, self.now));
        self.on_drop(|data| _ = data.log.pop());
        number
    }

    fn check_anomaly(&self, job: &JobKey) -> Result<(), StoreError> {
        if self
            .data
            .row(job)
            .is_some_and(|row| row.verdict.is_anomalous())
        {
            Ok(())
        } else {
            Err(StoreError::NoSuchAnomaly { job: job.clone() })
        }
    }
}

impl Drop for MemoryTransaction<'_> {
    fn drop(&mut self) {
        for undo in self.undo.drain(..).rev() {
            undo(self.data);
        }
    }
}

macro_rules! read_from_data {
    ($($Type:ty)*) => { $(
        impl Read for $Type {
            fn is_known(&self, job: &JobKey) -> Result<bool, StoreError> {
                Ok(self.data.is_known(job))
            }
            fn run_of(
                &self,
                job: &JobKey,
            ) -> Result<Option<(ClientName, DateTime<Utc>)>, StoreError> {
                let row = self.data.row(job);
                Ok(row.map(|row| (row.job.client().name.clone(), row.job.started_at())))
            }
            fn purged_before(&self, job: &JobKey) -> Result<Option<DateTime<Utc>>, StoreError> {
                Ok(self.data.purged_jobs.get(job).copied())
            }
            fn observation(&self, job: &JobKey) -> Result<Option<StoredObservation>, StoreError> {
                Ok(self.data.observation(job))
            }
            fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError> {
                Ok(self.data.row(job).map(|row| row.job.clone()))
            }
            fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError> {
                Ok(self.data.row(job).map(|row| row.verdict.clone()))
            }
            fn origin(&self, job: &JobKey) -> Result<Option<Origin>, StoreError> {
                Ok(self.data.row(job).map(|row| row.origin))
            }
            fn observations(
                &self,
                query: &ObservationQuery,
            ) -> Result<Vec<StoredObservation>, StoreError> {
                self.data.observations(query)
            }
            fn observations_stored_after(
                &self,
                after: u64,
                limit: usize,
            ) -> Result<Vec<StoredObservation>, StoreError> {
                Ok(self.data.observations_stored_after(after, limit))
            }
            fn recorded_after(
                &self,
                stream: Option<&StreamKey>,
                after: u64,
                limit: usize,
            ) -> Result<Vec<Recorded>, StoreError> {
                Ok(self.data.recorded_after(stream, after, limit))
            }
            fn recorded_at(&self, number: u64) -> Result<Option<DateTime<Utc>>, StoreError> {
                Ok(self.data.recorded_at(number))
            }
            fn listed_anomalies(
                &self,
                query: &AnomalyQuery,
            ) -> Result<Vec<ListedAnomaly>, StoreError> {
                self.data.listed_anomalies(query)
            }
            fn count_unreviewed(&self) -> Result<BTreeMap<Severity, u64>, StoreError> {
                self.data.count_unreviewed()
            }
            fn last_normal(&self, job: &JobKey) -> Result<Option<JobRef>, StoreError> {
                Ok(self.data.number(job).and_then(|number| self.data.last_normal(number)))
            }
            fn reviews(&self, job: &JobKey) -> Result<Vec<Review>, StoreError> {
                let reviews = self.data.reviews.get(job).into_iter().flatten();
                Ok(reviews.map(|review| review.record.clone()).collect())
            }
            fn false_positives(&self, stream: &StreamKey) -> Result<Vec<Anomaly>, StoreError> {
                Ok(self.data.false_positives(stream))
            }
            fn anomalies_around(
                &self,
                around: &Around<'_>,
            ) -> Result<Vec<NearbyAnomaly>, StoreError> {
                Ok(self.data.anomalies_around(around))
            }
            fn model_state(&self, stream: &StreamKey) -> Result<Option<Vec<u8>>, StoreError> {
                Ok(self.data.model_states.get(stream).cloned())
            }
            fn stream_status(&self, stream: &StreamKey) -> Result<Option<String>, StoreError> {
                Ok(self.data.streams.get(stream).and_then(|stream| stream.status.clone()))
            }
            fn purged_until(
                &self,
                stream: &StreamKey,
            ) -> Result<Option<DateTime<Utc>>, StoreError> {
                let stream = self.data.streams.get(stream);
                let micros = stream.and_then(|stream| stream.purged_until_micros);
                Ok(micros.and_then(DateTime::from_timestamp_micros))
            }
            fn streams(
                &self,
                after: u64,
                limit: usize,
            ) -> Result<Vec<Stored<(StreamKey, Option<String>)>>, StoreError> {
                Ok(self.data.streams_after(after, limit))
            }
            fn streams_of_client(&self, client: &ClientName) -> Result<Vec<StreamKey>, StoreError> {
                Ok(self.data.streams_of_client(client))
            }
            fn due_streams(
                &self,
                until: DateTime<Utc>,
                limit: usize,
            ) -> Result<Vec<Stored<(StreamKey, String)>>, StoreError> {
                Ok(self.data.due_streams(until, limit))
            }
            fn count_due_streams(&self, until: DateTime<Utc>) -> Result<u64, StoreError> {
                Ok(self.data.due_streams(until, usize::MAX).len() as u64)
            }
            fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
                Ok(self.data.notes.get(name).cloned())
            }
            fn incident(&self, number: u64) -> Result<Option<IncidentRecord>, StoreError> {
                Ok(self.data.incidents.get(number).cloned())
            }
            fn incidents(
                &self,
                query: &IncidentQuery,
            ) -> Result<Vec<Stored<IncidentRecord>>, StoreError> {
                self.data.incidents(query)
            }
            fn incident_of(&self, job: &JobKey) -> Result<Option<u64>, StoreError> {
                Ok(self.data.incident_of.get(job).copied())
            }
            fn members(&self, incident: u64) -> Result<Vec<Anomaly>, StoreError> {
                Ok(self.data.members(incident))
            }
            fn audit_entries(
                &self,
                query: &AuditQuery,
            ) -> Result<Vec<Stored<AuditEntry>>, StoreError> {
                Ok(self.data.audit_entries(query))
            }
            fn settings(&self) -> Result<Option<Stored<SettingsVersion>>, StoreError> {
                Ok(self.data.settings.stored().last())
            }
            fn settings_versions(&self) -> Result<Vec<Stored<SettingsVersion>>, StoreError> {
                Ok(self.data.settings.stored().collect())
            }
            fn proposal(&self, number: u64) -> Result<Option<PendingChange>, StoreError> {
                Ok(self.data.proposals.get(number).cloned())
            }
            fn pending(&self) -> Result<Vec<Stored<PendingChange>>, StoreError> {
                let waits = |change: &Stored<PendingChange>| change.record.decision.is_none();
                Ok(self.data.proposals.stored().filter(waits).collect())
            }
            fn due_messages(
                &self,
                sink: &str,
                now: DateTime<Utc>,
                limit: usize,
            ) -> Result<Vec<Stored<Message>>, StoreError> {
                Ok(self.data.due_messages(sink, now, limit))
            }
            fn waiting(&self, sink: &str) -> Result<Waiting, StoreError> {
                Ok(self.data.waiting(sink))
            }
            fn deliveries(&self, message: u64) -> Result<Vec<Delivery>, StoreError> {
                let deliveries = self.data.deliveries.get(&message);
                Ok(deliveries.into_iter().flat_map(|sinks| sinks.values().cloned()).collect())
            }
            fn log_head(&self) -> Result<LogHead, StoreError> {
                Ok(self.data.log_head())
            }
            fn leaf(&self, number: u64) -> Result<Option<LogLeaf>, StoreError> {
                Ok(self.data.leaf(number))
            }
            fn leaf_hashes(&self, after: u64, limit: usize) -> Result<Vec<Hash>, StoreError> {
                Ok(self.data.leaf_hashes(after, limit))
            }
        }
    )* };
}

read_from_data! { MemoryStore MemoryTransaction<'_> }

impl Transaction for MemoryTransaction<'_> {
    fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = Some(now);
    }

    fn insert(&mut self, observation: &Observation<'_>) -> Result<Inserted, StoreError> {
        let key = observation.checked_key()?;
        if self.data.is_known(&key) {
            return Ok(Inserted::AlreadyStored);
        }
        self.add_stream(observation.stream);
        let row = Row {
            job: observation.job.clone(),
            stream: observation.stream.clone(),
            verdict: observation.verdict.clone(),
            origin: observation.origin,
        };
        let number = self.log(Entry::Observation);
        self.data.put(number, row);
        self.on_drop(move |data| _ = data.remove(number));
        Ok(Inserted::New)
    }

    fn put_model_state(&mut self, stream: &StreamKey, state: &[u8]) -> Result<(), StoreError> {
        self.add_stream(stream);
        let before = self
            .data
            .model_states
            .insert(stream.clone(), state.to_vec());
        let stream = stream.clone();
        self.on_drop(move |data| {
            match before {
                Some(state) => data.model_states.insert(stream, state),
                None => data.model_states.remove(&stream),
            };
        });
        Ok(())
    }

    fn put_stream_status(
        &mut self,
        stream: &StreamKey,
        status: &str,
        due_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        self.add_stream(stream);
        let due_at_micros = due_at.map(|time| time.timestamp_micros());
        let now = (Some(status.to_owned()), due_at_micros);
        let before = self.data.set_status(stream, now);
        let stream = stream.clone();
        self.on_drop(move |data| _ = data.set_status(&stream, before));
        Ok(())
    }

    fn put_note(&mut self, name: &str, note: &str) -> Result<(), StoreError> {
        let before = self.data.notes.insert(name.to_owned(), note.to_owned());
        let name = name.to_owned();
        self.on_drop(move |data| {
            match before {
                Some(note) => data.notes.insert(name, note),
                None => data.notes.remove(&name),
            };
        });
        Ok(())
    }

    fn review(&mut self, job: &JobKey, review: &Review) -> Result<Option<Review>, StoreError> {
        self.check_anomaly(job)?;
        let number = self.log(Entry::Review(job.clone(), Box::new(review.clone())));
        let reviews = self.data.reviews.entry(job.clone()).or_default();
        let replaced = reviews.last().map(|review| review.record.clone());
        let record = review.clone();
        reviews.push(Stored { number, record });
        let key = job.clone();
        self.on_drop(move |data| {
            let reviews = data.reviews.entry(key);
            reviews.and_modify(|reviews| _ = reviews.pop());
        });
        self.audit(&AuditEntry::of_review(job, replaced.as_ref(), review))?;
        Ok(replaced)
    }

    fn open_incident(&mut self, incident: &IncidentRecord) -> Result<u64, StoreError> {
        let number = self.data.incidents.push(to_micros(incident));
        self.on_drop(|data| data.incidents.pop());
        Ok(number)
    }

    fn put_incident(&mut self, number: u64, incident: &IncidentRecord) -> Result<(), StoreError> {
        if self.data.incidents.get(number).is_none() {
            let what = "incident";
            return Err(StoreError::NoSuchRecord { what, number });
        }
        if let Some(before) = self.data.incidents.put(number, to_micros(incident)) {
            self.on_drop(move |data| _ = data.incidents.put(number, before));
        }
        Ok(())
    }

    fn put_in_incident(&mut self, job: &JobKey, incident: u64) -> Result<(), StoreError> {
        self.check_anomaly(job)?;
        if self.data.incidents.get(incident).is_none() {
            let (what, number) = ("incident", incident);
            return Err(StoreError::NoSuchRecord { what, number });
        }
        let before = self.data.incident_of.insert(job.clone(), incident);
        let job = job.clone();
        self.on_drop(move |data| {
            match before {
                Some(number) => data.incident_of.insert(job, number),
                None => data.incident_of.remove(&job),
            };
        });
        Ok(())
    }

    fn audit(&mut self, entry: &AuditEntry) -> Result<u64, StoreError> {
        let number = self.log(Entry::Audit);
        self.data.audit.put(number, entry.clone());
        self.on_drop(move |data| _ = data.audit.remove(number));
        Ok(number)
    }

    fn accept_settings(&mut self, version: &SettingsVersion) -> Result<u64, StoreError> {
        let number = self.log(Entry::Settings);
        self.data.settings.put(number, version.clone());
        self.on_drop(move |data| _ = data.settings.remove(number));
        Ok(number)
    }

    fn propose(&mut self, change: &PendingChange) -> Result<u64, StoreError> {
        let number = self.data.proposals.push(change.clone());
        self.on_drop(|data| data.proposals.pop());
        Ok(number)
    }

    fn decide(&mut self, proposal: u64, decision: &Decision) -> Result<(), StoreError> {
        let waiting = self.data.proposals.get(proposal);
        let waiting = waiting.filter(|change| change.decision.is_none());
        let Some(before) = waiting.cloned() else {
            let (what, number) = ("pending change", proposal);
            return Err(StoreError::NoSuchRecord { what, number });
        };
        let mut decided = before.clone();
        decided.decision = Some(decision.clone());
        self.data.proposals.put(proposal, decided);
        self.on_drop(move |data| _ = data.proposals.put(proposal, before));
        Ok(())
    }

    fn post(&mut self, message: &Message, sinks: &[&str]) -> Result<u64, StoreError> {
        let mut message = message.clone();
        message.made_at = message.made_at.trunc_subsecs(6);
        let made_at = message.made_at;
        let number = self.data.messages.push(message);
        self.on_drop(|data| data.messages.pop());
        for &sink in sinks {
            self.put_delivery(number, &Delivery::first(sink, made_at))?;
        }
        Ok(number)
    }

    fn put_delivery(&mut self, message: u64, delivery: &Delivery) -> Result<(), StoreError> {
        if self.data.messages.get(message).is_none() {
            let (what, number) = ("message", message);
            return Err(StoreError::NoSuchRecord { what, number });
        }
        let mut delivery = delivery.clone();
        delivery.next_attempt_at = delivery.next_attempt_at.map(|time| time.trunc_subsecs(6));
        delivery.delivered_at = delivery.delivered_at.map(|time| time.trunc_subsecs(6));
        let sink = delivery.sink.clone();
        let sinks = self.data.deliveries.entry(message).or_default();
        let before = sinks.insert(sink.clone(), delivery);
        self.on_drop(move |data| {
            let sinks = data.deliveries.entry(message).or_default();
            match before {
                Some(delivery) => sinks.insert(sink, delivery),
                None => sinks.remove(&sink),
            };
        });
        Ok(())
    }

    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError> {
        Ok(purge::purge(self, purge))
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.undo.clear();
        Ok(())
    }
}

/// An incident as it is read back.
fn to_micros(incident: &IncidentRecord) -> IncidentRecord {
    let micros = |time: DateTime<Utc>| time.trunc_subsecs(6);
    IncidentRecord {
        first_seen: micros(incident.first_seen),
        last_seen: micros(incident.last_seen),
        opened_at: micros(incident.opened_at),
        closed_at: incident.closed_at.map(micros),
        ..incident.clone()
    }
}
