//! API keys, for administrators.

use anomaly_model::SourceName;
use anomaly_model::chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::InPath;
use super::body::Body;
use crate::account::{Accounts, Role};
use crate::app::{App, now};
use crate::guard::Caller;
use crate::problem::Problem;

/// A key that a program signs in with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// The part of it that says which it is.
    pub(crate) id: String,
    /// What it is called.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// The tools whose jobs it may hand over; empty for any.
    #[schema(value_type = Vec<String>)]
    pub(crate) sources: Vec<SourceName>,
    /// When it was made.
    pub(crate) created_at: DateTime<Utc>,
    /// By whom.
    pub(crate) created_by: String,
    /// From when on it does not count; `null` for never.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl KeyView {
    /// The last day on which it counts, in UTC.
    pub(crate) fn last_day(&self) -> Option<NaiveDate> {
        let last = self
            .expires_at?
            .checked_sub_signed(TimeDelta::microseconds(1))?;
        Some(last.date_naive())
    }
}

pub(crate) fn all(accounts: &Accounts) -> Vec<KeyView> {
    let keys = accounts.api_keys.iter();
    let view = keys.map(|(id, key)| KeyView {
        id: id.clone(),
        name: key.name.clone(),
        role: key.role,
        sources: key.sources.clone(),
        created_at: key.created_at,
        created_by: key.created_by.clone(),
        expires_at: key.expires_at,
    });
    view.collect()
}

/// All keys, without what would let anybody use one.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "users",
    responses((status = 200, body = Vec<KeyView>)))]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Vec<KeyView>>, Problem> {
    Ok(Json(all(&*app.accounts().await?)))
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// What it is to be called.
    pub(crate) name: String,
    /// `ingest`, `viewer` or `operator`.
    pub(crate) role: Role,
    /// The tools whose jobs it may hand over, such as `restic`; empty or absent for any.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) sources: Vec<SourceName>,
    /// From when on it does not count.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeKey {
    /// The part of it that says which it is.
    id: String,
    /// The key: shown now, and never again.
    pub(crate) key: String,
}

/// Makes an API key.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "users", request_body = NewKey,
    responses((status = 201, body = MadeKey), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewKey>,
) -> Result<(StatusCode, Json<MadeKey>), Problem> {
    let by = caller.name.clone();
    let made = app
        .change_accounts(move |accounts| {
            let (key, entry) = accounts.add_api_key(
                &new.name,
                new.role,
                new.sources,
                new.expires_at,
                (&by, now()),
            )?;
            Ok((key, Some(entry)))
        })
        .await?;
    let made = MadeKey {
        id: made.id,
        key: made.key,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes an API key away.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "users",
    params(("id" = String, Path, description = "The part of it that says which it is.")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<StatusCode, Problem> {
    let by = caller.name.clone();
    app.change_accounts(move |accounts| {
        Ok(((), Some(accounts.remove_api_key(&id, (&by, now()))?)))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
