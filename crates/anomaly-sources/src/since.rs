//! Reading on where an earlier reading ended.

use anomaly_model::JobId;
use anomaly_model::chrono::{DateTime, Utc};

/// What was read before. [`Reader::passed_over`](crate::Reader::passed_over) counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Since {
    /// Every record up to and including the job with this id, bad records too; for inputs that
    /// grow at their end. If the job is not there, the reading ends with
    /// [`SourceError::SinceNotFound`](crate::SourceError::SinceNotFound).
    Job(JobId),
    /// Every job that started at this time or before, wherever it stands. A record that gave no
    /// job has no time, and is never passed over.
    Time(DateTime<Utc>),
}

impl From<JobId> for Since {
    fn from(job_id: JobId) -> Self {
        Self::Job(job_id)
    }
}

impl From<DateTime<Utc>> for Since {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}
