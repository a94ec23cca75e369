//! What is usual in one column.

use serde::{Deserialize, Serialize};

use crate::DetectorError;
use crate::check::FEWEST_ROWS;

/// The largest standardised distance: farther counts as this far.
///
/// This is the distance of an infinite value, and of any other value in a column that never varied.
/// It is finite so that scores can be sorted, summed and stored, and so far out that no value of
/// real data comes near it. With [`crate::Aggregation::LogSum`] such a column adds 460.5, and the
/// other columns still tell two such rows apart.
pub const MAX_DISTANCE: f64 = 1e100;

/// Where the values of one column lie, and how far apart.
///
/// Serialises as location, scale and number of observations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "(f64, f64, usize)", into = "(f64, f64, usize)")]
pub struct Baseline {
    location: f64,
    scale: f64,
    observations: usize,
}

impl Baseline {
    /// Estimates a column. Values that are not finite are left out.
    ///
    /// `estimate` is given at least two finite values, not all equal, whose squares and sums stay
    /// finite, in any order.
    pub(crate) fn of(
        values: impl Iterator<Item = f64>,
        min_scale: f64,
        scratch: &mut Vec<f64>,
        estimate: impl FnOnce(&mut [f64]) -> (f64, f64),
    ) -> Self {
        scratch.clear();
        scratch.extend(values.filter(|value| value.is_finite()));
        let (low, high) = range(scratch);
        let observations = scratch.len();
        if observations < FEWEST_ROWS {
            return Self {
                location: 0.0,
                scale: 0.0,
                observations,
            };
        }
        // Asked of the values: the mean of equal ones may be off by a rounding, their deviation not 0.
        if low >= high {
            return Self {
                location: low,
                scale: min_scale,
                observations,
            };
        }
        let (to_safe, back) = safe_units(low.abs().max(high.abs()));
        for value in scratch.iter_mut() {
            *value *= to_safe;
        }
        let (location, scale) = estimate(scratch);
        Self {
            location: (location * back).clamp(low, high),
            scale: (scale * back).min(f64::MAX).max(min_scale),
            observations,
        }
    }

    /// The centre of the usual values, in the column's unit; 0 if the column is not judged.
    #[must_use]
    pub fn location(&self) -> f64 {
        self.location
    }

    /// How far one unit of distance is, in the column's unit.
    ///
    /// 0 for a column that never varied (unless a minimum scale was set) or that is not judged.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// How many finite values the estimate rests on.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.observations
    }

    /// Whether the column had enough values, two, to say anything. If not, every distance is 0.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.observations >= FEWEST_ROWS
    }

    /// Whether the column never varied and no minimum scale was set.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.is_judged() && self.scale <= 0.0
    }

    /// How many scales `value` lies above (positive) or below (negative) the location.
    ///
    /// Between -[`MAX_DISTANCE`] and [`MAX_DISTANCE`]. 0 for a missing value (NaN) and in a column
    /// that is not judged; in a constant column 0 for its value and the maximum for any other.
    #[must_use]
    pub fn distance(&self, value: f64) -> f64 {
        if value.is_nan() || !self.is_judged() {
            return 0.0;
        }
        let difference = value - self.location;
        if difference.abs() <= 0.0 {
            return 0.0;
        }
        let distance = if difference.is_finite() {
            difference / self.scale
        } else {
            // Two large finite numbers of different sign may lie closer than their difference says.
            (value / 2.0 - self.location / 2.0) / self.scale * 2.0
        };
        distance.clamp(-MAX_DISTANCE, MAX_DISTANCE)
    }
}

impl From<Baseline> for (f64, f64, usize) {
    fn from(baseline: Baseline) -> Self {
        (baseline.location, baseline.scale, baseline.observations)
    }
}

impl TryFrom<(f64, f64, usize)> for Baseline {
    type Error = DetectorError;

    fn try_from((location, scale, observations): (f64, f64, usize)) -> Result<Self, DetectorError> {
        if !location.is_finite() || !scale.is_finite() || scale < 0.0 {
            let reason = format!("location {location} and scale {scale} are from no fit");
            return Err(DetectorError::invalid_state("baseline", reason));
        }
        Ok(Self {
            location,
            scale,
            observations,
        })
    }
}

/// The smallest and the largest value; infinite and the wrong way round if there is none.
fn range(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        })
}

/// A power of two that brings values of this size where their squares and sums neither overflow nor
/// vanish, and its inverse. Multiplying by a power of two loses nothing.
fn safe_units(largest: f64) -> (f64, f64) {
    const FAR: f64 = power_of_two(400);
    const STEP: f64 = power_of_two(600);
    if largest > FAR {
        (1.0 / STEP, STEP)
    } else if largest < 1.0 / FAR {
        (STEP, 1.0 / STEP)
    } else {
        (1.0, 1.0)
    }
}

const fn power_of_two(exponent: u64) -> f64 {
    f64::from_bits((1023 + exponent) << 52)
}
