//! What a calibrator has learnt.

use serde::{Deserialize, Serialize};

use super::exceedances::Exceedances;
use super::posterior::Posterior;
use super::prior::Beliefs;
use super::record::Record;
use super::{LARGEST, TailCalibrator, TailCalibratorParams, TailPrior, outliers};
use crate::tail::{conformal_p_value, probability};

/// A fitted [`TailCalibrator`].
///
/// Serialises with its name, a version and the scores, and refuses another of either when read
/// back. What is read back judges as before, to the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedTailCalibrator {
    pub(super) calibrator: TailCalibrator,
    /// Ascending; at least [`super::FEWEST`], none beyond [`super::LARGEST`].
    pub(super) sorted: Vec<f64>,
    outliers: usize,
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
        let params = calibrator.params();
        let mut fitted = Self {
            calibrator,
            outliers: outliers::count(&sorted, params.outliers),
            sorted,
            tail: None,
        };
        let exceedances = Exceedances::of(fitted.usual(), params.tail_share, params.most_in_tail);
        fitted.tail = exceedances.map(|exceedances| Tail {
            posterior: Posterior::of(&exceedances, &params.prior),
            exceedances,
        });
        fitted
    }

    /// The parameters that it was fitted with.
    #[must_use]
    pub fn params(&self) -> TailCalibratorParams {
        self.calibrator.params()
    }

    /// How many scores it has seen.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.sorted.len()
    }

    /// How many of the largest scores were taken for outliers, on which no p-value rests.
    #[must_use]
    pub fn outliers(&self) -> usize {
        self.outliers
    }

    /// How often a usual observation scores at least `score`: above 0, at most 1, and never larger
    /// for a larger score (but for rounding). 1 for NaN.
    ///
    /// Where the history has no tail, because its largest scores are all equal, this is the conformal
    /// p-value, at least `1 / (n + 1)`.
    #[must_use]
    pub fn p_value(&self, score: f64) -> f64 {
        let usual = self.usual();
        if let Some(tail) = &self.tail
            && tail.exceedances.contain(score)
        {
            let excess = tail.exceedances.excess(score.min(LARGEST));
            let exceeding = (1 + tail.exceedances.excesses.len()) as f64;
            let share = exceeding / (1 + usual.len()) as f64;
            return probability(share * tail.posterior.survival(excess));
        }
        conformal_p_value(score, usual)
    }

    /// What is believed about the tail under another prior; `None` if there is no tail or no body.
    pub(super) fn beliefs(&self, prior: &TailPrior) -> Option<Beliefs> {
        let exceedances = &self.tail.as_ref()?.exceedances;
        Posterior::of(exceedances, prior).beliefs(exceedances)
    }

    fn usual(&self) -> &[f64] {
        let usual = self.sorted.len() - self.outliers;
        self.sorted.get(..usual).unwrap_or(&self.sorted)
    }
}
