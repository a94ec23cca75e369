//! The sources that the service polls.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_settings::Role;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::gather::{Condition, SourceState};
use crate::problem::Problem;

/// A source that the service polls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceView {
    /// Its name in the configuration.
    name: String,
    /// What is read: `restic`, `rustic`, `bareos`, `netbackup` or `directory`.
    kind: &'static str,
    /// Where it is.
    target: String,
    /// Whether it can be read.
    state: SourceCondition,
    /// Since when it cannot be.
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded_since: Option<DateTime<Utc>>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// How many readings in a row have failed.
    failures: u32,
    /// Whether it is being read.
    is_reading: bool,
    /// Seconds between two readings.
    every_seconds: u32,
    /// When it was last read to its end.
    succeeded_at: Option<DateTime<Utc>>,
    /// When its newest job ended.
    last_job_at: Option<DateTime<Utc>>,
    /// When it is read next.
    next_at: Option<DateTime<Utc>>,
    /// Jobs that were new, since the service runs.
    new_jobs: u64,
    /// Of the last reading: jobs that were known.
    known: u64,
    /// Records that are no finished backups.
    skipped: u64,
    /// Records and files that cannot be used.
    refused: u64,
    /// Why, of the first ones.
    reasons: Vec<String>,
    /// Files that are being written, and read the next time.
    unsettled: u64,
}

/// Whether a source can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceCondition {
    /// It was not tried yet.
    New,
    /// It could be, the last time.
    Working,
    /// It cannot be. It is tried again.
    Degraded,
    /// Gathering is switched off.
    Off,
}

impl SourceView {
    fn of(name: String, state: SourceState, is_on: bool) -> Self {
        let (condition, degraded_since, why, failures) = match state.condition {
            Condition::New => (SourceCondition::New, None, None, 0),
            Condition::Working => (SourceCondition::Working, None, None, 0),
            Condition::Degraded {
                since,
                why,
                failures,
            } => (SourceCondition::Degraded, Some(since), Some(why), failures),
        };
        Self {
            name,
            kind: state.kind,
            target: state.target,
            state: if is_on {
                condition
            } else {
                SourceCondition::Off
            },
            degraded_since,
            why,
            failures,
            is_reading: state.is_reading,
            every_seconds: state.every_seconds,
            succeeded_at: state.succeeded_at,
            last_job_at: state.latest,
            next_at: state.next_at,
            new_jobs: state.new_jobs,
            known: state.known,
            skipped: state.skipped,
            refused: state.refused,
            reasons: state.reasons,
            unsettled: state.unsettled,
        }
    }
}

/// The sources that the service polls, in the order of their names.
#[utoipa::path(get, path = "/api/v1/sources", tag = "jobs",
    responses((status = 200, body = [SourceView])))]
pub(crate) async fn list(State(app): State<App>) -> Json<Vec<SourceView>> {
    let is_on = app.readers.settings().is_on(Role::Gather);
    let all = app.source_states.all().into_iter();
    Json(
        all.map(|(name, state)| SourceView::of(name, state, is_on))
            .collect(),
    )
}

/// Has a source read now, and not when it is due.
#[utoipa::path(post, path = "/api/v1/sources/{name}/readings", tag = "jobs",
    params(("name" = String, Path, description = "Its name in the configuration.")),
    responses((status = 202), (status = 404, body = Problem)))]
pub(crate) async fn read_now(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    if app.source_states.read_now(&name) {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(Problem::not_found("source"))
    }
}
