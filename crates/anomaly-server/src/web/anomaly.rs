//! One anomaly: the sentence, what shows it, what to do.

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{BackupJob, JobKey, RecoveryPoint, Review, Severity};
use anomaly_service::{AnomalyService, IncidentReport, ServiceError};
use anomaly_storage::{AnomalyQuery, ListedAnomaly, ObservationQuery};
use askama::Template;
use axum::extract::State;

use super::anomalies::Row;
use super::chart::{FeatureChart, feature_chart};
use super::chrome::{Chrome, PageResult, show};
use super::dashboard::IncidentRow;
use super::words::{
    FindingRow, When, address, feature, findings, kind, score, shape, status, when,
};
use crate::api::JobPath;
use crate::app::App;
use crate::problem::Problem;

/// Jobs of the stream that charts show.
const SHOWN_JOBS: usize = 60;
/// Features that have a chart.
const MOST_CHARTS: usize = 6;
/// Related anomalies that are shown.
const MOST_RELATED: usize = 10;

#[derive(Template)]
#[template(path = "anomaly.html")]
struct Page {
    chrome: Chrome,
    address: String,
    title: String,
    severity: Severity,
    shape: &'static str,
    kind: String,
    score: String,
    client: String,
    policy: String,
    schedule: String,
    source: String,
    job_id: String,
    started_at: When,
    status: &'static str,
    findings: Vec<FindingRow>,
    charts: Vec<FeatureChart>,
    unseen: Vec<String>,
    files: Vec<FileRow>,
    incident: Option<IncidentRow>,
    related: Vec<Row>,
    recovery: Vec<RecoveryRow>,
    reviews: Vec<ReviewRow>,
    can_take_back: bool,
}

struct FileRow {
    path: String,
    reasons: String,
}

struct RecoveryRow {
    stream: String,
    job_id: String,
    started_at: Option<When>,
    confidence: &'static str,
    reasons: Vec<String>,
    suspects: u64,
}

struct ReviewRow {
    who: String,
    at: When,
    status: &'static str,
    reason: String,
    is_undo: bool,
}

struct Known {
    job: BackupJob,
    anomaly: anomaly_model::Anomaly,
    reviews: Vec<Review>,
    incident: Option<IncidentReport>,
    related: Vec<ListedAnomaly>,
    recovery: Vec<RecoveryPoint>,
    jobs: Vec<BackupJob>,
}

impl Known {
    fn read(service: &AnomalyService, key: &JobKey) -> Result<Option<Self>, ServiceError> {
        let records = service.records();
        let Some((job, verdict)) = records.job(key)?.zip(records.verdict(key)?) else {
            return Ok(None);
        };
        let incident = match service.incident_of(key)? {
            Some(number) => service.incident(number)?,
            None => None,
        };
        let related = match &incident {
            Some(incident) => {
                let query = AnomalyQuery::default().incident(incident.number);
                records.listed_anomalies(&query.limit(MOST_RELATED + 1))?
            }
            None => Vec::new(),
        };
        let number = incident.as_ref().map(|incident| incident.number);
        let recovery = service.recovery_points(&verdict.client, number)?;
        let stream = anomaly_model::StreamKey::of(&job, service.settings().streams.key.parts());
        let until = job.started_at() + TimeDelta::microseconds(1);
        let query = ObservationQuery::default()
            .stream(stream)
            .started_until(until);
        let mut jobs: Vec<BackupJob> = records
            .observations(&query.limit(SHOWN_JOBS))?
            .into_iter()
            .map(|stored| stored.job)
            .collect();
        jobs.reverse();
        let reviews = service.reviews(key)?;
        let mut anomaly = anomaly_model::Anomaly::new(verdict);
        anomaly.review = reviews.last().cloned();
        Ok(Some(Self {
            job,
            anomaly,
            reviews,
            incident,
            related,
            recovery,
            jobs,
        }))
    }
}

pub(crate) async fn page(
    State(app): State<App>,
    chrome: Chrome,
    JobPath(key): JobPath,
) -> PageResult {
    let asked = key.clone();
    let known = app
        .readers
        .read(move |service| Known::read(service, &key))
        .await?;
    let known = known.filter(|known| known.anomaly.verdict.is_anomalous());
    let known = known.ok_or_else(|| Problem::not_found("anomaly"))?;
    let verdict = &known.anomaly.verdict;
    let severity = verdict.severity().unwrap_or(Severity::Low);
    let mut charts = Vec::new();
    for finding in &verdict.findings {
        charts.extend(feature_chart(finding, &known.jobs, &asked)?);
    }
    charts.truncate(MOST_CHARTS);
    let related = known
        .related
        .iter()
        .filter(|other| other.anomaly.verdict.key() != asked);
    let schedule = known.job.schedule();
    let schedule_type = schedule.schedule_type.map(|kind| kind.to_string());
    let names = [
        schedule.name.as_ref().map(ToString::to_string),
        schedule_type,
    ];
    let names: Vec<String> = names.into_iter().flatten().collect();
    let files = verdict.files.iter().map(|file| FileRow {
        path: file.path.clone(),
        reasons: {
            let reasons: Vec<&str> = file
                .reasons
                .iter()
                .map(|reason| reason.in_words())
                .collect();
            reasons.join(", ")
        },
    });
    Ok(show(&Page {
        chrome,
        address: address(&asked),
        title: verdict.summary.clone(),
        severity,
        shape: shape(severity),
        kind: verdict.kind().map(kind).unwrap_or_default(),
        score: score(verdict),
        client: verdict.client.to_string(),
        policy: verdict.policy.to_string(),
        schedule: names.join(", "),
        source: verdict.source.to_string(),
        job_id: verdict.job_id.to_string(),
        started_at: when(verdict.started_at),
        status: status(known.anomaly.review_status()),
        findings: findings(verdict),
        charts,
        unseen: verdict.unseen.iter().map(feature).collect(),
        files: files.collect(),
        related: related.take(MOST_RELATED).map(Row::of).collect(),
        recovery: known.recovery.into_iter().map(RecoveryRow::from).collect(),
        reviews: known.reviews.iter().rev().map(ReviewRow::from).collect(),
        can_take_back: !Review::standing(&known.reviews).is_empty(),
        incident: known.incident.map(IncidentRow::from),
    })?)
}

impl From<RecoveryPoint> for RecoveryRow {
    fn from(point: RecoveryPoint) -> Self {
        let image = point.image.as_ref();
        Self {
            stream: point.stream.to_string(),
            job_id: image
                .map(|image| image.job.key.job_id.to_string())
                .unwrap_or_default(),
            started_at: image.map(|image| when(image.job.started_at)),
            confidence: image.map_or("", |image| image.confidence.as_str()),
            suspects: point.suspects.len() as u64 + point.more_suspects,
            reasons: point.reasons,
        }
    }
}

impl From<&Review> for ReviewRow {
    fn from(review: &Review) -> Self {
        let reason = match &review.undo {
            Some(undo) => undo.reason.as_deref(),
            None => review.reason.as_deref(),
        };
        Self {
            who: review.recorded_by().to_owned(),
            at: when(review.recorded_at()),
            status: status(review.status),
            reason: reason.unwrap_or("").to_owned(),
            is_undo: review.undo.is_some(),
        }
    }
}
