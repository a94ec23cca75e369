//! Engine and store, composed.

mod backtest;
mod coverage;
mod drill;
mod guard;
mod incidents;
mod recovery;
mod reviews;
mod tick;

use std::path::Path;
use std::sync::Arc;

use anomaly_engine::{Engine, Population};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{Anomaly, BackupJob, JobKey, JobRef, Severity, StreamKey, Verdict};
use anomaly_settings::Settings;
use anomaly_storage::{
    AnomalyQuery, AuditEntry, MemoryStore, ObservationQuery, Origin, Purge, Purged, Read,
    SqliteStore, Store, Transaction,
};

pub use self::drill::StreamCopy;
pub(crate) use self::guard::accepted_settings;
pub use self::guard::{GuardReport, SettingsRequest, SettingsRevision};
use crate::session::Session;
use crate::{BatchSummary, Novelty, Observed, ServiceError};

/// Jobs that a batch commits at once: enough that the disk is not what limits it, few enough that
/// a killed process repeats little.
const BATCH_JOBS: usize = 1_000;

/// Jobs that are deleted at once: others wait for no longer than for some observations.
const PURGE_STEP_JOBS: u16 = 200;
/// What was learnt of a stream is kept for so long after its last job, even where jobs are kept for
/// less: once a year is often enough.
const IDLE: TimeDelta = TimeDelta::days(400);
/// A clock that is further ahead of the newest job is not believed.
const LAST_JOB_IS_NEWS: TimeDelta = TimeDelta::days(31);

/// Judges jobs, keeps jobs and verdicts, takes reviews.
///
/// Job, verdict and model state of one job are committed together: after a crash either all of it
/// is there or none. Two processes may use one database; one writes at a time.
///
/// ```
/// use anomaly_service::AnomalyService;
/// use anomaly_service::model::{BackupImage, BackupJob, chrono::DateTime};
/// use anomaly_service::settings::Settings;
///
/// let mut service = AnomalyService::in_memory(Settings::default());
/// let image = BackupImage::default().image_bytes(40_000_000_000).transferred_bytes(90_000_000);
/// let started_at = "2026-11-22T03:00:00Z".parse::<DateTime<_>>()?;
/// let job = BackupJob::builder("mytool", "job-4711", "mail01", "daily", started_at)
///     .image(image)
///     .build()?;
/// let observed = service.observe(&job)?;
/// assert!(!observed.already_known);
/// assert!(observed.verdict.summary.starts_with("Learning: 0 of 7 jobs learnt"));
/// assert!(service.observe(&job)?.already_known);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AnomalyService {
    engine: Engine,
    store: Box<dyn Store>,
    /// When jobs that are handed over have come, if the caller says so.
    received_at: Option<DateTime<Utc>>,
}

impl AnomalyService {
    /// A service on the SQLite database at `path`, which is created if it is not there.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the database cannot be opened or created, is no database of
    /// Backwatch, or is of a newer version.
    pub fn open(path: impl AsRef<Path>, settings: Settings) -> Result<Self, ServiceError> {
        let mut store = SqliteStore::open(path.as_ref())?;
        store.set_busy_timeout(settings.storage.wait())?;
        Ok(Self::with_store(Box::new(store), settings))
    }

    /// A service that forgets everything when it is dropped.
    #[must_use]
    pub fn in_memory(settings: Settings) -> Self {
        Self::with_store(Box::new(MemoryStore::default()), settings)
    }

    /// A service on a store of the caller's.
    #[must_use]
    pub fn with_store(store: Box<dyn Store>, settings: Settings) -> Self {
        Self {
            engine: Engine::new(settings),
            store,
            received_at: None,
        }
    }

    /// Judges by what this population shows of streams in general, instead of the shipped one.
    #[must_use]
    pub fn with_population(mut self, population: Arc<Population>) -> Self {
        self.engine = self.engine.with_population(population);
        self
    }

    /// Says what time it is: jobs are recorded with it as the time when they came. Until it is called
    /// they are recorded without one; a library takes the time of day from its caller.
    pub fn set_received_at(&mut self, now: DateTime<Utc>) {
        self.received_at = Some(now);
    }

