//! One anomaly: the sentence, what shows it, what to do.

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{BackupJob, JobKey, RecoveryPoint, Review, Severity};
use anomaly_service::{AnomalyService, IncidentReport, ServiceError};
use anomaly_storage::{AnomalyQuery, AuditQuery, ListedAnomaly, ObservationQuery};
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
    /// What a false positive can be limited to: each feature once.
    features: Vec<FindingRow>,
    shown_jobs: usize,
    charts: Vec<FeatureChart>,
    unseen: Vec<String>,
    files: Vec<FileRow>,
    incident: Option<IncidentRow>,
    related: Vec<Row>,
    more_related: u64,
    received_at: Option<When>,
    /// Its place in the log; 0 where that is not known.
    leaf: u64,
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
    /// The place of the decision in the log.
    leaf: Option<u64>,
}

struct Known {
    job: BackupJob,
    anomaly: anomaly_model::Anomaly,
    reviews: Vec<Review>,
    incident: Option<IncidentReport>,
    related: Vec<ListedAnomaly>,
    recovery: Vec<RecoveryPoint>,
    jobs: Vec<BackupJob>,
    received_at: Option<Time>,
    leaf: u64,
    /// The places of the decisions in the log, oldest first.
    leaves: Vec<u64>,
}

type Time = anomaly_model::chrono::DateTime<anomaly_model::chrono::Utc>;

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
        // The one that stands there under its own time.
        let itself = AnomalyQuery::default()
            .client(verdict.client.clone())
            .started_from(job.started_at())
            .started_until(until);
        let itself = records.listed_anomalies(&itself)?;
        let itself = itself.iter().find(|one| one.job.key() == *key);
        let (leaf, received_at) = itself.map_or((0, None), |one| (one.number, one.received_at));
        let decided = AuditQuery::default()
            .what("review".to_owned())
            .subject(format!("job {} of {}", key.job_id, key.source));
        let mut leaves: Vec<u64> = records
            .audit_entries(&decided)?
            .into_iter()
            .map(|entry| entry.number)
            .collect();
        leaves.reverse();
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
            received_at,
            leaf,
            leaves,
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
    let shaded = known.incident.as_ref().map(|report| {
        let incident = &report.incident;
        (incident.first_seen, incident.last_seen)
    });
    for finding in &verdict.findings {
        charts.extend(feature_chart(finding, &known.jobs, &asked, shaded)?);
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
        features: {
            let mut features = findings(verdict);
            let mut seen = std::collections::BTreeSet::new();
            features.retain(|row| seen.insert(row.feature.clone()));
            features
        },
        findings: findings(verdict),
        charts,
        unseen: verdict.unseen.iter().map(feature).collect(),
        files: files.collect(),
        related: related.take(MOST_RELATED).map(Row::of).collect(),
        recovery: known.recovery.into_iter().map(RecoveryRow::from).collect(),
        more_related: known.incident.as_ref().map_or(0, |report| {
            let shown = known.related.len().min(MOST_RELATED + 1) as u64;
            report.incident.anomalies().saturating_sub(shown)
        }),
        shown_jobs: known.jobs.len(),
        received_at: known.received_at.map(when),
        leaf: known.leaf,
        reviews: {
            let leaves = known.leaves.iter().map(|leaf| Some(*leaf));
            let leaves = leaves.chain(std::iter::repeat(None));
            let rows = known.reviews.iter().zip(leaves);
            rows.map(|(review, leaf)| ReviewRow::of(review, leaf))
                .collect()
        },
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

impl ReviewRow {
    fn of(review: &Review, leaf: Option<u64>) -> Self {
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
            leaf,
        }
    }
}
