//! Users, for administrators.

use anomaly_model::chrono::{DateTime, Utc};
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

/// A person who signs in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    /// The name.
    pub(crate) name: String,
    /// What the person may do.
    pub(crate) role: Role,
    /// When the user was added.
    pub(crate) created_at: DateTime<Utc>,
    /// By whom.
    pub(crate) created_by: String,
    /// Whether the person has to show a one-time password.
    pub(crate) second_factor: bool,
}

pub(crate) fn all(accounts: &Accounts) -> Vec<UserView> {
    let users = accounts.users.iter();
    let view = users.map(|(name, user)| UserView {
        name: name.clone(),
        role: user.role,
        created_at: user.created_at,
        created_by: user.created_by.clone(),
        second_factor: user.has_second_factor(),
    });
    view.collect()
}

/// All users.
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    responses((status = 200, body = Vec<UserView>)))]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Vec<UserView>>, Problem> {
    Ok(Json(all(&*app.accounts().await?)))
}

/// A new user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// 1 to 64 letters, digits, or any of `. _ - @`.
    pub(crate) name: String,
    /// 12 characters at least.
    pub(crate) password: String,
    /// `viewer`, `operator` or `administrator`.
    pub(crate) role: Role,
}

/// Adds a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 201), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(app): State<App>,
    caller: Caller,
    Body(new): Body<NewUser>,
) -> Result<StatusCode, Problem> {
    let by = caller.name.clone();
    let password = app.hashing.hash(new.password).await?;
    app.change_accounts(move |accounts| {
        let entry = accounts.add_user(&new.name, password, new.role, (&by, now()))?;
        Ok(((), Some(entry)))
    })
    .await?;
    Ok(StatusCode::CREATED)
}

/// A change of a user; what is absent stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    /// Another role.
    pub(crate) role: Option<Role>,
    /// Another password.
    pub(crate) password: Option<String>,
    /// `false` takes the second factor away.
    pub(crate) second_factor: Option<bool>,
}

/// Changes a user, whose sessions all end: all that is asked for, or nothing.
#[utoipa::path(patch, path = "/api/v1/users/{name}", tag = "users", request_body = UserChange,
    params(("name" = String, Path, description = "The name.")),
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    InPath(name): InPath<String>,
    Body(change): Body<UserChange>,
) -> Result<StatusCode, Problem> {
    if change.second_factor == Some(true) {
        let detail = "Only the person can set up a second factor.";
        return Err(Problem::unprocessable("account_refused", detail));
    }
    let password = match change.password {
        Some(password) => Some(app.hashing.hash(password).await?),
        None => None,
    };
    let by = caller.name.clone();
    app.change_accounts(move |accounts| {
        let by = (by.as_str(), now());
        accounts.user_mut(&name)?;
        let mut entries = Vec::new();
        if let Some(role) = change.role {
            entries.push(accounts.set_role(&name, role, by)?);
        }
        if let Some(password) = password {
            entries.push(accounts.set_password(&name, password, by)?);
        }
        if change.second_factor == Some(false) {
            entries.push(accounts.remove_second_factor(&name, by)?);
        }
        Ok(((), entries))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user away.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "users",
    params(("name" = String, Path, description = "The name.")),
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    InPath(name): InPath<String>,
) -> Result<StatusCode, Problem> {
    let by = caller.name.clone();
    app.change_accounts(move |accounts| Ok(((), Some(accounts.remove_user(&name, (&by, now()))?))))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
