//! Histories of known kinds, and what may come next.

use anomaly_detectors::series::{Point, SeasonalBaseline};
use anomaly_detectors::tail::{FittedTailCalibrator, cross_fitted_scores};
use rand::{Rng, RngExt};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Normal,
    /// Student's t with so many degrees of freedom.
    StudentT(u8),
    /// The exponential of a normal number of this deviation.
    Lognormal(f64),
    /// Normal around a straight line.
    Trend,
    /// Normal around a pattern of seven days.
    Weekly,
    /// Normal, and this share of the history six deviations off to either side.
    Contaminated(f64),
    /// 70 % zeros, the others normal.
    Tied,
    Laplace,
    Uniform,
    Exponential,
    /// The sum of two exponential numbers.
    Gamma,
    /// 30 % of the values four deviations above the others.
    Mixture,
    /// Each normal value correlated by 0.5 with the one before.
    Autoregressive,
    /// The square of a normal number.
    ChiSquared,
}

/// A history and values that could be the next one, all from what is usual.
pub(crate) struct Series {
    pub(crate) history: Vec<Point>,
    pub(crate) next: Vec<Point>,
}

pub(crate) fn normal(random: &mut impl Rng) -> f64 {
    let radius = (2.0 * exponential(random)).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

pub(crate) fn exponential(random: &mut impl Rng) -> f64 {
    -random.random_range(1e-15..1.0_f64).ln()
}

pub(crate) fn student_t(freedom: u8, random: &mut impl Rng) -> f64 {
    let squares: f64 = (0..freedom).map(|_| normal(random).powi(2)).sum();
    normal(random) / (squares / f64::from(freedom)).sqrt()
}

fn error(kind: Kind, random: &mut impl Rng) -> f64 {
    match kind {
        Kind::StudentT(freedom) => student_t(freedom, random),
        Kind::Lognormal(deviation) => (deviation * normal(random)).exp(),
        Kind::Tied if random.random_bool(0.7) => 0.0,
        Kind::Laplace => exponential(random) - exponential(random),
        Kind::Uniform => random.random(),
        Kind::Exponential => exponential(random),
        Kind::Gamma => exponential(random) + exponential(random),
        Kind::Mixture if random.random_bool(0.3) => 4.0 + normal(random),
        Kind::ChiSquared => normal(random).powi(2),
        _ => normal(random),
    }
}

pub(crate) fn series(kind: Kind, length: usize, next: usize, random: &mut impl Rng) -> Series {
    let slope = random.random_range(-0.15..0.15);
    let week: Vec<f64> = (0..7).map(|_| 3.0 * normal(random)).collect();
    let mean = |day: usize| match kind {
        Kind::Trend => slope * day as f64,
        Kind::Weekly => week[day % 7],
        _ => 0.0,
    };
    let mut before = normal(random);
    let mut point = |day: usize, is_past: bool| {
        let mut value = error(kind, random);
        if kind == Kind::Autoregressive {
            value = 0.5 * before + 0.75_f64.sqrt() * value;
        }
        if is_past {
            before = value;
            if let Kind::Contaminated(share) = kind
                && random.random_bool(share)
            {
                value += if random.random_bool(0.5) { 6.0 } else { -6.0 };
            }
        }
        Point::new(day as f64, mean(day) + value)
    };
    Series {
        history: (0..length).map(|day| point(day, true)).collect(),
        next: (0..next).map(|_| point(length, false)).collect(),
    }
}

impl Series {
    /// Distances from the seasonal baseline: cross-fitted ones of the history, and those of what
    /// comes next.
    pub(crate) fn distances(&self) -> (Vec<f64>, Vec<f64>) {
        let baseline = SeasonalBaseline::default();
        let history = cross_fitted_scores(
            &self.history,
            10,
            |train| baseline.fit(train),
            |fitted, point| fitted.distance(point).abs(),
        );
        let fitted = baseline.fit(&self.history).unwrap();
        let next = self.next.iter().map(|point| fitted.distance(point).abs());
        (history.unwrap(), next.collect())
    }

    /// The values as they are, the largest being the strangest.
    pub(crate) fn values(&self) -> (Vec<f64>, Vec<f64>) {
        let values = |points: &[Point]| points.iter().map(|point| point.value).collect();
        (values(&self.history), values(&self.next))
    }
}

/// How many of `scores` have a p-value of at most `rate`.
pub(crate) fn alarms(fitted: &FittedTailCalibrator, scores: &[f64], rate: f64) -> usize {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.len() - sorted.partition_point(|&score| fitted.p_value(score) > rate)
}
