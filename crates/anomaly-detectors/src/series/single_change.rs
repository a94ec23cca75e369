//! How likely a level has changed, and when, by Bayes' rule.

use super::frozen_reference::FrozenReference;
use crate::tail::{Side, student_t_tail};

/// How far levels change, in deviations: the deviation of a normal distribution around 0. Scores
/// are bounded: more can hardly be seen.
const SHIFT_DEVIATION: f64 = 2.0;

/// The probability of a change to `side` just before the last observation, before the last two, and
/// so on to before all `scores` (newest first): the posterior distribution over the time of at most
/// one change. For both sides, what is missing to 1 is that there was none.
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
    side: Side,
) -> Vec<f64> {
    let hypotheses: Vec<Hypothesis> = sums(scores)
        .map(|(count, sum)| Hypothesis::of(count, sum, rate, reference))
        .collect();
    // That there was no change has odds 1.
    let largest = hypotheses.iter().map(|h| h.ln_odds).fold(0.0, f64::max);
    let odds = |hypothesis: &Hypothesis| libm::exp(hypothesis.ln_odds - largest);
    let total = libm::exp(-largest) + hypotheses.iter().map(odds).sum::<f64>();
    hypotheses
        .iter()
        .map(|hypothesis| odds(hypothesis) / total * hypothesis.share_on(side))
        .collect()
}

/// How many scores there are up to each, and their sum.
fn sums(scores: impl Iterator<Item = f64>) -> impl Iterator<Item = (f64, f64)> {
    scores.scan((0.0, 0.0), |(count, sum), score| {
        *count += 1.0;
        *sum += score;
        Some((*count, *sum))
    })
}

/// That the level changed just before the last so many scores.
#[derive(Debug, Clone, Copy)]
struct Hypothesis {
    /// Against no change.
    ln_odds: f64,
    /// How far above 0 the shift is, in its own deviations: Student's t.
    distance: f64,
    degrees_of_freedom: f64,
}

impl Hypothesis {
    fn of(count: f64, sum: f64, rate: f64, reference: &FrozenReference) -> Self {
        let free = reference.degrees_of_freedom();
        let error = count / reference.observations() as f64;
        let usual = reference.observations_per_independent() * count * (1.0 + error);
        let shift = count * SHIFT_DEVIATION;
        let shifted = usual + shift * shift;
        let surprise = |variance: f64| libm::log1p(sum * sum / (free * variance));
        let ln_factor = 0.5 * libm::log(usual / shifted)
            + 0.5 * (free + 1.0) * (surprise(usual) - surprise(shifted));
        // The shift given the sum has Student's t with one degree of freedom more.
        let spread = ((free + sum * sum / shifted) / (free + 1.0)).sqrt();
        Self {
            // To have changed then, the level must not have changed before.
            ln_odds: ln_factor + libm::log(rate) - count * libm::log1p(-rate),
            distance: shift * sum / (usual * shifted).sqrt() / spread,
            degrees_of_freedom: free + 1.0,
        }
    }

    /// How much of the shift's distribution is on `side` of 0.
    fn share_on(&self, side: Side) -> f64 {
        match side {
            Side::Both => 1.0,
            // What is above 0 of a distribution around `distance` is what is above `-distance` of
            // one around 0.
            Side::Above | Side::Below => {
                student_t_tail(-self.distance, self.degrees_of_freedom, side)
            }
        }
    }
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
        for (side, lowest) in [(Side::Both, f64::NEG_INFINITY), (Side::Above, 0.0)] {
            let ours = posterior(scores.into_iter(), rate, &reference, side);
            for (ours, count) in ours.into_iter().zip(1..) {
                let theirs = joint(count, lowest) / total;
                assert!((ours - theirs).abs() < 2e-4, "{count}: {ours} {theirs}");
            }
        }
    }
}
