//! What can be said about a job without statistics.

use anomaly_features::{FeatureVector, Previous, Unit};
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{
    AnomalyKind, BackupJob, Direction, FeatureName, Finding, JobStatus, ScheduleType, Severity,
};
use anomaly_settings::RuleSettings;

use crate::StreamModel;
use crate::alarm::Alarm;
use crate::impact::Impact;
use crate::sentence::{plural, span};

/// A start this much before the latest one is a clock that was set back, or a late arrival.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::hours(1);
/// A gap this many times the longest one of late means that a job was missed.
const MISSED_FACTOR: f64 = 2.5;
/// Gaps needed to know a stream's cadence.
const CADENCE_GAPS: usize = 7;
/// An image that lost this share of its files and its data is as good as empty.
const AS_GOOD_AS_EMPTY: f64 = 0.99;

/// Every rule that `job` breaks.
pub(crate) fn check(
    settings: &RuleSettings,
    job: &BackupJob,
    model: &StreamModel,
    features: &FeatureVector,
) -> Vec<Alarm> {
    let rules = [
        settings.missed_backup.then(|| missed(job, model)),
        settings.clock.then(|| clock(job, model)),
        settings.failed_job.then(|| failed(job, model)),
        settings.empty_image.then(|| empty(job, model, features)),
    ];
    rules.into_iter().flatten().flatten().collect()
}

fn failed(job: &BackupJob, model: &StreamModel) -> Option<Alarm> {
    let code = job
        .exit_code()
        .map(|code| format!(" (exit code {code})"))
        .unwrap_or_default();
    let (severity, summary) = match job.status() {
        JobStatus::Failed => (
            Severity::Medium,
            format!("The job failed{code} and left no usable image."),
        ),
        JobStatus::Cancelled => (
            Severity::Medium,
            format!("The job was cancelled{code} and left no usable image."),
        ),
        // A stream whose jobs are always partial is reported when that begins, not every day.
        JobStatus::Partial if !model.last_was_partial() => (
            Severity::Low,
            format!("Some of the source could not be read{code}."),
        ),
        _ => return None,
    };
    Some(Alarm::new(severity, AnomalyKind::Failure, summary))
}

/// Whether the job left an image without files or without data.
pub(crate) fn is_empty(job: &BackupJob) -> bool {
    job.image().image_bytes == Some(0) || job.image().file_count == Some(0)
}

fn empty(job: &BackupJob, model: &StreamModel, features: &FeatureVector) -> Option<Alarm> {
    let impact = Impact::of(job, features);
    let lost = impact.lost_bytes.min(impact.lost_files);
    if !has_image(job) || !(is_empty(job) || lost >= AS_GOOD_AS_EMPTY) || model.empty_is_usual() {
        return None;
    }
    // An incremental image holds what changed only, and sometimes nothing did.
    let changes_only = matches!(
        job.schedule().schedule_type,
        Some(ScheduleType::DifferentialIncremental | ScheduleType::CumulativeIncremental)
    );
    let severity = if changes_only {
        Severity::Low
    } else {
        Severity::High
    };
    let now = match job.image().file_count {
        Some(files @ 1..) if is_empty(job) => format!("All {} are empty", plural(files, "file")),
        _ if is_empty(job) => "The image holds nothing".to_owned(),
        _ => "Nearly everything is gone".to_owned(),
    };
    let before = model.previous().map(held).unwrap_or_default();
    let summary = format!("{now}, though the job reported success{before}.");
    let mut alarm = Alarm::new(severity, AnomalyKind::EmptyBackup, summary);
    for (name, value) in [
        ("image_bytes", job.image().image_bytes),
        ("file_count", job.image().file_count),
    ] {
        if let (Some(value), Ok(feature)) = (value, FeatureName::new(name)) {
            alarm
                .findings
                .push(Finding::of_rule(feature, value as f64, Direction::Below));
        }
    }
    Some(alarm)
}

/// `; the image before held ...`, as far as that is known.
fn held(previous: &Previous) -> String {
    let files = previous
        .file_count
        .filter(|&files| files > 0)
        .map(|files| plural(files, "file"));
    let bytes = previous.image_bytes.filter(|&bytes| bytes > 0);
    let bytes = bytes.map(|bytes| Unit::Bytes.format(bytes as f64));
    match (files, bytes) {
        (Some(files), Some(bytes)) => format!("; the image before held {files}, {bytes}"),
        (Some(held), None) | (None, Some(held)) => format!("; the image before held {held}"),
        (None, None) => String::new(),
    }
}

fn clock(job: &BackupJob, model: &StreamModel) -> Option<Alarm> {
    let back = model.latest_start()? - job.started_at();
    (back > CLOCK_TOLERANCE).then(|| {
        let summary = format!(
            "Started {} before a job that ran earlier: a clock was set back, or the job arrived \
             late.",
            span(back)
        );
        Alarm::new(Severity::Low, AnomalyKind::Unclassified, summary)
    })
}

fn missed(job: &BackupJob, model: &StreamModel) -> Option<Alarm> {
    let gap = job.started_at() - model.latest_start()?;
    let longest = model
        .gaps()
        .max()
        .filter(|_| model.gaps().len() >= CADENCE_GAPS)?;
    let limit = longest.as_seconds_f64() * MISSED_FACTOR;
    (gap.as_seconds_f64() > limit).then(|| {
        let summary = format!(
            "No job for {}: this stream's longest gap of late was {}.",
            span(gap),
            span(longest)
        );
        Alarm::new(Severity::Low, AnomalyKind::MissedBackup, summary)
    })
}

/// Whether the job left an image at all.
pub(crate) fn has_image(job: &BackupJob) -> bool {
    matches!(job.status(), JobStatus::Succeeded | JobStatus::Partial)
}
