//! What the service counts and measures.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anomaly_model::{Judgement, Severity, Verdict};
use anomaly_settings::Role;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows, from 0 at the start of the service.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Many values, by how large they are.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Each with few values: never a client, a stream or a job.
    #[cfg_attr(not(test), expect(dead_code, reason = "the page about them has these"))]
    pub(crate) labels: &'static [&'static str],
    pub(crate) help: &'static str,
}

/// A line of the table.
const fn metric(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind,
        labels,
        help,
    }
}

use Kind::{Counter, Gauge, Histogram};

/// Every metric. The page about them is written from this, and a test holds it against what is really
/// given.
pub(crate) const METRICS: &[Metric] = &[
    metric(
        "backwatch_build_info",
        Gauge,
        &["version"],
        "Always 1; the version is in the label.",
    ),
    metric(
        "backwatch_start_time_seconds",
        Gauge,
        &[],
        "When the service started, in seconds since 1970.",
    ),
    metric(
        "backwatch_role_enabled",
        Gauge,
        &["role"],
        "Whether a part of the watching is on (1) or switched off (0): gather, detect, alert.",
    ),
    metric(
        "backwatch_duty_up",
        Gauge,
        &["duty"],
        "Whether what the service does by itself works (1) or fails (0): tell, remember, tick, purge, \
         settle, deliver; for read, whether nothing damaged was passed over since the start.",
    ),
    metric(
        "backwatch_jobs_total",
        Counter,
        &["verdict"],
        "Jobs that were stored since the start, by whichever program: normal, anomalous, \
         warming_up, not_scored.",
    ),
    metric(
        "backwatch_anomalies_total",
        Counter,
        &["severity"],
        "Anomalous jobs among them: low, medium, high.",
    ),
    metric(
        "backwatch_anomalies_unreviewed",
        Gauge,
        &["severity"],
        "Anomalies that nobody has decided about.",
    ),
    metric(
        "backwatch_incidents_open",
        Gauge,
        &["severity"],
        "Incidents that are open, at most 1000 of which are counted.",
    ),
    metric(
        "backwatch_streams",
        Gauge,
        &["state"],
        "Streams, by whether their jobs are judged: judged, warming_up, not_scored, excluded, off.",
    ),
    metric(
        "backwatch_streams_silent",
        Gauge,
        &[],
        "Streams of which a job that was due did not come.",
    ),
    metric(
        "backwatch_streams_blind",
        Gauge,
        &[],
        "Streams that are judged, and not on something that their tool does not report.",
    ),
    metric(
        "backwatch_last_job_timestamp_seconds",
        Gauge,
        &[],
        "When the last job that came ended, in seconds since 1970; 0 when there is none.",
    ),
    metric(
        "backwatch_source_up",
        Gauge,
        &["source"],
        "Whether a polled source could be read the last time (1) or is degraded (0).",
    ),
    metric(
        "backwatch_source_last_success_timestamp_seconds",
        Gauge,
        &["source"],
        "When a polled source was last read to its end, in seconds since 1970; 0 for never.",
    ),
    metric(
        "backwatch_source_readings_total",
        Counter,
        &["source", "outcome"],
        "Readings of a polled source: ok, failed.",
    ),
    metric(
        "backwatch_source_records_total",
        Counter,
        &["source", "outcome"],
        "What a polled source gave, counted each time it is read: new, known, skipped, refused.",
    ),
    metric(
        "backwatch_notifications_total",
        Counter,
        &["sink", "outcome"],
        "Tries to tell a sink of something: delivered, failed.",
    ),
    metric(
        "backwatch_sink_up",
        Gauge,
        &["sink"],
        "Whether a sink took what it was told the last time (1) or is failing (0).",
    ),
    metric(
        "backwatch_outbox_messages",
        Gauge,
        &["sink"],
        "Messages that wait for a sink.",
    ),
    metric(
        "backwatch_outbox_oldest_age_seconds",
        Gauge,
        &["sink"],
        "For how long the oldest of them waits; 0 when none does.",
    ),
    metric(
        "backwatch_writer_queue_length",
        Gauge,
        &[],
        "Requests that wait to be written, for room in memory or for the thread that writes.",
    ),
    metric(
        "backwatch_writer_commit_duration_seconds",
        Histogram,
        &[],
        "How long it took to judge and store the jobs that were committed together.",
    ),
    metric(
        "backwatch_http_request_duration_seconds",
        Histogram,
        &["method", "route", "status"],
        "How long requests took, by route and class of the status.",
    ),
    metric(
        "backwatch_http_requests_in_flight",
        Gauge,
        &[],
        "Requests that are worked on.",
    ),
    metric(
        "backwatch_database_up",
        Gauge,
        &[],
        "Whether the database answers (1) or not (0); what is read from it is old meanwhile.",
    ),
    metric(
        "backwatch_database_bytes",
        Gauge,
        &[],
        "Size of the database on the disk, with what is not merged into it yet.",
    ),
    metric(
        "backwatch_readers",
        Gauge,
        &[],
        "Connections that may read at the same time.",
    ),
    metric("backwatch_readers_busy", Gauge, &[], "Those that do."),
    metric(
        "backwatch_settings_pending",
        Gauge,
        &[],
        "Changes of the settings that wait for a second person.",
    ),
    metric(
        "backwatch_settings_loosened",
        Gauge,
        &[],
        "Changes in force by which less is seen, or heeded.",
    ),
];

