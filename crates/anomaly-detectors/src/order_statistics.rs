//! Medians and quantiles, and what deviations from them are of normal data.

/// Standard deviations of normal data per median absolute deviation: `1 / Phi^-1(3/4)`.
pub(crate) const DEVIATIONS_PER_MAD: f64 = 1.482_602_218_505_602;
/// Standard deviations of normal data per mean absolute deviation: `sqrt(pi / 2)`.
pub(crate) const DEVIATIONS_PER_MEAN_DEVIATION: f64 = 1.253_314_137_315_500_3;

/// Sorts values that hold no NaN. -0.0 comes before 0.0, so that the result is the same to the last
/// bit in whatever order they came.
pub(crate) fn sort(values: &mut [f64]) {
    values.sort_unstable_by(f64::total_cmp);
}

/// The median of ascending values, at least one; the mean of the middle two if their number is even.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let upper = sorted[sorted.len() / 2];
    if sorted.len() % 2 == 1 {
        upper
    } else {
        sorted[sorted.len() / 2 - 1].midpoint(upper)
    }
}

/// The quantile of ascending values, at least one, at `probability` in 0 to 1.
///
/// Linear interpolation of the order statistics, definition 7 of Hyndman and Fan, "Sample quantiles
/// in statistical packages", The American Statistician 50 (1996), 361-365: the default of R and
/// `NumPy`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * probability;
    let below = position.floor() as usize;
    let low = sorted[below];
    let high = sorted[(below + 1).min(sorted.len() - 1)];
    low + (high - low) * position.fract()
}

/// How many of some rows a part of them, 0 to 0.5, is, rounded down.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn part_of(rows: usize, part: f64) -> usize {
    (rows as f64 * part).floor() as usize
}

/// The mean of the absolute deviations of `values`, at least one, from `centre`.
pub(crate) fn mean_absolute_deviation(values: &[f64], centre: f64) -> f64 {
    values.iter().map(|v| (v - centre).abs()).sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::quantile;

    /// At the ends it is the ends, and of one value that one.
    #[test]
    fn a_quantile_lies_among_the_values() {
        let ascending = [1.0, 2.0, 4.0];
        let quantiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|part| quantile(&ascending, part));
        assert!(quantiles.into_iter().eq([1.0, 1.5, 2.0, 3.0, 4.0]));
        assert!(
            [0.0, 0.3, 1.0]
                .iter()
                .all(|&part| quantile(&[7.0], part) >= 7.0)
        );
    }
}
