//! Anomalies that belong together.

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use serde_json::Value;

use crate::setters::setters;

/// Anomalies that belong together, as the store keeps it: what is searched for, and the rest as
/// JSON that it does not look into. Times are kept to the microsecond.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentRecord {
    /// When the first job of it started.
    pub first_seen: DateTime<Utc>,
    /// When the last job of it started.
    pub last_seen: DateTime<Utc>,
    /// The worst of its anomalies.
    pub severity: Severity,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When it was closed; `None` while it is open.
    pub closed_at: Option<DateTime<Utc>>,
    /// Whatever else is known of it.
    pub details: Value,
}

/// Which incidents to list: those that meet every condition that is set. The default is all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct IncidentQuery {
    /// Only open ones, or only closed ones.
    pub open: Option<bool>,
    /// Only of this severity or a higher one.
    pub at_least: Option<Severity>,
    /// Only those of which a job started at this time or later.
    pub seen_from: Option<DateTime<Utc>>,
    /// Only what stands after the incident with this number in the list: the next page.
    pub after: Option<u64>,
    /// No more than this many, those seen last.
    pub limit: Option<usize>,
}

setters! {
    IncidentQuery {
        open: bool,
        at_least: Severity,
        seen_from: DateTime<Utc>,
        after: u64,
        limit: usize,
    }
}
