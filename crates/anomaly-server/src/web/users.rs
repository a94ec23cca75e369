//! Users and API keys.

use anomaly_model::SourceName;
use askama::Template;
use axum::extract::State;
use axum::{Form, Json};
use serde::Deserialize;

use super::backtest::end_of;
use super::chrome::{Chrome, PageResult, see, show};
use crate::account::Role;
use crate::api::{Body, InPath, keys, users};
use crate::app::App;
use crate::guard::Caller;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "users.html")]
struct Page {
    chrome: Chrome,
    users: Vec<users::UserView>,
    keys: Vec<keys::KeyView>,
    /// A key that was just made.
    made: String,
}

pub(crate) async fn page(State(app): State<App>, chrome: Chrome) -> PageResult {
    list(&app, chrome, String::new()).await
}

async fn list(app: &App, chrome: Chrome, made: String) -> PageResult {
    let accounts = app.accounts().await?;
    Ok(show(&Page {
        chrome,
        users: users::all(&accounts),
        keys: keys::all(&accounts),
        made,
    })?)
}

fn role(word: &str) -> Result<Role, Problem> {
    Role::from_word(word).ok_or_else(|| Problem::invalid(format!("`{word}` is no role.")))
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct NewUser {
    name: String,
    password: String,
    role: String,
}

pub(crate) async fn add(app: State<App>, caller: Caller, Form(sent): Form<NewUser>) -> PageResult {
    let new = users::NewUser {
        name: sent.name,
        password: sent.password,
        role: role(&sent.role)?,
    };
    users::add(app, caller, Body(new)).await?;
    Ok(see("/users"))
}

pub(crate) async fn remove(app: State<App>, caller: Caller, name: InPath<String>) -> PageResult {
    users::remove(app, caller, name).await?;
    Ok(see("/users"))
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct NewRole {
    role: String,
}

pub(crate) async fn set_role(
    app: State<App>,
    caller: Caller,
    name: InPath<String>,
    Form(sent): Form<NewRole>,
) -> PageResult {
    let change = users::UserChange {
        role: Some(role(&sent.role)?),
        ..users::UserChange::default()
    };
    users::change(app, caller, name, Body(change)).await?;
    Ok(see("/users"))
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct NewPassword {
    name: String,
    password: String,
}

pub(crate) async fn set_password(
    app: State<App>,
    caller: Caller,
    Form(sent): Form<NewPassword>,
) -> PageResult {
    let change = users::UserChange {
        password: Some(sent.password),
        ..users::UserChange::default()
    };
    users::change(app, caller, InPath(sent.name), Body(change)).await?;
    Ok(see("/users"))
}

pub(crate) async fn remove_second_factor(
    app: State<App>,
    caller: Caller,
    name: InPath<String>,
) -> PageResult {
    let change = users::UserChange {
        second_factor: Some(false),
        ..users::UserChange::default()
    };
    users::change(app, caller, name, Body(change)).await?;
    Ok(see("/users"))
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct NewKey {
    name: String,
    role: String,
    #[serde(default)]
    sources: String,
    #[serde(default)]
    until: String,
}

/// Makes a key, and shows it once.
pub(crate) async fn add_key(
    State(app): State<App>,
    caller: Caller,
    chrome: Chrome,
    Form(sent): Form<NewKey>,
) -> PageResult {
    let named = sent
        .sources
        .split([',', ' '])
        .filter(|name| !name.is_empty());
    let sources: Result<Vec<SourceName>, _> = named.map(SourceName::new).collect();
    let new = keys::NewKey {
        name: sent.name,
        role: role(&sent.role)?,
        sources: sources.map_err(|error| Problem::invalid(error.to_string()))?,
        expires_at: end_of(&sent.until)?,
    };
    let (_, Json(made)) = keys::add(State(app.clone()), caller, Body(new)).await?;
    list(&app, chrome, made.key).await
}

pub(crate) async fn remove_key(app: State<App>, caller: Caller, id: InPath<String>) -> PageResult {
    keys::remove(app, caller, id).await?;
    Ok(see("/users"))
}
