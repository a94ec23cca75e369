//! Tail probabilities of the next value, given a location and scale that were estimated.

use std::f64::consts::FRAC_2_PI;

use super::{Side, student_t_critical_value, student_t_tail};

/// How well estimators of location and scale use normal data: the part of the observations that
/// mean and standard deviation would have needed for the same precision, above 0 and at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Efficiency {
    /// Efficiency of the location.
    pub location: f64,
    /// Efficiency of the scale.
    pub scale: f64,
}

impl Efficiency {
    /// Mean and sample standard deviation.
    pub const MEAN_AND_DEVIATION: Self = Self {
        location: 1.0,
        scale: 1.0,
    };
    /// Median (`2 / pi`) and median absolute deviation (36.74 %: Rousseeuw and Croux,
    /// "Alternatives to the Median Absolute Deviation", JASA 88 (1993), 1273-1283).
    pub const MEDIAN_AND_MAD: Self = Self {
        location: FRAC_2_PI,
        scale: 0.367_4,
    };
    /// Middle of the quartiles (80.8 %) and interquartile range (36.74 %), from the asymptotic
    /// covariance of order statistics (David and Nagaraja, "Order Statistics", 2003, chapter 10).
    pub const QUARTILES: Self = Self {
        location: 0.807_9,
        scale: 0.367_4,
    };
}

/// How often the next value is at least `z` estimated standard deviations out on `side`, when
/// location and scale were estimated from `observations` normal values.
///
/// For mean `m` and sample deviation `s` of `n` values, `(x - m) / (s sqrt(1 + 1/n))` of the next
/// value `x` has Student's t distribution with `n - 1` degrees of freedom, exactly (Hahn and Meeker,
/// "Statistical Intervals", 1991, chapter 4). Other estimators count as mean and deviation of
/// fewer values: `sqrt(1 + 1 / (n location))` and `(n - 1) scale` degrees of freedom, an
/// approximation that matches the variances of both.
///
/// A fixed threshold such as 3 or 3.5 raises several times its nominal number of false alarms at 20
/// to 60 observations; this does not. Fewer than two observations give 1.
///
/// ```
/// use anomaly_detectors::tail::{Efficiency, Side, predictive_t_tail};
///
/// let normal = Efficiency::MEAN_AND_DEVIATION;
/// let few = predictive_t_tail(3.0, 10, normal, Side::Both);
/// let many = predictive_t_tail(3.0, 10_000, normal, Side::Both);
/// assert!(few > 0.018 && many < 0.0028);
/// ```
#[must_use]
pub fn predictive_t_tail(z: f64, observations: usize, efficiency: Efficiency, side: Side) -> f64 {
    if observations < 2 {
        return 1.0;
    }
    let (widening, degrees_of_freedom) = prediction(observations, efficiency);
    student_t_tail(z / widening, degrees_of_freedom, side)
}

/// How many estimated standard deviations out on `side` the next value is with a chance of just
/// `rate`, when location and scale were estimated from `observations` normal values: the inverse of
/// [`predictive_t_tail`], and the same formula.
///
/// `rate` is 1e-300 to 1/2; the sign is that of [`student_t_critical_value`].
///
/// `None` for a rate out of range, fewer than two observations, and a value beyond 1e150.
pub(crate) fn predictive_t_critical_value(
    rate: f64,
    observations: usize,
    efficiency: Efficiency,
    side: Side,
) -> Option<f64> {
    if observations < 2 {
        return None;
    }
    let (widening, degrees_of_freedom) = prediction(observations, efficiency);
    let z = student_t_critical_value(rate, degrees_of_freedom, side)?;
    Some(z * widening)
}

/// What the next value's deviation is divided by, and the degrees of freedom of what that gives.
fn prediction(observations: usize, efficiency: Efficiency) -> (f64, f64) {
    let n = observations as f64;
    let widening = (1.0 + 1.0 / (n * efficiency.location)).sqrt();
    (widening, (n - 1.0) * efficiency.scale)
}
