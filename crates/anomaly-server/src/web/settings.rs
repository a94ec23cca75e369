//! The settings, with what each means.

use anomaly_settings::{Key, Settings};
use askama::Template;
use axum::extract::State;

use super::chrome::{Chrome, PageResult, show};
use crate::app::App;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    chrome: Chrome,
    groups: Vec<Group>,
    scopes: usize,
}

/// Settings that answer one question.
struct Group {
    question: &'static str,
    rows: Vec<Row>,
}

struct Row {
    key: &'static Key,
    value: String,
    is_default: bool,
}

/// What each group asks, and how the names of its keys begin; the first that fits has a key.
const QUESTIONS: &[(&str, &[&str])] = &[
    (
        "How loud may it be?",
        &[
            "detection.alarm",
            "detection.severity",
            "detection.accept",
            "detection.warm",
            "detection.history",
        ],
    ),
    (
        "What is excluded?",
        &[
            "detection.excluded",
            "detection.enabled",
            "detection.policy",
        ],
    ),
    (
        "Which files are suspicious?",
        &[
            "detection.suspicious",
            "detection.include_ext",
            "detection.exclude_ext",
            "detection.attribute",
        ],
    ),
    ("Which rules are on?", &["detection.rules"]),
    ("Who belongs together?", &["incidents", "streams"]),
    ("What may a review cover?", &["review"]),
    ("Who may loosen, and for how long?", &["guard"]),
    ("What is kept, and how long?", &["storage"]),
    ("How does it judge?", &[""]),
];

pub(crate) async fn page(State(app): State<App>, chrome: Chrome) -> PageResult {
    let settings = app.readers.settings();
    Ok(show(&Page {
        chrome,
        groups: groups(&settings)?,
        scopes: settings.scopes.len(),
    })?)
}

fn groups(settings: &Settings) -> Result<Vec<Group>, Problem> {
    let values =
        toml::Value::try_from(settings).map_err(|error| Problem::internal(&error.to_string()))?;
    let mut groups: Vec<Group> = QUESTIONS
        .iter()
        .map(|(question, _)| Group {
            question,
            rows: Vec::new(),
        })
        .collect();
    for key in Settings::keys() {
        let value = key
            .name
            .split('.')
            .try_fold(&values, |table, name| table.get(name))
            .map_or_else(|| key.default.clone(), ToString::to_string);
        let fits =
            |(_, starts): &(&str, &[&str])| starts.iter().any(|start| key.name.starts_with(start));
        if let Some(place) = QUESTIONS.iter().position(fits) {
            groups[place].rows.push(Row {
                is_default: value == key.default,
                key,
                value,
            });
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    Ok(groups)
}
