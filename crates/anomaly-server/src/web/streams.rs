//! Who is watched, and how well.

use anomaly_model::{FleetCoverage, StreamCoverage, Watch};
use askama::Template;
use axum::extract::State;
use serde::Deserialize;

use super::chrome::{Chrome, PageResult, show};
use super::words::{When, counted, feature, when};
use crate::api::{Asked, Cursor};
use crate::app::{App, now};

const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "streams.html")]
struct Page {
    chrome: Chrome,
    coverage: FleetCoverage,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    stream: String,
    state: &'static str,
    class: &'static str,
    words: String,
    blind: String,
    last: When,
    jobs: u64,
    silent_since: Option<When>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Asking {
    cursor: Option<String>,
}

pub(crate) async fn page(
    State(app): State<App>,
    chrome: Chrome,
    Asked(asking): Asked<Asking>,
) -> PageResult {
    let after = asking
        .cursor
        .as_deref()
        .map(Cursor::read::<u64>)
        .transpose()?
        .unwrap_or(0);
    let (coverage, page) = app
        .readers
        .read(move |service| {
            let now = now();
            Ok((
                service.coverage(now)?,
                service.stream_coverage(now, after, SHOWN)?,
            ))
        })
        .await?;
    Ok(show(&Page {
        chrome,
        coverage,
        rows: page.streams.iter().map(row).collect(),
        next: page
            .next
            .map(|place| format!("/streams?cursor={}", Cursor::write(&place))),
    })?)
}

fn row(stream: &StreamCoverage) -> Row {
    let (state, class, words) = match &stream.watch {
        Watch::Judged => ("Judged", "good", String::new()),
        Watch::WarmingUp { jobs_left } => (
            "Warming up",
            "quiet",
            format!("{} left", counted((*jobs_left).into(), "job")),
        ),
        Watch::NotScored { reason } => ("Not judged", "medium", reason.clone()),
        Watch::Excluded { by, until } => {
            let until = until.map_or_else(String::new, |until| {
                format!(" until {}", until.date_naive())
            });
            ("Excluded", "medium", format!("by {by}{until}"))
        }
        _ => ("Switched off", "medium", String::new()),
    };
    let blind: Vec<String> = stream.blind.iter().map(feature).collect();
    Row {
        stream: stream.stream.to_string(),
        state,
        class,
        words,
        blind: blind.join(", "),
        last: when(stream.last_job.started_at),
        jobs: stream.jobs,
        silent_since: stream.silence.as_ref().map(|silence| when(silence.since)),
    }
}
