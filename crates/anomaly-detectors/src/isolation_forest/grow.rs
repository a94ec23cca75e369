//! Growing one tree.

use super::IsolationForestParams;
use super::features::{Features, Term};
use super::pooled_gain::{best_threshold, part_of_range};
use super::sample::Sample;
use super::tree::Step;
use crate::order_statistics::sort;
use crate::random::SplitMix64;

/// The least unit of a column in a sum: times the largest magnitude it is finite.
const LEAST_RANGE: f64 = 1e-140;

/// Splits the sample at random until rows stand alone, no column varies or the depth is reached.
pub(super) fn grow(
    sample: &Sample,
    params: &IsolationForestParams,
    depth_limit: u32,
    random: &mut SplitMix64,
) -> (Vec<Step>, Features) {
    let mut rows: Vec<usize> = (0..sample.rows()).collect();
    let ignored = |column: usize| params.column_weights.get(column).is_some_and(|&w| w <= 0.0);
    let mut columns = varying_columns(sample);
    columns.retain(|&column| !ignored(column));
    let mut grower = Grower {
        sample,
        params,
        columns,
        random,
        features: Features::new(sample.columns(), params.columns_per_split),
        steps: Vec::with_capacity(2 * sample.rows()),
        values: Vec::new(),
    };
    grower.grow(&mut rows, depth_limit);
    (grower.steps, grower.features)
}

struct Grower<'a> {
    sample: &'a Sample,
    params: &'a IsolationForestParams,
    /// The columns that vary in the sample, in any order.
    columns: Vec<usize>,
    random: &'a mut SplitMix64,
    features: Features,
    steps: Vec<Step>,
    /// A scratch.
    values: Vec<f64>,
}

/// A feature with its smallest and its largest value in some rows, which differ.
struct Direction {
    feature: usize,
    low: f64,
    high: f64,
}

impl Grower<'_> {
    #[allow(clippy::cast_possible_truncation)] // A sample has at most 2^20 rows.
    fn grow(&mut self, rows: &mut [usize], depth_left: u32) {
        let direction = if rows.len() > 1 && depth_left > 0 {
            self.choose_direction(rows)
        } else {
            None
        };
        let Some(Direction { feature, low, high }) = direction else {
            self.steps.push(Step::Leaf(rows.len() as u32));
            return;
        };
        let threshold = self.choose_threshold(rows, feature, low, high);
        let share = part_of_range(threshold, low, high);
        self.steps.push(Step::Split {
            feature: feature as u32,
            threshold,
            left_share: share.clamp(f64::EPSILON, 1.0 - f64::EPSILON),
        });
        let mut left = 0;
        for next in 0..rows.len() {
            if self.value(rows[next], feature) <= threshold {
                rows.swap(left, next);
                left += 1;
            }
        }
        let (left, right) = rows.split_at_mut(left);
        self.grow(left, depth_left - 1);
        self.grow(right, depth_left - 1);
    }

    fn value(&self, row: usize, feature: usize) -> f64 {
        self.features
            .read(feature, |column| self.sample.value(row, column))
    }

    /// A column that varies in these rows, or a sum of several of them.
    fn choose_direction(&mut self, rows: &[usize]) -> Option<Direction> {
        let mut tried = 0;
        let first = self.next_column(rows, &mut tried)?;
        if self.params.columns_per_split == 1 {
            return Some(first);
        }
        let mut terms = vec![self.term(&first)];
        while terms.len() < self.params.columns_per_split {
            let Some(next) = self.next_column(rows, &mut tried) else {
                break;
            };
            terms.push(self.term(&next));
        }
        if terms.len() == 1 {
            return Some(first);
        }
        let feature = self.features.add(&terms);
        let (low, high) = self.range(rows, feature);
        if low < high {
            return Some(Direction { feature, low, high });
        }
        // The terms cancel, or are all beyond the largest number.
        self.features.remove_last();
        Some(first)
    }

    /// The column in units of its range, times a normal random number.
    #[allow(clippy::cast_possible_truncation)] // More than 2^32 columns do not fit in memory.
    fn term(&mut self, column: &Direction) -> Term {
        let range = (column.high - column.low).max(LEAST_RANGE);
        Term(column.feature as u32, self.random.normal() / range)
    }

    /// The next column, at random, of those that have not been tried and vary in these rows.
    fn next_column(&mut self, rows: &[usize], tried: &mut usize) -> Option<Direction> {
        while *tried < self.columns.len() {
            let pick = self.pick(*tried);
            self.columns.swap(*tried, pick);
            let feature = self.columns[*tried];
            *tried += 1;
            let (low, high) = self.range(rows, feature);
            if low < high {
                return Some(Direction { feature, low, high });
            }
        }
        None
    }

    /// One of the columns from place `tried` on, by weight.
    fn pick(&mut self, tried: usize) -> usize {
        let rest = &self.columns[tried..];
        let weights = &self.params.column_weights;
        if weights.is_empty() {
            return tried + self.random.below(rest.len());
        }
        let weights = || rest.iter().map(|&column| weights[column]);
        // In units of the largest: no sum overflows.
        let largest = weights().fold(0.0, f64::max);
        let whole: f64 = weights().map(|weight| weight / largest).sum();
        let mut left = self.random.between(0.0, whole);
        for (place, weight) in weights().enumerate() {
            left -= weight / largest;
            if left < 0.0 {
                return tried + place;
            }
        }
        self.columns.len() - 1
    }

    /// A threshold with rows on both sides.
    fn choose_threshold(&mut self, rows: &[usize], feature: usize, low: f64, high: f64) -> f64 {
        let pooled_gain = self.params.pooled_gain;
        // Two rows are parted by any threshold.
        if rows.len() > 2 && pooled_gain > 0.0 && self.random.between(0.0, 1.0) < pooled_gain {
            let mut values = std::mem::take(&mut self.values);
            values.clear();
            values.extend(rows.iter().map(|&row| self.value(row, feature)));
            sort(&mut values);
            let best = best_threshold(&values);
            self.values = values;
            if let Some(best) = best {
                return best;
            }
        }
        self.random.between(low, high)
    }

    /// The smallest and the largest value of a feature in some rows.
    fn range(&self, rows: &[usize], feature: usize) -> (f64, f64) {
        rows.iter()
            .map(|&row| self.value(row, feature))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
    }
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
