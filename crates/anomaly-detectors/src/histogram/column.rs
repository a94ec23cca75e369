//! The histogram of one column.

use ndarray::ArrayView1;

use crate::check::FEWEST_ROWS;

/// How far outside the range a value still is in the bin at that end, in bins.
const MARGIN_BINS: f64 = 0.5;
/// What is added to each count, in mean counts.
const SMOOTHING: f64 = 0.1;

/// How many values were in each bin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    range: Range,
    /// None if the column is not judged.
    counts: Vec<u64>,
    /// What a value in each bin adds.
    surprises: Vec<f64>,
    /// What a value outside adds.
    outside: f64,
}

impl Column {
    /// Learns from the finite values, with as many bins, at least one, as `bins` says for their
    /// number.
    pub(super) fn of(column: ArrayView1<'_, f64>, bins: impl FnOnce(usize) -> usize) -> Self {
        let finite = || column.iter().filter(|value| value.is_finite());
        let observations = finite().count();
        let Some(&first) = finite().next().filter(|_| observations >= FEWEST_ROWS) else {
            return Self::new(Range::default(), Vec::new());
        };
        // Adding 0 makes -0.0 the zero that it equals.
        let range = finite().fold(Range::from((first, first)), |range, &value| Range {
            low: range.low.min(value) + 0.0,
            high: range.high.max(value) + 0.0,
        });
        let bins = bins(observations);
        let mut counts = vec![0; bins];
        for bin in finite().filter_map(|&value| range.bin_of(value, bins)) {
            counts[bin] += 1;
        }
        Self::new(range, counts)
    }

    /// The sum of the counts must be a `u64`.
    fn new(range: Range, counts: Vec<u64>) -> Self {
        let mean = counts.iter().sum::<u64>() as f64 / counts.len().max(1) as f64;
        let smooth = |count: u64| count as f64 + SMOOTHING * mean;
        let largest = smooth(counts.iter().copied().max().unwrap_or(0));
        let surprise = |count: u64| libm::log(largest / smooth(count));
        let surprises = counts.iter().map(|&count| surprise(count)).collect();
        let outside = if counts.is_empty() { 0.0 } else { surprise(0) };
        Self {
            range,
            counts,
            surprises,
            outside,
        }
    }

    /// The column of a stored detector, or what is wrong with it. `bins` says how many there are for a
    /// number of values.
    pub(super) fn from_parts(
        range: (f64, f64),
        counts: Vec<u64>,
        bins: impl FnOnce(usize) -> usize,
    ) -> Result<Self, String> {
        let (low, high) = range;
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return Err(format!("a column ranges from {low} to {high}"));
        }
        let total = counts
            .iter()
            .try_fold(0, |sum: u64, &count| sum.checked_add(count));
        let observations = total.and_then(|total| usize::try_from(total).ok());
        let possible = counts.is_empty()
            || observations.is_some_and(|observations| {
                observations >= FEWEST_ROWS && counts.len() == bins(observations)
            });
        if !possible {
            return Err("the counts of a column are from no fit".to_owned());
        }
        Ok(Self::new(Range { low, high }, counts))
    }

    pub(super) fn into_parts(self) -> ((f64, f64), Vec<u64>) {
        ((self.range.low, self.range.high), self.counts)
    }

    pub(super) fn surprise(&self, value: f64) -> f64 {
        if value.is_nan() || self.counts.is_empty() {
            return 0.0;
        }
        let bin = self.range.bin_of(value, self.surprises.len());
        bin.map_or(self.outside, |bin| self.surprises[bin])
    }
}

/// The finite values from the lowest to the highest.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// The bin of some, at least one, in which a value is; `None` if it is outside.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn bin_of(self, value: f64, bins: usize) -> Option<usize> {
        let Self { low, high } = self;
        if low >= high {
            return (low <= value && value <= high).then_some(0);
        }
        let (length, offset) = (high - low, value - low);
        let share = if length.is_finite() {
            offset / length
        } else {
            (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
        };
        let position = share * bins as f64;
        let inside = (-MARGIN_BINS..=bins as f64 + MARGIN_BINS).contains(&position);
        inside.then(|| (position.max(0.0) as usize).min(bins - 1))
    }
}

impl From<(f64, f64)> for Range {
    fn from((low, high): (f64, f64)) -> Self {
        Self { low, high }
    }
}
