//! An anomalous job as people work with it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{JobKey, Review, ReviewStatus, Verdict};

/// Which job, and when it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobRef {
    /// The job.
    pub key: JobKey,
    /// When it started.
    pub started_at: DateTime<Utc>,
}

impl JobRef {
    /// A reference to the job `key` that started at `started_at`.
    #[must_use]
    pub fn new(key: JobKey, started_at: DateTime<Utc>) -> Self {
        Self { key, started_at }
    }
}

/// An anomalous job as people work with it: the verdict, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Anomaly {
    /// The verdict; always an anomalous one where the anomaly comes from a store.
    pub verdict: Verdict,
    /// What a person decided, once someone has.
    pub review: Option<Review>,
    /// The stream's last job before this one that was judged normal.
    pub last_normal: Option<JobRef>,
}

impl Anomaly {
    /// An anomaly that nobody has reviewed.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            review: None,
            last_normal: None,
        }
    }

    /// What a person decided; `not_reviewed` until someone does.
    #[must_use]
    pub fn review_status(&self) -> ReviewStatus {
        self.review
            .as_ref()
            .map_or(ReviewStatus::NotReviewed, |review| review.status)
    }
}
