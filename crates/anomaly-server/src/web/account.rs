//! A person's own password and second factor.

use askama::Template;
use axum::Form;
use axum::extract::State;
use serde::Deserialize;
use tower_sessions::Session;

use super::chrome::{Chrome, PageResult, see, show};
use crate::account::{AccountsError, SecondFactor, User};
use crate::app::{App, now};
use crate::guard::Caller;
use crate::identity::SignedIn;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    chrome: Chrome,
    has_second_factor: bool,
    /// A secret to be taken over, until a one-time password shows that it was.
    offered: String,
}

/// What a session holds while a second factor is set up.
const OFFERED: &str = "offered_second_factor";

pub(crate) async fn page(State(app): State<App>, chrome: Chrome, session: Session) -> PageResult {
    let accounts = app.accounts().await?;
    let user = accounts.users.get(&chrome.name);
    let has_second_factor = user.is_some_and(User::has_second_factor);
    let failed = |error: tower_sessions::session::Error| Problem::internal(&error.to_string());
    let offered = if has_second_factor {
        String::new()
    } else {
        let offered: Option<SecondFactor> = session.get(OFFERED).await.map_err(failed)?;
        let factor = if let Some(factor) = offered {
            factor
        } else {
            let factor = SecondFactor::new().map_err(|error| Problem::of_accounts(&error))?;
            session.insert(OFFERED, &factor).await.map_err(failed)?;
            factor
        };
        factor.secret().to_owned()
    };
    Ok(show(&Page {
        chrome,
        has_second_factor,
        offered,
    })?)
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct NewPassword {
    old: String,
    new: String,
}

const WRONG: AccountsError = AccountsError::Role("that is not the old password");

/// Sets the own password, for who knows the old one; other sessions end.
pub(crate) async fn set_password(
    State(app): State<App>,
    caller: Caller,
    session: Session,
    Form(sent): Form<NewPassword>,
) -> PageResult {
    let name = caller.name.clone();
    let accounts = app.accounts().await?;
    let user = accounts.users.get(&name);
    let generation = user.map(|user| user.generation);
    if !app.hashing.is_password(user, sent.old).await? {
        return Err(Problem::of_accounts(&WRONG).into());
    }
    let password = app.hashing.hash(sent.new).await?;
    let generation = app
        .change_accounts(move |accounts| {
            // The old one is still that which was compared.
            if Some(accounts.user_mut(&name)?.generation) != generation {
                return Err(WRONG);
            }
            let entry = accounts.set_password(&name, password, (&name, now()))?;
            Ok((accounts.user_mut(&name)?.generation, Some(entry)))
        })
        .await?;
    SignedIn::start(&session, &caller.name, generation).await?;
    Ok(see("/account"))
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Code {
    code: String,
}

/// Sets up the second factor that was offered, once a one-time password shows that an authenticator
/// has it.
pub(crate) async fn set_second_factor(
    State(app): State<App>,
    caller: Caller,
    session: Session,
    Form(sent): Form<Code>,
) -> PageResult {
    let failed = |error: tower_sessions::session::Error| Problem::internal(&error.to_string());
    let offered: Option<SecondFactor> = session.remove(OFFERED).await.map_err(failed)?;
    let mut factor = offered.ok_or_else(|| Problem::invalid("Begin anew."))?;
    let code = sent.code.trim().to_owned();
    if !factor.takes(&code, now().timestamp().unsigned_abs()) {
        session.insert(OFFERED, &factor).await.map_err(failed)?;
        let detail = "That is not the one-time password of now. Is the clock right?";
        return Err(Problem::unprocessable("wrong_code", detail).into());
    }
    let name = caller.name.clone();
    app.change_accounts(move |accounts| {
        Ok(((), Some(accounts.set_second_factor(&name, factor, now())?)))
    })
    .await?;
    Ok(see("/account"))
}
