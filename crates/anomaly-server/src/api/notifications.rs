//! What a person is told, and has read.

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Body;
use crate::app::App;
use crate::bell::Notice;
use crate::guard::Caller;
use crate::problem::Problem;

/// One thing that a person is told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Notification {
    /// What marks it as read. An incident that grows has a new one, and is unread again.
    number: u64,
    /// When it was stored.
    at: DateTime<Utc>,
    /// `low`, `medium` or `high`.
    #[schema(value_type = String)]
    severity: Severity,
    /// What happened, and to whom.
    title: String,
    /// More of it, in a sentence.
    text: String,
    /// The page about it.
    link: String,
    /// Whether the person has read it.
    is_read: bool,
}

impl From<(Notice, bool)> for Notification {
    fn from((notice, is_read): (Notice, bool)) -> Self {
        Self {
            number: notice.number,
            at: notice.at,
            severity: notice.severity,
            title: notice.title,
            text: notice.text,
            link: notice.link,
            is_read,
        }
    }
}

/// What the person is told, the newest first: at most 100.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications",
    responses((status = 200, body = Vec<Notification>)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Json<Vec<Notification>> {
    let notices = app.bell.of(&caller.name);
    Json(notices.into_iter().map(Notification::from).collect())
}

/// What was read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HasRead {
    /// The number of a notification; all of them when it is missing.
    #[serde(default)]
    number: Option<u64>,
}

/// Marks notifications as read by the person who asks.
#[utoipa::path(post, path = "/api/v1/notifications/read", tag = "notifications",
    request_body = HasRead, responses((status = 204), (status = 400, body = Problem)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Body(has_read): Body<HasRead>,
) -> Result<StatusCode, Problem> {
    app.mark_read(&caller.name, has_read.number).await?;
    Ok(StatusCode::NO_CONTENT)
}
