//! Settings, as forms send them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anomaly_settings::{Key, Settings};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use super::backtest::end_of;
use super::chrome::{Chrome, PageResult, see};
use super::settings::{Typed, again};
use super::words::list;
use crate::api::InPath;
use crate::api::backtests::start;
use crate::api::settings::{Holding, decide};
use crate::app::App;
use crate::guard::Caller;
use crate::problem::Problem;
use crate::wanted::{Wanted, value_of};

/// What is sent under each name.
type Fields = BTreeMap<String, String>;

pub(super) fn fields(body: &[u8]) -> Result<Fields, Problem> {
    let pairs: Result<Vec<(String, String)>, _> = serde_urlencoded::from_bytes(body);
    let pairs = pairs.map_err(|error| Problem::invalid(error.to_string()))?;
    Ok(pairs.into_iter().collect())
}

/// What was typed into the field of a key, as TOML has it.
fn toml_of(key: &Key, typed: &str) -> String {
    let typed = typed.trim();
    let is_list = key.toml_type == "array of strings";
    match is_list.then(|| list(typed)).flatten() {
        // JSON's lists of strings are TOML's.
        Some(words) => Value::from(words).to_string(),
        None => typed.to_owned(),
    }
}

/// Looks at the settings that a form wants, and shows what they would change.
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    chrome: Chrome,
    body: Bytes,
) -> PageResult {
    let fields = fields(&body)?;
    let holding = Holding::of(&app).await?;
    let parts = holding.guard.settings.parts();
    let mut wanted = Wanted::default();
    let mut typed = Typed::default();
    for key in Settings::keys() {
        let Some(text) = fields.get(key.name) else {
            continue;
        };
        match value_of(key.name, Some(&toml_of(key, text))) {
            Ok(value) if value.as_ref() == parts.get(key.name) => {}
            Ok(value) => wanted.parts.push((key.name.to_owned(), value)),
            Err(wrong) => {
                let allowed = wrong.into_iter().find_map(|one| one.allowed);
                let allowed = allowed.unwrap_or_else(|| key.allowed.clone());
                let error = format!("Must be {allowed}.");
                typed.errors.insert(key.name.to_owned(), error);
            }
        }
    }
    let seen = fields
        .get("version")
        .and_then(|version| version.parse().ok());
    typed.fields = fields;
    look(&app, &caller, chrome, &holding, (wanted, seen), typed).await
}

/// Looks at a scope that a form wants, and shows what it would change.
pub(crate) async fn change_scope(
    State(app): State<App>,
    caller: Caller,
    chrome: Chrome,
    body: Bytes,
) -> PageResult {
    let fields = fields(&body)?;
    let holding = Holding::of(&app).await?;
    let given = |name: &str| {
        let value = fields.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty())
    };
    let mut text = "[[scope]]\n".to_owned();
    for name in anomaly_settings::Scope::NAMES {
        if let Some(value) = given(name) {
            // JSON's strings are TOML's.
            _ = writeln!(text, "{name} = {}", Value::from(value));
        }
    }
    let until = end_of(given("until").unwrap_or(""));
    if let Ok(Some(end)) = &until {
        _ = writeln!(text, "until = {}", Value::from(end.to_rfc3339()));
    }
    text.push_str(given("settings").unwrap_or(""));
    let wanted = until
        .map_err(|problem| problem.detail().to_owned())
        .and_then(|_| {
            Wanted::of_scope(&text).map_err(|wrong| {
                let details: Vec<String> = wrong.into_iter().map(|one| one.detail).collect();
                details.join(" ")
            })
        });
    let mut typed = Typed::default();
    let wanted = wanted.unwrap_or_else(|error| {
        typed.errors.insert("scope".to_owned(), error);
        Wanted::default()
    });
    typed.fields = fields;
    look(&app, &caller, chrome, &holding, (wanted, None), typed).await
}

/// Has what is wanted replayed, unless something is wrong with it; then the form comes back.
async fn look(
    app: &App,
    caller: &Caller,
    chrome: Chrome,
    holding: &Holding,
    (wanted, seen): (Wanted, Option<u64>),
    mut typed: Typed,
) -> PageResult {
    let settings = &holding.guard.settings;
    let error = &mut typed.error;
    let mut say = |status, what: &str| {
        what.clone_into(error);
        status
    };
    let status = if !typed.errors.is_empty() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else if seen.is_some_and(|seen| seen != holding.version) {
        let changed = "The settings have changed meanwhile. Look at what you typed again.";
        say(StatusCode::PRECONDITION_FAILED, changed)
    } else if let Some(fixed) = wanted.fixed(&app.layers).first() {
        say(StatusCode::CONFLICT, &fixed.detail)
    } else if wanted.over(settings) == *settings {
        let nothing = "Nothing differs from what holds.";
        say(StatusCode::UNPROCESSABLE_ENTITY, nothing)
    } else {
        match start(app, &caller.name, wanted, None, None).await {
            Ok(run) => return Ok(see(&format!("/settings/backtests/{}", run.id))),
            Err(problem) => {
                typed.running = app.backtests.running().map(|run| run.id.clone());
                say(problem.status(), problem.detail())
            }
        }
    };
    Ok(again(app, chrome, status, typed).await?)
}

/// Approves of what waits.
pub(crate) async fn approve(
    State(app): State<App>,
    caller: Caller,
    InPath(number): InPath<u64>,
) -> PageResult {
    decide(&app, &caller, number, true).await?;
    Ok(see("/settings?done=approved"))
}

/// Refuses what waits, or withdraws it.
pub(crate) async fn refuse(
    State(app): State<App>,
    caller: Caller,
    InPath(number): InPath<u64>,
) -> PageResult {
    decide(&app, &caller, number, false).await?;
    Ok(see("/settings?done=refused"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::words::value;

    /// What a field shows is what is kept: nobody who saves something else changes it.
    #[test]
    fn a_list_comes_back_as_it_is_shown() {
        let mut keys = Settings::keys().iter();
        let key = keys.find(|key| key.name == "detection.include_extensions");
        let key = key.unwrap();
        for (list, shown) in [
            (json!([]), ""),
            (json!(["crypt", "locked"]), "crypt, locked"),
            (json!(["my ext"]), r#"["my ext"]"#),
            (json!(["[x]", "y"]), r#"["[x]","y"]"#),
            (json!(["a,b"]), r#"["a,b"]"#),
        ] {
            let text = value(Some(&list));
            assert_eq!(text, shown);
            let read = value_of(key.name, Some(&toml_of(key, &text)));
            assert_eq!(read.unwrap(), Some(list), "{shown}");
        }
    }
}
