//! What every store can do, whatever it keeps its data in.

use std::fmt::Debug;

use anomaly_model::{Anomaly, BackupJob, Finding, JobKey, JobRef, Review, StreamKey, Verdict};

use crate::{AnomalyQuery, StoreError};

/// A job, the stream that it belongs to, and what was concluded about it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The job.
    pub job: &'a BackupJob,
    /// The jobs that it was judged against.
    pub stream: &'a StreamKey,
    /// The conclusion; about this job.
    pub verdict: &'a Verdict,
}

impl Observation<'_> {
    /// The key of the job, once it is known that the verdict is about it and can be read back.
    pub(crate) fn checked_key(&self) -> Result<JobKey, StoreError> {
        let (job, verdict) = (self.job.key(), self.verdict.key());
        if job != verdict {
            return Err(StoreError::OtherJob { job, verdict });
        }
        // JSON writes NaN as null, which no reader takes for a number.
        let is_finite = |finding: &Finding| {
            let Finding {
                observed,
                usual_low,
                usual_high,
                score,
                ..
            } = finding;
            [observed, usual_low, usual_high, score]
                .into_iter()
                .all(|number| number.is_finite())
        };
        match self
            .verdict
            .findings
            .iter()
            .find(|finding| !is_finite(finding))
        {
            None => Ok(job),
            Some(finding) => Err(StoreError::NotFinite {
                job,
                feature: finding.feature.clone(),
                observed: finding.observed,
            }),
        }
    }
}

/// Whether an observation was new to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored now.
    New,
    /// The store had a job with this key already; nothing changed.
    AlreadyStored,
}

/// Keeps jobs, verdicts, model states and reviews.
///
/// Reading needs no transaction and sees what was committed. Writing happens in a
/// [`Transaction`].
pub trait Store: Debug + Send {
    /// Starts a transaction, which holds the store's one write lock until it ends.
    ///
    /// What is read in it cannot change under it: two processes on one database cannot both learn
    /// from the same state of a model.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process keeps the lock for too long.
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>, StoreError>;

    /// The verdict on a job; `None` when the job is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError>;

    /// A job; `None` when it is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError>;

    /// Whether a job is stored, for a list of which most are: no record is read for it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn is_known(&self, job: &JobKey) -> Result<bool, StoreError>;

    /// The anomalies that `query` asks for, newest start first, and of the same start the one
    /// stored last first; each with its current review and the stream's last normal job.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn anomalies(&self, query: &AnomalyQuery) -> Result<Vec<Anomaly>, StoreError>;

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

    /// Records a decision about one anomaly in a transaction of its own, and returns the one that
    /// it replaces. The replaced one stays in [`reviews`](Self::reviews).
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
pub trait Transaction {
    /// The verdict on a job; `None` when the job is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn verdict(&self, job: &JobKey) -> Result<Option<Verdict>, StoreError>;

    /// A job; `None` when it is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn job(&self, job: &JobKey) -> Result<Option<BackupJob>, StoreError>;

    /// What [`put_model_state`](Self::put_model_state) last kept for a stream.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn model_state(&self, stream: &StreamKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps a job and its verdict. A job whose key the store has changes nothing.
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

    /// Records a decision about one anomaly, and returns the one that it replaces.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAnomaly`] when the job is unknown or not anomalous; otherwise when the
    /// store cannot be written.
    fn review(&mut self, job: &JobKey, review: &Review) -> Result<Option<Review>, StoreError>;

    /// Makes the changes visible and durable.
    ///
    /// # Errors
    /// When the store cannot be written, or a write of this transaction failed before; then
    /// nothing of it is kept.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
