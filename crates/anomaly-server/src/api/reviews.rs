//! Decisions about anomalies.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Ceiling, JobKey, Review, ReviewScope, ReviewStatus, Undo};
use anomaly_service::{AnomalyService, ReviewRequest, Reviewed};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::JobPath;
use super::body::Body;
use crate::app::{App, now};
use crate::guard::Caller;
use crate::problem::Problem;

/// Decisions in one request.
const MOST: usize = 1_000;

/// A decision about an anomaly.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// `confirmed`, `false_positive` or `ignored`.
    #[schema(value_type = String)]
    pub(crate) status: ReviewStatus,
    /// Why.
    pub(crate) reason: Option<String>,
    /// What a false positive says of other jobs: `this_job` (the default), `this_stream`,
    /// `level_shift`, or `{"features": [...]}`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) scope: ReviewScope,
    /// How far beyond this job's values the scope covers others: a factor, 1 to 2; that of the
    /// settings when not given.
    #[schema(value_type = Option<f64>)]
    pub(crate) ceiling: Option<Ceiling>,
    /// Until when the scope covers later jobs; as long as the settings say when not given.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Decision {
    /// The same, as the service takes it.
    pub(crate) fn review(self, service: &AnomalyService, by: &str) -> Review {
        let now = now();
        let mut review = if self.status == ReviewStatus::FalsePositive {
            let mut review = service.false_positive(by, now, self.scope);
            review.ceiling = self.ceiling.unwrap_or(review.ceiling);
            review.expires_at = self.expires_at.or(review.expires_at);
            review
        } else {
            let mut review = Review::new(self.status, by, now);
            review.scope = self.scope;
            review.expires_at = self.expires_at;
            review
        };
        review.reason = self.reason;
        review
    }
}

/// What a decision did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    /// The decision that counts now.
    #[schema(value_type = Object)]
    review: Review,
    /// The decision that it replaces.
    #[schema(value_type = Option<Object>)]
    replaced: Option<Review>,
    /// Whether the job was learnt as a usual one.
    learnt: bool,
    /// Whether what an earlier decision had taught was forgotten.
    unlearnt: bool,
}

impl From<Reviewed> for Decided {
    fn from(reviewed: Reviewed) -> Self {
        Self {
            review: reviewed.review,
            replaced: reviewed.replaced,
            learnt: reviewed.learnt,
            unlearnt: reviewed.unlearnt,
        }
    }
}

/// Takes down a decision about an anomaly.
#[utoipa::path(post, path = "/api/v1/anomalies/{source}/{job_id}/reviews", tag = "anomalies",
    params(("source" = String, Path, description = "The tool that ran the job."),
        ("job_id" = String, Path, description = "The tool's own id.")),
    request_body = Decision,
    responses((status = 200, body = Decided), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn review(
    State(app): State<App>,
    caller: Caller,
    JobPath(job): JobPath,
    Body(decision): Body<Decision>,
) -> Result<Json<Decided>, Problem> {
    let reviewed = app
        .writer
        .run(move |service| {
            let review = decision.review(service, &caller.name);
            service.review(&job, &review)
        })
        .await?;
    Ok(Json(reviewed.into()))
}

/// Takes the last decision about an anomaly back.
#[utoipa::path(delete, path = "/api/v1/anomalies/{source}/{job_id}/reviews", tag = "anomalies",
    params(("source" = String, Path, description = "The tool that ran the job."),
        ("job_id" = String, Path, description = "The tool's own id.")),
    responses((status = 200, body = Decided), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn take_back(
    State(app): State<App>,
    caller: Caller,
    JobPath(job): JobPath,
) -> Result<Json<Decided>, Problem> {
    let undo = Undo::new(caller.name.clone(), now());
    let reviewed = app
        .writer
        .run(move |service| service.take_back(&job, &undo))
        .await?;
    Ok(Json(reviewed.into()))
}

/// One decision about many anomalies.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManyDecisions {
    /// The anomalies: 1 to 1,000.
    #[schema(value_type = Vec<Object>)]
    jobs: Vec<JobKey>,
    /// The decision.
    decision: Decision,
}

/// What became of one of many decisions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneOfMany {
    /// The anomaly.
    #[schema(value_type = Object)]
    job: JobKey,
    /// What the decision did, if it was taken down.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<Decided>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// Takes down one decision about many anomalies; each has an answer of its own.
#[utoipa::path(post, path = "/api/v1/reviews", tag = "anomalies", request_body = ManyDecisions,
    responses((status = 200, body = Vec<OneOfMany>), (status = 400, body = Problem)))]
pub(crate) async fn review_many(
    State(app): State<App>,
    caller: Caller,
    Body(many): Body<ManyDecisions>,
) -> Result<Json<Vec<OneOfMany>>, Problem> {
    if !(1..=MOST).contains(&many.jobs.len()) {
        return Err(Problem::invalid(format!("`jobs` must name 1 to {MOST}.")));
    }
    Ok(Json(
        decide_many(&app, &caller, many.jobs, many.decision).await?,
    ))
}

pub(crate) async fn decide_many(
    app: &App,
    caller: &Caller,
    jobs: Vec<JobKey>,
    decision: Decision,
) -> Result<Vec<OneOfMany>, Problem> {
    let by = caller.name.clone();
    let asked = jobs.clone();
    let answers = app
        .writer
        .run(move |service| {
            let review = decision.review(service, &by);
            let requests: Vec<ReviewRequest> = asked
                .into_iter()
                .map(|job| ReviewRequest::decide(job, review.clone()))
                .collect();
            service.review_all(&requests)
        })
        .await?;
    let one = |(job, answer): (JobKey, Result<Reviewed, _>)| match answer {
        Ok(reviewed) => OneOfMany {
            job,
            done: Some(reviewed.into()),
            problem: None,
        },
        Err(refused) => OneOfMany {
            job,
            done: None,
            problem: Some(Problem::of_review(&refused)),
        },
    };
    Ok(jobs.into_iter().zip(answers).map(one).collect())
}

impl OneOfMany {
    /// Why the decision was not taken down; `None` if it was.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }
}
