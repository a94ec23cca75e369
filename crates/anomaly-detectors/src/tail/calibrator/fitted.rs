//! What a calibrator has learnt.

use serde::{Deserialize, Serialize};

use super::exceedances::Exceedances;
use super::posterior::Posterior;
use super::prior::Beliefs;
use super::record::Record;
use super::{TailCalibrator, TailCalibratorParams, TailPrior};
use crate::tail::probability;

/// A fitted [`TailCalibrator`].
///
/// Serialises with its name, a version and the scores, and refuses another of either when read
/// back. What is read back judges as before, to the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedTailCalibrator {
    pub(super) calibrator: TailCalibrator,
    /// Ascending; at least [`super::FEWEST`], all finite.
    pub(super) sorted: Vec<f64>,
    tail: Option<Tail>,
}

/// The tail of a history, if it has one.
#[derive(Debug, Clone, PartialEq)]
struct Tail {
    exceedances: Exceedances,
    posterior: Posterior,
}

impl FittedTailCalibrator {
    /// Of scores that are in order and enough.
    pub(super) fn new(calibrator: TailCalibrator, sorted: Vec<f64>) -> Self {
        let tail = calibrator.exceedances(&sorted).map(|exceedances| Tail {
            posterior: calibrator.posterior(&exceedances, &calibrator.params().prior),
            exceedances,
        });
        Self {
            calibrator,
            sorted,
            tail,
        }
    }

    /// The parameters that it was fitted with.
    #[must_use]
    pub fn params(&self) -> TailCalibratorParams {
        self.calibrator.params()
    }

    /// How many scores it rests on.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.sorted.len()
    }

    /// How many scores of the history are expected to be outliers, which p-values do not count.
    #[must_use]
    pub fn expected_outliers(&self) -> f64 {
        self.tail.as_ref().map_or(0.0, |tail| {
            tail.posterior.outlier_share * tail.exceedances.excesses.len() as f64
        })
    }

    /// How often a usual observation scores at least `score`: above 0, at most 1, and never larger
    /// for a larger score (but for rounding). 1 for NaN.
    ///
    /// Where the history has no tail, because its scores above the threshold are all equal to it,
    /// this is the conformal p-value, at least `1 / (n + 1)`.
    #[must_use]
    pub fn p_value(&self, score: f64) -> f64 {
        if score.is_nan() {
            return 1.0;
        }
        let score = score.clamp(f64::MIN, f64::MAX);
        let outliers = self.expected_outliers();
        let scores = self.sorted.len() as f64;
        let share =
            |at_least: usize| (1.0 + at_least as f64 - outliers) / (1.0 + scores - outliers);
        if let Some(tail) = &self.tail {
            let excess = tail.exceedances.excess(score);
            if excess > 0.0 {
                let exceeding = share(tail.exceedances.excesses.len());
                return probability(exceeding * tail.posterior.survival(excess));
            }
        }
        let below = self.sorted.partition_point(|&usual| usual < score);
        probability(share(self.sorted.len() - below))
    }

    /// What is believed about the tail under another prior; `None` if there is no tail.
    pub(super) fn beliefs(&self, prior: &TailPrior) -> Option<Beliefs> {
        let tail = self.tail.as_ref()?;
        let posterior = self.calibrator.posterior(&tail.exceedances, prior);
        Some(posterior.beliefs)
    }
}
