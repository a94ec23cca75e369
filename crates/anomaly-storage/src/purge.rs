//! Deleting what is older than it is kept for.

use anomaly_model::chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Hash;
use crate::evidence::{Tree, hex};
use crate::job_key::ShortKey;

/// What is to be deleted, in one step.
///
/// Kept whatever their age: anomalies that a person has confirmed, and those of incidents that are
/// open. A false positive goes with its job, and covers nothing from then on. Of everything else that goes, the log keeps the hashes. Jobs that went stay known: handed
/// over again, they are not taken for new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// When this is done.
    pub now: DateTime<Utc>,
    /// Jobs that started before this go, with their verdicts and reviews; so do closed incidents of
    /// which no job is left, and messages that are on the way to nobody.
    pub started_before: DateTime<Utc>,
    /// Streams without jobs go, with what was learnt of them, when their last job started before
    /// this. A stream of monthly jobs needs its model longer than its jobs may be kept.
    pub idle_before: DateTime<Utc>,
    /// No more than this many jobs go, streams, and messages: a step holds the write lock.
    pub limit: usize,
}

/// What a step has deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Purged {
    /// Jobs, with their verdicts and reviews.
    pub jobs: u64,
    /// Streams that had no jobs left, with what was learnt of them.
    pub streams: u64,
    /// Closed incidents of which no job was left.
    pub incidents: u64,
    /// Messages that were on the way to nobody.
    pub messages: u64,
}

impl std::ops::AddAssign for Purged {
    fn add_assign(&mut self, other: Self) {
        self.jobs += other.jobs;
        self.streams += other.streams;
        self.incidents += other.incidents;
        self.messages += other.messages;
    }
}

impl Purged {
    /// Whether there was nothing to delete.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What the log says of records that were deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PurgeRecord {
    pub(crate) purged_at: DateTime<Utc>,
    pub(crate) started_before: DateTime<Utc>,
    pub(crate) leaves: Vec<PurgedLeaves>,
    /// A SHA-256 of the short keys of the jobs, in their order, in hexadecimal digits: what tells
    /// that no other job is taken for one that was purged.
    keys: String,
}

/// Leaves side by side whose records were deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PurgedLeaves {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// The Merkle tree hash of these leaves alone, in hexadecimal digits: what still tells which
    /// hash was changed, when no record is left to hash anew.
    pub(crate) root: String,
}

impl PurgeRecord {
    /// Of the leaves with these numbers and hashes, which are of jobs with these keys.
    pub(crate) fn new(
        purge: &Purge,
        mut leaves: Vec<(u64, Hash)>,
        mut keys: Vec<ShortKey>,
    ) -> Self {
        leaves.sort_unstable();
        keys.sort_unstable();
        let ranges = leaves.chunk_by(|(one, _), (next, _)| one + 1 == *next);
        let leaves = ranges.filter_map(|range| {
            Some(PurgedLeaves {
                first: range.first()?.0,
                last: range.last()?.0,
                root: root(range.iter().map(|(_, hash)| *hash)),
            })
        });
        Self {
            purged_at: purge.now,
            started_before: purge.started_before,
            leaves: leaves.collect(),
            keys: hash(&keys),
        }
    }

    /// Whether the jobs have these keys, which are in order.
    pub(crate) fn is_of(&self, keys: &[ShortKey]) -> bool {
        self.keys == hash(keys)
    }
}

impl PurgedLeaves {
    /// Whether the leaves have these hashes.
    pub(crate) fn have(&self, hashes: &[Hash]) -> bool {
        self.root == root(hashes.iter().copied())
    }
}

fn hash(keys: &[ShortKey]) -> String {
    hex(&Sha256::digest(keys.as_flattened()))
}

fn root(hashes: impl IntoIterator<Item = Hash>) -> String {
    let mut tree = Tree::default();
    hashes.into_iter().for_each(|hash| tree.push(hash));
    hex(&tree.head().root)
}
