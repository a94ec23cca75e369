//! Which anomalies to list.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, AnomalyKind, BackupJob, ClientName, JobKey, PolicyName, PolicyType, ReviewStatus,
    ScheduleName, ScheduleType, Severity,
};

use crate::Sort;
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
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct AnomalyQuery {
    /// Only of this client.
    pub client: Option<ClientName>,
    /// Only of this policy.
    pub policy: Option<PolicyName>,
    /// Only of policies of this type.
    pub policy_type: Option<PolicyType>,
    /// Only of the schedule with this name.
    pub schedule: Option<ScheduleName>,
    /// Only of schedules of this type.
    pub schedule_type: Option<ScheduleType>,
    /// Only those with this text in the name of the client or the policy, or in the job id; capital
    /// letters of the Latin alphabet are as small ones.
    pub containing: Option<String>,
    /// Only of this severity or a higher one.
    pub at_least: Option<Severity>,
    /// Only of this score or a higher one; those that only rules judged have none.
    pub least_score: Option<f64>,
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
    /// In which order; the newest first unless set.
    pub sort: Sort,
    /// Only what stands after this job in the list: the next page.
    pub after: Option<JobKey>,
    /// No more than this many, the first ones of the list.
    pub limit: Option<usize>,
}

setters! {
    AnomalyQuery {
        client: ClientName,
        policy: PolicyName,
        policy_type: PolicyType,
        schedule: ScheduleName,
        schedule_type: ScheduleType,
        containing: String,
        at_least: Severity,
        least_score: f64,
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
    /// Sets `sort`.
    #[must_use]
    pub fn sorted(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// Whether an anomaly meets every condition that it can be held against by itself.
    pub(crate) fn includes(&self, job: &BackupJob, anomaly: &Anomaly) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let verdict = &anomaly.verdict;
        let started_at = verdict.started_at.timestamp_micros();
        let schedule = job.schedule();
        is(self.client.as_ref(), Some(&verdict.client))
            && is(self.policy.as_ref(), Some(&verdict.policy))
            && is(self.policy_type.as_ref(), job.policy().policy_type.as_ref())
            && is(self.schedule.as_ref(), schedule.name.as_ref())
            && is(self.schedule_type.as_ref(), schedule.schedule_type.as_ref())
            && self.containing.as_ref().is_none_or(|text| {
                let text = text.to_ascii_lowercase();
                [
                    verdict.client.as_str(),
                    verdict.policy.as_str(),
                    verdict.job_id.as_str(),
                ]
                .iter()
                .any(|name| name.to_ascii_lowercase().contains(&text))
            })
            && self
                .at_least
                .is_none_or(|least| verdict.severity() >= Some(least))
            && self
                .least_score
                .is_none_or(|least| verdict.score().is_some_and(|score| score >= least))
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

/// An anomaly with what a list shows of its job.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ListedAnomaly {
    /// Its number: from 1, in the order in which anomalies were stored, with gaps.
    pub number: u64,
    /// When it was stored, where whoever stored it said so.
    pub received_at: Option<DateTime<Utc>>,
    /// The job.
    pub job: BackupJob,
    /// The verdict, and what was decided about it.
    pub anomaly: Anomaly,
}
