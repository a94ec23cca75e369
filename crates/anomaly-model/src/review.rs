//! What a person decided about an anomaly.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// What a person decided about an anomaly.
    pub enum ReviewStatus, "review_status" {
        /// Nobody has decided yet.
        NotReviewed = "not_reviewed",
        /// It is what it looks like.
        Confirmed = "confirmed",
        /// It was a usual job after all.
        FalsePositive = "false_positive",
        /// It does not matter.
        Ignored = "ignored",
    }
}

/// A person's decision about one anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Review {
    /// The decision.
    pub status: ReviewStatus,
    /// Who decided.
    pub reviewer: String,
    /// When.
    pub reviewed_at: DateTime<Utc>,
    /// Why, in the reviewer's words.
    pub reason: Option<String>,
}

impl Review {
    /// A decision of `reviewer` at `reviewed_at`, without a reason.
    #[must_use]
    pub fn new(
        status: ReviewStatus,
        reviewer: impl Into<String>,
        reviewed_at: DateTime<Utc>,
    ) -> Self {
        Self {
            status,
            reviewer: reviewer.into(),
            reviewed_at,
            reason: None,
        }
    }

    /// The same decision, with its reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
