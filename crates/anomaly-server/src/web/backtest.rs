//! What other settings would change, before they are saved.

use std::sync::Arc;

use anomaly_model::chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use anomaly_model::{ReviewStatus, Severity};
use anomaly_service::{BacktestReport, ChangedAnomaly, Changes, StreamChange};
use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::chrome::{Chrome, PageResult, see, show};
use super::settings_form::fields;
use super::words::{When, address, encoded, kind, shape, status, value, when};
use crate::api::settings::{Request, ask};
use crate::api::{InPath, job_in_path};
use crate::app::{App, now};
use crate::backtests::{End, Run};
use crate::guard::Caller;
use crate::problem::Problem;

/// Anomalies of each list, and streams, that are shown.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "backtest.html")]
struct Page {
    chrome: Chrome,
    id: String,
    state: &'static str,
    by: String,
    asked_at: When,
    differences: Vec<DifferenceRow>,
    loosens: bool,
    done: u64,
    of_at_most: u64,
    outcome: Option<Outcome>,
    /// The days that a loosening may end at.
    first_day: NaiveDate,
    last_day: Option<NaiveDate>,
    usual_days: u32,
    second_person: bool,
    reason: String,
    until: String,
    error: String,
}

struct DifferenceRow {
    part: String,
    before: String,
    after: String,
    loosens: bool,
}

struct Outcome {
    sentence: String,
    confirmed_lost: u64,
    confirmed_lowered: u64,
    rows: Vec<CountRow>,
    lists: [List; 2],
    streams: Vec<StreamChange>,
    differs: bool,
}

/// Counts of one severity, or of all.
struct CountRow {
    severity: Option<(Severity, &'static str)>,
    name: &'static str,
    before: u64,
    after: u64,
    gained: Option<u64>,
    lost: Option<u64>,
}

struct List {
    id: &'static str,
    title: &'static str,
    count: u64,
    rows: Vec<AnomalyRow>,
}

struct AnomalyRow {
    severity: Severity,
    shape: &'static str,
    client: String,
    kind: String,
    stream: String,
    started_at: When,
    status: &'static str,
    address: String,
}

pub(crate) async fn page(
    State(app): State<App>,
    chrome: Chrome,
    InPath(id): InPath<String>,
) -> PageResult {
    let run = app.backtests.get(&id)?;
    let page = page_of(&app, chrome, &run);
    Ok(show(&page)?)
}

fn page_of(app: &App, chrome: Chrome, run: &Run) -> Page {
    let guard = app.readers.settings().guard.clone();
    let outcome = match run.end() {
        Some((_, End::Done(report))) => Some(Outcome::of(&report)),
        _ => None,
    };
    let (done, of_at_most) = run.progress();
    let differences = run.differences.iter().map(|one| DifferenceRow {
        part: one.part.clone(),
        before: value(one.before.as_ref()),
        after: value(one.after.as_ref()),
        loosens: one.loosens,
    });
    let today = now().date_naive();
    let longest = TimeDelta::days(guard.longest_days.get().into()) - TimeDelta::days(1);
    Page {
        id: run.id.clone(),
        state: run.state(),
        by: run.by.clone(),
        asked_at: when(run.asked_at),
        loosens: run.differences.iter().any(|one| one.loosens),
        differences: differences.collect(),
        done,
        of_at_most,
        outcome,
        first_day: today,
        last_day: today.checked_add_signed(longest).filter(|_| !guard.endless),
        usual_days: guard.expires_after_days.get(),
        second_person: guard.second_person,
        reason: String::new(),
        until: String::new(),
        error: String::new(),
        chrome,
    }
}

/// Breaks it off.
pub(crate) async fn stop(State(app): State<App>, InPath(id): InPath<String>) -> PageResult {
    app.backtests.get(&id)?.stop();
    Ok(see(&format!("/settings/backtests/{}", encoded(&id))))
}

/// Saves what was looked at, or asks a second person.
pub(crate) async fn save(
    State(app): State<App>,
    caller: Caller,
    chrome: Chrome,
    InPath(id): InPath<String>,
    body: Bytes,
) -> PageResult {
    let run = app.backtests.get(&id)?;
    let fields = fields(&body)?;
    let field = |name: &str| fields.get(name).map_or("", |text| text.trim()).to_owned();
    let (reason, until) = (field("reason"), field("until"));
    match ask_for(&app, &caller, &run, &reason, &until).await {
        Ok(done) => Ok(see(&format!("/settings?done={done}"))),
        Err(problem) => {
            let mut page = page_of(&app, chrome, &run);
            problem.detail().clone_into(&mut page.error);
            (page.reason, page.until) = (reason, until);
            Ok(again(&problem, &page)?)
        }
    }
}

fn again(problem: &Problem, page: &Page) -> Result<Response, Problem> {
    Ok((problem.status(), show(page)?).into_response())
}

async fn ask_for(
    app: &App,
    caller: &Caller,
    run: &Arc<Run>,
    reason: &str,
    until: &str,
) -> Result<&'static str, Problem> {
    if reason.is_empty() {
        let detail = "Say why: whoever looks at it in a year wants to know.";
        return Err(Problem::unprocessable("settings_refused", detail));
    }
    let request = Request {
        wanted: run.wanted.clone(),
        reason: Some(reason.to_owned()),
        until: end_of(until)?,
        expected: Some(run.version),
    };
    let (_, parts) = ask(app, &caller.name, request).await?;
    let waiting = parts.iter().filter(|part| part.state == "waiting").count();
    Ok(match waiting {
        0 => "in_force",
        some if some == parts.len() => "waiting",
        _ => "partly",
    })
}

