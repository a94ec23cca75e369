//! What a series was like while it was trusted: its level, its spread, and how its errors last.

use serde::{Deserialize, Serialize};

use crate::modified_z_score::ModifiedZScore;
use crate::order_statistics::{quantile, sort};
use crate::univariate::estimator::Estimator;
use crate::{Baseline, DetectorError};

/// The fewest observations that say anything.
const FEWEST: usize = 8;
/// No observation counts as farther out than this, so that no single one is a change: of normal ones,
/// 1.2 % are.
const BOUND: f64 = 2.5;
/// The deviation of bounded distances is not taken smaller than this; of normal ones it is 0.98. It
/// is small where most values are equal, and what was rare there would count as far out.
const LEAST_DEVIATION: f64 = 0.85;
/// A correlation of neighbours below 0 is taken for chance, but for this little of it: always to
/// round up to 0 would count a short reference as less than it is.
const LEAST_CORRELATION: f64 = -0.05;
/// A series whose neighbours are more alike than this wanders: it has no level.
const MOST_CORRELATION: f64 = 0.9;
/// The usual range leaves out this share of the reference.
const UNUSUAL_SHARE: f64 = 0.05;

/// A reference that later observations do not teach.
///
/// An observation counts as its score: its distance from the median in scales of the median
/// absolute deviation, bounded at 2.5 (Huber's function: Huber and Ronchetti, "Robust Statistics",
/// 2009), standardised by mean and standard deviation of the bounded distances of the reference.
/// Whatever the distribution, scores have mean 0 and deviation at most 1 in the reference, but for
/// that of ties, and being bounded, sums of them are soon normal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct FrozenReference {
    baseline: Baseline,
    /// Mean of the bounded distances.
    mean: f64,
    /// Standard deviation of the bounded distances.
    deviation: f64,
    /// Correlation of neighbours.
    correlation: f64,
    /// The lower and the upper end of the usual values.
    usual: (f64, f64),
}

impl FrozenReference {
    /// Learns from a history in the order of time. Values that are not finite are left out.
    pub(crate) fn of(
        history: &[f64],
        min_scale: f64,
        detector: &'static str,
    ) -> Result<Self, DetectorError> {
        let finite = || history.iter().copied().filter(|value| value.is_finite());
        let mut scratch = Vec::with_capacity(history.len());
        let estimate = |values: &mut [f64]| ModifiedZScore::default().estimate(values);
        let baseline = Baseline::of(finite(), min_scale, &mut scratch, estimate);
        let rows = baseline.observations();
        if rows < FEWEST {
            return Err(DetectorError::NotEnoughHistory {
                detector,
                rows,
                needed: FEWEST,
            });
        }
        let mut errors: Vec<f64> = finite().map(|value| bounded(&baseline, value)).collect();
        let mean = errors.iter().sum::<f64>() / rows as f64;
        for error in &mut errors {
            *error -= mean;
        }
        let variance = errors.iter().map(|e| e * e).sum::<f64>() / (rows - 1) as f64;
        scratch.clear();
        scratch.extend(finite());
        sort(&mut scratch);
        Ok(Self {
            baseline,
            mean,
            deviation: variance.sqrt().max(LEAST_DEVIATION),
            correlation: correlation(&errors),
            usual: (
                quantile(&scratch, UNUSUAL_SHARE / 2.0),
                quantile(&scratch, 1.0 - UNUSUAL_SHARE / 2.0),
            ),
        })
    }

    /// Whether it can be one that was learnt.
    pub(crate) fn is_possible(&self) -> bool {
        let (low, high) = self.usual;
        self.baseline.observations() >= FEWEST
            && self.mean.abs() <= BOUND
            && (LEAST_DEVIATION..=2.0 * BOUND).contains(&self.deviation)
            && (LEAST_CORRELATION..=MOST_CORRELATION).contains(&self.correlation)
            && low.is_finite()
            && high.is_finite()
            && low <= high
    }

    /// Observations that it rests on.
    pub(crate) fn observations(&self) -> usize {
        self.baseline.observations()
    }

    /// The median.
    pub(crate) fn level(&self) -> f64 {
        self.baseline.location()
    }

    /// Between which values 95 % lie.
    pub(crate) fn usual_range(&self) -> (f64, f64) {
        self.usual
    }

    /// The score of a value that is not NaN: at most 2.5 up or down.
    pub(crate) fn score(&self, value: f64) -> f64 {
        let standardised = (bounded(&self.baseline, value) - self.mean) / self.deviation;
        standardised.clamp(-BOUND, BOUND)
    }

    /// How many observations say as much about a mean as one that is independent of the others:
    /// `(1 + r) / (1 - r)` where the correlation `r` fades as in an autoregression (Bayley and
    /// Hammersley, "The 'Effective' Number of Independent Observations in an Autocorrelated Time
    /// Series", Supplement to the JRSS 8, 1946).
    pub(crate) fn observations_per_independent(&self) -> f64 {
        (1.0 + self.correlation) / (1.0 - self.correlation)
    }

    /// How many independent observations the reference is worth for a mean.
    pub(crate) fn independent_observations(&self) -> f64 {
        self.observations() as f64 / self.observations_per_independent()
    }

    /// Degrees of freedom of the deviation: for a variance, correlation counts by its square (the
    /// same paper).
    pub(crate) fn degrees_of_freedom(&self) -> f64 {
        let square = self.correlation * self.correlation;
        let independent = self.observations() as f64 * (1.0 - square) / (1.0 + square);
        (independent - 1.0).max(1.0)
    }

    /// `p_value`, or what the reference supports if that is more.
    ///
    /// A series that never varied has no scale. All it says is that none of its `n` values was a
    /// change; the next one is with a chance of up to `1 / (n + 1)`.
    pub(crate) fn supported(&self, p_value: f64) -> f64 {
        if self.baseline.is_constant() {
            p_value.max(1.0 / (self.observations() as f64 + 1.0))
        } else {
            p_value
        }
    }
}

fn bounded(baseline: &Baseline, value: f64) -> f64 {
    baseline.distance(value).clamp(-BOUND, BOUND)
}

/// The correlation of neighbours, made up for what short series show too little of it:
/// `(1 + 3 r) / n` (Kendall, "Note on Bias in the Estimation of Autocorrelation", Biometrika 41,
/// 1954).
fn correlation(errors: &[f64]) -> f64 {
    let n = errors.len() as f64;
    let squares: f64 = errors.iter().map(|e| e * e).sum();
    let neighbours = errors.iter().zip(errors.iter().skip(1));
    let products: f64 = neighbours.map(|(a, b)| a * b).sum();
    if squares > 0.0 {
        ((n * products / squares + 1.0) / (n - 3.0)).clamp(LEAST_CORRELATION, MOST_CORRELATION)
    } else {
        0.0
    }
}
