//! What every store can do, whatever it keeps its data in.

use std::collections::BTreeMap;
use std::fmt::Debug;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, BackupJob, ClientName, JobKey, JobRef, Review, Severity, StreamKey, Verdict,
};

use crate::{
    AnomalyQuery, Around, AuditEntry, AuditQuery, Decision, Delivery, Hash, IncidentQuery,
    IncidentRecord, Inserted, ListedAnomaly, LogHead, LogLeaf, Message, NearbyAnomaly, Observation,
    ObservationQuery, Origin, PendingChange, Purge, Purged, Recorded, SettingsVersion, StoreError,
    Stored, StoredObservation, Waiting,
};

/// What can be read: of a [`Store`], what was committed; of a [`Transaction`], also what was
/// written in it.
///
/// Every method fails when the store cannot be read.
pub trait Read {
    /// Whether a job is stored or was before it was purged, for a list of which most are: no record
    /// is read for it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn is_known(&self, job: &JobKey) -> Result<bool, StoreError>;

    /// Whose a stored job is and when it started, without reading its record; `None` when the job is
    /// unknown or was purged.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn run_of(&self, job: &JobKey) -> Result<Option<(ClientName, DateTime<Utc>)>, StoreError>;

    /// When a purged job had started at the latest: it was deleted as one of those before this time.
    /// `None` when the job is unknown or is still stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn purged_before(&self, job: &JobKey) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// A job with all that was stored with it; `None` when it is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn observation(&self, job: &JobKey) -> Result<Option<StoredObservation>, StoreError>;

    /// A job; `None` when it is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError>;

    /// The verdict on a job; `None` when the job is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError>;

    /// Who says that there was such a job; `None` when it is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn origin(&self, job: &JobKey) -> Result<Option<Origin>, StoreError>;

    /// The observations that `query` asks for, newest start first, and of the same start the one
    /// stored last first.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`] when the job that the list is to go on after is unknown; otherwise
    /// when the store cannot be read.
    fn observations(&self, query: &ObservationQuery) -> Result<Vec<StoredObservation>, StoreError>;

    /// Up to `limit` observations in the order in which they were stored, from the first one after
    /// the one with the number `after`; 0 for the first of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn observations_stored_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredObservation>, StoreError>;

    /// Up to `limit` observations and reviews, of one stream or of all, in the order in which they
    /// were recorded, from the first one after the one with the number `after`; 0 for the first of
    /// all. What was purged is not among them.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn recorded_after(
        &self,
        stream: Option<&StreamKey>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError>;

    /// When a record was stored, by its number; `None` where whoever stored it did not say, and when
    /// there is no such record.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn recorded_at(&self, number: u64) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// The anomalies that `query` asks for, in its order; each with its job, its current review and
    /// the stream's last normal job.
    ///
    /// # Errors
    /// [`StoreError::NoSuchJob`] when the job that the list is to go on after is unknown; otherwise
    /// when the store cannot be read.
    fn listed_anomalies(&self, query: &AnomalyQuery) -> Result<Vec<ListedAnomaly>, StoreError>;

    /// The same without their jobs.
    ///
    /// # Errors
    /// As [`listed_anomalies`](Self::listed_anomalies).
    fn anomalies(&self, query: &AnomalyQuery) -> Result<Vec<Anomaly>, StoreError> {
        let listed = self.listed_anomalies(query)?;
        Ok(listed.into_iter().map(|one| one.anomaly).collect())
    }

    /// How many anomalies nobody has decided about, of each severity that there are any of.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn count_unreviewed(&self) -> Result<BTreeMap<Severity, u64>, StoreError>;

    /// The newest job of the same stream that was judged normal, was stored before this one and
    /// did not start after it; `None` when there is none or this job is unknown.
    ///
    /// Jobs that arrive later, however old, do not change the answer.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn last_normal(&self, job: &JobKey) -> Result<Option<JobRef>, StoreError>;

    /// Every decision about a job, oldest first; the last one counts. Empty when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn reviews(&self, job: &JobKey) -> Result<Vec<Review>, StoreError>;

    /// The anomalies of a stream whose current review is `false_positive`, with it, in the order in
    /// which they were stored. Next to free for a stream that has none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn false_positives(&self, stream: &StreamKey) -> Result<Vec<Anomaly>, StoreError>;

    /// The anomalies near a time that nobody has called a false positive or ignored, in the order
    /// of their start.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn anomalies_around(&self, around: &Around<'_>) -> Result<Vec<NearbyAnomaly>, StoreError>;