    /// The settings by which it judges.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.engine.settings()
    }

    /// What the store holds, for whatever this type has no words for: jobs, the audit log, notes,
    /// messages.
    #[must_use]
    pub fn records(&self) -> &dyn Read {
        &*self.store
    }

    /// A transaction of the caller's own: accounts as a note, say, with an entry of the audit log.
    ///
    /// Jobs, reviews and incidents belong in the methods of this type, which keep them in step with
    /// what is learnt.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when another process keeps the write lock for too long.
    pub fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>, ServiceError> {
        Ok(self.store.transaction()?)
    }

    /// Judges a finished job, and keeps it with its verdict.
    ///
    /// A stream whose stored model cannot be used does not fail: its jobs are kept, `not_scored`
    /// with the reason, until the model is restored or [`forgotten`](Self::forget).
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store fails; [`ServiceError::Record`] when the incident that
    /// an anomaly belongs to cannot be read, [`ServiceError::Missing`] when it is not there, and
    /// [`ServiceError::Model`] when what was learnt cannot be written. Then nothing was kept.
    pub fn observe(&mut self, job: &BackupJob) -> Result<Observed, ServiceError> {
        let mut session = self.begin()?;
        let observed = session.observe(job)?;
        session.commit()?;
        Ok(observed)
    }

    /// Judges many jobs in order, a thousand to a commit.
    ///
    /// `progress` is called with each verdict once it is stored. The verdicts are the same as if
    /// the jobs came one at a time.
    ///
    /// # Errors
    /// As [`observe`](Self::observe); what `progress` has been called with is kept.
    pub fn observe_all(
        &mut self,
        jobs: impl IntoIterator<Item = BackupJob>,
        mut progress: impl FnMut(Observed),
    ) -> Result<BatchSummary, ServiceError> {
        let mut summary = BatchSummary::default();
        let mut jobs = jobs.into_iter();
        loop {
            // The caller's iterator may be slow: it runs before the store is locked.
            let batch: Vec<BackupJob> = jobs.by_ref().take(BATCH_JOBS).collect();
            if batch.is_empty() {
                return Ok(summary);
            }
            let mut session = self.begin()?;
            let observed: Vec<Observed> = batch
                .iter()
                .map(|job| session.observe(job))
                .collect::<Result<_, _>>()?;
            session.commit()?;
            for observed in observed {
                if observed.not_kept.is_some() {
                    summary.not_kept_jobs += 1;
                } else if observed.already_known {
                    summary.known_jobs += 1;
                } else {
                    summary.new_jobs += 1;
                }
                progress(observed);
            }
        }
    }

    /// A session for jobs that have just come.
    fn begin(&mut self) -> Result<Session<'_>, ServiceError> {
        let mut session = Session::begin(&self.engine, &mut *self.store)?;
        if let Some(received_at) = self.received_at {
            session.transaction.set_now(received_at);
        }
        Ok(session)
    }

    /// Takes down an entry of the audit log by itself.
    fn note(&mut self, entry: &AuditEntry) -> Result<(), ServiceError> {
        let mut transaction = self.store.transaction()?;
        transaction.set_now(entry.at);
        transaction.audit(entry)?;
        Ok(transaction.commit()?)
    }

    /// The anomalies that a query asks for, in its order.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn anomalies(&self, query: &AnomalyQuery) -> Result<Vec<Anomaly>, ServiceError> {
        Ok(self.store.anomalies(query)?)
    }

    /// The verdict on a job, if the job is known.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, ServiceError> {
        Ok(self.store.verdict(job)?)
    }

    /// Whether a job would be judged: it is not if it was kept before, or cannot be told from another.
    /// What a list that is handed over again and again needs not hand over.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn novelty(&self, job: &BackupJob) -> Result<Novelty, ServiceError> {
        Novelty::of(job, &*self.store)
    }

    /// The last job of the same stream before `job` that was judged normal.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn last_normal(&self, job: &JobKey) -> Result<Option<JobRef>, ServiceError> {
        Ok(self.store.last_normal(job)?)
    }

    /// The job that started last, of those that tools handed over and that had started by `now`. One
    /// that was due and did not come is none, and neither is one that is dated ahead.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn last_job(&self, now: DateTime<Utc>) -> Result<Option<BackupJob>, ServiceError> {
        let query = ObservationQuery::default()
            .origin(Origin::Tool)
            .started_until(now)
            .limit(1);
        Ok(self.store.observations(&query)?.pop().map(|one| one.job))
    }

    /// Deletes jobs that are older than `storage.retention_days`, and what goes with them: at most
    /// `most_jobs` of them, in short transactions, so that others write meanwhile. See [`Purge`] for
    /// what is kept.
    ///
    /// To be called beside the daily work, with the time of the caller's clock. A clock that is ahead
    /// deletes no more than one a month after the [last job](Self::last_job) would.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store fails; what was deleted before is deleted.
    pub fn purge(&mut self, now: DateTime<Utc>, most_jobs: u64) -> Result<Purged, ServiceError> {
        let mut purged = Purged::default();
        let Some(retention) = self.settings().storage.retention() else {
            return Ok(purged);
        };
        let Some(last) = self.last_job(now)? else {
            return Ok(purged);
        };
        let now = now.min(last.started_at() + LAST_JOB_IS_NEWS);
        let mut left = most_jobs;
        while left > 0 {
            let limit =
                u16::try_from(left).map_or(PURGE_STEP_JOBS, |left| left.min(PURGE_STEP_JOBS));
            let mut transaction = self.store.transaction()?;
            transaction.set_now(now);
            let step = transaction.purge(&Purge {
                now,
                started_before: now - retention,
                idle_before: now - retention.max(IDLE),
                limit: limit.into(),
            })?;
            transaction.commit()?;
            if step.is_nothing() {
                break;
            }
            purged += step;
            left -= u64::from(limit);
        }
        if !purged.is_nothing() {
            tracing::info!(jobs = purged.jobs, streams = purged.streams, "purged");
        }
        Ok(purged)
    }

    /// Forgets what was learnt of a stream, which then warms up anew: for a stored model that
    /// cannot be used, or a stream that has become another. Jobs and verdicts stay.
    ///
    /// Until it has warmed up, less is seen: who did it, and when, is a system event of the audit log.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store fails; then nothing was changed.
    pub fn forget(
        &mut self,
        stream: &StreamKey,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let entry = AuditEntry::new(now, by, "forget", stream.to_string());
        let mut session = Session::begin(&self.engine, &mut *self.store)?;
        session.forget(stream)?;
        session.transaction.set_now(now);
        session
            .transaction
            .audit(&entry.with_severity(Severity::Medium))?;
        session.commit()?;
        tracing::info!(%stream, "forgotten");
        Ok(())
    }
}
