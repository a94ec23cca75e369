//! A job with what was concluded about it.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, ClientName, Finding, JobKey, Review, StreamKey, Verdict};

use crate::setters::setters;
use crate::{JudgedAs, StoreError};

/// Who says that there was such a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A backup tool.
    #[default]
    Tool,
    /// The clock: a job was due, and none came. No tool knows of it.
    Clock,
}

impl Origin {
    pub(crate) const ALL: [Self; 2] = [Self::Tool, Self::Clock];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Clock => "clock",
        }
    }
}

/// A job, the stream that it belongs to, and what was concluded about it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The job.
    pub job: &'a BackupJob,
    /// The jobs that it was judged against.
    pub stream: &'a StreamKey,
    /// The conclusion; about this job.
    pub verdict: &'a Verdict,
    /// Who says that there was such a job.
    pub origin: Origin,
}

impl Observation<'_> {
    /// The key of the job, once it is known that the verdict is about it and can be read back.
    pub(crate) fn checked_key(&self) -> Result<JobKey, StoreError> {
        let (job, verdict) = (self.job.key(), self.verdict.key());
        if job != verdict {
            return Err(StoreError::OtherJob { job, verdict });
        }
        // JSON writes NaN as null, which no reader takes for a number.
        let is_finite = |finding: &Finding| {
            let Finding {
                observed,
                usual_low,
                usual_high,
                score,
                ..
            } = finding;
            [observed, usual_low, usual_high, score]
                .into_iter()
                .all(|number| number.is_finite())
        };
        match self
            .verdict
            .findings
            .iter()
            .find(|finding| !is_finite(finding))
        {
            None => Ok(job),
            Some(finding) => Err(StoreError::NotFinite {
                job,
                feature: finding.feature.clone(),
                observed: finding.observed,
            }),
        }
    }
}

/// Whether an observation was new to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored now.
    New,
    /// The store had a job with this key already; nothing changed.
    AlreadyStored,
}

/// An observation as it is read back.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoredObservation {
    /// Its number: from 1, in the order in which observations were stored, with gaps.
    pub number: u64,
    /// The jobs that it was judged against.
    pub stream: StreamKey,
    /// The job.
    pub job: BackupJob,
    /// The conclusion.
    pub verdict: Verdict,
    /// Who says that there was such a job.
    pub origin: Origin,
}

/// What was recorded of a job: that it ran, or what a person decided about it.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are observations, and few are held at a time"
)]
pub enum Recorded {
    /// It ran.
    Observation(StoredObservation),
    /// A person decided about it, or took a decision back.
    Review {
        /// Its number in the log.
        number: u64,
        /// The job.
        job: JobKey,
        /// The decision that counts since then.
        review: Review,
    },
}

impl Recorded {
    /// Its number in the log.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Observation(observation) => observation.number,
            Self::Review { number, .. } => *number,
        }
    }
}

/// Which observations to list: those that meet every condition that is set. The default is all.
///
/// Times compare at microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ObservationQuery {
    /// Only of this stream.
    pub stream: Option<StreamKey>,
    /// Only of this client.
    pub client: Option<ClientName>,
    /// Only those of which this one says that there was such a job.
    pub origin: Option<Origin>,
    /// Only those that were judged so.
    pub judged_as: Option<JudgedAs>,
    /// Only jobs that started at this time or later.
    pub started_from: Option<DateTime<Utc>>,
    /// Only jobs that started before this time.
    pub started_until: Option<DateTime<Utc>>,
    /// Only what stands after this job in the list: the next page.
    pub after: Option<JobKey>,
    /// No more than this many, the newest ones.
    pub limit: Option<usize>,
}

setters! {
    ObservationQuery {
        stream: StreamKey,
        client: ClientName,
        origin: Origin,
        judged_as: JudgedAs,
        started_from: DateTime<Utc>,
        started_until: DateTime<Utc>,
        after: JobKey,
        limit: usize,
    }
}
