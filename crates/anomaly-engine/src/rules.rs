//! What can be said about a job without statistics.

use anomaly_features::{FeatureVector, Previous, Share, Unit, counted};
use anomaly_model::{
    AnomalyKind, BackupJob, Direction, FeatureName, Finding, JobStatus, ScheduleType, Severity,
};
use anomaly_settings::RuleSettings;

use crate::alarm::Alarm;
use crate::cover::Measured;
use crate::impact::Impact;
use crate::judge::Seen;
use crate::memory::{MOST, Memory};
use crate::sentence::{self, span};
use crate::slow_loss::SlowLoss;
use crate::slowdown::Slowdown;
use crate::timing::Timing;
use crate::{Said, StreamModel, classify};

/// An image that lost this share of its files and its data is as good as empty.
const AS_GOOD_AS_EMPTY: f64 = 0.99;

/// A job that overwrote this part is strange in a stream that has not shown yet what it does.
const NEARLY_ALL: f64 = 0.9;
/// A stream with fewer images has not shown yet what it does.
const FIRST_JOBS: usize = 7;
/// How strange a job is that took far longer than all of late: in powers of ten: once in a hundred.
const SLOW_SCORE: f64 = 2.0;

/// Every rule that `job` breaks.
pub(crate) fn check(
    settings: &RuleSettings,
    job: &BackupJob,
    model: &StreamModel,
    timing: Timing,
    seen: &Seen,
    slow_loss: Option<SlowLoss>,
    said: &Said,
) -> Vec<Alarm> {
    let emptied = seen.emptied;
    let rules = [
        settings.missed_backup.then(|| missed(job, timing, said)),
        settings.clock.then(|| clock(timing)),
        settings.failed_job.then(|| failed(job, model)),
        settings
            .empty_image
            .then(|| emptied.then(|| empty(job, model)).flatten()),
        (settings.most_gone && seen.judged).then(|| most_gone(job, model, seen)),
        (settings.all_overwritten && seen.judged).then(|| all_overwritten(job, model, seen)),
        (settings.all_overwritten && seen.judged).then(|| most_random(model, seen)),
        settings.slow_loss.then(|| slow(model, slow_loss)),
        (settings.slow_job && seen.judged).then(|| slow_job(job, model)),
    ];
    rules.into_iter().flatten().flatten().collect()
}

