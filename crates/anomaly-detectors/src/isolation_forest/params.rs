//! The parameters of a forest.

use serde::{Deserialize, Serialize};

use super::{ForestScoring, IsolationForest};
use crate::{DetectorError, check};

/// Parameters of [`IsolationForest`], not checked yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct IsolationForestParams {
    /// Number of trees. Default 200.
    pub trees: usize,
    /// Rows that each tree is grown from, at most. Default 256.
    pub max_samples: usize,
    /// Columns that a split combines. Default 2.
    pub columns_per_split: usize,
    /// How often a split is put where it parts the rows best, instead of anywhere. Default 0.25.
    pub pooled_gain: f64,
    /// What makes a row strange. Default [`ForestScoring::DepthAndDensity`].
    pub scoring: ForestScoring,
    /// How often each column is chosen, relative to the others; empty for all alike. Default empty.
    pub column_weights: Vec<f64>,
    /// Where the randomness starts. Default 0.
    pub seed: u64,
}

impl Default for IsolationForestParams {
    fn default() -> Self {
        Self {
            trees: 200,
            max_samples: 256,
            columns_per_split: 2,
            pooled_gain: 0.25,
            scoring: ForestScoring::DepthAndDensity,
            column_weights: Vec::new(),
            seed: 0,
        }
    }
}

impl IsolationForestParams {
    /// The forest of Liu, Ting and Zhou (2008): 100 trees, splits of one column at random places,
    /// scored by depth. Takes a fifth of the default's time, and ranks anomalies a little worse.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            trees: 100,
            columns_per_split: 1,
            pooled_gain: 0.0,
            scoring: ForestScoring::Depth,
            ..Self::default()
        }
    }

    /// Sets the number of trees: 1 to 10,000. More trees make scores steadier, at a linear cost.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// Sets how many rows each tree is grown from, without replacement: 2 to 1,048,576.
    ///
    /// All rows, where there are fewer. Small samples keep clusters of anomalies from looking usual.
    #[must_use]
    pub fn max_samples(mut self, max_samples: usize) -> Self {
        self.max_samples = max_samples;
        self
    }

    /// Sets how many columns a split combines: 1 to 64.
    ///
    /// With 1, a split asks for one column. With more it asks for their sum, each in units of its
    /// range and times a normal random number: the extended isolation forest of Hariri, Kind and
    /// Brunner, IEEE TKDE 33 (2021). Such splits see that columns do not go together.
    #[must_use]
    pub fn columns_per_split(mut self, columns_per_split: usize) -> Self {
        self.columns_per_split = columns_per_split;
        self
    }

    /// Sets how often, 0 to 1, a split is put where the standard deviations on both sides, weighted
    /// by their rows, are smallest, instead of anywhere with equal chance.
    ///
    /// Such splits part clusters: Liu, Ting and Zhou, "On Detecting Clustered Anomalies Using
    /// `SCiForest`", ECML 2010; Cortes, "Revisiting randomized choices in isolation forests", arXiv
    /// 2110.13402 (2021).
    #[must_use]
    pub fn pooled_gain(mut self, pooled_gain: f64) -> Self {
        self.pooled_gain = pooled_gain;
        self
    }

    /// Sets what makes a row strange.
    #[must_use]
    pub fn scoring(mut self, scoring: ForestScoring) -> Self {
        self.scoring = scoring;
        self
    }

    /// Sets how often each column is chosen for a split, relative to the others: one number per
    /// column, finite, from 0, not all 0. A column of weight 0 is never looked at. Empty for all
    /// alike.
    #[must_use]
    pub fn column_weights(mut self, column_weights: impl Into<Vec<f64>>) -> Self {
        self.column_weights = column_weights.into();
        self
    }

    /// Sets where the randomness starts. Any number will do: two seeds share no tree.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] for one that is out of the range its setter names. That
    /// there is one weight per column is checked when a forest is fitted.
    pub fn check(self) -> Result<IsolationForest, DetectorError> {
        let allowed = (1..=10_000).contains(&self.trees);
        check::parameter("trees", self.trees, allowed, "1 to 10000")?;
        let allowed = (2..=1 << 20).contains(&self.max_samples);
        check::parameter("max_samples", self.max_samples, allowed, "2 to 1048576")?;
        let (value, allowed) = (self.columns_per_split, 1..=64);
        check::parameter(
            "columns_per_split",
            value,
            allowed.contains(&value),
            "1 to 64",
        )?;
        let allowed = (0.0..=1.0).contains(&self.pooled_gain);
        check::parameter("pooled_gain", self.pooled_gain, allowed, "0 to 1")?;
        check_weights(&self.column_weights)?;
        Ok(IsolationForest(self))
    }
}

fn check_weights(weights: &[f64]) -> Result<(), DetectorError> {
    let usable = |weight: &f64| weight.is_finite() && *weight >= 0.0;
    let first_wrong = weights.iter().copied().find(|weight| !usable(weight));
    let all_zero = !weights.is_empty() && weights.iter().all(|&weight| weight <= 0.0);
    check::parameter(
        "column_weights",
        first_wrong.unwrap_or(0.0),
        first_wrong.is_none() && !all_zero,
        "finite numbers from 0, not all 0, one per column",
    )
}
