//! Anomalous jobs that wait for a person.

use std::collections::VecDeque;

use anomaly_features::Previous;
use anomaly_model::JobKey;
use serde::{Deserialize, Serialize};

use crate::history::{Row, rearranged};

/// Anomalous jobs that are kept.
const MOST: usize = 32;

/// Strange jobs, oldest first: what each would teach, and whether a person says that it does.
///
/// What a person accepts is marked and not moved, so that taking it back leaves what was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct HeldJobs(VecDeque<Held>);

/// A strange job, kept out of all that is usual until a person accepts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) job: JobKey,
    pub(crate) lesson: Lesson,
    /// Its number in the memory, if it left an image to remember.
    pub(crate) number: Option<u64>,
    /// Whether it was reported; what only goes on is not.
    pub(crate) told: bool,
    pub(crate) accepted: Option<Acceptance>,
}

/// How a strange job came to be usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Acceptance {
    /// By itself.
    Itself,
    /// With the change that began with the job of this number.
    LevelShift(u64),
}

/// What a strange job would teach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Lesson {
    /// That such numbers, after such a gap, are usual.
    Numbers { row: Row, gap_seconds: Option<u32> },
    /// That the stream's image is now empty; and the image that this took the place of.
    Empty {
        image: Previous,
        replaced: Option<Previous>,
    },
}

impl HeldJobs {
    pub(crate) fn new(jobs: impl IntoIterator<Item = Held>) -> Self {
        let mut held = Self(jobs.into_iter().collect());
        while held.0.len() > MOST {
            held.0.pop_front();
        }
        held
    }

    /// Keeps one more, and returns the one that has to go for it: the oldest that did not begin what
    /// goes on now.
    pub(crate) fn push(&mut self, held: Held, keep: Option<u64>) -> Option<Held> {
        let is_spare = |old: &Held| old.number.is_none() || old.number != keep;
        let oldest = (self.0.len() >= MOST).then(|| self.0.iter().position(is_spare));
        let gone = oldest.flatten().and_then(|index| self.0.remove(index));
        self.0.push_back(held);
        gone
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Held> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Held> {
        self.0.iter_mut()
    }

    /// What a person says is usual.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &Held> {
        self.0.iter().filter(|held| held.accepted.is_some())
    }

    pub(crate) fn find(&self, job: &JobKey) -> Option<&Held> {
        self.0.iter().find(|held| held.job == *job)
    }

    /// Moves every row's columns to where `names` says that they belong today.
    pub(crate) fn rearrange(&mut self, names: &[String]) {
        for held in &mut self.0 {
            if let Lesson::Numbers { row, .. } = &mut held.lesson {
                *row = rearranged(row, names);
            }
        }
    }
}
