//! The empirical distribution of one column.

use ndarray::ArrayView1;

use crate::check::FEWEST_ROWS;
use crate::order_statistics::sort;

/// What one value of a row adds: `-ln` of its tails.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Surprise {
    pub(super) left: f64,
    pub(super) right: f64,
    /// That of the tail to which the column is skewed.
    pub(super) skewed: f64,
}

/// The distinct values of a column, and how often each was there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Ascending, no two equal, all finite.
    values: Vec<f64>,
    counts: Vec<u64>,
    skewed_left: bool,
    /// At `i`: `-ln` of the share of the first `i` distinct values. One more element than values.
    left: Vec<f64>,
    /// At `i`: `-ln` of the share of all distinct values but the first `i`. One more too.
    right: Vec<f64>,
}

impl Column {
    /// Learns from the values that are not NaN.
    pub(super) fn of(column: ArrayView1<'_, f64>) -> Self {
        let present = column.iter().filter(|value| !value.is_nan());
        // Adding 0 makes -0.0 the zero that it equals.
        let mut values: Vec<f64> = present.map(|&value| bounded(value) + 0.0).collect();
        sort(&mut values);
        let skewed_left = third_moment(&values) < 0.0;
        let mut counts: Vec<u64> = Vec::new();
        let mut distinct: Vec<f64> = Vec::new();
        for value in values {
            match counts.last_mut() {
                Some(count) if distinct.last() == Some(&value) => *count += 1,
                _ => {
                    distinct.push(value);
                    counts.push(1);
                }
            }
        }
        Self::new(distinct, counts, skewed_left)
    }

    /// A column of as many values as counts; the sum of the counts must be a `u64`.
    fn new(values: Vec<f64>, counts: Vec<u64>, skewed_left: bool) -> Self {
        let total = counts.iter().sum::<u64>() as f64;
        let surprise = |count: u64| {
            let tail = (count as f64 / total).max(1.0 / (total + 1.0));
            // The logarithm of 1 is 0, and its negative would be -0.
            libm::log(tail).abs()
        };
        let below = counts.iter().scan(0, |below, count| {
            *below += count;
            Some(*below)
        });
        let below: Vec<u64> = std::iter::once(0).chain(below).collect();
        let all = below.last().copied().unwrap_or(0);
        Self {
            left: below.iter().map(|&below| surprise(below)).collect(),
            right: below.iter().map(|&below| surprise(all - below)).collect(),
            values,
            counts,
            skewed_left,
        }
    }

    /// The column of a stored detector, or what is wrong with it.
    pub(super) fn from_parts(
        values: Vec<f64>,
        counts: Vec<u64>,
        skewed_left: bool,
    ) -> Result<Self, String> {
        if values.len() != counts.len() {
            let (values, counts) = (values.len(), counts.len());
            return Err(format!("a column has {values} values and {counts} counts"));
        }
        let ascending = values.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || values.iter().any(|value| !value.is_finite()) {
            return Err("the values of a column are not finite and ascending".to_owned());
        }
        let total = counts
            .iter()
            .try_fold(0, |sum: u64, &count| sum.checked_add(count));
        if total.is_none() || counts.contains(&0) {
            return Err("the counts of a column are from no fit".to_owned());
        }
        Ok(Self::new(values, counts, skewed_left))
    }

    pub(super) fn into_parts(self) -> (Vec<f64>, Vec<u64>, bool) {
        (self.values, self.counts, self.skewed_left)
    }

    fn is_judged(&self) -> bool {
        self.values.len() >= FEWEST_ROWS || self.counts.iter().any(|&count| count > 1)
    }

    pub(super) fn surprise(&self, value: f64) -> Surprise {
        if value.is_nan() || !self.is_judged() {
            return Surprise::default();
        }
        let value = bounded(value);
        let smaller = self.values.partition_point(|&other| other < value);
        let not_larger = smaller + usize::from(self.values.get(smaller) == Some(&value));
        let (left, right) = (self.left[not_larger], self.right[smaller]);
        let skewed = if self.skewed_left { left } else { right };
        Surprise {
            left,
            right,
            skewed,
        }
    }
}

/// An infinite value as the largest finite one of its sign.
fn bounded(value: f64) -> f64 {
    value.clamp(f64::MIN, f64::MAX)
}

/// The third central moment of ascending values, up to a factor above 0.
fn third_moment(sorted: &[f64]) -> f64 {
    // In units in which neither a sum nor a cube overflows, and a cube that counts does not vanish.
    let unit = largest_magnitude(sorted.iter().copied());
    let count = sorted.len().max(1) as f64;
    let mean = sorted.iter().map(|value| value / unit / count).sum::<f64>();
    let deviations = || sorted.iter().map(|value| value / unit - mean);
    let unit = largest_magnitude(deviations());
    deviations()
        .map(|deviation| deviation / unit)
        .map(|deviation| deviation * deviation * deviation)
        .sum()
}

/// The largest magnitude, or 1 if that is 0.
fn largest_magnitude(values: impl Iterator<Item = f64>) -> f64 {
    let largest = values.fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest > 0.0 { largest } else { 1.0 }
}
