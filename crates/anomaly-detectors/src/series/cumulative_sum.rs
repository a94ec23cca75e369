//! Page's cumulative sum, and how high it stands by chance.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2, TAU};

use statrs::function::erf::erfc_inv;

use super::frozen_reference::FrozenReference;
use crate::tail::{Side, student_t_tail};

/// How far a random walk of normal steps is beyond a bound when it first passes it, in deviations
/// of a step (Siegmund, "Sequential Analysis", 1985, chapter 10).
const OVERSHOOT: f64 = 0.582_6;

/// Page's one-sided cumulative sum of `scores`, newest first: `height = max(0, height + score -
/// allowance)` after each (Page, "Continuous Inspection Schemes", Biometrika 41, 1954), which is
/// the highest of the sums over the last 0, 1, 2 and more.
pub(crate) fn height(scores: impl Iterator<Item = f64>, allowance: f64) -> f64 {
    let (mut sum, mut height) = (0.0, 0.0_f64);
    for score in scores {
        sum += score - allowance;
        height = height.max(sum);
    }
    height
}

/// How often the sum stands at `height` or above by chance, `steps` observations after the
/// reference: a probability up to 1, for one side.
///
/// Read backwards in time, the sum is the highest point of a random walk with steps `score -
/// allowance`, which is nearly that of a Brownian motion, with the bound moved by what a walk
/// overshoots it. For scores of variance 1, allowance `k` and height `c` after `t` steps, and with
/// the level of the reference itself off by a normal error of variance `1/n`, the probability is
///
/// `Q((c + k t) / v) + exp(2 c (c/n - k)) Q((c (1 + 2 t/n) - k t) / v)`, `v^2 = t + t^2/n`,
///
/// with the upper tail `Q` of the normal distribution: the reflection principle (Harrison,
/// "Brownian Motion and Stochastic Flow Systems", 1985, chapter 1), averaged over the error.
/// Correlation makes the deviation of sums larger: `c` and `k` are divided by it. That the
/// deviation is estimated too is taken for what it does to a mean: the quantile that belongs to
/// the probability is one of Student's t.
pub(crate) fn p_value(
    height: f64,
    allowance: f64,
    steps: usize,
    reference: &FrozenReference,
) -> f64 {
    if height <= 0.0 {
        return 1.0;
    }
    let deviation = reference.observations_per_independent().sqrt();
    let independent = reference.independent_observations();
    let walk = walk_tail(
        (height + OVERSHOOT) / deviation,
        allowance / deviation,
        steps as f64,
        independent,
    );
    // A walk of one step has no path, and the bound that is passed is the bound itself.
    let one_step = normal_tail((height + allowance) / (1.0 + 1.0 / independent).sqrt());
    let quantile = SQRT_2 * erfc_inv(2.0 * walk.max(one_step).max(1e-300));
    student_t_tail(quantile, reference.degrees_of_freedom(), Side::Above)
}

/// The formula above.
fn walk_tail(height: f64, allowance: f64, steps: f64, reference: f64) -> f64 {
    let deviation = (steps + steps * steps / reference).sqrt();
    let straight = (height + allowance * steps) / deviation;
    let reflected = (height * (1.0 + 2.0 * steps / reference) - allowance * steps) / deviation;
    // Both forms are the same number; in the second, the exponential cannot overflow.
    let second = if reflected < 0.0 {
        libm::exp(2.0 * height * (height / reference - allowance)) * normal_tail(reflected)
    } else {
        normal_density(straight) * mills_ratio(reflected)
    };
    (normal_tail(straight) + second).min(1.0)
}

fn normal_density(x: f64) -> f64 {
    libm::exp(-x * x / 2.0) / TAU.sqrt()
}

fn normal_tail(x: f64) -> f64 {
    libm::erfc(x * FRAC_1_SQRT_2) / 2.0
}

/// Tail by density of the normal distribution, from 0.
fn mills_ratio(x: f64) -> f64 {
    if x < 10.0 {
        return normal_tail(x) / normal_density(x);
    }
    // Laplace's series, here exact to a millionth.
    let square = x * x;
    (1.0 - (1.0 - 3.0 / square) / square) / x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    /// One observation has no path: it is judged as the next value of a normal sample.
    #[test]
    fn one_observation_is_judged_by_itself() {
        let mut random = SplitMix64::new(5, 0);
        let history: Vec<f64> = (0..20).map(|_| random.normal()).collect();
        let reference =
            FrozenReference::of(&history, 0.0, "test").unwrap_or_else(|_| unreachable!());
        let widening = (1.0 + 1.0 / reference.independent_observations()).sqrt();
        for score in [1.5, 2.0, 2.5] {
            let freedom = reference.degrees_of_freedom();
            let expected = student_t_tail(score / widening, freedom, Side::Above);
            let found = p_value(score - 0.5, 0.5, 1, &reference);
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
        }
    }

    /// Against the formula for a known level, averaged over its error.
    #[test]
    fn the_walk_is_averaged_over_the_error_of_the_reference() {
        let known = |height: f64, drift: f64, steps: f64| {
            let straight = normal_tail((height + drift * steps) / steps.sqrt());
            let reflected = normal_tail((height - drift * steps) / steps.sqrt());
            straight + libm::exp(-2.0 * height * drift) * reflected
        };
        for (height, allowance, steps, reference) in [
            (0.5, 0.5, 4.0, 20.0),
            (3.0, 0.5, 90.0, 20.0),
            (9.0, 0.5, 30.0, 60.0),
            (40.0, 0.1, 90.0, 8.0),
            (2.0, 2.0, 7.0, 400.0),
        ] {
            let errors = (-1_000..1_000).map(|step| (f64::from(step) + 0.5) / 100.0);
            let averaged: f64 = errors
                .map(|error| {
                    let drift = allowance - error / f64::sqrt(reference);
                    0.01 * normal_density(error) * known(height, drift, steps)
                })
                .sum();
            let ours = walk_tail(height, allowance, steps, reference);
            assert!((ours / averaged - 1.0).abs() < 1e-6, "{ours} {averaged}");
        }
    }

    #[test]
    fn the_height_is_that_of_pages_recursion() {
        let oldest_first = [0.2, 1.3, -0.9, -2.0, 0.9, 1.1, 0.4, 2.0, -0.1];
        let mut recursive: f64 = 0.0;
        for end in 1..=oldest_first.len() {
            recursive = (recursive + oldest_first[end - 1] - 0.5).max(0.0);
            let at_once = height(oldest_first[..end].iter().rev().copied(), 0.5);
            assert!((recursive - at_once).abs() < 1e-12, "{recursive} {at_once}");
        }
    }

    /// From 10 on it is a series, which is the quotient where that still has digits.
    #[test]
    fn the_series_of_the_tail_is_the_quotient() {
        for x in [0.0, 3.0, 9.999, 10.0, 12.0, 20.0] {
            let expected = normal_tail(x) / normal_density(x);
            let found = mills_ratio(x);
            assert!((found / expected - 1.0).abs() < 2e-5, "{found} {expected}");
        }
    }

    /// Where the reflected walk is far out, its exponential is beyond all numbers.
    #[test]
    fn the_highest_sum_of_a_short_reference_is_the_rarest() {
        let tails = [20.0, 80.0, 225.0].map(|height| walk_tail(height, 0.5, 30.0, 8.0));
        assert!(tails[0] > tails[1] && tails[1] > tails[2], "{tails:?}");
    }
}
