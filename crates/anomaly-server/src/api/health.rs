//! Whether it works, for whatever watches over it.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_settings::Role;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::duties::Duty;

/// Whether the service works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`; `degraded`, when a part of the watching is switched off, a source cannot be read, or the
    /// service fails at something; or `failing`, when the database does not answer.
    status: &'static str,
    /// What the service does by itself and fails at.
    failing: Vec<Failing>,
    /// Which parts of the watching are on.
    roles: Roles,
    /// The sources that it polls.
    sources: Sources,
    /// Since when it runs.
    started_at: DateTime<Utc>,
    /// When the last job was handed over to it; `null` for never since it runs.
    last_job_at: Option<DateTime<Utc>>,
}

/// What the service fails at; its log says why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failing {
    /// What it is.
    duty: Duty,
    /// Since when.
    since: DateTime<Utc>,
}

/// Which parts of the watching are on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Roles {
    /// Whether jobs are taken in.
    gather: Switch,
    /// Whether they are judged.
    detect: Switch,
    /// Whether sinks are told.
    alert: Switch,
}

/// How many sources are polled.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sources {
    /// All of them.
    all: usize,
    /// Those that cannot be read.
    degraded: usize,
}

/// Whether something is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Switch {
    /// It is.
    On,
    /// Someone switched it off.
    Off,
}

/// Whether the service works: 503 when its database does not answer, so that it may help to start it
/// anew; 200 in any other case, also when it is `degraded`, which a new start would not mend.
#[utoipa::path(get, path = "/health", tag = "health",
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(crate) async fn health(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let answers = app
        .readers
        .read(|service| Ok(service.records().log_head()?))
        .await;
    let settings = app.readers.settings();
    let degraded = app.source_states.degraded();
    let switch = |role| {
        if settings.is_on(role) {
            Switch::On
        } else {
            Switch::Off
        }
    };
    let failing = app.duties.failing();
    let is_whole = degraded == 0 && settings.roles_off().is_empty() && failing.is_empty();
    let (code, status) = match answers {
        Ok(_) if is_whole => (StatusCode::OK, "ok"),
        Ok(_) => (StatusCode::OK, "degraded"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
    };
    let health = Health {
        status,
        failing: failing
            .into_iter()
            .map(|(duty, since)| Failing { duty, since })
            .collect(),
        roles: Roles {
            gather: switch(Role::Gather),
            detect: switch(Role::Detect),
            alert: switch(Role::Alert),
        },
        sources: Sources {
            all: app.source_states.all().len(),
            degraded,
        },
        started_at: app.started_at,
        last_job_at: app.last_job_at(),
    };
    (code, Json(health))
}
