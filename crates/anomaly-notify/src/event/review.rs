//! A decision about an anomaly, as it is told.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, ClientName, JobKey, PolicyName, PolicyType, Review, ReviewStatus, Severity,
};
use serde::{Deserialize, Serialize};

/// What a person decided about an anomaly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReviewNews {
    /// The job.
    pub job: JobKey,
    /// Who was backed up.
    pub client: ClientName,
    /// By which rules.
    pub policy: PolicyName,
    /// What the policy protects, where that is known.
    pub policy_type: Option<PolicyType>,
    /// When the job started.
    pub started_at: DateTime<Utc>,
    /// How much the anomaly matters.
    pub severity: Severity,
    /// What is strange about the job, in one sentence.
    pub summary: String,
    /// The number of the incident that it belongs to.
    pub incident: Option<u64>,
    /// The decision.
    pub review: Review,
}

impl ReviewNews {
    /// The decision `review` about `anomaly`.
    #[must_use]
    pub fn new(
        anomaly: &Anomaly,
        review: Review,
        incident: Option<u64>,
        policy_type: Option<PolicyType>,
    ) -> Self {
        let verdict = &anomaly.verdict;
        Self {
            job: verdict.key(),
            client: verdict.client.clone(),
            policy: verdict.policy.clone(),
            policy_type,
            started_at: verdict.started_at,
            severity: verdict.severity().unwrap_or(Severity::Low),
            summary: verdict.summary.clone(),
            incident,
            review,
        }
    }

    /// Whether nobody has to look at the anomaly any more.
    pub(crate) fn closes(&self) -> bool {
        matches!(
            self.review.status,
            ReviewStatus::FalsePositive | ReviewStatus::Ignored
        )
    }
}
