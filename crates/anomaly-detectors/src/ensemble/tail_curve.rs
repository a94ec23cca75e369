//! How rare a member's scores were in the history.

use serde::{Deserialize, Serialize};

use crate::order_statistics;

/// How far two knots may be apart in surprise, unless no score of the history lies between them.
const STEP: f64 = 1.0 / 16.0;
/// No history is so long that any of its scores is more surprising.
const MOST_SURPRISE: f64 = 64.0;

/// Minus the logarithm of the share of the history that scores at least as high, by score.
///
/// Between knots it is interpolated, beyond the last it goes on as a Pareto tail of index 1: so a new
/// row that is stranger than all of the history is still told from one that is stranger still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TailCurve {
    /// Ascending, at least one.
    scores: Vec<f64>,
    /// Of each score; ascending, not below 0.
    surprises: Vec<f64>,
}

impl TailCurve {
    /// Of the history's scores, at least one, all finite.
    pub(super) fn of(mut history: Vec<f64>) -> Self {
        order_statistics::sort(&mut history);
        let rows = history.len() as f64;
        let mut curve = Self {
            scores: Vec::new(),
            surprises: Vec::new(),
        };
        // The last score seen, which is kept only if the curve would be too coarse without it.
        let mut before: Option<(f64, f64)> = None;
        let mut lower = 0_usize;
        for ties in history.chunk_by(|a, b| a >= b) {
            // Rows that score the same count by half, as if drawn apart by chance.
            let higher = rows - lower as f64 - 0.5 * ties.len() as f64;
            lower += ties.len();
            let surprise = -libm::log(higher / rows);
            if let Some((score, before)) = before {
                let last = curve.surprises.last();
                if last.is_none_or(|last| surprise - last > STEP) {
                    curve.push(score, before);
                }
            }
            before = ties.first().map(|&score| (score, surprise));
        }
        if let Some((score, surprise)) = before {
            curve.push(score, surprise);
        }
        curve
    }

    fn push(&mut self, score: f64, surprise: f64) {
        self.scores.push(score);
        self.surprises.push(surprise);
    }

    /// Whether a history can have given it.
    pub(super) fn is_sound(&self) -> bool {
        let ascending = |values: &[f64]| values.is_sorted_by(|a, b| a < b);
        let within = |value: &f64| (0.0..=MOST_SURPRISE).contains(value);
        !self.scores.is_empty()
            && self.scores.len() == self.surprises.len()
            && self.scores.iter().all(|score| score.is_finite())
            && self.surprises.iter().all(within)
            && ascending(&self.scores)
            && ascending(&self.surprises)
    }

    /// How surprising a finite score is: from 0, finite, and not falling with the score.
    pub(super) fn surprise(&self, score: f64) -> f64 {
        let above = self.scores.partition_point(|knot| *knot < score);
        if above == 0 {
            return self.surprises[0];
        }
        let (low, from) = (self.scores[above - 1], self.surprises[above - 1]);
        if above == self.scores.len() {
            let beyond = distance(low, score) / self.unit();
            return from + libm::log1p(beyond.min(f64::MAX));
        }
        let (high, to) = (self.scores[above], self.surprises[above]);
        let part = distance(low, score) / distance(low, high);
        (from + (to - from) * part).min(to)
    }

    /// Half of the range of the history's scores, above 0.
    #[allow(clippy::float_cmp, reason = "it is 0 that has no scale")]
    fn unit(&self) -> f64 {
        let (lowest, highest) = (self.scores[0], self.scores[self.scores.len() - 1]);
        if lowest < highest {
            distance(lowest, highest)
        } else if highest == 0.0 {
            1.0
        } else {
            // The history tells no scale: that of the number itself.
            distance(0.0, highest.abs())
        }
    }
}

/// Half of the way from `low` up to `high`, finite even when the whole is not.
fn distance(low: f64, high: f64) -> f64 {
    (0.5 * high - 0.5 * low).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn surprise_follows_the_share_that_scores_higher(
            history in proptest::collection::vec(prop_oneof![-1e300..1e300, -9.0..9.0, Just(2.0)], 1..400),
            new in proptest::collection::vec(prop_oneof![any::<f64>(), -20.0..20.0], 1..50),
        ) {
            let curve = TailCurve::of(history.clone());
            prop_assert!(curve.is_sound());
            for &score in &history {
                let higher = history.iter().filter(|other| **other > score).count();
                let equal = history.iter().filter(|other| (*other + 0.0).total_cmp(&(score + 0.0)).is_eq());
                let share = (higher as f64 + 0.5 * equal.count() as f64) / history.len() as f64;
                let difference = (curve.surprise(score) + libm::log(share)).abs();
                prop_assert!(difference <= STEP + 1e-9, "{difference}");
            }
            let mut new: Vec<f64> = new.into_iter().filter(|score| score.is_finite()).collect();
            new.extend([f64::MIN, f64::MAX]);
            new.sort_by(f64::total_cmp);
            let surprises: Vec<f64> = new.iter().map(|&score| curve.surprise(score)).collect();
            prop_assert!(surprises.iter().all(|surprise| surprise.is_finite() && *surprise >= 0.0));
            prop_assert!(surprises.is_sorted());
        }
    }

    #[test]
    fn a_long_history_takes_few_knots_and_its_end_is_open() {
        let history: Vec<f64> = (0..100_000).map(f64::from).collect();
        let curve = TailCurve::of(history);
        assert!(curve.scores.len() < 300, "{}", curve.scores.len());
        // Twice the range beyond: a third of the tail.
        let beyond = curve.surprise(3.0 * 99_999.0) - curve.surprise(99_999.0);
        assert!((beyond - 3.0_f64.ln()).abs() < 1e-9, "{beyond}");
        let one = TailCurve::of(vec![0.0; 5]);
        assert!(one.surprise(1e-3) < one.surprise(1.0) && one.surprise(1.0) < one.surprise(9.0));
    }

    /// Beyond the history the tail halves within as much as the history ranges, or its scores are if
    /// all are equal, or 1 if those are 0.
    #[test]
    fn the_unit_beyond_the_history_is_its_range() {
        for (history, unit) in [
            (vec![100.0, 130.0, 200.0], 100.0),
            (vec![4.0; 5], 4.0),
            (vec![-4.0; 5], 4.0),
            (vec![0.0; 5], 2.0),
        ] {
            let highest = history[history.len() - 1];
            let curve = TailCurve::of(history);
            let fallen = |beyond: f64| curve.surprise(highest + beyond) - curve.surprise(highest);
            for times in [1.0, 3.0] {
                let expected = libm::log1p(times);
                assert!((fallen(times * unit) - expected).abs() < 1e-9, "{highest}");
            }
        }
    }
}
