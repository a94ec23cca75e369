//! Errors as RFC 9457 writes them.

use anomaly_service::{ReviewRefused, ServiceError, SettingsRefused};
use anomaly_storage::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done: a problem document (RFC 9457).
///
/// `code` is stable and meant for programs, `detail` for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the code says it all.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What went wrong, and what to do.
    detail: String,
    /// What went wrong, in a word that stays.
    #[schema(example = "not_found")]
    code: &'static str,
    /// What of the request is wrong, where that is told one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Wrong>,
}

/// One thing of a request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Wrong {
    /// Which: a key such as `detection.alarm_budget`, or a scope such as `scope client mail01`.
    pub(crate) part: String,
    /// What is wrong with it, in a word that stays.
    #[schema(example = "setting_not_allowed")]
    pub(crate) code: &'static str,
    /// What is wrong with it.
    pub(crate) detail: String,
    /// What is allowed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            errors: Vec::new(),
        }
    }

    /// With all that is wrong, one by one.
    pub(crate) fn with_errors(mut self, errors: Vec<Wrong>) -> Self {
        self.errors = errors;
        self
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", detail)
    }

    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is no such {what}."),
        )
    }

    pub(crate) fn not_signed_in() -> Self {
        let detail = "Sign in, or send an API key as `Authorization: Bearer KEY`.";
        Self::new(StatusCode::UNAUTHORIZED, "not_signed_in", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn too_large() -> Self {
        let detail = "It is too large: send less at once.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    pub(crate) fn busy() -> Self {
        let detail = "Too many requests wait to be written. Nothing was kept: send it again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    }

    pub(crate) fn not_gathered() -> Self {
        let detail = "Gathering is switched off: nothing was kept. Send it again once it is on.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_gathered", detail)
    }

    pub(crate) fn stopping() -> Self {
        let detail =
            "The service is about to stop. Whether it was kept is not known: send it again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail)
    }

    /// What nobody outside needs to know more about; the log has the rest.
    pub(crate) fn internal(why: &str) -> Self {
        tracing::error!(why, "a request failed");
        let detail = "The service failed at it. Its log says why.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", detail)
    }

    pub(crate) fn of_service(error: &ServiceError) -> Self {
        match error {
            ServiceError::Review(refused) => Self::of_review(refused),
            ServiceError::Settings(refused) => Self::of_settings(refused),
            error if error.is_busy() => {
                tracing::warn!(%error, "the database is locked");
                let detail = "Another program writes to the database. Send it again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
            }
            ServiceError::Store(
                StoreError::NoSuchJob { .. }
                | StoreError::NoSuchRecord {
                    what: "incident", ..
                },
            ) => Self::new(
                StatusCode::GONE,
                "cursor_gone",
                "The list cannot go on from this cursor any more: start it anew.",
            ),
            error => Self::internal(&error.to_string()),
        }
    }

    pub(crate) fn of_review(refused: &ReviewRefused) -> Self {
        let detail = refused.to_string();
        match refused {
            ReviewRefused::Gone { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            ReviewRefused::Changed { .. } => Self::new(StatusCode::CONFLICT, "changed", detail),
            _ => Self::unprocessable("review_refused", detail),
        }
    }

    pub(crate) fn of_settings(refused: &SettingsRefused) -> Self {
        let detail = refused.to_string();
        let (status, code) = match refused {
            SettingsRefused::Changed => (StatusCode::PRECONDITION_FAILED, "stale"),
            SettingsRefused::NothingWaits { .. } => (StatusCode::NOT_FOUND, "not_found"),
            SettingsRefused::Lapsed { .. } => (StatusCode::CONFLICT, "lapsed"),
            SettingsRefused::SamePerson { .. } => (StatusCode::FORBIDDEN, "same_person"),
            SettingsRefused::NothingToEnd
            | SettingsRefused::EndIsPast
            | SettingsRefused::TooLong { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "end_refused"),
            _ => (StatusCode::UNPROCESSABLE_ENTITY, "settings_refused"),
        };
        Self::new(status, code, detail)
    }

    /// Whether it may be done a little later.
    pub(crate) fn is_busy(&self) -> bool {
        self.code == "busy"
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, json);
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl Problem {
    pub(crate) fn of_accounts(error: &crate::AccountsError) -> Self {
        use crate::AccountsError as E;
        match error {
            E::Service(error) => Self::of_service(error),
            E::Damaged(_) | E::Random(_) | E::Hash(_) => Self::internal(&error.to_string()),
            E::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", error.to_string()),
            E::Exists { .. } | E::HasSecondFactor { .. } => {
                Self::new(StatusCode::CONFLICT, "exists", error.to_string())
            }
            E::Password { .. }
            | E::Name { .. }
            | E::Reserved { .. }
            | E::LastAdministrator { .. }
            | E::Role(_) => Self::unprocessable("account_refused", error.to_string()),
        }
    }
}
