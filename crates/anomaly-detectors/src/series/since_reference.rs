//! A frozen reference, and the last observations since.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::frozen_reference::FrozenReference;
use crate::DetectorError;
use crate::order_statistics::{median, sort};

/// How many observations are kept: a quarter of a year of nights.
pub(crate) const MOST_RECENT: usize = 90;

/// A frozen reference, and the last 90 observations since, oldest first.
///
/// All are finite: one beyond all numbers is kept as the largest of them, and a missing one (NaN)
/// not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SinceReference {
    pub(crate) reference: FrozenReference,
    recent: VecDeque<f64>,
}

impl SinceReference {
    /// Learns the reference from a history in the order of time.
    pub(crate) fn of(
        history: &[f64],
        min_scale: f64,
        detector: &'static str,
    ) -> Result<Self, DetectorError> {
        Ok(Self {
            reference: FrozenReference::of(history, min_scale, detector)?,
            recent: VecDeque::new(),
        })
    }

    /// The same, if it can be one that was learnt and observed.
    pub(crate) fn checked(self, detector: &'static str) -> Result<Self, DetectorError> {
        let finite = self.recent.iter().all(|value| value.is_finite());
        if self.reference.is_possible() && finite && self.recent.len() <= MOST_RECENT {
            return Ok(self);
        }
        Err(DetectorError::invalid_state(
            detector,
            "its reference or its observations are from no fit",
        ))
    }

    pub(crate) fn observe(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        if self.recent.len() >= MOST_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(value.clamp(f64::MIN, f64::MAX));
    }

    /// How many observations there are, up to 90.
    pub(crate) fn len(&self) -> usize {
        self.recent.len()
    }

    /// Scores of the observations, newest first.
    pub(crate) fn scores(&self) -> impl Iterator<Item = f64> {
        let newest_first = self.recent.iter().rev();
        newest_first.map(|&value| self.reference.score(value))
    }

    /// The median of the last `count` observations, and how far it is from the reference's level;
    /// without observations, that level.
    pub(crate) fn level_of_last(&self, count: usize) -> (f64, f64) {
        let mut values: Vec<f64> = self.recent.iter().rev().take(count).copied().collect();
        if values.is_empty() {
            return (self.reference.level(), 0.0);
        }
        sort(&mut values);
        let level = median(&values);
        (
            level,
            (level - self.reference.level()).clamp(f64::MIN, f64::MAX),
        )
    }
}
