//! The log, hashed when it is asked for: a scan in memory does not pay for it.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{JobKey, Review};
use serde::Serialize;

use super::data::Data;
use crate::LogHead;
use crate::evidence::{Leaf, LeafKind, Tree};

/// What the record of a leaf is, which has the leaf's number.
#[derive(Debug)]
pub(super) enum Entry {
    Observation,
    Review(JobKey, Review),
    Settings,
    Audit,
}

/// An entry, and when it was recorded.
pub(super) type Logged = (Entry, Option<DateTime<Utc>>);

impl Data {
    pub(super) fn log_head(&self) -> LogHead {
        let mut tree = Tree::default();
        for (number, (entry, recorded_at)) in (1..).zip(&self.log) {
            let (kind, parts) = self.parts(number, entry);
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let leaf = Leaf {
                number,
                kind,
                recorded_at_micros: recorded_at.map(|time| time.timestamp_micros()),
                parts: &parts,
            };
            tree.push(leaf.hash());
        }
        tree.head()
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
        }
    }
}

/// The JSON text of a record, which is empty for none.
fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_default()
}
