//! The first administrator.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tower_sessions::Session;

use super::chrome::{PageResult, see, show};
use crate::account::{AccountsError, Role};
use crate::app::{App, now};
use crate::identity::SignedIn;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "first_run.html")]
struct Page {
    name: String,
    refused: Option<String>,
}

pub(crate) async fn page(State(app): State<App>) -> PageResult {
    if !app.accounts().await?.is_new() {
        return Ok(see("/sign-in"));
    }
    Ok(show(&Page {
        name: String::new(),
        refused: None,
    })?)
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Sent {
    code: String,
    name: String,
    password: String,
}

/// Makes the first user, for whoever knows the code that the service printed when it started.
pub(crate) async fn create(
    State(app): State<App>,
    session: Session,
    Form(sent): Form<Sent>,
) -> PageResult {
    let is_code: bool = app
        .setup_code
        .as_bytes()
        .ct_eq(sent.code.trim().as_bytes())
        .into();
    let name = sent.name.clone();
    let made = if is_code {
        make(&app, sent.name, sent.password).await
    } else {
        let detail = "This is not the code that the service printed when it started.";
        Err(Problem::forbidden(detail))
    };
    let generation = match made {
        Ok(generation) => generation,
        Err(problem) => {
            let page = Page {
                name,
                refused: Some(problem.detail().to_owned()),
            };
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, show(&page)?).into_response());
        }
    };
    SignedIn::start(&session, &name, generation).await?;
    Ok(see("/"))
}

/// Answers the generation of the user that was made.
async fn make(app: &App, name: String, password: String) -> Result<u64, Problem> {
    let password = app.hashing.hash(password).await?;
    app.change_accounts(move |accounts| {
        if !accounts.is_new() {
            return Err(AccountsError::Exists { name });
        }
        let entry = accounts.add_user(&name, password, Role::Administrator, (&name, now()))?;
        Ok((accounts.user_mut(&name)?.generation, Some(entry)))
    })
    .await
}
