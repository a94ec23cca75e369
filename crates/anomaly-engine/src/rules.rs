//! What can be said about a job without statistics.

use anomaly_features::{FeatureVector, Previous, Unit, counted};
use anomaly_model::{AnomalyKind, BackupJob, JobStatus, Severity};
use anomaly_settings::RuleSettings;

use crate::StreamModel;
use crate::alarm::Alarm;
use crate::impact::Impact;
use crate::sentence::span;
use crate::timing::Timing;

/// An image that lost this share of its files and its data is as good as empty.
const AS_GOOD_AS_EMPTY: f64 = 0.99;

/// Every rule that `job` breaks.
pub(crate) fn check(
    settings: &RuleSettings,
    job: &BackupJob,
    model: &StreamModel,
    timing: Timing,
    emptied: bool,
) -> Vec<Alarm> {
    let rules = [
        settings.missed_backup.then(|| missed(timing)),
        settings.clock.then(|| clock(timing)),
        settings.failed_job.then(|| failed(job, model)),
        settings
            .empty_image
            .then(|| emptied.then(|| empty(job, model)).flatten()),
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

/// Whether the job left an image that holds nothing, or next to nothing of what the image before
/// it held.
///
/// An image that holds changes only is never called so: at times nothing changed.
pub(crate) fn is_emptied(job: &BackupJob, features: &FeatureVector) -> bool {
    let impact = Impact::of(job, features);
    has_image(job)
        && !job.schedule().holds_changes_only()
        && (is_empty(job) || impact.lost_bytes.min(impact.lost_files) >= AS_GOOD_AS_EMPTY)
}

fn is_empty(job: &BackupJob) -> bool {
    job.image().image_bytes == Some(0) || job.image().file_count == Some(0)
}

/// An alarm, unless a person has accepted that the stream is empty now.
fn empty(job: &BackupJob, model: &StreamModel) -> Option<Alarm> {
    if model.previous().is_some_and(Previous::is_empty) {
        return None;
    }
    let now = match job.image().file_count {
        Some(files @ 1..) if is_empty(job) => format!("All {} are empty", counted(files, "file")),
        _ if is_empty(job) => "The image holds nothing".to_owned(),
        _ => "Nearly everything is gone".to_owned(),
    };
    let before = model.previous().map(held).unwrap_or_default();
    let summary = format!("{now}, though the job reported success{before}.");
    Some(Alarm::new(
        Severity::High,
        AnomalyKind::EmptyBackup,
        summary,
    ))
}

/// `; the image before held ...`, as far as that is known.
fn held(previous: &Previous) -> String {
    let files = previous
        .file_count
        .filter(|&files| files > 0)
        .map(|files| counted(files, "file"));
    let bytes = previous.image_bytes.filter(|&bytes| bytes > 0);
    let bytes = bytes.map(|bytes| Unit::Bytes.format(bytes as f64));
    match (files, bytes) {
        (Some(files), Some(bytes)) => format!("; the image before held {files}, {bytes}"),
        (Some(held), None) | (None, Some(held)) => format!("; the image before held {held}"),
        (None, None) => String::new(),
    }
}

fn clock(timing: Timing) -> Option<Alarm> {
    let Timing::Early { back } = timing else {
        return None;
    };
    let summary = format!(
        "Started {} before a job that ran earlier: a clock was set back, or the job arrived late.",
        span(back)
    );
    Some(Alarm::new(
        Severity::Low,
        AnomalyKind::Unclassified,
        summary,
    ))
}

fn missed(timing: Timing) -> Option<Alarm> {
    let Timing::Late { gap, longest } = timing else {
        return None;
    };
    let summary = format!(
        "No job for {}: this stream's longest gap of late was {}.",
        span(gap),
        span(longest)
    );
    Some(Alarm::new(
        Severity::Low,
        AnomalyKind::MissedBackup,
        summary,
    ))
}

/// Whether the job left an image at all.
pub(crate) fn has_image(job: &BackupJob) -> bool {
    matches!(job.status(), JobStatus::Succeeded | JobStatus::Partial)
}
