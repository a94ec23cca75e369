//! Which of many p-values to call out, when a share of false ones is bearable.

/// Which of the p-values are discoveries, by position, so that of all that are called one at most a
/// share of `rate` is false on average.
///
/// The step-up procedure of Benjamini and Hochberg, "Controlling the false discovery rate", Journal
/// of the Royal Statistical Society B 57 (1995), 289-300: with the `n` p-values in ascending order,
/// all up to the last with `p <= rate i / n`. It holds for independent p-values and for those that
/// rise and fall together, such as conformal p-values of one night's jobs (Bates and others, Annals
/// of Statistics 51, 2023, 149-178).
///
/// A p-value that is NaN is no discovery, and counts among the `n`. A `rate` outside 0 to 1 counts
/// as the nearer end; NaN as 0.
///
/// ```
/// use anomaly_detectors::tail::discoveries;
///
/// // Alone, 0.03 would not be called out; beside two that are, it is.
/// assert_eq!(discoveries(&[0.03, 0.9, 0.001, 0.01], 0.05), [true, false, true, true]);
/// assert_eq!(discoveries(&[0.03, 0.9, 0.7, 0.4], 0.05), [false; 4]);
/// ```
#[must_use]
pub fn discoveries(p_values: &[f64], rate: f64) -> Vec<bool> {
    let rate = if rate.is_nan() {
        0.0
    } else {
        rate.clamp(0.0, 1.0)
    };
    let mut ascending: Vec<f64> = p_values.iter().copied().filter(|p| !p.is_nan()).collect();
    ascending.sort_by(f64::total_cmp);
    let count = p_values.len() as f64;
    let last = ascending
        .iter()
        .enumerate()
        .rfind(|(place, p_value)| **p_value <= rate * (place + 1) as f64 / count)
        .map(|(_, p_value)| *p_value);
    p_values
        .iter()
        .map(|p_value| last.is_some_and(|last| *p_value <= last))
        .collect()
}
