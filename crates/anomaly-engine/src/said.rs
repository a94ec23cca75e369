//! What was said of a stream, beside its jobs.

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};

use crate::FalsePositive;

/// What was said of a stream, beside its jobs: by people, and by whoever watches the clock.
///
/// It is part of what a verdict depends on. Nothing was said by default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// What people called usual, with what that covers.
    pub false_positives: Vec<FalsePositive>,
    /// The start of the job after which one was missed, if that was reported before the next came.
    pub missed_after: Option<DateTime<Utc>>,
    /// Whether a person has confirmed that it was missed.
    pub missed_is_confirmed: bool,
}

impl Said {
    /// Whether a job that comes after this gap ends one that was reported while it lasted.
    pub(crate) fn was_told(&self, job: &BackupJob, gap: TimeDelta) -> bool {
        self.missed_after == Some(job.started_at() - gap)
    }
}
