//! Anomalies, listed and shown.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, AnomalyKind, BackupJob, ClientName, JobKey, JobRef, PolicyName, Review, ReviewStatus,
    Severity, Verdict,
};
use anomaly_storage::AnomalyQuery;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Asked, given};
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
    /// Only of this severity or a higher one: `low`, `medium`, `high`.
    #[serde(deserialize_with = "given")]
    #[param(value_type = Option<String>)]
    pub(crate) severity: Option<Severity>,
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
    /// Only of jobs that started at this time or later.
    #[serde(deserialize_with = "given")]
    pub(crate) started_from: Option<DateTime<Utc>>,
    /// Only of jobs that started before this time.
    #[serde(deserialize_with = "given")]
    pub(crate) started_until: Option<DateTime<Utc>>,
    /// `next` of the page before.
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
            .at_least(self.severity)
            .kind(self.kind)
            .review_status(self.status)
            .incident(self.incident)
            .started_from(self.started_from)
            .started_until(self.started_until)
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
}

impl From<Anomaly> for AnomalyView {
    fn from(anomaly: Anomaly) -> Self {
        Self {
            review_status: anomaly.review_status(),
            verdict: anomaly.verdict,
            review: anomaly.review,
            last_normal: anomaly.last_normal,
        }
    }
}

/// Anomalies, newest first.
#[utoipa::path(get, path = "/api/v1/anomalies", tag = "anomalies", params(Filter),
    responses((status = 200, body = Page<AnomalyView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<AnomalyView>>, Problem> {
    let (query, limit) = filter.query()?;
    let found = app
        .readers
        .read(move |service| service.anomalies(&query))
        .await?;
    let page = Page::cut(found, limit, |anomaly| {
        Cursor::write(&anomaly.verdict.key())
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
