//! Which jobs are judged against each other.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::BackupJob;
use crate::words::words;

words! {
    /// A property of a job that can tell streams apart.
    pub enum StreamPart, "stream part" {
        /// The tool.
        Source = "source",
        /// The protected host.
        Client = "client",
        /// The policy.
        Policy = "policy",
        /// What the policy protects.
        PolicyType = "policy_type",
        /// The schedule's name.
        Schedule = "schedule",
        /// The schedule's type: a full backup is never compared with an incremental one.
        ScheduleType = "schedule_type",
    }
}

impl StreamPart {
    /// Client, policy and schedule type: NetBackup's grouping.
    pub const DEFAULT: [Self; 3] = [Self::Client, Self::Policy, Self::ScheduleType];

    fn of(self, job: &BackupJob) -> Option<&str> {
        match self {
            Self::Source => Some(job.source().as_str()),
            Self::Client => Some(job.client().name.as_str()),
            Self::Policy => Some(job.policy().name.as_str()),
            Self::PolicyType => job.policy().policy_type.as_ref().map(AsRef::as_ref),
            Self::Schedule => job.schedule().name.as_ref().map(AsRef::as_ref),
            Self::ScheduleType => job
                .schedule()
                .schedule_type
                .map(crate::ScheduleType::as_str),
        }
    }
}

/// The stream that a job belongs to: the jobs that it is judged against.
///
/// ```
/// use anomaly_model::{BackupJob, ScheduleType, StreamKey, StreamPart};
/// # let started_at = anomaly_model::chrono::DateTime::UNIX_EPOCH;
/// let job = BackupJob::builder("restic", "4711", "mail01", "daily", started_at)
///     .schedule_type(ScheduleType::Full)
///     .build()?;
/// let stream = StreamKey::of(&job, &StreamPart::DEFAULT);
/// assert_eq!(stream.to_string(), "mail01 / daily / full");
/// # Ok::<(), anomaly_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamKey {
    parts: Vec<(StreamPart, Option<String>)>,
}

impl StreamKey {
    /// The stream of `job` when streams are told apart by `parts`.
    #[must_use]
    pub fn of(job: &BackupJob, parts: &[StreamPart]) -> Self {
        let parts = parts
            .iter()
            .map(|&part| (part, part.of(job).map(str::to_owned)))
            .collect();
        Self { parts }
    }

    /// The parts that tell this stream from others; `None` where the job does not say.
    #[must_use]
    pub fn parts(&self) -> &[(StreamPart, Option<String>)] {
        &self.parts
    }
}

/// The parts' values with ` / ` between them, `-` for one that is missing. No two streams read the
/// same: a value that could be taken for several, or for a missing one, is in quotes.
impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (_, value)) in self.parts.iter().enumerate() {
            let separator = if i == 0 { "" } else { " / " };
            f.write_str(separator)?;
            match value.as_deref() {
                Some(value) if is_ambiguous(value) => write!(f, "{value:?}")?,
                value => f.write_str(value.unwrap_or("-"))?,
            }
        }
        Ok(())
    }
}

/// Whether a value, put between others, could be read as something else.
fn is_ambiguous(value: &str) -> bool {
    value == "-" || value.starts_with('"') || value.contains(" / ") || value.ends_with(" /")
}
