//! Signing in and out.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tower_sessions::Session;

use super::chrome::{PageResult, is_own, see, show};
use crate::app::{App, now};
use crate::identity::SignedIn;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    next: String,
    name: String,
    refused: bool,
}

/// Where to go then.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Next {
    next: String,
}

pub(crate) async fn page(State(app): State<App>, Query(next): Query<Next>) -> PageResult {
    if app.accounts().await?.is_new() {
        return Ok(see("/first-run"));
    }
    Ok(show(&Page {
        next: next.next,
        name: String::new(),
        refused: false,
    })?)
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Sent {
    name: String,
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// Lets in who knows name, password and, where there is one, the one-time password. Which of them was
/// wrong is not said, and a name that nobody has takes as long as a wrong password. Who measures sees
/// that a password is right where there is a second factor: each try of that is kept.
pub(crate) async fn sign_in(
    State(app): State<App>,
    session: Session,
    Form(sent): Form<Sent>,
) -> PageResult {
    let accounts = app.accounts().await?;
    let user = accounts.users.get(&sent.name);
    let is_password = app.hashing.is_password(user, sent.password).await?;
    let checked = user.filter(|_| is_password);
    let is_in = match checked {
        None => false,
        Some(user) if user.has_second_factor() => {
            use_code(&app, sent.name.clone(), sent.code.trim().to_owned()).await?
        }
        Some(_) => true,
    };
    let Some(user) = checked.filter(|_| is_in) else {
        // A name that nobody has may be a password that was typed into the wrong field.
        let name = user.map_or("nobody's", |_| sent.name.as_str());
        tracing::warn!(name, "a sign-in was refused");
        let page = Page {
            next: sent.next,
            name: sent.name,
            refused: true,
        };
        return Ok((StatusCode::UNAUTHORIZED, show(&page)?).into_response());
    };
    SignedIn::start(&session, &sent.name, user.generation).await?;
    tracing::info!(name = sent.name, "signed in");
    Ok(see(if is_own(&sent.next) { &sent.next } else { "/" }))
}

/// Whether a one-time password is good; it is not a second time.
async fn use_code(app: &App, name: String, code: String) -> Result<bool, Problem> {
    app.change_accounts(move |accounts| accounts.try_code(&name, &code, now()))
        .await
}

/// Ends the session.
pub(crate) async fn sign_out(session: Session) -> Response {
    if let Err(error) = session.flush().await {
        tracing::warn!(%error, "a session could not be ended");
    }
    see("/sign-in")
}