/// The end of a day, which a form sends as `2027-01-31`.
pub(super) fn end_of(day: &str) -> Result<Option<DateTime<Utc>>, Problem> {
    if day.is_empty() {
        return Ok(None);
    }
    let day: Option<NaiveDate> = day.parse().ok();
    let end = day.and_then(|day| day.succ_opt()?.and_hms_opt(0, 0, 0));
    let end = end.ok_or_else(|| {
        Problem::unprocessable("end_refused", "The end is a day, such as 2027-01-31.")
    })?;
    Ok(Some(end.and_utc()))
}

impl Outcome {
    fn of(report: &BacktestReport) -> Self {
        let BacktestReport {
            before,
            after,
            gained,
            lost,
            ..
        } = report;
        let count = |of: &std::collections::BTreeMap<Severity, u64>, severity: Severity| {
            of.get(&severity).copied().unwrap_or(0)
        };
        let all = CountRow {
            severity: None,
            name: "Anomalies",
            before: before.anomalies,
            after: after.anomalies,
            gained: Some(gained.count),
            lost: Some(lost.count),
        };
        let rows = Severity::ALL.iter().rev().map(|&severity| CountRow {
            severity: Some((severity, shape(severity))),
            name: severity.as_str(),
            before: count(&before.by_severity, severity),
            after: count(&after.by_severity, severity),
            gained: Some(count(&gained.by_severity, severity)),
            lost: Some(count(&lost.by_severity, severity)),
        });
        let plain = |name, before, after| CountRow {
            severity: None,
            name,
            before,
            after,
            gained: None,
            lost: None,
        };
        let others = [
            plain("Incidents", before.incidents, after.incidents),
            plain(
                "Jobs not judged",
                before.not_scored_jobs,
                after.not_scored_jobs,
            ),
        ];
        Self {
            sentence: report.in_words(),
            confirmed_lost: report.confirmed_lost.count,
            confirmed_lowered: report.confirmed_lowered.count,
            rows: std::iter::once(all).chain(rows).chain(others).collect(),
            lists: [
                List::of(lost, "lost", "What would be missed", address),
                // What is not stored as an anomaly has no page: its record does.
                List::of(gained, "gained", "What would be found", |job| {
                    format!("/api/v1/jobs/{}", job_in_path(job))
                }),
            ],
            streams: report.by_stream.iter().take(SHOWN).cloned().collect(),
            differs: report.stored.only_stored + report.stored.only_replayed > 0,
        }
    }
}

impl List {
    fn of(
        changes: &Changes,
        id: &'static str,
        title: &'static str,
        address: impl Fn(&anomaly_model::JobKey) -> String,
    ) -> Self {
        let row = |one: &ChangedAnomaly| AnomalyRow {
            severity: one.severity,
            shape: shape(one.severity),
            client: one.client.to_string(),
            kind: kind(one.kind),
            stream: one.stream.clone(),
            started_at: when(one.started_at),
            status: match one.review_status {
                ReviewStatus::NotReviewed => "",
                reviewed => status(reviewed),
            },
            address: address(&one.job),
        };
        Self {
            id,
            title,
            count: changes.count,
            rows: changes.anomalies.iter().take(SHOWN).map(row).collect(),
        }
    }

    fn more(&self) -> u64 {
        self.count - self.rows.len() as u64
    }
}
