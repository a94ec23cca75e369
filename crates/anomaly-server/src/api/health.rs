//! Whether it works, for whatever watches over it.

use anomaly_model::chrono::{DateTime, Utc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

/// Whether the service works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `failing`.
    status: &'static str,
    /// Since when it runs.
    started_at: DateTime<Utc>,
    /// When the last job was handed over to it; `null` for never since it runs.
    last_job_at: Option<DateTime<Utc>>,
}

/// Whether the service works, and its database answers: 200, or 503.
#[utoipa::path(get, path = "/health", tag = "health",
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(crate) async fn health(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let answers = app
        .readers
        .read(|service| Ok(service.records().log_head()?))
        .await;
    let (code, status) = match answers {
        Ok(_) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
    };
    let health = Health {
        status,
        started_at: app.started_at,
        last_job_at: app.last_job_at(),
    };
    (code, Json(health))
}
