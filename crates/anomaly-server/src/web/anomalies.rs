//! The list of anomalies.

use anomaly_model::{Anomaly, AnomalyKind, ReviewStatus, Severity};
use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::http::header;
use axum::response::IntoResponse;

use super::chrome::{Chrome, PageResult, show};
use super::words::{When, address, encoded, kind, score, shape, status, when};
use crate::api::{Asked, Cursor, Filter, Page as ListPage};
use crate::app::App;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "anomalies.html")]
struct Page {
    chrome: Chrome,
    rows: Vec<Row>,
    /// What is filtered by, each with the address without it.
    chips: Vec<Chip>,
    next: Option<String>,
    csv: String,
    here: String,
    filter: Filter,
    kinds: Vec<(&'static str, String)>,
}

impl Page {
    fn is_kind(&self, kind: &str) -> bool {
        self.filter
            .kind
            .is_some_and(|chosen| chosen.as_str() == kind)
    }

    fn is_severity(&self, severity: &str) -> bool {
        self.filter
            .severity
            .is_some_and(|chosen| chosen.as_str() == severity)
    }

    fn is_status(&self, status: &str) -> bool {
        self.filter
            .status
            .is_some_and(|chosen| chosen.as_str() == status)
    }

    fn client(&self) -> &str {
        self.filter
            .client
            .as_ref()
            .map_or("", |client| client.as_str())
    }

    fn policy(&self) -> &str {
        self.filter
            .policy
            .as_ref()
            .map_or("", |policy| policy.as_str())
    }
}

/// An anomaly, in a line.
pub(super) struct Row {
    pub(super) address: String,
    /// `source/job_id`, encoded: what the form sends.
    pub(super) value: String,
    pub(super) job_id: String,
    pub(super) client: String,
    pub(super) policy: String,
    pub(super) schedule_type: &'static str,
    pub(super) severity: Severity,
    pub(super) shape: &'static str,
    pub(super) kind: String,
    pub(super) score: String,
    pub(super) count: usize,
    pub(super) summary: String,
    pub(super) started_at: When,
    pub(super) status: &'static str,
    pub(super) is_waiting: bool,
}

impl Row {
    pub(super) fn of(anomaly: &Anomaly) -> Self {
        let verdict = &anomaly.verdict;
        let severity = verdict.severity().unwrap_or(Severity::Low);
        let key = verdict.key();
        Self {
            address: address(&key),
            value: format!(
                "{}/{}",
                encoded(key.source.as_str()),
                encoded(key.job_id.as_str())
            ),
            job_id: verdict.job_id.to_string(),
            client: verdict.client.to_string(),
            policy: verdict.policy.to_string(),
            schedule_type: verdict.schedule_type.map_or("", |kind| kind.as_str()),
            severity,
            shape: shape(severity),
            kind: verdict.kind().map(kind).unwrap_or_default(),
            score: score(verdict),
            count: verdict.findings.len(),
            summary: verdict.summary.clone(),
            started_at: when(verdict.started_at),
            status: status(anomaly.review_status()),
            is_waiting: anomaly.review_status() == ReviewStatus::NotReviewed,
        }
    }
}

struct Chip {
    words: String,
    without: String,
}

pub(crate) async fn page(
    State(app): State<App>,
    chrome: Chrome,
    OriginalUri(uri): OriginalUri,
    Asked(filter): Asked<Filter>,
) -> PageResult {
    let (query, limit) = filter.query()?;
    let found = app
        .readers
        .read(move |service| service.anomalies(&query))
        .await?;
    let list = ListPage::cut(found, limit, |anomaly| {
        Cursor::write(&anomaly.verdict.key())
    });
    let asked = pairs(&filter);
    let next = list.next.map(|cursor| {
        let mut asked = asked.clone();
        asked.push(("cursor", cursor));
        format!("/anomalies?{}", written(&asked))
    });
    let chips = asked.iter().map(|(name, value)| Chip {
        words: format!("{name}: {}", value.replace('_', " ")),
        without: {
            let others: Vec<_> = asked
                .iter()
                .filter(|(other, _)| other != name)
                .cloned()
                .collect();
            format!("/anomalies?{}", written(&others))
        },
    });
    Ok(show(&Page {
        chrome,
        rows: list.items.iter().map(Row::of).collect(),
        chips: chips.collect(),
        next,
        csv: format!("/anomalies.csv?{}", written(&asked)),
        here: uri.to_string(),
        kinds: AnomalyKind::ALL
            .iter()
            .map(|&known| (known.as_str(), kind(known)))
            .collect(),
        filter,
    })?)
}

/// What is filtered by, as the address has it, without the place in the list.
fn pairs(filter: &Filter) -> Vec<(&'static str, String)> {
    let all = [
        ("client", filter.client.as_ref().map(ToString::to_string)),
        ("policy", filter.policy.as_ref().map(ToString::to_string)),
        (
            "severity",
            filter.severity.map(|severity| severity.to_string()),
        ),
        ("kind", filter.kind.map(|kind| kind.to_string())),
        ("status", filter.status.map(|status| status.to_string())),
        ("incident", filter.incident.map(|number| number.to_string())),
        (
            "started_from",
            filter.started_from.map(|time| time.to_rfc3339()),
        ),
        (
            "started_until",
            filter.started_until.map(|time| time.to_rfc3339()),
        ),
    ];
    all.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn written(pairs: &[(&'static str, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.join("&")
}

/// The columns of the file, NetBackup's first.
const COLUMNS: &str = "job_id,client,policy,schedule_type,count,score,severity,kind,started_at,\
                       review_status,summary\r\n";
/// No file has more lines.
const MOST_LINES: usize = 100_000;

/// The same list as a file (RFC 4180).
pub(crate) async fn csv(State(app): State<App>, Asked(filter): Asked<Filter>) -> PageResult {
    let (query, _) = filter.query()?;
    let query = query.limit(MOST_LINES);
    let found = app
        .readers
        .read(move |service| service.anomalies(&query))
        .await?;
    let mut text = COLUMNS.to_owned();
    for anomaly in &found {
        let row = Row::of(anomaly);
        let fields = [
            row.job_id,
            row.client,
            row.policy,
            row.schedule_type.to_owned(),
            row.count.to_string(),
            row.score,
            row.severity.to_string(),
            row.kind,
            row.started_at.machine,
            anomaly.review_status().to_string(),
            row.summary,
        ];
        let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"anomalies.csv\"",
        ),
    ];
    Ok((headers, text).into_response())
}

/// A field in quotes. What a spreadsheet would take for a formula is made text.
fn quoted(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}

/// What is named by the parts of an address that a form sends.
pub(super) fn job_of(value: &str) -> Result<anomaly_model::JobKey, Problem> {
    let decoded = value.split_once('/').and_then(|(source, job_id)| {
        let source = anomaly_model::SourceName::new(decoded(source)?).ok()?;
        let job_id = anomaly_model::JobId::new(decoded(job_id)?).ok()?;
        Some(anomaly_model::JobKey::new(source, job_id))
    });
    decoded.ok_or_else(|| Problem::not_found("job"))
}

/// The other way round of [`encoded`].
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let hex = after.get(..2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
