//! Where a split parts values best.

/// Where a value lies between two different ones: 0 at `low`, 1 at `high`.
pub(super) fn part_of_range(value: f64, low: f64, high: f64) -> f64 {
    let range = high - low;
    if range.is_finite() {
        (value - low) / range
    } else {
        (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
    }
}

/// The threshold between two of the values, ascending and not all equal, for which the standard
/// deviations on both sides, weighted by their numbers, sum to the least.
///
/// `low <= threshold < high` for the lowest and the highest. Of equally good thresholds the lowest.
pub(super) fn best_threshold(ascending: &[f64]) -> Option<f64> {
    let (&low, &high) = (ascending.first()?, ascending.last()?);
    // From 0 to 1: squares neither overflow nor vanish.
    let scaled = |value: f64| part_of_range(value, low, high);
    let (mut sum, mut squares) = (0.0, 0.0);
    for &value in ascending {
        sum += scaled(value);
        squares += scaled(value) * scaled(value);
    }
    let (mut left_sum, mut left_squares) = (0.0, 0.0);
    let mut best: Option<(f64, f64)> = None;
    for (index, pair) in ascending.windows(2).enumerate() {
        left_sum += scaled(pair[0]);
        left_squares += scaled(pair[0]) * scaled(pair[0]);
        if pair[0] >= pair[1] {
            continue;
        }
        let left = (index + 1) as f64;
        let right = ascending.len() as f64 - left;
        let spread = weighted_deviation(left, left_sum, left_squares)
            + weighted_deviation(right, sum - left_sum, squares - left_squares);
        if best.is_none_or(|(least, _)| spread < least) {
            let middle = pair[0].midpoint(pair[1]);
            // The middle of two neighbouring numbers may be rounded to the upper one.
            let threshold = if middle < pair[1] { middle } else { pair[0] };
            best = Some((spread, threshold));
        }
    }
    best.map(|(_, threshold)| threshold)
}

/// `n` standard deviations of `n` values with this sum and sum of squares.
fn weighted_deviation(count: f64, sum: f64, squares: f64) -> f64 {
    (count * squares - sum * sum).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::{best_threshold, part_of_range};

    #[test]
    fn clusters_are_parted() {
        assert_eq!(best_threshold(&[1.0, 2.0, 3.0, 11.0, 12.0]), Some(7.0));
        assert_eq!(best_threshold(&[0.0, 0.0, 0.0, 5.0]), Some(2.5));
        assert_eq!(best_threshold(&[4.0, 4.0]), None);
        let (next, huge) = (1.0_f64.next_up(), f64::MAX);
        assert_eq!(best_threshold(&[1.0, next]), Some(1.0));
        assert_eq!(best_threshold(&[-huge, -huge, huge]), Some(0.0));
        let least = f64::from_bits(1);
        assert_eq!(
            best_threshold(&[0.0, least, 9.0 * least]),
            Some(5.0 * least)
        );
    }

    #[test]
    fn of_equally_good_thresholds_the_lowest_is_taken() {
        assert_eq!(best_threshold(&[0.0, 1.0, 2.0]), Some(0.5));
    }

    /// Whether the range is a number or beyond all of them.
    #[test]
    fn a_part_of_a_range_has_no_unit() {
        for unit in [1.0, f64::MAX / 4.0] {
            let part = |value: f64| part_of_range(value * unit, -3.0 * unit, 4.0 * unit);
            for value in [-3.0, -1.0, 0.0, 2.0, 4.0] {
                assert!(
                    (part(value) - (value + 3.0) / 7.0).abs() < 1e-12,
                    "{value} {unit}"
                );
            }
        }
    }
}