/// Upper bounds of durations, in seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// What is counted in the database is counted anew after this long.
const FRESH: Duration = Duration::from_secs(2);

/// All that is counted and measured by one service.
pub(crate) struct Meters {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    counted: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

impl Default for Meters {
    fn default() -> Self {
        let builder = PrometheusBuilder::new();
        let all = Matcher::Suffix("_seconds".to_owned());
        // The bounds are there, so that this cannot fail; without them there would be quantiles.
        let builder = builder
            .set_buckets_for_metric(all, SECONDS)
            .unwrap_or_default();
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        let meters = Self {
            recorder,
            handle,
            counted: Mutex::default(),
        };
        meters.begin();
        meters
    }
}

impl Meters {
    /// Has this service's own recorder take what `record` counts: another one may run in the same
    /// process.
    fn here<T>(&self, record: impl FnOnce() -> T) -> T {
        metrics::with_local_recorder(&self.recorder, record)
    }

    /// Describes all of them, and has those that count begin at 0: a first event can then be seen as
    /// one.
    fn begin(&self) {
        self.here(|| {
            for metric in METRICS {
                match metric.kind {
                    Counter => describe_counter!(metric.name, metric.help),
                    Gauge => describe_gauge!(metric.name, metric.help),
                    Histogram => describe_histogram!(metric.name, metric.help),
                }
            }
            gauge!("backwatch_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            for verdict in ["normal", "anomalous", "warming_up", "not_scored"] {
                counter!("backwatch_jobs_total", "verdict" => verdict).absolute(0);
            }
            for severity in Severity::ALL {
                counter!("backwatch_anomalies_total", "severity" => severity.as_str()).absolute(0);
            }
        });
    }

    /// Sets a gauge that has no label.
    pub(crate) fn set(&self, name: &'static str, value: f64) {
        self.here(|| gauge!(name).set(value));
    }

    /// Sets a gauge that has one label.
    pub(crate) fn set_of(
        &self,
        name: &'static str,
        label: &'static str,
        of: impl Into<String>,
        value: f64,
    ) {
        self.here(|| gauge!(name, label => of.into()).set(value));
    }

    /// Sets whether each part of the watching is on.
    pub(crate) fn roles(&self, is_on: impl Fn(Role) -> bool) {
        for role in Role::ALL {
            let value = f64::from(u8::from(is_on(role)));
            self.set_of("backwatch_role_enabled", "role", role.as_str(), value);
        }
    }

    /// Begins to count what a source gives.
    pub(crate) fn source(&self, source: &str) {
        for outcome in ["ok", "failed"] {
            self.source_count("backwatch_source_readings_total", source, outcome, 0);
        }
        for outcome in ["new", "known", "skipped", "refused"] {
            self.source_count("backwatch_source_records_total", source, outcome, 0);
        }
    }

    pub(crate) fn source_was_read(
        &self,
        source: &str,
        outcome: &'static str,
        new: u64,
        known: u64,
    ) {
        self.source_count("backwatch_source_readings_total", source, outcome, 1);
        let name = "backwatch_source_records_total";
        self.source_count(name, source, "new", new);
        self.source_count(name, source, "known", known);
    }

