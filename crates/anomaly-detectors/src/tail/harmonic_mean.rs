//! One p-value from many that depend on each other.

use super::probability;

/// The weighted harmonic mean of p-values: `sum(w) / sum(w / p)`, above 0 and at most 1.
///
/// Wilson, "The harmonic mean p-value for combining dependent tests", PNAS 116 (2019), 1195-1200.
/// One small p-value among many is kept, up to its share of the weight; p-values near 1 add next to
/// nothing and do no harm. How the tests depend on each other does not matter much.
///
/// It is close to a p-value when small, and slightly too small: at a level of 0.05 with 10 tests the
/// exact threshold is 0.040 (table 1 of the paper). Calibrate it where exact rates matter.
///
/// P-values are first brought into 1e-300 to 1. Those that are NaN are left out. `weights` go with
/// `p_values` by position; a weight that is absent counts as 1, so that an empty slice weighs all
/// alike, and one that is negative or not finite counts as 0. Without any weight the result is 1.
///
/// ```
/// use anomaly_detectors::tail::harmonic_mean_p_value;
///
/// let p = harmonic_mean_p_value(&[0.01, 0.5, 1.0], &[]);
/// assert!((p - 3.0 / 103.0).abs() < 1e-12);
/// assert_eq!(harmonic_mean_p_value(&[], &[]), 1.0);
/// ```
#[must_use]
pub fn harmonic_mean_p_value(p_values: &[f64], weights: &[f64]) -> f64 {
    let weights = weights.iter().copied().chain(std::iter::repeat(1.0));
    let usable = |weight: f64| {
        if weight.is_finite() {
            weight.max(0.0)
        } else {
            0.0
        }
    };
    let weighed = || {
        p_values
            .iter()
            .zip(weights.clone())
            .filter(|(p_value, _)| !p_value.is_nan())
            .map(|(&p_value, weight)| (p_value.clamp(1e-300, 1.0), usable(weight)))
    };
    // Relative to the largest weight: the sums below then cannot overflow.
    let largest = weighed().fold(0.0, |largest: f64, (_, weight)| largest.max(weight));
    if largest <= 0.0 {
        return 1.0;
    }
    let (total, inverse) = weighed().fold((0.0, 0.0), |(total, inverse), (p_value, weight)| {
        let weight = weight / largest;
        (total + weight, inverse + weight / p_value)
    });
    probability(total / inverse)
}
