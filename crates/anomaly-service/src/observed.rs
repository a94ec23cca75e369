//! What the service answers.

use anomaly_engine::OURSELVES;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupJob, ClientName, StreamKey, Verdict};
use anomaly_storage::Read;

use crate::ServiceError;

/// A job that says to have started so much earlier or later than before is another one. Clocks that
/// are corrected and time zones that are read anew move it by less; ids that begin again, by more.
const SAME_RUN: TimeDelta = TimeDelta::days(2);

/// A job's verdict, and whether it is news.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Observed {
    /// The verdict: of now, or of when the job was first seen; `not_scored` for a job that was purged
    /// since, whose verdict is not kept, and for one that is [`not_kept`](Self::not_kept).
    pub verdict: Verdict,
    /// The stream that the job belongs to.
    pub stream: StreamKey,
    /// Whether the job was stored before; then nothing was changed.
    pub already_known: bool,
    /// Why the job was neither judged nor kept, though it was not stored before; then nothing was
    /// changed either.
    pub not_kept: Option<NotKept>,
}

/// Why a job is neither judged nor kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotKept {
    /// Another job is stored under its source and id: a tool counts from the beginning again, say, or
    /// two servers count alike. A source of its own tells them apart.
    #[error(
        "its id is that of another job, of {client}, started {}, which is stored",
        .started_at.format("%Y-%m-%d %H:%M UTC")
    )]
    OtherJob {
        /// The client of the job that is stored.
        client: ClientName,
        /// When that job started.
        started_at: DateTime<Utc>,
    },
    /// A job that was deleted because it was old has its source and id, and had started long before:
    /// a tool counts from the beginning again, say. A source of its own tells them apart.
    #[error(
        "its id is that of another job, which started before {} and was deleted since because it is old",
        .started_before.format("%Y-%m-%d %H:%M UTC")
    )]
    PurgedJob {
        /// Before when that job had started.
        started_before: DateTime<Utc>,
    },
    /// Its source is `backwatch`: so are called what Backwatch records of jobs that did not come.
    #[error("its source is `backwatch`, as Backwatch alone calls what it records itself")]
    OwnName,
}

/// Whether a job is news to a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Novelty {
    /// It is to be judged.
    New,
    /// It was stored before.
    Known,
    /// It would not be kept.
    NotKept(NotKept),
}

impl Novelty {
    /// Of a job for what a store holds.
    pub(crate) fn of(job: &BackupJob, store: &(impl Read + ?Sized)) -> Result<Self, ServiceError> {
        let key = job.key();
        if !store.is_known(&key)? {
            return Ok(if job.source().as_str() == OURSELVES {
                Self::NotKept(NotKept::OwnName)
            } else {
                Self::New
            });
        }
        let Some((client, started_at)) = store.run_of(&key)? else {
            // Of a job that was purged no more is known.
            let before = store.purged_before(&key)?;
            let is_later = |before: &DateTime<Utc>| job.started_at() - *before > SAME_RUN;
            return Ok(match before.filter(is_later) {
                Some(started_before) => Self::NotKept(NotKept::PurgedJob { started_before }),
                None => Self::Known,
            });
        };
        let is_same =
            client == job.client().name && (started_at - job.started_at()).abs() <= SAME_RUN;
        Ok(if is_same {
            Self::Known
        } else {
            Self::NotKept(NotKept::OtherJob { client, started_at })
        })
    }
}

/// How many jobs a batch held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BatchSummary {
    /// Jobs judged for the first time.
    pub new_jobs: u64,
    /// Jobs that were stored before; their verdicts stand.
    pub known_jobs: u64,
    /// Jobs that were neither judged nor kept.
    pub not_kept_jobs: u64,
}
