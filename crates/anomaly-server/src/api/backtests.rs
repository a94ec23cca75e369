//! What other settings would have found and missed.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::BacktestReport;
use anomaly_settings::Difference;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::InPath;
use super::body::Body;
use super::settings::{Change, Holding};
use crate::app::App;
use crate::backtests::{End, Question, Run};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::wanted::Wanted;

/// What is to be replayed under other settings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBacktest {
    /// Keys, and what each is to be: `{"detection.alarm_budget": 2}`. `null` is the default.
    #[serde(default)]
    #[schema(value_type = Object)]
    keys: std::collections::BTreeMap<String, serde_json::Value>,
    /// Scopes, as a change of the settings takes them.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    scopes: Vec<serde_json::Value>,
    /// Count only jobs that started at this time or later; what is usual is learnt from those before
    /// all the same.
    since: Option<DateTime<Utc>>,
    /// Count only jobs that started before this time.
    until: Option<DateTime<Utc>>,
}

/// A backtest, and what it has found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BacktestView {
    /// Its name in addresses.
    id: String,
    /// `running`, `done`, `failed` or `cancelled`.
    state: &'static str,
    /// Who asked.
    asked_by: String,
    /// When.
    asked_at: DateTime<Utc>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
    /// Records that were replayed.
    done: u64,
    /// Records in the log, of which some are no jobs or reviews.
    of_at_most: u64,
    /// What differs from the settings that held when it was asked.
    #[schema(value_type = Vec<Object>)]
    settings: Vec<Difference>,
    /// What was found, once it is done: the same as `backwatch backtest --output json` says.
    #[schema(value_type = Option<Object>)]
    result: Option<std::sync::Arc<BacktestReport>>,
}

impl BacktestView {
    fn of(run: &Run) -> Self {
        let end = run.end();
        let (done, of_at_most) = run.progress();
        Self {
            id: run.id.clone(),
            state: run.state(),
            asked_by: run.by.clone(),
            asked_at: run.asked_at,
            ended_at: end.as_ref().map(|(at, _)| *at),
            done,
            of_at_most,
            settings: run.differences.clone(),
            result: match end {
                Some((_, End::Done(report))) => Some(report),
                _ => None,
            },
        }
    }
}

/// Starts a backtest of what is wanted against what holds.
pub(crate) async fn start(
    app: &App,
    by: &str,
    wanted: Wanted,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Result<std::sync::Arc<Run>, Problem> {
    let Holding { version, guard } = Holding::of(app).await?;
    let question = Question {
        by: by.to_owned(),
        today: guard.settings,
        version,
        wanted,
        since,
        until,
    };
    app.backtests.start(app.database.clone(), question)
}

/// Replays what is stored under other settings, beside the daily work: one at a time.
#[utoipa::path(post, path = "/api/v1/backtests", tag = "settings", request_body = NewBacktest,
    responses((status = 202, body = BacktestView, description = "It runs; `Location` is where its result will be."),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewBacktest>,
) -> Result<Response, Problem> {
    let change = Change {
        keys: new.keys,
        scopes: new.scopes,
        reason: None,
        until: None,
    };
    let wanted = change.wanted()?;
    let run = start(&app, &caller.name, wanted, new.since, new.until).await?;
    let location = format!("/api/v1/backtests/{}", run.id);
    let view = Json(BacktestView::of(&run));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], view).into_response())
}

/// How far a backtest has come, and what it has found. The last eight are kept.
#[utoipa::path(get, path = "/api/v1/backtests/{id}", tag = "settings",
    params(("id" = String, Path, description = "Its name.")),
    responses((status = 200, body = BacktestView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<Json<BacktestView>, Problem> {
    Ok(Json(BacktestView::of(&*app.backtests.get(&id)?)))
}

/// Breaks off a backtest that runs, or forgets one that has run.
#[utoipa::path(delete, path = "/api/v1/backtests/{id}", tag = "settings",
    params(("id" = String, Path, description = "Its name.")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<StatusCode, Problem> {
    app.backtests.remove(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
