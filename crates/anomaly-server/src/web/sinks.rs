//! Who is told, and whether that works.

use anomaly_notify::{Event, What};
use askama::Template;
use axum::extract::{Path, State};

use super::chrome::{Chrome, PageResult, show};
use super::words::{When, when};
use crate::app::{App, now};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "sinks.html")]
struct Page {
    chrome: Chrome,
    rows: Vec<Row>,
    /// What a test has shown.
    tested: Option<(String, String)>,
}

struct Row {
    name: String,
    kind: &'static str,
    target: String,
    least: &'static str,
    delivered_at: Option<When>,
    failing: Option<(When, String)>,
    waiting: u64,
    quiet_until: Option<When>,
}

pub(crate) async fn page(State(app): State<App>, chrome: Chrome) -> PageResult {
    list(&app, chrome, None)
}

fn list(app: &App, chrome: Chrome, tested: Option<(String, String)>) -> PageResult {
    let rows = app.sinks.iter().map(|sink| {
        let state = app.sink_states.of(sink.name());
        Row {
            name: sink.name().to_owned(),
            kind: sink.options().channel.kind(),
            target: sink.target(),
            least: sink.options().min_severity.as_str(),
            delivered_at: state.delivered_at.map(when),
            failing: state.failing.map(|(since, why)| (when(since), why)),
            waiting: state.waiting,
            quiet_until: sink.quiet_until(now()).map(when),
        }
    });
    Ok(show(&Page {
        chrome,
        rows: rows.collect(),
        tested,
    })?)
}

/// Sends a test to one of them, and says what it answered.
pub(crate) async fn test(
    State(app): State<App>,
    chrome: Chrome,
    Path(name): Path<String>,
) -> PageResult {
    let sink = app.sinks.iter().find(|sink| sink.name() == name);
    let sink = sink.ok_or_else(|| Problem::not_found("sink"))?;
    let event = Event::new(&app.instance, now(), What::Test);
    let told = sink.deliver(&[&event], now()).await;
    app.sink_states.note(&name, &told);
    let answer = match told {
        Ok(()) => "took the test".to_owned(),
        Err(error) => error.in_one_line(),
    };
    list(&app, chrome, Some((name, answer)))
}
