//! Anomalies, listed and shown.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    AnomalyKind, BackupJob, ClientName, JobKey, JobRef, PolicyName, PolicyType, Review,
    ReviewStatus, ScheduleName, ScheduleType, Severity, Verdict,
};
use anomaly_storage::{AnomalyQuery, ListedAnomaly, Sort};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Asked, given, given_moment, given_number};
use super::{Cursor, JobPath, Limit, Page};
use crate::app::App;
use crate::problem::Problem;

/// Which anomalies to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only of this client.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) client: Option<ClientName>,
    /// Only of this policy.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) policy: Option<PolicyName>,
    /// Only of policies of this type.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) policy_type: Option<PolicyType>,
    /// Only of the schedule with this name.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) schedule: Option<ScheduleName>,
    /// Only of schedules of this type: `full`, `differential_incremental`,
    /// `cumulative_incremental`, `incremental`, `user_backup`, `other`.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) schedule_type: Option<ScheduleType>,
    /// Only those with this text in the name of the client or the policy, or in the job id.
    #[serde(deserialize_with = "given")]
    pub(crate) contains: Option<String>,
    /// Only of this severity or a higher one: `low`, `medium`, `high`.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) severity: Option<Severity>,
    /// Only of this score or a higher one.
    #[serde(deserialize_with = "given_number")]
    pub(crate) least_score: Option<f64>,
    /// Only of this kind, such as `mass_encryption`.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) kind: Option<AnomalyKind>,
    /// Only with this review status: `not_reviewed`, `confirmed`, `false_positive`, `ignored`.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) status: Option<ReviewStatus>,
    /// Only of this incident.
    pub(crate) incident: Option<u64>,
    /// Only of jobs that started at this time or later; a date stands for its first moment in UTC.
    #[serde(deserialize_with = "given_moment")]
    pub(crate) started_from: Option<DateTime<Utc>>,
    /// Only of jobs that started before this time.
    #[serde(deserialize_with = "given_moment")]
    pub(crate) started_until: Option<DateTime<Utc>>,
    /// In which order: by `started`, `received`, `score`, `severity`, `client`, `policy` or `count`,
    /// with a minus before it for the largest or newest first; `-started` when not given. Equals are
    /// newest first.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) sort: Option<Sort>,
    /// `next` of the page before, which was asked for in the same way.
    pub(crate) cursor: Option<String>,
    /// How many: 1 to 1,000; 50 when not given.
    #[param(value_type = Option<u16>)]
    pub(crate) limit: Limit,
}

impl Filter {
    /// The same, as the store is asked; one more than the limit.
    pub(crate) fn query(&self) -> Result<(AnomalyQuery, usize), Problem> {
        let limit = self.limit.get()?;
        let after = self.cursor.as_deref().map(Cursor::read::<JobKey>);
        let query = AnomalyQuery::default()
            .client(self.client.clone())
            .policy(self.policy.clone())
            .policy_type(self.policy_type.clone())
            .schedule(self.schedule.clone())
            .schedule_type(self.schedule_type)
            .containing(self.contains.clone())
            .at_least(self.severity)
            .least_score(self.least_score)
            .kind(self.kind)
            .review_status(self.status)
            .incident(self.incident)
            .started_from(self.started_from)
            .started_until(self.started_until)
            .sorted(self.sort.unwrap_or_default())
            .after(after.transpose()?)
            .limit(limit + 1);
        Ok((query, limit))
    }
}

/// An anomalous job, and what people said of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnomalyView {
    /// What was concluded.
    #[schema(value_type = Object)]
    verdict: Verdict,
    /// Whether anybody has decided about it.
    #[schema(value_type = String)]
    review_status: ReviewStatus,
    /// The decision that counts.
    #[schema(value_type = Option<Object>)]
    review: Option<Review>,
    /// The newest job of the stream before it that was judged normal.
    #[schema(value_type = Option<Object>)]
    last_normal: Option<JobRef>,
    /// When it was stored, if whoever stored it said so.
    received_at: Option<DateTime<Utc>>,
    /// How many features are unusual.
    count: usize,
    /// What the policy protects, where the tool says so.
    #[schema(value_type = Option<String>)]
    policy_type: Option<PolicyType>,
    /// The name of the schedule, where the tool has one.
    #[schema(value_type = Option<String>)]
    schedule: Option<ScheduleName>,
}

impl From<ListedAnomaly> for AnomalyView {
    fn from(listed: ListedAnomaly) -> Self {
        let anomaly = listed.anomaly;
        Self {
            review_status: anomaly.review_status(),
            count: anomaly.verdict.findings.len(),
            verdict: anomaly.verdict,
            review: anomaly.review,
            last_normal: anomaly.last_normal,
            received_at: listed.received_at,
            policy_type: listed.job.policy().policy_type.clone(),
            schedule: listed.job.schedule().name.clone(),
        }
    }
}

/// Anomalies, in the order that is asked for.
#[utoipa::path(get, path = "/api/v1/anomalies", tag = "anomalies", params(Filter),
    responses((status = 200, body = Page<AnomalyView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<AnomalyView>>, Problem> {
    let (query, limit) = filter.query()?;
    let found = app
        .readers
        .read(move |service| Ok(service.records().listed_anomalies(&query)?))
        .await?;
    let page = Page::cut(found, limit, |listed| {
        Cursor::write(&listed.anomaly.verdict.key())
    });
    Ok(Json(page.map(AnomalyView::from)))
}

/// All that is known of an anomaly.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnomalyRecord {
    /// The job, as it was handed over.
    #[schema(value_type = Object)]
    job: BackupJob,
    /// What was concluded.
    #[schema(value_type = Object)]
    verdict: Verdict,
    /// Every decision about it, oldest first; the last one counts.
    #[schema(value_type = Vec<Object>)]
    reviews: Vec<Review>,
    /// The incident that it belongs to.
    incident: Option<u64>,
    /// The newest job of the stream before it that was judged normal.
    #[schema(value_type = Option<Object>)]
    last_normal: Option<JobRef>,
}

/// All that is known of an anomaly.
#[utoipa::path(get, path = "/api/v1/anomalies/{source}/{job_id}", tag = "anomalies",
    params(("source" = String, Path, description = "The tool that ran the job."),
        ("job_id" = String, Path, description = "The tool's own id.")),
    responses((status = 200, body = AnomalyRecord), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(app): State<App>,
    JobPath(key): JobPath,
) -> Result<Json<AnomalyRecord>, Problem> {
    let found = app
        .readers
        .read(move |service| {
            let records = service.records();
            let Some((job, verdict)) = records.job(&key)?.zip(records.verdict(&key)?) else {
                return Ok(None);
            };
            Ok(Some(AnomalyRecord {
                job,
                verdict,
                reviews: service.reviews(&key)?,
                incident: service.incident_of(&key)?,
                last_normal: service.last_normal(&key)?,
            }))
        })
        .await?;
    let found = found.filter(|found| found.verdict.is_anomalous());
    found.map(Json).ok_or_else(|| Problem::not_found("anomaly"))
}
