//! Which anomalies to list.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Anomaly, AnomalyKind, ClientName, JobKey, PolicyName, ReviewStatus, Severity};

use crate::setters::setters;

/// Which anomalies to list: those that meet every condition that is set. The default is all.
///
/// Times compare at microseconds.
///
/// ```
/// use anomaly_model::{ReviewStatus, Severity};
/// use anomaly_storage::AnomalyQuery;
///
/// let urgent = AnomalyQuery::default()
///     .at_least(Severity::Medium)
///     .review_status(ReviewStatus::NotReviewed)
///     .limit(20);
/// assert_eq!(urgent.client, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AnomalyQuery {
    /// Only of this client.
    pub client: Option<ClientName>,
    /// Only of this policy.
    pub policy: Option<PolicyName>,
    /// Only of this severity or a higher one.
    pub at_least: Option<Severity>,
    /// Only of this kind.
    pub kind: Option<AnomalyKind>,
    /// Only those whose last review says this; `not_reviewed` includes those without a review.
    pub review_status: Option<ReviewStatus>,
    /// Only of the incident with this number.
    pub incident: Option<u64>,
    /// Only jobs that started at this time or later.
    pub started_from: Option<DateTime<Utc>>,
    /// Only jobs that started before this time.
    pub started_until: Option<DateTime<Utc>>,
    /// Only what stands after this job in the list: the next page.
    pub after: Option<JobKey>,
    /// No more than this many, the newest ones.
    pub limit: Option<usize>,
}

setters! {
    AnomalyQuery {
        client: ClientName,
        policy: PolicyName,
        at_least: Severity,
        kind: AnomalyKind,
        review_status: ReviewStatus,
        incident: u64,
        started_from: DateTime<Utc>,
        started_until: DateTime<Utc>,
        after: JobKey,
        limit: usize,
    }
}

impl AnomalyQuery {
    /// Whether `anomaly` meets every condition that it can be held against by itself.
    pub(crate) fn includes(&self, anomaly: &Anomaly) -> bool {
        let verdict = &anomaly.verdict;
        let started_at = verdict.started_at.timestamp_micros();
        self.client
            .as_ref()
            .is_none_or(|client| *client == verdict.client)
            && self
                .policy
                .as_ref()
                .is_none_or(|policy| *policy == verdict.policy)
            && self
                .at_least
                .is_none_or(|least| verdict.severity() >= Some(least))
            && self.kind.is_none_or(|kind| verdict.kind() == Some(kind))
            && self
                .review_status
                .is_none_or(|status| anomaly.review_status() == status)
            && self
                .started_from
                .is_none_or(|from| from.timestamp_micros() <= started_at)
            && self
                .started_until
                .is_none_or(|until| started_at < until.timestamp_micros())
    }
}
