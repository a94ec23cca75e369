//! P-values by counting.

/// How often a usual row scores at least `score`, by the scores of usual rows that were not used
/// to fit: `(1 + number of them that are at least score) / (number of them + 1)`.
///
/// The conformal p-value: valid whatever the distribution, if the new row and the calibration rows
/// are exchangeable (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005;
/// Bates and others, "Testing for outliers with conformal p-values", Annals of Statistics 51 (2023),
/// 149-178). It cannot be smaller than `1 / (n + 1)`.
///
/// `sorted_calibration` must ascend and hold no NaN; otherwise the result is some probability. A
/// NaN score gives 1.
///
/// ```
/// use anomaly_detectors::tail::conformal_p_value;
///
/// let usual = [0.1, 0.2, 0.3, 0.4];
/// assert_eq!(conformal_p_value(0.9, &usual), 0.2);
/// assert_eq!(conformal_p_value(0.3, &usual), 0.6);
/// assert_eq!(conformal_p_value(0.9, &[]), 1.0);
/// ```
#[must_use]
pub fn conformal_p_value(score: f64, sorted_calibration: &[f64]) -> f64 {
    let count = sorted_calibration.len();
    let below = if score.is_nan() {
        0
    } else {
        sorted_calibration.partition_point(|&usual| usual < score)
    };
    (1 + count - below) as f64 / (1 + count) as f64
}
