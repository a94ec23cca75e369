//! Counting verdicts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anomaly_model::{FeatureName, Judgement, Severity, StreamKey};
use anomaly_service::Observed;
use serde::Serialize;

/// How many jobs came out how.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) jobs: u64,
    pub(crate) normal: u64,
    pub(crate) anomalous: u64,
    pub(crate) anomalous_by_severity: BTreeMap<Severity, u64>,
    pub(crate) warming_up: u64,
    pub(crate) not_scored: u64,
    pub(crate) not_scored_by_reason: BTreeMap<String, u64>,
    /// Jobs that the database knew already.
    pub(crate) already_known: u64,
    /// Jobs that were neither judged nor kept: another is stored under their id, say.
    pub(crate) not_kept: u64,
    /// Records that could not be read.
    pub(crate) bad_records: u64,
    /// Records of jobs that came before in the same input.
    pub(crate) duplicates: u64,
    /// Streams, and those of them with a job that was judged on its history.
    pub(crate) streams: usize,
    pub(crate) streams_judged: usize,
    /// What no job was judged on, because none reported it.
    pub(crate) unseen: BTreeSet<FeatureName>,
    /// What only some jobs were judged on, because the others did not report it.
    pub(crate) partly_unseen: BTreeSet<FeatureName>,
    /// By the hashes of the streams' keys: there may be millions.
    #[serde(skip)]
    judged_by_stream: HashMap<u64, bool>,
}

impl Tally {
    pub(crate) fn count(&mut self, observed: &Observed) {
        let verdict = &observed.verdict;
        self.jobs += 1;
        self.already_known += u64::from(observed.already_known);
        // By the stream's own history: while it warms up, others stand in for it.
        let judged = verdict.p_value.is_some() && verdict.judgement != Judgement::WarmingUp;
        if judged {
            let unseen: BTreeSet<FeatureName> = verdict.unseen.iter().cloned().collect();
            if self.streams_judged == 0 {
                self.unseen = unseen;
            } else {
                self.partly_unseen
                    .extend(self.unseen.symmetric_difference(&unseen).cloned());
                self.unseen = self.unseen.intersection(&unseen).cloned().collect();
            }
        }
        let stream = self
            .judged_by_stream
            .entry(hash(&observed.stream))
            .or_insert_with(|| {
                self.streams += 1;
                false
            });
        if judged && !*stream {
            *stream = true;
            self.streams_judged += 1;
        }
        match &verdict.judgement {
            Judgement::Normal => self.normal += 1,
            Judgement::Anomalous { severity, .. } => {
                self.anomalous += 1;
                *self.anomalous_by_severity.entry(*severity).or_default() += 1;
            }
            Judgement::WarmingUp => self.warming_up += 1,
            Judgement::NotScored { reason } => {
                self.not_scored += 1;
                *self.not_scored_by_reason.entry(reason.clone()).or_default() += 1;
            }
            _ => {}
        }
    }
}

fn hash(stream: &StreamKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    stream.hash(&mut hasher);
    hasher.finish()
}