    pub(crate) fn source_gave(&self, source: &str, skipped: u64, refused: u64) {
        let name = "backwatch_source_records_total";
        self.source_count(name, source, "skipped", skipped);
        self.source_count(name, source, "refused", refused);
    }

    fn source_count(&self, name: &'static str, source: &str, outcome: &'static str, by: u64) {
        let source = source.to_owned();
        self.here(|| counter!(name, "source" => source, "outcome" => outcome).increment(by));
    }

    /// Begins to count what a sink is told.
    pub(crate) fn sink(&self, sink: &str) {
        self.told(sink, true, 0);
        self.told(sink, false, 0);
    }

    /// A sink was told of so many things, or could not be.
    pub(crate) fn told(&self, sink: &str, is_told: bool, count: u64) {
        let outcome = if is_told { "delivered" } else { "failed" };
        let sink = sink.to_owned();
        self.here(|| {
            counter!("backwatch_notifications_total", "sink" => sink, "outcome" => outcome)
                .increment(count);
        });
    }

    /// A job was stored.
    pub(crate) fn job(&self, verdict: &Verdict) {
        let state = match &verdict.judgement {
            Judgement::Normal => "normal",
            Judgement::Anomalous { .. } => "anomalous",
            Judgement::WarmingUp => "warming_up",
            _ => "not_scored",
        };
        self.here(|| {
            counter!("backwatch_jobs_total", "verdict" => state).increment(1);
            if let Some(severity) = verdict.severity() {
                counter!("backwatch_anomalies_total", "severity" => severity.as_str()).increment(1);
            }
        });
    }

    /// Jobs were judged and committed together.
    pub(crate) fn committed(&self, took: Duration) {
        self.here(|| histogram!("backwatch_writer_commit_duration_seconds").record(took));
    }

    /// A request was answered.
    pub(crate) fn answered(
        &self,
        method: &'static str,
        route: &str,
        status: &'static str,
        took: Duration,
    ) {
        let route = route.to_owned();
        self.here(|| {
            histogram!("backwatch_http_request_duration_seconds",
                "method" => method, "route" => route, "status" => status)
            .record(took);
        });
    }

    /// Whether it is time to count anew what is in the database; then it is taken for done.
    pub(crate) fn is_time_to_count(&self) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = counted.is_none_or(|at| at.elapsed() >= FRESH);
        if is_old {
            *counted = Some(Instant::now());
        }
        is_old
    }

    /// All of them, as Prometheus reads them.
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }

    /// Puts together what was measured, so that it takes no more room when nobody asks.
    pub(crate) fn tidy(&self) {
        self.handle.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::{env, fs};

    use super::{Kind, METRICS};

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    const BEGIN: &str = "<!-- metrics -->\n";
    const END: &str = "<!-- /metrics -->";

    #[test]
    fn the_page_has_each_metric() {
        let mut table = "| metric | kind | labels | |\n|---|---|---|---|\n".to_owned();
        for metric in METRICS {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let labels: Vec<String> = metric
                .labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            let (name, labels, help) = (metric.name, labels.join(", "), metric.help);
            writeln!(table, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
        }
        let page = fs::read_to_string(PAGE).unwrap();
        let (before, rest) = page.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let written = format!("{before}{BEGIN}{table}{END}{after}");
        if env::var_os("BLESS").is_some() {
            fs::write(PAGE, &written).unwrap();
        }
        let page = fs::read_to_string(PAGE).unwrap();
        assert!(
            page == written,
            "docs/metrics.md differs; BLESS=1 writes it anew"
        );
    }

    /// By the conventions of Prometheus.
    #[test]
    fn names_say_what_they_count_and_in_which_unit() {
        for metric in METRICS {
            let name = metric.name;
            assert!(name.starts_with("backwatch_"), "{name}");
            assert_eq!(
                name.ends_with("_total"),
                metric.kind == Kind::Counter,
                "{name}"
            );
            for unit in ["minutes", "hours", "days", "millis", "kib", "mib"] {
                assert!(!name.contains(unit), "{name}");
            }
            for label in metric.labels {
                assert!(
                    !["client", "stream", "job", "policy"].contains(label),
                    "{name}"
                );
            }
        }
    }
}
