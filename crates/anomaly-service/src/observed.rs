//! What the service answers.

use anomaly_model::{StreamKey, Verdict};

/// A job's verdict, and whether it is news.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Observed {
    /// The verdict: of now, or of when the job was first seen; `not_scored` for a job that was purged
    /// since, whose verdict is not kept.
    pub verdict: Verdict,
    /// The stream that the job belongs to.
    pub stream: StreamKey,
    /// Whether the job was stored before. The same job again changes nothing.
    pub already_known: bool,
}

/// How many jobs a batch held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BatchSummary {
    /// Jobs judged for the first time.
    pub new_jobs: u64,
    /// Jobs that were stored before; their verdicts stand.
    pub known_jobs: u64,
}
