//! Is anything wrong, since when, how far; and does anybody look?

use std::fmt::Write as _;

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{FleetCoverage, Severity, StreamCoverage};
use anomaly_service::{AnomalyService, IncidentReport, ServiceError};
use anomaly_settings::Role;
use anomaly_storage::IncidentQuery;
use askama::Template;
use axum::extract::State;

use super::calendar_strip::{Strip, axis};
use super::chart::days_chart;
use super::chrome::{Chrome, PageResult, show};
use super::words::{When, ago, counted, day, kind, shape, spread, when};
use crate::app::{App, last_job_ended_at, now};

/// Clients of which the days are shown.
const MOST_CLIENTS: usize = 30;
/// Incidents that are shown.
const MOST_INCIDENTS: usize = 8;
/// Streams that are silent and shown.
const MOST_SILENT: usize = 12;
/// Streams that are looked at for silent ones.
const MOST_STREAMS: usize = 1_000;
/// Jobs that came no later than this are news.
const FRESH: TimeDelta = TimeDelta::hours(36);

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Page {
    chrome: Chrome,
    /// Whether something is wrong, in words.
    headline: String,
    /// Whether anybody looks, in words.
    looking: String,
    tone: &'static str,
    incidents: Vec<IncidentRow>,
    /// Whether more are open than are shown.
    more_incidents: bool,
    strips: Vec<Strip>,
    /// The months above them.
    axis: String,
    more_clients: usize,
    is_complete: bool,
    days: String,
    coverage: FleetCoverage,
    silent: Vec<SilentRow>,
    /// Streams that are silent and not shown.
    more_silent: u64,
    /// What the service fails at, in words that a time follows.
    failing: Vec<(&'static str, When)>,
    has_jobs: bool,
    address: String,
}

/// An incident, in a line.
pub(super) struct IncidentRow {
    pub(super) number: u64,
    pub(super) severity: Severity,
    pub(super) shape: &'static str,
    pub(super) title: String,
    pub(super) first_seen: When,
    pub(super) last_seen: When,
    pub(super) spread: String,
    pub(super) anomalies: u64,
    pub(super) is_open: bool,
    since: Time,
}

impl From<IncidentReport> for IncidentRow {
    fn from(report: IncidentReport) -> Self {
        let incident = &report.incident;
        let severity = incident.severity();
        Self {
            number: report.number,
            severity,
            shape: shape(severity),
            title: kind(incident.kind()),
            first_seen: when(incident.first_seen),
            last_seen: when(incident.last_seen),
            spread: spread(incident),
            anomalies: incident.anomalies(),
            is_open: report.closed_at.is_none(),
            since: incident.first_seen,
        }
    }
}

struct SilentRow {
    stream: String,
    since: When,
}

pub(crate) async fn page(State(app): State<App>, chrome: Chrome) -> PageResult {
    let (incidents, coverage, streams, last) = app
        .readers
        .read(move |service| {
            let now = now();
            Ok((
                worst_incidents(service)?,
                service.coverage(now)?,
                service.stream_coverage(now, 0, MOST_STREAMS)?.streams,
                last_job_ended_at(service, now)?,
            ))
        })
        .await?;
    let today = now().date_naive();
    let (clients, all) = app.calendar.clients(today, MOST_CLIENTS);
    let strips: Vec<Strip> = clients
        .iter()
        .map(|(client, days)| Strip::of(client, days, today))
        .collect();
    let silent: Vec<SilentRow> = streams
        .into_iter()
        .filter_map(silent)
        .take(MOST_SILENT)
        .collect();
    let failing: Vec<_> = app
        .duties
        .failing()
        .into_iter()
        .map(|(duty, since)| (duty.failure_in_words(), when(since)))
        .collect();
    let mut incidents: Vec<IncidentRow> = incidents.into_iter().map(IncidentRow::from).collect();
    let degraded = app.source_states.degraded();
    let looking = if app.readers.settings().is_on(Role::Detect) {
        looking(&coverage, last, degraded)
    } else {
        "Backwatch is not looking: detection is switched off.".to_owned()
    };
    let is_all_on = chrome.off.is_empty() && degraded == 0 && failing.is_empty();
    let (headline, tone) = headline(&incidents, &coverage, last, is_all_on);
    let more_incidents = incidents.len() > MOST_INCIDENTS;
    incidents.truncate(MOST_INCIDENTS);
    Ok(show(&Page {
        chrome,
        headline,
        looking,
        tone,
        more_incidents,
        axis: axis(today),
        more_clients: all - strips.len(),
        strips,
        is_complete: app.calendar.is_complete(),
        days: days_chart(&app.calendar.counts(today)),
        has_jobs: coverage.streams > 0,
        address: app.address(),
        incidents,
        more_silent: coverage.silent.saturating_sub(silent.len() as u64),
        coverage,
        silent,
        failing,
    })?)
}

/// Open incidents, the worst first, and of equals the one seen last: one more than are shown.
///
/// They are asked for by severity: many that matter little do not hide one that does.
fn worst_incidents(service: &AnomalyService) -> Result<Vec<IncidentReport>, ServiceError> {
    let query = IncidentQuery::default()
        .open(true)
        .limit(MOST_INCIDENTS + 1);
    let mut found: Vec<IncidentReport> = Vec::new();
    for &least in Severity::ALL.iter().rev() {
        let page = service.incidents(&query.clone().at_least(least))?;
        let new = |report: &IncidentReport| found.iter().all(|one| one.number != report.number);
        let new: Vec<_> = page.into_iter().filter(new).collect();
        found.extend(new);
    }
    found.sort_by_key(|report| {
        let incident = &report.incident;
        std::cmp::Reverse((incident.severity(), incident.last_seen, report.number))
    });
    found.truncate(MOST_INCIDENTS + 1);
    Ok(found)
}

fn silent(stream: StreamCoverage) -> Option<SilentRow> {
    let silence = stream.silence?;
    Some(SilentRow {
        stream: stream.stream.to_string(),
        since: when(silence.since),
    })
}

type Time = anomaly_model::chrono::DateTime<anomaly_model::chrono::Utc>;

fn headline(
    incidents: &[IncidentRow],
    coverage: &FleetCoverage,
    last: Option<Time>,
    is_all_on: bool,
) -> (String, &'static str) {
    match incidents.first() {
        Some(worst) => {
            let open = match incidents.len() {
                count if count > MOST_INCIDENTS => {
                    format!("More than {MOST_INCIDENTS} incidents are")
                }
                1 => "An incident is".to_owned(),
                count => format!("{count} incidents are"),
            };
            let what = if incidents.len() == 1 {
                "It looks"
            } else {
                "The worst looks"
            };
            let text = format!(
                "{open} open. {what} like {}, on {}, since {}.",
                worst.title.to_lowercase(),
                worst.spread,
                day(worst.since.date_naive()),
            );
            (text, worst.severity.as_str())
        }
        None if !is_all_on => (
            "Nothing strange was found, but not everything is looked at.".to_owned(),
            "medium",
        ),
        None if coverage.streams == 0 => ("No job has been handed over yet.".to_owned(), "quiet"),
        None if last.is_none_or(|last| now() - last > FRESH) => (
            "Nothing strange, but no job has come lately.".to_owned(),
            "medium",
        ),
        None if coverage.silent > 0 => {
            let streams = counted(coverage.silent, "stream");
            (
                format!("Nothing strange, but {streams} went silent."),
                "medium",
            )
        }
        None => ("Nothing strange in what was looked at.".to_owned(), "good"),
    }
}

fn looking(coverage: &FleetCoverage, last: Option<Time>, degraded: usize) -> String {
    if coverage.streams == 0 {
        return "Backwatch is looking, and has seen nothing.".to_owned();
    }
    let judged = coverage.judged;
    let mut text = format!(
        "Backwatch is looking: {judged} of {} judged",
        counted(coverage.streams, "stream")
    );
    for (count, words) in [
        (coverage.warming_up, "warming up"),
        (coverage.excluded, "excluded"),
        (coverage.off, "switched off"),
        (coverage.not_scored, "not judged"),
        (coverage.silent, "silent"),
    ] {
        if count > 0 {
            // Writing to a string does not fail.
            _ = write!(text, ", {count} {words}");
        }
    }
    text += ".";
    if let Some(last) = last {
        _ = write!(text, " The last job ended {}.", ago(last, now()));
    }
    if degraded > 0 {
        let sources = counted(degraded as u64, "source");
        _ = write!(text, " {sources} cannot be read.");
    }
    text
}
