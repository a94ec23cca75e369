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
    /// Lower end of the usual range; `None` while the stream has too little history.
    pub usual_low: Option<f64>,
    /// Upper end of the usual range; `None` while the stream has too little history.
    pub usual_high: Option<f64>,
    /// On which side of the usual range the value lies.
    pub direction: Direction,
    /// How strange this value alone is, as `-log10` of its p-value; `None` for a rule.
    pub score: Option<f64>,
}

impl Finding {
    /// A finding of a rule, which needs no history: no usual range and no score.
    #[must_use]
    pub fn of_rule(feature: FeatureName, observed: f64, direction: Direction) -> Self {
        Self {
            feature,
            observed,
            usual_low: None,
            usual_high: None,
            direction,
            score: None,
        }
    }

    /// The same finding with the usual range.
    #[must_use]
    pub fn with_usual(mut self, low: f64, high: f64) -> Self {
        self.usual_low = Some(low);
        self.usual_high = Some(high);
        self
    }

    /// The same finding with how strange the value alone is.
    #[must_use]
    pub fn with_score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }
}
