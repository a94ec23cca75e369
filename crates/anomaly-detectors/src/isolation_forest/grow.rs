//! Growing one tree.

use super::sample::Sample;
use super::tree::Step;
use crate::random::SplitMix64;

/// Splits the sample at random until rows stand alone, no column varies or the depth is reached.
pub(super) fn grow(sample: &Sample, depth_limit: u32, random: &mut SplitMix64) -> Vec<Step> {
    let mut rows: Vec<usize> = (0..sample.rows()).collect();
    let mut grower = Grower {
        sample,
        columns: varying_columns(sample),
        random,
        steps: Vec::with_capacity(2 * sample.rows()),
    };
    grower.grow(&mut rows, depth_limit);
    grower.steps
}

struct Grower<'a> {
    sample: &'a Sample,
    /// The columns that vary in the sample, in any order.
    columns: Vec<usize>,
    random: &'a mut SplitMix64,
    steps: Vec<Step>,
}

impl Grower<'_> {
    #[allow(clippy::cast_possible_truncation)] // A sample has at most 2^20 rows.
    fn grow(&mut self, rows: &mut [usize], depth_left: u32) {
        let split = if rows.len() > 1 && depth_left > 0 {
            self.choose_split(rows)
        } else {
            None
        };
        let Some((column, threshold)) = split else {
            self.steps.push(Step::Leaf(rows.len() as u32));
            return;
        };
        self.steps.push(Step::Split(column as u32, threshold));
        let mut left = 0;
        for next in 0..rows.len() {
            if self.sample.value(rows[next], column) <= threshold {
                rows.swap(left, next);
                left += 1;
            }
        }
        let (left, right) = rows.split_at_mut(left);
        self.grow(left, depth_left - 1);
        self.grow(right, depth_left - 1);
    }

    /// A column, each equally likely of those that vary in these rows, and a threshold with rows on
    /// both sides.
    fn choose_split(&mut self, rows: &[usize]) -> Option<(usize, f64)> {
        for tried in 0..self.columns.len() {
            let pick = tried + self.random.below(self.columns.len() - tried);
            self.columns.swap(tried, pick);
            let column = self.columns[tried];
            let (low, high) = range(self.sample, rows, column);
            if low < high {
                return Some((column, self.random.between(low, high)));
            }
        }
        None
    }
}

/// The smallest and the largest value of a column in some rows.
fn range(sample: &Sample, rows: &[usize], column: usize) -> (f64, f64) {
    rows.iter()
        .map(|&row| sample.value(row, column))
        .fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        })
}

fn varying_columns(sample: &Sample) -> Vec<usize> {
    let differs = |row, column| {
        sample
            .value(row, column)
            .total_cmp(&sample.value(0, column))
    };
    (0..sample.columns())
        .filter(|&column| (1..sample.rows()).any(|row| differs(row, column).is_ne()))
        .collect()
}
