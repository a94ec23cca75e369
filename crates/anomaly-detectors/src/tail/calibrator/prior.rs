//! What is known about a tail before the first score, and what many streams teach.

use serde::{Deserialize, Serialize};

use super::FittedTailCalibrator;
use super::posterior::{LARGEST_SHAPE, SMALLEST_SHAPE};
use crate::{DetectorError, check};

/// How many streams the base prior counts as when it is pooled with others.
const BASE_STREAMS: f64 = 5.0;
/// Rounds of estimation: the means settle within a few.
const ROUNDS: usize = 10;
const SMALLEST_DEVIATION: f64 = 0.05;

/// What is known about the tail of a stream before its first score.
///
/// Tails are of two kinds, light (as of normal data) or heavy (as of Student's t or lognormal
/// data); a prior in the middle would fit neither. The scale is in units of the body: the distance from
/// the lowest 15 % of the scores to the threshold of the tail.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TailPrior {
    /// The median of the scale, 0.01 to 100.
    pub scale: f64,
    /// Standard deviation of the scale's natural logarithm, 0.05 to 2.
    pub scale_deviation: f64,
    /// Mean shape of a light tail, -0.5 to 1: below 0 the tail ends somewhere.
    pub light_shape: f64,
    /// Mean shape of a heavy tail, -0.5 to 1: the tail falls like the power `-1 / shape`.
    pub heavy_shape: f64,
    /// Standard deviation of the shape within either kind, 0.05 to 1.
    pub shape_deviation: f64,
    /// How likely the tail is light, 0 to 1.
    pub light_probability: f64,
    /// How likely the tail holds outliers, 0 to 1.
    pub outlier_probability: f64,
}

impl Default for TailPrior {
    fn default() -> Self {
        Self {
            scale: 0.9,
            scale_deviation: 0.6,
            light_shape: -0.45,
            heavy_shape: 0.12,
            shape_deviation: 0.1,
            light_probability: 0.54,
            outlier_probability: 0.35,
        }
    }
}

impl TailPrior {
    /// The prior for a new stream, learnt from others that are like it: by empirical Bayes, as the
    /// distribution of which their tails are a sample (Efron and Morris, JASA 70 (1975), 311-319;
    /// by expectation and maximisation).
    ///
    /// `base` counts as much as five streams. A stream's own scores take over as they come. Streams
    /// need not have the same unit; one without a tail, all its scores being equal, says nothing.
    /// Their own priors do not matter.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] if `base` is out of range.
    pub fn pooled<'a>(
        base: Self,
        streams: impl IntoIterator<Item = &'a FittedTailCalibrator>,
    ) -> Result<Self, DetectorError> {
        base.check()?;
        let streams: Vec<&FittedTailCalibrator> = streams.into_iter().collect();
        let mut prior = base;
        for _ in 0..ROUNDS {
            let mut sums = Sums::of(&base);
            for stream in &streams {
                if let Some(beliefs) = stream.beliefs(&prior) {
                    sums.add(&beliefs);
                }
            }
            prior = sums.prior(&base);
        }
        Ok(prior)
    }

    pub(super) fn check(&self) -> Result<(), DetectorError> {
        let within = |name, value: f64, low: f64, high: f64, expected| {
            check::parameter(name, value, (low..=high).contains(&value), expected)
        };
        within("scale", self.scale, 0.01, 100.0, "from 0.01 to 100")?;
        let deviation = self.scale_deviation;
        within("scale_deviation", deviation, 0.05, 2.0, "from 0.05 to 2")?;
        for (name, shape) in [
            ("light_shape", self.light_shape),
            ("heavy_shape", self.heavy_shape),
        ] {
            within(name, shape, SMALLEST_SHAPE, LARGEST_SHAPE, "from -0.5 to 1")?;
        }
        let deviation = self.shape_deviation;
        within("shape_deviation", deviation, 0.05, 1.0, "from 0.05 to 1")?;
        for (name, probability) in [
            ("light_probability", self.light_probability),
            ("outlier_probability", self.outlier_probability),
        ] {
            within(name, probability, 0.0, 1.0, "from 0 to 1")?;
        }
        Ok(())
    }
}

/// What is believed about the tail of one stream: means under its posterior.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Beliefs {
    pub(super) ln_scale: f64,
    pub(super) ln_scale_squared: f64,
    /// Probability that the tail is light.
    pub(super) light: f64,
    /// The shape times that probability.
    pub(super) light_shape: f64,
    /// The shape times the probability that the tail is heavy.
    pub(super) heavy_shape: f64,
    /// Probability that it holds outliers.
    pub(super) outliers: f64,
}

/// Sums of beliefs over streams.
struct Sums {
    streams: f64,
    beliefs: Beliefs,
}

impl Sums {
    /// What the base prior counts as.
    fn of(base: &TailPrior) -> Self {
        let ln_scale = libm::log(base.scale);
        let variance = base.scale_deviation * base.scale_deviation;
        let light = base.light_probability;
        let mut sums = Self {
            streams: 0.0,
            beliefs: Beliefs::default(),
        };
        let one = Beliefs {
            ln_scale,
            ln_scale_squared: ln_scale * ln_scale + variance,
            light,
            light_shape: light * base.light_shape,
            heavy_shape: (1.0 - light) * base.heavy_shape,
            outliers: base.outlier_probability,
        };
        sums.add_times(&one, BASE_STREAMS);
        sums
    }

    fn add(&mut self, beliefs: &Beliefs) {
        self.add_times(beliefs, 1.0);
    }

    fn add_times(&mut self, beliefs: &Beliefs, times: f64) {
        self.streams += times;
        let sum = &mut self.beliefs;
        sum.ln_scale += times * beliefs.ln_scale;
        sum.ln_scale_squared += times * beliefs.ln_scale_squared;
        sum.light += times * beliefs.light;
        sum.light_shape += times * beliefs.light_shape;
        sum.heavy_shape += times * beliefs.heavy_shape;
        sum.outliers += times * beliefs.outliers;
    }

    /// The prior of which these are the means.
    fn prior(&self, base: &TailPrior) -> TailPrior {
        let sum = &self.beliefs;
        let ln_scale = sum.ln_scale / self.streams;
        let variance = sum.ln_scale_squared / self.streams - ln_scale * ln_scale;
        let heavy = self.streams - sum.light;
        let mean = |sum: f64, weight: f64, otherwise: f64| {
            if weight > 1e-9 {
                (sum / weight).clamp(SMALLEST_SHAPE, LARGEST_SHAPE)
            } else {
                otherwise
            }
        };
        TailPrior {
            scale: libm::exp(ln_scale).clamp(0.01, 100.0),
            scale_deviation: variance.max(0.0).sqrt().clamp(SMALLEST_DEVIATION, 2.0),
            light_shape: mean(sum.light_shape, sum.light, base.light_shape),
            heavy_shape: mean(sum.heavy_shape, heavy, base.heavy_shape),
            shape_deviation: base.shape_deviation,
            light_probability: (sum.light / self.streams).clamp(0.0, 1.0),
            outlier_probability: (sum.outliers / self.streams).clamp(0.0, 1.0),
        }
    }
}
