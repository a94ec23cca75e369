//! How likely a level has changed, and when, by Bayes' rule.

use super::frozen_reference::FrozenReference;
use crate::tail::{Side, student_t_tail};

/// How far levels change, in deviations: the deviation of a normal distribution around 0. Scores
/// are bounded: more can hardly be seen.
const SHIFT_DEVIATION: f64 = 2.0;

/// The hypothesis that the level changed just before the last `observations`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    pub(crate) observations: usize,
    pub(crate) probability: f64,
    /// How far above 0 the shift is, in deviations: Student's t.
    distance: f64,
    degrees_of_freedom: f64,
}

impl Change {
    /// How likely it happened, and to `side`.
    pub(crate) fn probability_to(&self, side: Side) -> f64 {
        match side {
            Side::Both => self.probability,
            // The mass above 0 of a distribution around `distance`.
            Side::Above | Side::Below => {
                self.probability * student_t_tail(-self.distance, self.degrees_of_freedom, side)
            }
        }
    }
}

/// The posterior distribution over the time of at most one change, from one observation ago to as
/// many as there are `scores` (newest first); what is missing to 1 is that there was none.
///
/// A change before any observation has the prior probability `rate`, and moves the level by a
/// normal variable of deviation `h = 2`. Then the sum of the `m` scores since is normal with
/// variance `V = v m + v m^2 / n` if there was no change, for `v` observations per independent one
/// and the error of the reference's own level, and with `V + m^2 h^2` if there was; the variance
/// of the scores has the reference's degrees of freedom, so that both are Student's t: the normal
/// and gamma conjugate prior. What lies before the change is equally likely either way.
///
/// This is Shiryaev's posterior ("On Optimum Methods in Quickest Detection Problems", Theory of
/// Probability and Its Applications 8, 1963) averaged over the new level; and the run length
/// posterior of Adams and `MacKay`, "Bayesian Online Changepoint Detection", arXiv:0710.3742, with
/// one change, a first level known from the reference, and bounded length.
pub(crate) fn posterior(
    scores: impl Iterator<Item = f64>,
    rate: f64,
    reference: &FrozenReference,
) -> Vec<Change> {
    let per_independent = reference.observations_per_independent();
    let error = 1.0 / reference.observations() as f64;
    let free = reference.degrees_of_freedom();
    let mut sum = 0.0;
    let mut changes: Vec<Change> = Vec::new();
    let mut ln_odds: Vec<f64> = Vec::new();
    for (index, score) in scores.enumerate() {
        sum += score;
        let count = (index + 1) as f64;
        let usual = per_independent * count * (1.0 + count * error);
        let shift = count * SHIFT_DEVIATION;
        let with_shift = usual + shift * shift;
        let surprise = |variance: f64| libm::log1p(sum * sum / (free * variance));
        let ln_factor = 0.5 * libm::log(usual / with_shift)
            + 0.5 * (free + 1.0) * (surprise(usual) - surprise(with_shift));
        // To have changed then, the level must not have changed before.
        ln_odds.push(ln_factor + libm::log(rate) - count * libm::log1p(-rate));
        // The shift given the sum has Student's t with one degree of freedom more.
        let mean_by_deviation = shift * sum / (usual * with_shift).sqrt();
        let spread = ((free + sum * sum / with_shift) / (free + 1.0)).sqrt();
        changes.push(Change {
            observations: index + 1,
            probability: 0.0,
            distance: mean_by_deviation / spread,
            degrees_of_freedom: free + 1.0,
        });
    }
    // None has odds 1.
    let largest = ln_odds.iter().copied().fold(0.0, f64::max);
    let total: f64 = ln_odds.iter().map(|ln| libm::exp(ln - largest)).sum();
    let total = total + libm::exp(-largest);
    for (change, ln_odds) in changes.iter_mut().zip(ln_odds) {
        change.probability = libm::exp(ln_odds - largest) / total;
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    /// Against the product of the densities of all scores, integrated over the shift, where level and
    /// deviation are as good as known.
    #[test]
    fn the_posterior_is_that_of_the_whole_likelihood() {
        let mut random = SplitMix64::new(3, 0);
        let history: Vec<f64> = (0..40_000).map(|_| random.normal()).collect();
        let reference =
            FrozenReference::of(&history, 0.0, "test").unwrap_or_else(|_| unreachable!());
        let variance = reference.observations_per_independent();
        // Newest first: three around 1, and two around 0.
        let scores = [1.4, 0.3, 1.9, -0.6, 0.2];
        let rate = 0.1;
        let density = |x: f64, variance: f64| {
            libm::exp(-x * x / (2.0 * variance)) / (std::f64::consts::TAU * variance).sqrt()
        };
        let usual = |scores: &[f64]| {
            scores
                .iter()
                .map(|s| density(*s, variance))
                .product::<f64>()
        };
        let shifted = |scores: &[f64], lowest: f64| {
            let shifts = (-2_000..2_000).map(|step| (f64::from(step) + 0.5) / 100.0);
            shifts
                .filter(|shift| *shift > lowest)
                .map(|shift| {
                    let likelihood: f64 = scores
                        .iter()
                        .map(|s| density(s - shift, variance))
                        .product();
                    0.01 * density(shift, SHIFT_DEVIATION * SHIFT_DEVIATION) * likelihood
                })
                .sum::<f64>()
        };
        let joint = |count: usize, lowest: f64| {
            let (since, before) = scores.split_at(count);
            let earlier = libm::pow(1.0 - rate, before.len() as f64);
            earlier * rate * shifted(since, lowest) * usual(before)
        };
        let none = libm::pow(1.0 - rate, 5.0) * usual(&scores);
        let total = none
            + (1..=5)
                .map(|count| joint(count, f64::NEG_INFINITY))
                .sum::<f64>();
        let changes = posterior(scores.into_iter(), rate, &reference);
        for (change, count) in changes.iter().zip(1..) {
            let close = |ours: f64, theirs: f64| (ours - theirs / total).abs() < 2e-4;
            assert!(
                close(change.probability, joint(count, f64::NEG_INFINITY)),
                "{change:?}"
            );
            assert!(
                close(change.probability_to(Side::Above), joint(count, 0.0)),
                "{change:?}"
            );
        }
    }
}
