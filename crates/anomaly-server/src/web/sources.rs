//! Where jobs are fetched from, and whether that works.

use anomaly_settings::Role;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::chrome::{Chrome, PageProblem, PageResult, see, show};
use super::words::{When, counted, when};
use crate::app::App;
use crate::gather::{Condition, SourceState};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "sources.html")]
struct Page {
    chrome: Chrome,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    kind: &'static str,
    target: String,
    /// How its state looks, and what it is called.
    class: &'static str,
    state: &'static str,
    /// Since when it cannot be read, and why.
    degraded: Option<(When, String)>,
    succeeded_at: Option<When>,
    latest: Option<When>,
    next_at: Option<When>,
    is_reading: bool,
    new_jobs: u64,
    known: u64,
    /// What else the last reading came to, in words.
    besides: String,
    reasons: Vec<String>,
}

impl Row {
    /// Whether there is more to say of it than fits into its row.
    fn has_more(&self) -> bool {
        self.degraded.is_some() || !self.besides.is_empty() || !self.reasons.is_empty()
    }
}

pub(crate) async fn page(State(app): State<App>, chrome: Chrome) -> PageResult {
    let is_on = app.readers.settings().is_on(Role::Gather);
    let all = app.source_states.all().into_iter();
    let rows = all.map(|(name, state)| row(name, state, is_on));
    Ok(show(&Page {
        chrome,
        rows: rows.collect(),
    })?)
}

fn row(name: String, state: SourceState, is_on: bool) -> Row {
    let (class, word, degraded) = match state.condition {
        _ if !is_on => ("medium", "Off", None),
        Condition::New => ("quiet", "Not read yet", None),
        Condition::Working => ("good", "Works", None),
        Condition::Degraded { since, why, .. } => ("medium", "Degraded", Some((when(since), why))),
    };
    let besides = [
        (state.skipped, "record", "skipped"),
        (state.refused, "record", "refused"),
        (state.unsettled, "file", "still being written"),
    ];
    let besides: Vec<String> = besides
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, how)| format!("{} {how}", counted(count, what)))
        .collect();
    Row {
        name,
        kind: state.kind,
        target: state.target,
        class,
        state: word,
        degraded,
        succeeded_at: state.succeeded_at.map(when),
        latest: state.latest.map(when),
        next_at: state.next_at.map(when),
        is_reading: state.is_reading,
        new_jobs: state.new_jobs,
        known: state.known,
        besides: besides.join(", "),
        reasons: state.reasons,
    }
}

/// Has one of them read now.
pub(crate) async fn read_now(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, PageProblem> {
    if app.source_states.read_now(&name) {
        Ok(see("/sources"))
    } else {
        Err(Problem::not_found("source").into())
    }
}
