//! Whether the log is what it was.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};

use super::LogHead;

/// What looking at every leaf of the log has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// What the log says of itself.
    pub head: LogHead,
    /// Leaves whose records were hashed anew, and found to be as they were recorded.
    pub verified_leaves: u64,
    /// Leaves whose records were purged: their hashes alone are left, and were found as they were,
    /// as was when their jobs had started.
    pub purged_leaves: u64,
    /// Those of them that an earlier version recorded, so that nothing proves how old they were.
    pub unproven_leaves: u64,
    /// The shortest time for which a purge has kept jobs; `None` when there was none.
    pub kept_for: Option<KeptFor>,
    /// The purge that says that it was done last; `None` when there was none. One of a time that has
    /// yet to come was made up: it may call old what is not.
    pub latest_purge: Option<LatestPurge>,
    /// How many of the checkpoints the log agrees with.
    pub matched_checkpoints: usize,
    /// The first sign that something is not as it was; `None` when there is none.
    pub tampering: Option<Tampering>,
}

/// For how long a purge has kept jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptFor {
    /// The number of the purge's leaf.
    pub purge: u64,
    /// So long, at least, before the time at which it says that it was done, each job that it has
    /// deleted had started.
    pub time: TimeDelta,
}

/// When something was purged last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LatestPurge {
    /// The number of the purge's leaf.
    pub purge: u64,
    /// When it says that it was done.
    pub purged_at: DateTime<Utc>,
}

/// What is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Tampering {
    /// What is stored for a leaf is not what was recorded, or stands at another place.
    #[error("leaf {leaf} was altered or moved: {what}")]
    Altered {
        /// The number of the first such leaf, from 1.
        leaf: u64,
        /// What is wrong, in words.
        what: String,
    },
    /// A leaf, or the record that it is of, is not there.
    #[error("leaf {leaf} was removed: {what}")]
    Removed {
        /// The number of the first such leaf, from 1.
        leaf: u64,
        /// What is missing, in words.
        what: String,
    },
    /// Something is stored that was never recorded.
    #[error("{what} was never recorded in the log")]
    Unrecorded {
        /// What it is, in words.
        what: String,
    },
    /// Some leaf was altered together with its hash.
    #[error("a leaf from {first} to {last} was altered, removed or moved together with its hash")]
    Rewritten {
        /// The first leaf that it may be.
        first: u64,
        /// The last leaf that it may be.
        last: u64,
    },
    /// The end of the log is gone.
    #[error("leaves from {first} on were removed: the log ends there, and had {size}")]
    CutOff {
        /// The first leaf that is missing.
        first: u64,
        /// How many there were.
        size: u64,
    },
}
