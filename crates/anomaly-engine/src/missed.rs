//! A job that did not come.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    AnomalyKind, BackupJob, JobStatus, Judgement, ModelError, PolicyType, Severity, Silence,
    Verdict,
};

use crate::StreamStatus;
use crate::sentence::span;

/// What Backwatch calls itself: as the source of the jobs that never ran, and as the author of what
/// nobody did.
pub const OURSELVES: &str = "backwatch";
/// What the ids of their records begin with.
const PREFIX: &str = "missed-";

/// A record of a job that did not come, and the anomaly that it is.
///
/// The record is no tool's: its source is `backwatch`, and it starts when the job was overdue. Its
/// id is made of `stream_number`, a number that is the stream's own, and of the start of the job
/// before it, so that one gap is one record, whoever makes it.
///
/// # Errors
/// [`ModelError`] when the job was due in a year in which no job can be.
pub fn missed_job(
    stream_number: u64,
    status: &StreamStatus,
    silence: &Silence,
) -> Result<(BackupJob, Verdict), ModelError> {
    let subject = status.subject(silence.due_at);
    let id = format!(
        "{PREFIX}{stream_number}-{}",
        silence.since.timestamp_micros()
    );
    let job = BackupJob::builder(
        OURSELVES,
        id,
        subject.client.as_str(),
        subject.policy.as_str(),
        silence.due_at,
    )
    .policy_type(subject.policy_type.map(PolicyType::as_str))
    .schedule_type(subject.schedule_type)
    .status(JobStatus::Failed)
    .build()?;
    let longest = status.longest_gap().map(span).unwrap_or_default();
    let summary = format!(
        "No job since {}: this stream's longest gap of late was {longest}.",
        when(silence.since),
    );
    let judgement = Judgement::Anomalous {
        severity: Severity::Low,
        kind: AnomalyKind::MissedBackup,
    };
    let verdict = Verdict::new(&job, judgement, summary);
    Ok((job, verdict))
}

/// The start of the job after which the one that this record is of did not come; `None` if it is no
/// record of [`missed_job`].
#[must_use]
pub fn missed_after(job: &BackupJob) -> Option<DateTime<Utc>> {
    if job.source().as_str() != OURSELVES {
        return None;
    }
    let (_, micros) = job
        .job_id()
        .as_str()
        .strip_prefix(PREFIX)?
        .split_once('-')?;
    DateTime::from_timestamp_micros(micros.parse().ok()?)
}

/// A time as people read it, to the minute.
pub(crate) fn when(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
