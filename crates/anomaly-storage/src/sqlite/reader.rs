//! Questions to the database, from inside a transaction or not.

use std::collections::BTreeMap;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, BackupJob, ClientName, JobKey, JobRef, Review, Severity, StreamKey, Verdict,
};
use rusqlite::Connection;

use super::fault;
use super::site::Site;
use super::{
    SqliteStore, anomalies, audit, changes, history, incidents, jobs, log, outbox, records, streams,
};
use crate::evidence::Tree;
use crate::{
    AnomalyQuery, Around, AuditEntry, AuditQuery, Delivery, Hash, IncidentQuery, IncidentRecord,
    ListedAnomaly, LogHead, LogLeaf, Message, NearbyAnomaly, ObservationQuery, Origin,
    PendingChange, Read, Recorded, SettingsVersion, StoreError, Stored, StoredObservation, Waiting,
};

/// What reads from a database.
pub(super) trait Reader {
    fn connection(&self) -> &Connection;
    fn site(&self) -> &Site;

    fn read<T>(&self, read: impl FnOnce(&Connection) -> fault::Result<T>) -> Result<T, StoreError> {
        read(self.connection()).map_err(|fault| self.site().say(fault))
    }

    /// The log as this one sees it.
    fn tree(&self) -> fault::Result<Tree>;
}

impl Reader for SqliteStore {
    fn connection(&self) -> &Connection {
        &self.connection
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn tree(&self) -> fault::Result<Tree> {
        log::tree(&self.connection)
    }
}

impl<T: Reader> Read for T {
    fn is_known(&self, job: &JobKey) -> Result<bool, StoreError> {
        self.read(|connection| jobs::is_known(connection, job))
    }

    fn run_of(&self, job: &JobKey) -> Result<Option<(ClientName, DateTime<Utc>)>, StoreError> {
        self.read(|connection| jobs::run_of(connection, job))
    }

    fn purged_before(&self, job: &JobKey) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(|connection| jobs::purged_before(connection, job))
    }

    fn observation(&self, job: &JobKey) -> Result<Option<StoredObservation>, StoreError> {
        self.read(|connection| jobs::by_key(connection, job))
    }

    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError> {
        self.read(|connection| jobs::job(connection, job))
    }

    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError> {
        self.read(|connection| jobs::verdict(connection, job))
    }

    fn origin(&self, job: &JobKey) -> Result<Option<Origin>, StoreError> {
        self.read(|connection| jobs::origin(connection, job))
    }

    fn observations(&self, query: &ObservationQuery) -> Result<Vec<StoredObservation>, StoreError> {
        self.read(|connection| jobs::observations(connection, query))
    }

    fn observations_stored_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredObservation>, StoreError> {
        self.read(|connection| jobs::observations_stored_after(connection, after, limit))
    }

    fn recorded_after(
        &self,
        stream: Option<&StreamKey>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.read(|connection| history::recorded_after(connection, stream, after, limit))
    }

    fn recorded_at(&self, number: u64) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(|connection| anomalies::recorded_at(connection, number))
    }

    fn listed_anomalies(&self, query: &AnomalyQuery) -> Result<Vec<ListedAnomaly>, StoreError> {
        self.read(|connection| anomalies::listed(connection, query))
    }

    fn count_unreviewed(&self) -> Result<BTreeMap<Severity, u64>, StoreError> {
        self.read(anomalies::unreviewed)
    }

    fn last_normal(&self, job: &JobKey) -> Result<Option<JobRef>, StoreError> {
        self.read(|connection| jobs::last_normal(connection, job))
    }

    fn reviews(&self, job: &JobKey) -> Result<Vec<Review>, StoreError> {
        self.read(|connection| anomalies::reviews(connection, job))
    }

    fn false_positives(&self, stream: &StreamKey) -> Result<Vec<Anomaly>, StoreError> {
        self.read(|connection| anomalies::false_positives(connection, stream))
    }

    fn anomalies_around(&self, around: &Around<'_>) -> Result<Vec<NearbyAnomaly>, StoreError> {
        self.read(|connection| anomalies::around(connection, around))
    }

    fn model_state(&self, stream: &StreamKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| streams::model_state(connection, stream))
    }

    fn stream_status(&self, stream: &StreamKey) -> Result<Option<String>, StoreError> {
        self.read(|connection| streams::status(connection, stream))
    }

    fn purged_until(&self, stream: &StreamKey) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(|connection| streams::purged_until(connection, stream))
    }

    fn streams(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Stored<(StreamKey, Option<String>)>>, StoreError> {
        self.read(|connection| streams::streams(connection, after, limit))
    }

    fn streams_of_client(&self, client: &ClientName) -> Result<Vec<StreamKey>, StoreError> {
        self.read(|connection| streams::of_client(connection, client))
    }

    fn due_streams(
        &self,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Stored<(StreamKey, String)>>, StoreError> {
        self.read(|connection| streams::due(connection, until, limit))
    }

    fn count_due_streams(&self, until: DateTime<Utc>) -> Result<u64, StoreError> {
        self.read(|connection| streams::count_due(connection, until))
    }

    fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| streams::note(connection, name))
    }

    fn incident(&self, number: u64) -> Result<Option<IncidentRecord>, StoreError> {
        self.read(|connection| incidents::incident(connection, number))
    }

    fn incidents(&self, query: &IncidentQuery) -> Result<Vec<Stored<IncidentRecord>>, StoreError> {
        self.read(|connection| incidents::incidents(connection, query))
    }

    fn incident_of(&self, job: &JobKey) -> Result<Option<u64>, StoreError> {
        self.read(|connection| incidents::incident_of(connection, job))
    }

    fn members(&self, incident: u64) -> Result<Vec<Anomaly>, StoreError> {
        self.read(|connection| anomalies::members(connection, incident))
    }

    fn audit_entries(&self, query: &AuditQuery) -> Result<Vec<Stored<AuditEntry>>, StoreError> {
        self.read(|connection| audit::entries(connection, query))
    }

    fn settings(&self) -> Result<Option<Stored<SettingsVersion>>, StoreError> {
        self.read(changes::settings)
    }

    fn settings_versions(&self) -> Result<Vec<Stored<SettingsVersion>>, StoreError> {
        self.read(changes::settings_versions)
    }

    fn proposal(&self, number: u64) -> Result<Option<PendingChange>, StoreError> {
        self.read(|connection| changes::proposal(connection, number))
    }

    fn pending(&self) -> Result<Vec<Stored<PendingChange>>, StoreError> {
        self.read(changes::pending)
    }

    fn due_messages(
        &self,
        sink: &str,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Stored<Message>>, StoreError> {
        self.read(|connection| outbox::due(connection, sink, now, limit))
    }

    fn waiting(&self, sink: &str) -> Result<Waiting, StoreError> {
        self.read(|connection| outbox::waiting(connection, sink))
    }

    fn deliveries(&self, message: u64) -> Result<Vec<Delivery>, StoreError> {
        self.read(|connection| outbox::deliveries(connection, message))
    }

    fn log_head(&self) -> Result<LogHead, StoreError> {
        let tree = self.tree().map_err(|fault| self.site().say(fault))?;
        Ok(tree.head())
    }

    fn leaf(&self, number: u64) -> Result<Option<LogLeaf>, StoreError> {
        self.read(|connection| records::leaf(connection, number))
    }

    fn leaf_hashes(&self, after: u64, limit: usize) -> Result<Vec<Hash>, StoreError> {
        self.read(|connection| log::hashes(connection, after, limit))
    }
}
