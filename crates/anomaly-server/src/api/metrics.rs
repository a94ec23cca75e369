//! Metrics, as Prometheus reads them.

use std::collections::BTreeMap;
use std::time::Instant;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{FleetCoverage, Severity};
use anomaly_settings::Role;
use anomaly_storage::{IncidentQuery, Waiting};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::{App, last_job_ended_at, now};
use crate::duties::Duty;
use crate::gather::Condition;
use crate::problem::Problem;

/// No more open incidents are counted.
const MOST_INCIDENTS: usize = 1_000;

/// All metrics, as Prometheus reads them.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    look(&app);
    if app.meters.is_time_to_count() {
        let counted = count(&app).await;
        let is_up = counted.is_ok();
        app.meters
            .set("backwatch_database_up", f64::from(u8::from(is_up)));
        match counted {
            Ok(counts) => show(&app, &counts),
            Err(problem) => tracing::warn!(detail = problem.detail(), "cannot count for metrics"),
        }
    }
    let headers = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (headers, app.meters.render())
}

/// What is known without asking the database.
fn look(app: &App) {
    let meters = &app.meters;
    meters.set("backwatch_start_time_seconds", seconds(app.started_at));
    let settings = app.readers.settings();
    meters.roles(|role: Role| settings.is_on(role));
    let failing = app.duties.failing();
    for duty in Duty::ALL {
        let up = f64::from(u8::from(!failing.contains_key(&duty)));
        meters.set_of("backwatch_duty_up", "duty", duty.as_str(), up);
    }
    for (name, state) in app.source_states.all() {
        let up = match state.condition {
            Condition::New => None,
            Condition::Working => Some(1.0),
            Condition::Degraded { .. } => Some(0.0),
        };
        if let Some(up) = up {
            meters.set_of("backwatch_source_up", "source", name.as_str(), up);
        }
        let succeeded = state.succeeded_at.map_or(0.0, seconds);
        let name_of = "backwatch_source_last_success_timestamp_seconds";
        meters.set_of(name_of, "source", name, succeeded);
    }
    for sink in &app.sinks {
        let state = app.sink_states.of(sink.name());
        let up = f64::from(u8::from(state.failing.is_none()));
        meters.set_of("backwatch_sink_up", "sink", sink.name(), up);
    }
    let waiting = wide(app.waiting_to_write());
    meters.set("backwatch_writer_queue_length", waiting);
    let (readers, busy) = app.readers.busy();
    meters.set("backwatch_readers", wide(readers));
    meters.set("backwatch_readers_busy", wide(busy));
    let most: usize = app.options.most_requests.into();
    let in_flight = most.saturating_sub(app.requests.available_permits());
    meters.set("backwatch_http_requests_in_flight", wide(in_flight));
    meters.set("backwatch_database_bytes", database_bytes(app));
}

/// What is in the database.
struct Counts {
    unreviewed: BTreeMap<Severity, u64>,
    incidents: BTreeMap<Severity, u64>,
    coverage: FleetCoverage,
    last_job: Option<DateTime<Utc>>,
    outboxes: Vec<(String, Waiting)>,
    pending: usize,
    loosened: usize,
}

async fn count(app: &App) -> Result<Counts, Problem> {
    let sinks: Vec<String> = app
        .sinks
        .iter()
        .map(|sink| sink.name().to_owned())
        .collect();
    let layers = std::sync::Arc::clone(&app.layers);
    app.readers
        .read(move |service| {
            let now = now();
            let records = service.records();
            let open = IncidentQuery::default().open(true).limit(MOST_INCIDENTS);
            let mut incidents = BTreeMap::new();
            for report in service.incidents(&open)? {
                *incidents.entry(report.incident.severity()).or_default() += 1;
            }
            let mut outboxes = Vec::new();
            for sink in sinks {
                let waiting = records.waiting(&sink)?;
                outboxes.push((sink, waiting));
            }
            let configured = layers.over(service.kept_settings()?);
            let guarded = service.guarded(&configured, now)?;
            Ok(Counts {
                unreviewed: records.count_unreviewed()?,
                incidents,
                coverage: service.coverage(now)?,
                last_job: last_job_ended_at(service, now)?,
                outboxes,
                pending: service.pending_settings()?.len(),
                loosened: guarded.loosenings.iter().filter(|one| one.holds()).count(),
            })
        })
        .await
}

fn show(app: &App, counts: &Counts) {
    let meters = &app.meters;
    for severity in Severity::ALL {
        let of =
            |counts: &BTreeMap<Severity, u64>| long(counts.get(severity).copied().unwrap_or(0));
        for (name, value) in [
            ("backwatch_anomalies_unreviewed", of(&counts.unreviewed)),
            ("backwatch_incidents_open", of(&counts.incidents)),
        ] {
            meters.set_of(name, "severity", severity.as_str(), value);
        }
    }
    let coverage = &counts.coverage;
    for (state, streams) in [
        ("judged", coverage.judged),
        ("warming_up", coverage.warming_up),
        ("not_scored", coverage.not_scored),
        ("excluded", coverage.excluded),
        ("off", coverage.off),
    ] {
        meters.set_of("backwatch_streams", "state", state, long(streams));
    }
    meters.set("backwatch_streams_silent", long(coverage.silent));
    meters.set("backwatch_streams_blind", long(coverage.blind));
    let last_job = counts.last_job.map_or(0.0, seconds);
    meters.set("backwatch_last_job_timestamp_seconds", last_job);
    for (sink, waiting) in &counts.outboxes {
        let messages = long(waiting.messages);
        meters.set_of("backwatch_outbox_messages", "sink", sink.as_str(), messages);
        let age = waiting
            .oldest_at
            .map_or(0.0, |at| seconds(now()) - seconds(at));
        let name = "backwatch_outbox_oldest_age_seconds";
        meters.set_of(name, "sink", sink.as_str(), age.max(0.0));
    }
    meters.set("backwatch_settings_pending", wide(counts.pending));
    meters.set("backwatch_settings_loosened", wide(counts.loosened));
}

fn database_bytes(app: &App) -> f64 {
    let mut log = app.database.clone().into_os_string();
    log.push("-wal");
    let bytes = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |found| found.len());
    long(bytes(&app.database) + bytes(log.as_ref()))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "metrics are floating-point numbers"
)]
fn long(number: u64) -> f64 {
    number as f64
}

fn wide(number: usize) -> f64 {
    long(number as u64)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds fit until the year 2255"
)]
fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_micros() as f64 / 1e6
}

/// Measures how long a request takes.
pub(crate) async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        // Anybody can make up one.
        _ => "other",
    };
    // The template, never the path: that of what is not there is anybody's.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let status = match response.status().as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    app.meters.answered(method, route, status, begun.elapsed());
    response
}