    /// What [`put_model_state`](Transaction::put_model_state) last kept for a stream.
    ///
    /// # Errors
    /// [`StoreError::DamagedModel`] when the bytes are not those that were kept.
    fn model_state(&self, stream: &StreamKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// What [`put_stream_status`](Transaction::put_stream_status) last kept for a stream.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn stream_status(&self, stream: &StreamKey) -> Result<Option<String>, StoreError>;

    /// When the newest of a stream's jobs that were purged started; `None` when none were.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn purged_until(&self, stream: &StreamKey) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Up to `limit` streams in the order in which they were first seen, from the first one after
    /// the one with the number `after` (0 for the first of all); each with its status, if it has
    /// one.
    ///
    /// # Errors
    /// When the store cannot be read.
    #[expect(clippy::type_complexity, reason = "a stream and its status")]
    fn streams(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Stored<(StreamKey, Option<String>)>>, StoreError>;

    /// The streams that a client has jobs in, in the order in which they were first seen.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn streams_of_client(&self, client: &ClientName) -> Result<Vec<StreamKey>, StoreError>;

    /// Up to `limit` streams whose next job is due by `until`, the one due first first, with their
    /// status.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn due_streams(
        &self,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Stored<(StreamKey, String)>>, StoreError>;

    /// How many streams there are whose next job is due by `until`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn count_due_streams(&self, until: DateTime<Utc>) -> Result<u64, StoreError>;

    /// What [`put_note`](Transaction::put_note) last kept under a name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn note(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// An incident; `None` when the number is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn incident(&self, number: u64) -> Result<Option<IncidentRecord>, StoreError>;

    /// The incidents that `query` asks for, those seen last first, and of these the one opened last
    /// first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Stored<IncidentRecord>>, StoreError>;

    /// The number of the incident that an anomaly belongs to.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn incident_of(&self, job: &JobKey) -> Result<Option<u64>, StoreError>;

    /// The anomalies of an incident, newest start first, and of the same start the one stored last
    /// first; each with its current review, and without the stream's last normal job, which costs as
    /// much again.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn members(&self, incident: u64) -> Result<Vec<Anomaly>, StoreError>;

    /// The entries of the audit log that `query` asks for, newest first; with
    /// [`after`](AuditQuery::after), oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn audit_entries(&self, query: &AuditQuery) -> Result<Vec<Stored<AuditEntry>>, StoreError>;

    /// The settings that were accepted last; `None` when none ever were.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn settings(&self) -> Result<Option<Stored<SettingsVersion>>, StoreError>;

    /// All settings that were ever accepted, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn settings_versions(&self) -> Result<Vec<Stored<SettingsVersion>>, StoreError>;

    /// A change that waits or waited for a second person; `None` when the number is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn proposal(&self, number: u64) -> Result<Option<PendingChange>, StoreError>;

    /// The changes that wait for a second person, oldest first; lapsed ones too, until the caller
    /// decides so.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn pending(&self) -> Result<Vec<Stored<PendingChange>>, StoreError>;

    /// Up to `limit` messages that are due to be told to a sink at `now`, those due first first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn due_messages(
        &self,
        sink: &str,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Stored<Message>>, StoreError>;

    /// How much waits for a sink, due or not.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn waiting(&self, sink: &str) -> Result<Waiting, StoreError>;

    /// How far a message has come on its way to each of its sinks, in the order of their names.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn deliveries(&self, message: u64) -> Result<Vec<Delivery>, StoreError>;

    /// What stands for everything that was ever recorded.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn log_head(&self) -> Result<LogHead, StoreError>;

    /// A leaf of the log by its number, from 1; `None` when there is none.
    ///
    /// # Errors
    /// When its record is not what was recorded, or the store cannot be read.
    fn leaf(&self, number: u64) -> Result<Option<LogLeaf>, StoreError>;

    /// The hashes of up to `limit` leaves of the log in their order, from the first one after the
    /// one with the number `after`; 0 for the first of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn leaf_hashes(&self, after: u64, limit: usize) -> Result<Vec<Hash>, StoreError>;
}

/// Keeps jobs, verdicts, model states, reviews, and all that goes with them.
///
/// Reading needs no transaction and sees what was committed. Writing happens in a
/// [`Transaction`].
pub trait Store: Read + Debug + Send {
    /// Starts a transaction, which holds the store's one write lock until it ends.
    ///
    /// What is read in it cannot change under it: two processes on one database cannot both learn
    /// from the same state of a model.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process keeps the lock for too long.
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>, StoreError>;

    /// Records a decision about one anomaly in a transaction of its own, and returns the one that
    /// it replaces. The replaced one stays in [`reviews`](Read::reviews).
    ///
    /// # Errors
    /// [`StoreError::NoSuchAnomaly`] when the job is unknown or not anomalous, and the errors of
    /// [`transaction`](Self::transaction).
    fn review(&mut self, job: &JobKey, review: &Review) -> Result<Option<Review>, StoreError> {
        let mut transaction = self.transaction()?;
        let replaced = transaction.review(job, review)?;
        transaction.commit()?;
        Ok(replaced)
    }
}

/// Changes that become visible and durable together, or not at all.
///
/// Dropped without [`commit`](Self::commit), it leaves nothing behind. What is read in it includes
/// what was written in it. One transaction may hold the observations of some thousand jobs.
///
/// Observations, reviews, accepted settings and entries of the audit log each become a leaf of the
/// log that [`log_head`](Read::log_head) stands for, in the order of the calls.
pub trait Transaction: Read {
    /// Says what time it is: the leaves of the log that follow carry it. Until it is called they
    /// carry none; a store takes the time of day from its caller.
    fn set_now(&mut self, now: DateTime<Utc>);

    /// Keeps a job and its verdict. A job whose key the store has, or had before it was purged,
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError::OtherJob`] when the verdict is about another job, [`StoreError::NotFinite`]
    /// when it holds something that is not a number; otherwise when the store cannot be written.
    fn insert(&mut self, observation: &Observation<'_>) -> Result<Inserted, StoreError>;

    /// Keeps the state of a stream's model, in place of the one before. The store does not look
    /// into the bytes.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn put_model_state(&mut self, stream: &StreamKey, state: &[u8]) -> Result<(), StoreError>;

    /// Keeps what is to be known of a stream without reading its jobs, in place of what was kept
    /// before: a short text, JSON say, that the store does not look into, and when the next job is
    /// due, if anyone waits for it.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn put_stream_status(
        &mut self,
        stream: &StreamKey,
        status: &str,
        due_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError>;

    /// Keeps a short text of the whole installation under a name, in place of the one before.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn put_note(&mut self, name: &str, note: &str) -> Result<(), StoreError>;

    /// Records a decision about one anomaly, and returns the one that it replaces. The audit log
    /// gets an entry `review` with both.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAnomaly`] when the job is unknown or not anomalous; otherwise when the
    /// store cannot be written.
    fn review(&mut self, job: &JobKey, review: &Review) -> Result<Option<Review>, StoreError>;

    /// Keeps a new incident, and returns its number.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn open_incident(&mut self, incident: &IncidentRecord) -> Result<u64, StoreError>;

    /// Replaces what is kept of an incident.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRecord`] when the number is unknown; otherwise when the store cannot be
    /// written.
    fn put_incident(&mut self, number: u64, incident: &IncidentRecord) -> Result<(), StoreError>;

    /// Says which incident an anomaly belongs to, and no more to another.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAnomaly`] when the job is unknown or not anomalous,
    /// [`StoreError::NoSuchRecord`] when the number is unknown; otherwise when the store cannot be
    /// written.
    fn put_in_incident(&mut self, job: &JobKey, incident: u64) -> Result<(), StoreError>;

    /// Adds an entry to the audit log, and returns its number.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn audit(&mut self, entry: &AuditEntry) -> Result<u64, StoreError>;

    /// Keeps settings that were accepted, and returns their number.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn accept_settings(&mut self, version: &SettingsVersion) -> Result<u64, StoreError>;

    /// Keeps a change that waits for a second person, and returns its number.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn propose(&mut self, change: &PendingChange) -> Result<u64, StoreError>;

    /// Says how a proposal ended.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRecord`] when no proposal with this number waits; otherwise when the
    /// store cannot be written.
    fn decide(&mut self, proposal: u64, decision: &Decision) -> Result<(), StoreError>;

    /// Keeps a message that is to be told to `sinks`, at once to each, and returns its number.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn post(&mut self, message: &Message, sinks: &[&str]) -> Result<u64, StoreError>;

    /// Keeps how far a message has come on its way to a sink, in place of what was kept before.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRecord`] when the message is unknown; otherwise when the store cannot be
    /// written.
    fn put_delivery(&mut self, message: u64, delivery: &Delivery) -> Result<(), StoreError>;

    /// Deletes what is older than it is kept for: one step, of as many as are to be done. The log
    /// gets a leaf that says which of its leaves have lost their records.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn purge(&mut self, purge: &Purge) -> Result<Purged, StoreError>;

    /// Makes the changes visible and durable.
    ///
    /// # Errors
    /// When the store cannot be written, or a write of this transaction failed before; then
    /// nothing of it is kept.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
