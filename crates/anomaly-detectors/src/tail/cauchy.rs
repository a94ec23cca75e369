//! One p-value from many that depend on each other, heavier in the middle.

use std::f64::consts::{FRAC_1_PI, PI};

use super::probability;

/// P-values are first brought at least this far below 1: one at 1 would outweigh all small ones.
const HIGHEST: f64 = 0.99;

/// The Cauchy combination of p-values with equal weights, above 0 and at most 1.
///
/// Each p-value becomes a Cauchy variable, `tan((1/2 - p) pi)`; their mean is one again, nearly so
/// whatever they have to do with each other, and its tail is the combined p-value. Liu and Xie,
/// "Cauchy combination test", JASA 115 (2020), 393-402.
///
/// Much like [`harmonic_mean_p_value`](super::harmonic_mean_p_value) where one p-value is small.
/// Values above 0.99 count as 0.99: the paper's transform has no bound there, and a single
/// certainty would silence every alarm. Those that are NaN are left out; without any the result is 1.
///
/// ```
/// use anomaly_detectors::tail::cauchy_p_value;
///
/// let one_of_three = cauchy_p_value(&[0.001, 0.5, 1.0]);
/// assert!(one_of_three > 0.001 && one_of_three < 0.005);
/// assert_eq!(cauchy_p_value(&[]), 1.0);
/// ```
#[must_use]
pub fn cauchy_p_value(p_values: &[f64]) -> f64 {
    let usable = || p_values.iter().filter(|p_value| !p_value.is_nan());
    let count = usable().count();
    if count == 0 {
        return 1.0;
    }
    // The cotangent of p pi is the tangent of (1/2 - p) pi, and exact for small p.
    let transformed = |p_value: &f64| 1.0 / libm::tan(p_value.clamp(1e-300, HIGHEST) * PI);
    let mean = usable().map(transformed).sum::<f64>() / count as f64;
    probability(if mean > 0.0 {
        libm::atan(1.0 / mean) * FRAC_1_PI
    } else {
        0.5 - libm::atan(mean) * FRAC_1_PI
    })
}
