//! The settings, with what each means, what was loosened, and what waits.

use std::collections::BTreeMap;

use anomaly_service::{Loosening, LooseningState};
use anomaly_settings::{Key, Layers, Settings};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::chrome::{Chrome, PageResult, show};
use super::words::{When, lines, value, when};
use crate::api::Asked;
use crate::api::settings::{Holding, ProposalView};
use crate::app::App;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    chrome: Chrome,
    version: u64,
    groups: Vec<Group>,
    scopes: Vec<ScopeRow>,
    proposals: Vec<ProposalRow>,
    loosenings: Vec<LooseningRow>,
    notice: &'static str,
    typed: Typed,
}

/// Settings that answer one question.
struct Group {
    question: &'static str,
    rows: Vec<Row>,
}

struct Row {
    key: &'static Key,
    meaning: String,
    reason: String,
    /// What holds, or what was typed.
    value: String,
    default: String,
    is_default: bool,
    in_scopes: bool,
    /// What sets it, where that is not the database.
    fixed_by: Option<String>,
    /// What was loosened about it, or waits.
    note: Option<String>,
    error: Option<String>,
}

impl Row {
    fn is_switch(&self) -> bool {
        self.key.toml_type == "boolean"
    }

    /// What is allowed, and what loosens, in the words of the field.
    fn allowed(&self) -> &str {
        if self.is_switch() {
            "on or off"
        } else {
            &self.key.allowed
        }
    }

    fn looser(&self) -> &'static str {
        match self.key.loosens.in_words() {
            "true" => "on",
            "false" => "off",
            words => words,
        }
    }

    fn is_off(&self) -> bool {
        matches!(self.value.as_str(), "off" | "false")
    }

    fn is_number(&self) -> bool {
        matches!(self.key.toml_type, "integer" | "float")
    }
}

struct ScopeRow {
    /// What it is called: `client mail01`.
    name: String,
    lines: Vec<String>,
    until: Option<When>,
    fixed_by: Option<String>,
    /// What it names, for the form that takes it away.
    names: Vec<(&'static str, String)>,
}

struct ProposalRow {
    proposal: ProposalView,
    before: String,
    after: String,
    asked_at: When,
    until: Option<When>,
    lapses_at: When,
    /// Whether who looks asked for it.
    is_own: bool,
}

struct LooseningRow {
    part: String,
    before: String,
    after: String,
    by: String,
    seconded_by: Option<String>,
    reason: String,
    state: &'static str,
    until: Option<When>,
}

/// What was typed, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// By name of the field.
    pub(super) fields: BTreeMap<String, String>,
    /// By key.
    pub(super) errors: BTreeMap<String, String>,
    /// What is wrong with all of it.
    pub(super) error: String,
    /// The backtest that is in the way.
    pub(super) running: Option<String>,
}

impl Typed {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    fn is_wrong(&self) -> bool {
        !self.error.is_empty() || !self.errors.is_empty()
    }
}

/// What each group asks, and how the names of its keys begin; the first that fits has a key.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("Does anybody look?", &["roles.", "detection.enabled"]),
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
        &["detection.excluded", "detection.policy"],
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

/// What has just been done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    done: String,
}

impl Done {
    fn in_words(&self) -> &'static str {
        match self.done.as_str() {
            "in_force" => "Saved. It is in force.",
            "waiting" => "Asked for. It waits for a second person; until then nothing changes.",
            "partly" => "Saved. Part of it is in force, and part waits for a second person.",
            "approved" => "Approved. It is in force.",
            "refused" => "Taken off the list. Nothing has changed.",
            _ => "",
        }
    }
}

pub(crate) async fn page(
    State(app): State<App>,
    chrome: Chrome,
    Asked(done): Asked<Done>,
) -> PageResult {
    let holding = Holding::of(&app).await?;
    let page = page_of(&app, chrome, &holding, Typed::default(), done.in_words());
    Ok(show(&page)?)
}

/// The page again, with what was typed and what is wrong with it.
pub(super) async fn again(
    app: &App,
    chrome: Chrome,
    status: StatusCode,
    typed: Typed,
) -> Result<Response, Problem> {
    let holding = Holding::of(app).await?;
    let page = show(&page_of(app, chrome, &holding, typed, ""))?;
    Ok((status, page).into_response())
}

