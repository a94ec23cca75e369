//! What the service reports of streams and incidents.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Incident, LevelShift, StreamCoverage, StreamKey};

/// An incident, with its number.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct IncidentReport {
    /// Its number, which stays.
    pub number: u64,
    /// What happened.
    pub incident: Incident,
    /// When the last of its anomalies was reviewed; `None` while one waits.
    pub closed_at: Option<DateTime<Utc>>,
    /// When a decision that had closed it was taken back, or replaced, so that one of its anomalies waits
    /// again; `None` once it is closed, and if it never was.
    pub reopened_at: Option<DateTime<Utc>>,
    /// The incident that it turned out to be part of; all that it had is there.
    pub merged_into: Option<u64>,
}

/// Some of the streams.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamPage {
    /// How well each is watched, in the order in which they were first seen.
    pub streams: Vec<StreamCoverage>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<u64>,
}

/// A change of a stream that has lasted, and may be its new normal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proposal {
    /// The stream.
    pub stream: StreamKey,
    /// The change. A review of the anomaly that it began with, as a false positive with the scope
    /// `level_shift`, accepts it.
    pub shift: LevelShift,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TickReport {
    /// Jobs that were missed and are reported now.
    pub missed: u64,
    /// Streams of which it is known when the next job has to come, and that were not reported before.
    pub watched: u64,
    /// Streams of which the next tick says whether a job was missed, because this one comes after a
    /// pause.
    pub waiting: u64,
    /// Whether the clock was set back since the last tick: then nothing was concluded.
    pub clock_was_set_back: bool,
    /// Streams that are overdue, when those are most of all: then it is the clock, or nothing is
    /// handed over any more, and none of these is reported by itself.
    pub silent_fleet: Option<u64>,
}
