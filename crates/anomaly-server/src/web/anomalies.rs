//! The list of anomalies.

mod file;
mod filtered;

use anomaly_model::{AnomalyKind, ReviewStatus, ScheduleType, Severity};
use anomaly_storage::{ListedAnomaly, SortKey};
use askama::Template;
use axum::extract::{OriginalUri, State};

pub(crate) use self::file::csv;
use self::filtered::{Chip, Column, Filtered};
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
    /// The beginning of the list, unless this is it.
    first: Option<String>,
    csv: String,
    here: String,
    filtered: Filtered,
    kinds: Vec<(&'static str, String)>,
    schedule_types: Vec<(&'static str, String)>,
}

impl Page {
    fn column(&self, key: SortKey) -> Column {
        self.filtered.column(key)
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
    pub(super) policy_type: String,
    pub(super) schedule: String,
    pub(super) schedule_type: &'static str,
    pub(super) severity: Severity,
    pub(super) shape: &'static str,
    pub(super) kind: String,
    pub(super) score: String,
    pub(super) count: usize,
    pub(super) summary: String,
    pub(super) started_at: When,
    pub(super) received_at: Option<When>,
    pub(super) status: &'static str,
    pub(super) is_waiting: bool,
}

impl Row {
    pub(super) fn of(listed: &ListedAnomaly) -> Self {
        let verdict = &listed.anomaly.verdict;
        let severity = verdict.severity().unwrap_or(Severity::Low);
        let key = verdict.key();
        let review_status = listed.anomaly.review_status();
        let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
        let job = &listed.job;
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
            policy_type: name(job.policy().policy_type.as_ref().map(AsRef::as_ref)),
            schedule: name(job.schedule().name.as_ref().map(AsRef::as_ref)),
            schedule_type: verdict.schedule_type.map_or("", |kind| kind.as_str()),
            severity,
            shape: shape(severity),
            kind: verdict.kind().map(kind).unwrap_or_default(),
            score: score(verdict),
            count: verdict.findings.len(),
            summary: verdict.summary.clone(),
            started_at: when(verdict.started_at),
            received_at: listed.received_at.map(when),
            status: status(review_status),
            is_waiting: review_status == ReviewStatus::NotReviewed,
        }
    }

    fn schedule_type_in_words(&self) -> String {
        self.schedule_type.replace('_', " ")
    }
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
        .read(move |service| Ok(service.records().listed_anomalies(&query)?))
        .await?;
    let list = ListPage::cut(found, limit, |listed| {
        Cursor::write(&listed.anomaly.verdict.key())
    });
    let is_first = filter.cursor.is_none();
    let filtered = Filtered::new(filter);
    Ok(show(&Page {
        chrome,
        rows: list.items.iter().map(Row::of).collect(),
        chips: filtered.chips(),
        next: list
            .next
            .map(|cursor| filtered.address_with("cursor", Some(cursor))),
        first: (!is_first).then(|| filtered.address()),
        csv: filtered
            .address()
            .replacen("/anomalies", "/anomalies.csv", 1),
        here: uri.to_string(),
        kinds: AnomalyKind::ALL
            .iter()
            .map(|&known| (known.as_str(), kind(known)))
            .collect(),
        schedule_types: ScheduleType::ALL
            .iter()
            .map(|known| (known.as_str(), known.as_str().replace('_', " ")))
            .collect(),
        filtered,
    })?)
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
