//! One stream, judged anew.

use std::collections::{BTreeMap, HashMap};

use anomaly_engine::{Engine, FalsePositive, Said, StreamModel, missed_after};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{AnomalyKind, JobKey, Judgement, Review, Severity, Verdict};
use anomaly_storage::{Origin, StoredObservation};

use crate::session::Change;

/// What a replay says of a job, as far as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Anomalous(Severity, AnomalyKind),
    NotScored,
    Quiet,
}

impl Outcome {
    pub(super) fn of(verdict: &Verdict) -> Self {
        match verdict.judgement {
            Judgement::Anomalous { severity, kind } => Self::Anomalous(severity, kind),
            Judgement::NotScored { .. } => Self::NotScored,
            _ => Self::Quiet,
        }
    }

    pub(super) fn anomaly(self) -> Option<(Severity, AnomalyKind)> {
        match self {
            Self::Anomalous(severity, kind) => Some((severity, kind)),
            _ => None,
        }
    }
}

/// A stream that is judged anew: from its first stored job on, with what people decided in the
/// order in which they did.
pub(super) struct Replay {
    model: StreamModel,
    said: Said,
    /// By the number of the job that each is about, in whose order the judge is told of them.
    covers: BTreeMap<u64, FalsePositive>,
    /// What people may have decided about.
    reviewable: HashMap<JobKey, Reviewable>,
    /// How long no job came after the one before a missed one, by when that started.
    gaps: HashMap<DateTime<Utc>, TimeDelta>,
}

struct Reviewable {
    number: u64,
    verdict: Verdict,
    review: Option<Review>,
    /// The start of the job before, if it is about one that was missed.
    missed_after: Option<DateTime<Utc>>,
}

impl Replay {
    pub(super) fn new() -> Self {
        Self {
            model: StreamModel::default(),
            said: Said::default(),
            covers: BTreeMap::new(),
            reviewable: HashMap::new(),
            gaps: HashMap::new(),
        }
    }

    pub(super) fn observe(&mut self, engine: &Engine, stored: &StoredObservation) -> Outcome {
        let job = &stored.job;
        let verdict = match stored.origin {
            Origin::Tool => {
                if let Some(since) = self.said.missed_after {
                    let gap = job.started_at() - since;
                    if gap > TimeDelta::zero() {
                        self.gaps.entry(since).or_insert(gap);
                    }
                }
                let verdict = engine.judge_knowing(&self.said, job, &mut self.model);
                let said = Outcome::of(&verdict);
                // Where the replay finds nothing, the decision is about what was found.
                if stored.verdict.is_anomalous() {
                    let found = verdict.is_anomalous();
                    let reviewed = if found {
                        verdict
                    } else {
                        stored.verdict.clone()
                    };
                    self.note_reviewable(stored, reviewed);
                }
                return said;
            }
            Origin::Clock => stored.verdict.clone(),
        };
        // No job came: the clock told, if it was asked to.
        let detection = engine.settings().detection_for(job);
        if !detection.enabled || !detection.rules.missed_backup {
            return Outcome::Quiet;
        }
        let said = Outcome::of(&verdict);
        if let Some(since) = missed_after(job) {
            self.said.missed_after = Some(since);
            self.said.missed_is_confirmed = false;
        }
        self.note_reviewable(stored, verdict);
        said
    }

    fn note_reviewable(&mut self, stored: &StoredObservation, verdict: Verdict) {
        let reviewable = Reviewable {
            number: stored.number,
            verdict,
            review: None,
            missed_after: missed_after(&stored.job),
        };
        self.reviewable.insert(stored.job.key(), reviewable);
    }

    /// A decision, as it was taken down when it was made.
    pub(super) fn review(&mut self, job: &JobKey, review: &Review) {
        let Some(about) = self.reviewable.get_mut(job) else {
            return;
        };
        let change = Change::of(about.review.as_ref(), review);
        let gap = about.missed_after.and_then(|since| self.gaps.get(&since));
        change.teach(&mut self.model, &about.verdict, review, gap.copied());
        if let Some(confirms) = change.confirms
            && about.missed_after.is_some()
            && about.missed_after == self.said.missed_after
        {
            self.said.missed_is_confirmed = confirms;
        }
        self.covers.remove(&about.number);
        if let Some(cover) = FalsePositive::of(&about.verdict, review) {
            self.covers.insert(about.number, cover);
        }
        about.review = Some(review.clone());
        self.said.false_positives = self.covers.values().cloned().collect();
    }
}
