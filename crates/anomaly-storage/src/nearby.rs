//! An anomaly, as far as it takes to say which others it belongs to.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{AnomalyKind, ClientName, JobKey, Severity};

/// An anomaly, as far as it takes to say which others it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearbyAnomaly {
    /// The job.
    pub job: JobKey,
    /// Who was backed up.
    pub client: ClientName,
    /// When it started, to the microsecond.
    pub started_at: DateTime<Utc>,
    /// How much it matters.
    pub severity: Severity,
    /// What it looks like.
    pub kind: AnomalyKind,
    /// The incident that it is in.
    pub incident: Option<u64>,
}

/// Which anomalies are near.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// Near this time,
    pub at: DateTime<Utc>,
    /// by no more than this.
    pub within: TimeDelta,
    /// Only of this client.
    pub client: Option<&'a ClientName>,
    /// No more than this many that started then or before, the latest ones, and no more than this
    /// many that started after, the earliest ones.
    pub limit: usize,
}

impl Around<'_> {
    /// The first and the last time that are near, in microseconds since 1970.
    pub(crate) fn range_micros(&self) -> (i64, i64) {
        let (at, within) = (
            self.at.timestamp_micros(),
            self.within.num_microseconds().unwrap_or(i64::MAX),
        );
        (at.saturating_sub(within), at.saturating_add(within))
    }
}