fn failed(job: &BackupJob, model: &StreamModel) -> Option<Alarm> {
    let code = exit_code(job);
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

/// What a job that could not read all of its source lost, it says itself: that is no deletion.
pub(crate) fn explained(job: &BackupJob, mut alarm: Alarm) -> Alarm {
    if matches!(
        alarm.kind,
        AnomalyKind::MassDeletion | AnomalyKind::Shrinkage
    ) {
        let code = exit_code(job);
        alarm.kind = AnomalyKind::Failure;
        alarm.summary = format!(
            "Some of the source could not be read{code}. {}",
            alarm.summary
        );
    }
    alarm
}

fn exit_code(job: &BackupJob) -> String {
    job.exit_code()
        .map(|code| format!(" (exit code {code})"))
        .unwrap_or_default()
}

/// Whether the job left an image that holds nothing, or next to nothing of what the image before
/// it held.
///
/// An image that holds changes only is never called so: at times nothing changed.
pub(crate) fn is_emptied(job: &BackupJob, features: &FeatureVector, memory: &Memory) -> bool {
    let impact = Impact::of(job, features);
    let alternates = memory.alternates();
    job.status().has_image()
        && !job.schedule().holds_changes_only()
        && (is_empty(job)
            || !alternates && impact.lost_bytes.min(impact.lost_files) >= AS_GOOD_AS_EMPTY)
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
    let files = previous.file_count.map(|files| counted(files, "file"));
    let bytes = previous.image_bytes;
    let bytes = bytes.map(|bytes| Unit::Bytes.format(bytes as f64));
    match (files, bytes) {
        (Some(files), Some(bytes)) => format!("; the image before held {files}, {bytes}"),
        (Some(held), None) | (None, Some(held)) => format!("; the image before held {held}"),
        (None, None) => String::new(),
    }
}

fn most_gone(job: &BackupJob, model: &StreamModel, seen: &Seen) -> Option<Alarm> {
    if seen.share(Share::Lost) < MOST || model.memory.alternates() {
        return None;
    }
    let impact = Impact::of(job, &seen.features);
    let kind = classify::loss(&impact);
    let summary = sentence::describe(kind, job, &seen.features, &impact, &[]);
    let mut alarm = Alarm::new(classify::severity(kind, &impact), kind, summary);
    alarm.rests_on.extend(rests_on(seen, Share::Lost));
    Some(alarm)
}

/// A share as what an alarm rests on.
fn rests_on(seen: &Seen, share: Share) -> Option<Measured> {
    Measured::share(share, seen.share(share), false)
}

fn all_overwritten(job: &BackupJob, model: &StreamModel, seen: &Seen) -> Option<Alarm> {
    let share = [Share::Overwritten, Share::Rewritten]
        .into_iter()
        .find(|share| seen.shares.get(*share).is_some())?;
    // A full backup sends everything: without counts of files that says nothing.
    let full = job.schedule().schedule_type == Some(ScheduleType::Full);
    if full && share == Share::Rewritten {
        return None;
    }
    let settled = model.memory.jobs().len() >= FIRST_JOBS;
    if settled || seen.share(share) < NEARLY_ALL || model.memory.happened(share, NEARLY_ALL) {
        return None;
    }
    let summary = format!(
        "Already in job {} of this stream, {} of the data was overwritten.",
        model.memory.count() + 1,
        Unit::Share.format(seen.share(share))
    );
    let looks = [Share::Random, Share::EntropyRise, Share::OverwrittenDense];
    let looked = looks.into_iter().filter_map(|share| seen.shares.get(share));
    let kind = match looked.reduce(f64::max) {
        Some(ciphertext) if ciphertext < MOST => AnomalyKind::MassChange,
        _ => AnomalyKind::MassEncryption,
    };
    let mut alarm = Alarm::new(Severity::Medium, kind, summary);
    alarm.rests_on.extend(rests_on(seen, share));
    Some(alarm)
}

/// Most of what was there, as random as ciphertext in its own place or under names of kinds that
/// never were: no stream does so on its usual days.
fn most_random(model: &StreamModel, seen: &Seen) -> Option<Alarm> {
    let is_first = model.memory.jobs().len() == 0;
    if is_first || model.memory.jobs().len() >= FIRST_JOBS {
        return None;
    }
    let renamed = seen
        .share(Share::Random)
        .min(seen.share(Share::UnseenKinds));
    let share = seen.share(Share::EntropyRise).max(renamed);
    if share < MOST {
        return None;
    }
    let summary = format!(
        "Already in job {} of this stream, {} of the files turned into random bytes.",
        model.memory.count() + 1,
        Unit::Share.format(share)
    );
    let kind = AnomalyKind::MassEncryption;
    Some(Alarm::new(Severity::High, kind, summary))
}

fn slow(model: &StreamModel, loss: Option<SlowLoss>) -> Option<Alarm> {
    let loss = loss.filter(|loss| loss.is_news(model.reported_loss.into()))?;
    let severity = if loss.lost() >= MOST {
        Severity::High
    } else {
        Severity::Medium
    };
    Some(Alarm::new(
        severity,
        AnomalyKind::SlowDrift,
        sentence::slow_loss(loss),
    ))
}

fn slow_job(job: &BackupJob, model: &StreamModel) -> Option<Alarm> {
    let Slowdown {
        seconds,
        usual_seconds: (shortest, longest),
        is_known,
    } = Slowdown::of(&model.memory, job)?;
    let summary = format!(
        "The job took {}, usual {}, and sent no more than it does at times.",
        Unit::Seconds.format(seconds),
        Unit::Seconds.format_range(shortest, longest)
    );
    let mut alarm = Alarm::new(Severity::Low, AnomalyKind::Slowdown, summary);
    alarm.is_known = is_known;
    let name = FeatureName::new("duration_seconds").ok()?;
    let usual = (shortest, longest);
    alarm.findings.push(Finding::new(
        name,
        seconds,
        usual,
        Direction::Above,
        SLOW_SCORE,
    ));
    Some(alarm)
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

fn missed(job: &BackupJob, timing: Timing, said: &Said) -> Option<Alarm> {
    let Timing::Late {
        gap,
        longest,
        is_known,
        ..
    } = timing
    else {
        return None;
    };
    let summary = format!(
        "No job for {}: this stream's longest gap of late was {}.",
        span(gap),
        span(longest)
    );
    let mut alarm = Alarm::new(Severity::Low, AnomalyKind::MissedBackup, summary);
    alarm.is_known = is_known || said.was_told(job, gap);
    Some(alarm)
}
