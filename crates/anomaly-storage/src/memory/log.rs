//! The log, hashed when it is asked for: a scan in memory does not pay for it.

use anomaly_model::chrono::{DateTime, SubsecRound as _, Utc};
use anomaly_model::{JobKey, Review};
use serde::Serialize;

use super::data::Data;
use crate::evidence::{Leaf, LeafKind, Tree};
use crate::{Hash, LogHead, LogLeaf};

/// What the record of a leaf is, which has the leaf's number.
#[derive(Debug)]
pub(super) enum Entry {
    Observation,
    Review(JobKey, Box<Review>),
    Settings,
    Audit,
    Purge,
    /// The record was purged.
    Gone(Hash),
}

/// An entry, and when it was recorded.
pub(super) type Logged = (Entry, Option<DateTime<Utc>>);

impl Data {
    pub(super) fn log_head(&self) -> LogHead {
        let mut tree = Tree::default();
        (1..=self.log.len() as u64).for_each(|number| tree.push(self.leaf_hash(number)));
        tree.head()
    }

    /// When a record was recorded, where whoever did it said so.
    pub(super) fn recorded_at(&self, number: u64) -> Option<DateTime<Utc>> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        let (_, recorded_at) = self.log.get(place)?;
        recorded_at.map(|time| time.trunc_subsecs(6))
    }

    /// The hash of the leaf with a number that the log has.
    pub(super) fn leaf_hash(&self, number: u64) -> Hash {
        let place = usize::try_from(number - 1).unwrap_or(usize::MAX);
        match &self.log[place] {
            (Entry::Gone(hash), _) => *hash,
            logged => self.with_leaf(number, logged, |leaf| leaf.hash()),
        }
    }

    pub(super) fn leaf(&self, number: u64) -> Option<LogLeaf> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        let logged = self.log.get(place)?;
        let is_gone = matches!(logged, (Entry::Gone(_), _));
        Some(LogLeaf {
            number,
            hash: self.leaf_hash(number),
            data: (!is_gone).then(|| self.with_leaf(number, logged, |leaf| leaf.data())),
        })
    }

    pub(super) fn leaf_hashes(&self, after: u64, limit: usize) -> Vec<Hash> {
        let numbers = after.saturating_add(1)..=self.log.len() as u64;
        let hashes = numbers.take(limit).map(|number| self.leaf_hash(number));
        hashes.collect()
    }

    fn with_leaf<T>(
        &self,
        number: u64,
        (entry, recorded_at): &Logged,
        look: impl FnOnce(Leaf<'_>) -> T,
    ) -> T {
        let (kind, parts) = self.parts(number, entry);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        look(Leaf {
            number,
            kind,
            recorded_at_micros: recorded_at.map(|time| time.timestamp_micros()),
            parts: &parts,
        })
    }

    fn parts(&self, number: u64, entry: &Entry) -> (LeafKind, Vec<String>) {
        match entry {
            Entry::Observation => {
                let parts = self.rows.get(&number).map(|row| {
                    let origin = row.origin.as_str().to_owned();
                    vec![
                        origin,
                        json(&row.stream),
                        json(&row.job),
                        json(&row.verdict),
                        row.started_at_micros().to_string(),
                    ]
                });
                (LeafKind::Observation, parts.unwrap_or_default())
            }
            Entry::Review(job, review) => {
                let (source, id) = (job.source.as_str(), job.job_id.as_str());
                let parts = vec![source.to_owned(), id.to_owned(), json(review)];
                (LeafKind::Review, parts)
            }
            Entry::Settings => (LeafKind::Settings, vec![json(&self.settings.get(number))]),
            Entry::Audit => (LeafKind::Audit, vec![json(&self.audit.get(number))]),
            Entry::Purge | Entry::Gone(_) => {
                (LeafKind::Purge, vec![json(&self.purges.get(number))])
            }
        }
    }
}

/// The JSON text of a record, which is empty for none.
fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_default()
}
