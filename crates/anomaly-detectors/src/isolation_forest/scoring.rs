//! What a forest makes of the leaves that a row ends in.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What makes a row strange to a forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ForestScoring {
    /// It ends near the root: `2^(-E(h) / c(n))` of Liu, Ting and Zhou, above 0 and at most 1; 0.5 is
    /// usual. `E(h)` is the mean path length, `c(n)` that of an average row.
    Depth,
    /// It ends where few rows share much room. A split divides the range of values that is left; its
    /// side has a density of its share of the rows over its share of the range. The score is minus
    /// the mean over the trees of the sum of `ln(density)`: above 0 where it is sparser than if all
    /// rows were evenly spread.
    Density,
    /// The same with `2 / (1 + 1 / (2 density))`, which is below 4/3 or 2, however dense a side is.
    AdjustedDensity,
    /// It is strange by depth or by density: the larger of the two, each as standard deviations
    /// above its mean over the history. 0 is usual, above 3 is strange.
    ///
    /// Both are read off the same leaf. Depth sees rows that stand alone, density sees sparse
    /// regions whose rows do not stand alone. On public labelled sets the larger of the two ranks
    /// anomalies better than either, and than their average.
    #[default]
    DepthAndDensity,
}

impl ForestScoring {
    /// What a split adds to the density of the side that takes this share of its rows and of its
    /// range, both above 0 and below 1.
    pub(super) fn log_density(self, rows_share: f64, range_share: f64) -> f64 {
        let density = rows_share / range_share;
        libm::log(match self {
            Self::AdjustedDensity => 2.0 / (1.0 + 1.0 / (2.0 * density)),
            Self::Depth | Self::Density | Self::DepthAndDensity => density,
        })
    }
}

/// What a leaf says of the rows in it; also the sum over the leaves of many trees.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Views {
    pub(super) path_length: f64,
    /// The sum of [`ForestScoring::log_density`] over the splits on the path.
    pub(super) log_density: f64,
}

impl AddAssign for Views {
    fn add_assign(&mut self, other: Self) {
        self.path_length += other.path_length;
        self.log_density += other.log_density;
    }
}

/// Mean and standard deviation of one view over the history.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Usual {
    pub(super) mean: f64,
    /// 0 if all rows of the history looked alike, and the view can tell nothing.
    pub(super) deviation: f64,
}

impl Usual {
    pub(super) fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        let mean = values.clone().sum::<f64>() / count;
        let squares = values.map(|value| (value - mean) * (value - mean));
        Self {
            mean,
            deviation: (squares.sum::<f64>() / count).sqrt(),
        }
    }

    pub(super) fn is_sound(self) -> bool {
        self.mean.is_finite() && self.deviation.is_finite() && self.deviation >= 0.0
    }

    /// How far below its mean a value is, in standard deviations.
    pub(super) fn below(self, value: f64) -> f64 {
        if self.deviation > 0.0 {
            (self.mean - value) / self.deviation
        } else {
            0.0
        }
    }
}
