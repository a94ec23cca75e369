//! Decisions, as forms send them.

use anomaly_model::{FeatureName, ReviewScope, ReviewStatus};
use axum::body::Bytes;
use axum::extract::State;

use super::anomalies::job_of;
use super::chrome::{PageResult, is_own, see};
use super::words::address;
use crate::api::reviews::{self, Decision, OneOfMany, decide_many};
use crate::api::{Body, JobPath};
use crate::app::App;
use crate::guard::Caller;
use crate::problem::Problem;

/// A form with names that may stand in it several times.
struct Sent(Vec<(String, String)>);

impl Sent {
    fn read(body: &[u8]) -> Result<Self, Problem> {
        let pairs = serde_urlencoded::from_bytes(body);
        pairs
            .map(Self)
            .map_err(|error| Problem::invalid(error.to_string()))
    }

    fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    fn one(&self, name: &'static str) -> &str {
        self.all(name).next().unwrap_or("")
    }

    fn decision(&self) -> Result<Decision, Problem> {
        let status: ReviewStatus = self
            .one("status")
            .parse()
            .map_err(|error: anomaly_model::ModelError| Problem::invalid(error.to_string()))?;
        let scope = if status == ReviewStatus::FalsePositive {
            self.scope()?
        } else {
            ReviewScope::ThisJob
        };
        let reason = Some(self.one("reason").trim()).filter(|reason| !reason.is_empty());
        Ok(Decision {
            status,
            reason: reason.map(str::to_owned),
            scope,
            ceiling: None,
            expires_at: None,
        })
    }

    fn scope(&self) -> Result<ReviewScope, Problem> {
        match self.one("scope") {
            "" | "this_job" => Ok(ReviewScope::ThisJob),
            "this_stream" => Ok(ReviewScope::ThisStream),
            "level_shift" => Ok(ReviewScope::LevelShift),
            "features" => {
                let names: Result<Vec<_>, _> = self.all("feature").map(FeatureName::new).collect();
                let names = names.map_err(|error| Problem::invalid(error.to_string()))?;
                Ok(ReviewScope::Features(names))
            }
            other => Err(Problem::invalid(format!("`{other}` is no scope."))),
        }
    }
}

/// Takes down a decision about one anomaly.
pub(crate) async fn review(
    app: State<App>,
    caller: Caller,
    job: JobPath,
    body: Bytes,
) -> PageResult {
    let decision = Sent::read(&body)?.decision()?;
    let page = address(&job.0);
    _ = reviews::review(app, caller, job, Body(decision)).await?;
    Ok(see(&page))
}

/// Takes the last decision back.
pub(crate) async fn take_back(app: State<App>, caller: Caller, job: JobPath) -> PageResult {
    let page = address(&job.0);
    _ = reviews::take_back(app, caller, job).await?;
    Ok(see(&page))
}

/// Takes down one decision about those that were chosen in the list.
pub(crate) async fn review_many(State(app): State<App>, caller: Caller, body: Bytes) -> PageResult {
    let sent = Sent::read(&body)?;
    let jobs: Result<Vec<_>, Problem> = sent.all("job").map(job_of).collect();
    let jobs = jobs?;
    let back = Some(sent.one("back")).filter(|back| is_own(back));
    let back = back.unwrap_or("/anomalies").to_owned();
    if jobs.is_empty() {
        return Ok(see(&back));
    }
    let all = jobs.len();
    let done = decide_many(&app, &caller, jobs, sent.decision()?).await?;
    let mut problems = done.iter().filter_map(OneOfMany::problem);
    if let Some(first) = problems.next() {
        let done = all - 1 - problems.count();
        let detail = format!("{done} of {all} were decided. {}", first.detail());
        return Err(Problem::new(axum::http::StatusCode::CONFLICT, "changed", detail).into());
    }
    Ok(see(&back))
}
