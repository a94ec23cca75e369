//! Users and API keys.

use anomaly_model::SourceName;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::backtest::end_of;
use super::chrome::{Chrome, PageResult, see, show};
use crate::account::Role;
use crate::api::{keys, users};
use crate::app::{App, now};
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

pub(crate) async fn add(
    State(app): State<App>,
    caller: Caller,
    Form(sent): Form<NewUser>,
) -> PageResult {
    let role = role(&sent.role)?;
    let by = caller.name.clone();
    let password = app.hashing.hash(sent.password).await?;
    app.change_accounts(move |accounts| {
        let entry = accounts.add_user(&sent.name, password, role, (&by, now()))?;
        Ok(((), Some(entry)))
    })
    .await?;
    Ok(see("/users"))
}

pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> PageResult {
    let by = caller.name.clone();
    app.change_accounts(move |accounts| Ok(((), Some(accounts.remove_user(&name, (&by, now()))?))))
        .await?;
    Ok(see("/users"))
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct NewRole {
    role: String,
}

pub(crate) async fn set_role(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Form(sent): Form<NewRole>,
) -> PageResult {
    let role = role(&sent.role)?;
    let by = caller.name.clone();
    app.change_accounts(move |accounts| {
        Ok(((), Some(accounts.set_role(&name, role, (&by, now()))?)))
    })
    .await?;
    Ok(see("/users"))
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct NewPassword {
    name: String,
    password: String,
}

pub(crate) async fn set_password(
    State(app): State<App>,
    caller: Caller,
    Form(sent): Form<NewPassword>,
) -> PageResult {
    let by = caller.name.clone();
    let password = app.hashing.hash(sent.password).await?;
    app.change_accounts(move |accounts| {
        let entry = accounts.set_password(&sent.name, password, (&by, now()))?;
        Ok(((), Some(entry)))
    })
    .await?;
    Ok(see("/users"))
}

pub(crate) async fn remove_second_factor(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> PageResult {
    let by = caller.name.clone();
    app.change_accounts(move |accounts| {
        let entry = accounts.remove_second_factor(&name, (&by, now()))?;
        Ok(((), Some(entry)))
    })
    .await?;
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
    let role = role(&sent.role)?;
    let named = sent
        .sources
        .split([',', ' '])
        .filter(|name| !name.is_empty());
    let sources: Result<Vec<SourceName>, _> = named.map(SourceName::new).collect();
    let sources = sources.map_err(|error| Problem::invalid(error.to_string()))?;
    let until = end_of(&sent.until)?;
    let by = caller.name.clone();
    let made = app
        .change_accounts(move |accounts| {
            let made = accounts.add_api_key(&sent.name, role, sources, until, (&by, now()))?;
            Ok((made.0, Some(made.1)))
        })
        .await?;
    list(&app, chrome, made.key).await
}

pub(crate) async fn remove_key(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> PageResult {
    let by = caller.name.clone();
    app.change_accounts(move |accounts| {
        Ok(((), Some(accounts.remove_api_key(&id, (&by, now()))?)))
    })
    .await?;
    Ok(see("/users"))
}
