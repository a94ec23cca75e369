//! One measured property of a job that is not as usual.

use serde::{Deserialize, Serialize};

use crate::FeatureName;
use crate::words::words;

words! {
    /// On which side of its usual range a value lies.
    pub enum Direction, "direction" {
        /// Higher than usual.
        Above = "above",
        /// Lower than usual.
        Below = "below",
    }
}

/// One measured property of a job that is not as usual, with the range that would have been.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The feature, by name.
    pub feature: FeatureName,
    /// Its value in this job, in the feature's own unit.
    pub observed: f64,
    /// Lower end of the usual range.
    pub usual_low: f64,
    /// Upper end of the usual range.
    pub usual_high: f64,
    /// On which side of the usual range the value lies.
    pub direction: Direction,
    /// How strange this value alone is, as `-log10` of its p-value.
    pub score: f64,
}

impl Finding {
    /// A value on one side of its usual range, `usual_low` to `usual_high`.
    #[must_use]
    pub fn new(
        feature: FeatureName,
        observed: f64,
        (usual_low, usual_high): (f64, f64),
        direction: Direction,
        score: f64,
    ) -> Self {
        Self {
            feature,
            observed,
            usual_low,
            usual_high,
            direction,
            score,
        }
    }
}