fn page_of(
    app: &App,
    chrome: Chrome,
    holding: &Holding,
    typed: Typed,
    notice: &'static str,
) -> Page {
    let guard = &holding.guard;
    let proposals = holding.proposals().into_iter().map(|proposal| ProposalRow {
        before: value(proposal.before.as_ref()),
        after: value(proposal.after.as_ref()),
        asked_at: when(proposal.asked_at),
        until: proposal.until.map(when),
        lapses_at: when(proposal.lapses_at),
        is_own: anomaly_service::is_same_person(&proposal.asked_by, &chrome.name),
        proposal,
    });
    let loosenings = guard.loosenings.iter().filter_map(LooseningRow::of);
    Page {
        version: holding.version,
        groups: groups(&guard.settings, &app.layers, &guard.loosenings, &typed),
        scopes: scopes(&guard.settings, &app.layers),
        proposals: proposals.collect(),
        loosenings: loosenings.collect(),
        notice,
        typed,
        chrome,
    }
}

fn groups(
    settings: &Settings,
    layers: &Layers,
    loosenings: &[Loosening],
    typed: &Typed,
) -> Vec<Group> {
    let parts = settings.parts();
    let defaults = Settings::default().parts();
    let mut groups: Vec<Group> = QUESTIONS
        .iter()
        .map(|(question, _)| Group {
            question,
            rows: Vec::new(),
        })
        .collect();
    for key in Settings::keys() {
        let holds = parts.get(key.name);
        let loosening = loosenings.iter().find(|one| one.part == key.name);
        let fits =
            |(_, starts): &(&str, &[&str])| starts.iter().any(|start| key.name.starts_with(start));
        if let Some(place) = QUESTIONS.iter().position(fits) {
            groups[place].rows.push(Row {
                key,
                meaning: plain(key.meaning),
                reason: plain(key.reason),
                value: match typed.fields.get(key.name) {
                    Some(typed) => typed.clone(),
                    None => shown(holds),
                },
                default: shown(defaults.get(key.name)),
                is_default: holds == defaults.get(key.name),
                in_scopes: key.name.starts_with("detection."),
                fixed_by: layers.place_of(key.name).map(ToString::to_string),
                note: loosening.and_then(note),
                error: typed.errors.get(key.name).cloned(),
            });
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

/// A value as a field holds it.
fn shown(holds: Option<&serde_json::Value>) -> String {
    value(holds.or(Some(&serde_json::Value::String(String::new()))))
}

/// Comments mark names; pages have their own way.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

fn note(loosening: &Loosening) -> Option<String> {
    let after = value(loosening.after.as_ref());
    match loosening.state {
        LooseningState::Waits { .. } => Some(format!("Waits for a second person: {after}.")),
        LooseningState::Holds => {
            let by = &loosening.by;
            let end = loosening.until.map_or_else(
                || "without an end".to_owned(),
                |until| format!("until {}", when(until).shown),
            );
            Some(format!("Loosened by {by}, {end}."))
        }
        _ => None,
    }
}

fn scopes(settings: &Settings, layers: &Layers) -> Vec<ScopeRow> {
    let scopes = settings.scopes.iter().map(|scope| {
        let json = serde_json::to_value(scope).unwrap_or_default();
        let name = |key: &'static str| {
            let value = json.get(key)?.as_str()?;
            Some((key, value.to_owned()))
        };
        ScopeRow {
            name: scope.to_string(),
            lines: lines(json.get("detection"), "detection"),
            until: scope.until.map(when),
            fixed_by: layers.place_of(&scope.part_name()).map(ToString::to_string),
            names: anomaly_settings::Scope::NAMES
                .into_iter()
                .filter_map(name)
                .collect(),
        }
    });
    scopes.collect()
}

impl LooseningRow {
    fn of(loosening: &Loosening) -> Option<Self> {
        let state = match loosening.state {
            LooseningState::Holds => "In force",
            LooseningState::Ended => "Has ended, though it is still asked for",
            LooseningState::Refused => "Was refused, though it is still asked for",
            _ => return None,
        };
        Some(Self {
            part: loosening.part.clone(),
            before: value(loosening.before.as_ref()),
            after: value(loosening.after.as_ref()),
            by: loosening.by.clone(),
            seconded_by: loosening.seconded_by.clone(),
            reason: loosening.reason.clone().unwrap_or_default(),
            state,
            until: loosening.until.map(when),
        })
    }
}
