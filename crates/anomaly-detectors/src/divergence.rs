//! How far histograms lie from the usual ones.

use serde::{Deserialize, Serialize};

/// The part of every baseline that is spread evenly over its ranges, so that what was never seen
/// is far and not infinitely far.
const SPREAD: f64 = 0.01;
/// Smaller differences between divergences, in bits, do not matter.
const LEAST_DEVIATION_BITS: f64 = 0.1;
/// A histogram of fewer observations says more about chance than about what it counts.
const FEWEST_OBSERVATIONS: u64 = 20;
/// Fewer past divergences say nothing about how large they usually are.
const FEWEST_DIVERGENCES: u32 = 20;

/// How far a set of histograms lies from a baseline that follows them, and how far it usually does.
///
/// The distance is the Kullback-Leibler divergence from the baseline (Kullback and Leibler, Annals
/// of Mathematical Statistics 22, 1951) in bits, summed over the histograms and corrected for the
/// bias of few observations (Miller, 1955). Distances in the past have a mean and a standard
/// deviation; how many [`deviations`](Divergence::deviations) the next one lies above the mean says
/// how strange it is, as far as so many past ones can say: see [`Divergence::p_value`].
///
/// Observations are counts per range, one histogram per attribute, in the same order each time. Where
/// a histogram has another number of ranges than its baseline, it is neither compared nor learnt; if
/// the next one has as many, these are its ranges from then on.
///
/// ```
/// use anomaly_detectors::HistogramDivergence;
///
/// let mut usual = HistogramDivergence::default();
/// for night in 0..30 {
///     let documents = [40 + night % 3, 60, 0];
///     usual.learn(&[&documents], 0.1);
/// }
/// let strange = usual.of(&[&[0, 5, 95]]);
/// assert!(strange.deviations.is_some_and(|deviations| deviations > 19.0));
/// let ordinary = usual.of(&[&[45, 55, 0]]);
/// assert!(ordinary.deviations.is_some_and(|deviations| deviations < 3.0));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HistogramDivergence {
    /// Shares per range, one list per attribute; empty where there was nothing yet. Behind them, if
    /// the last histogram of an attribute had other ranges, as many lists again: its shares.
    baselines: Vec<Vec<f32>>,
    count: u32,
    mean_bits: f64,
    /// Sum of squared differences from the mean (Welford, Technometrics 4, 1962).
    squares: f64,
}

/// How far histograms lie from their baseline.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Divergence {
    /// Bits per attribute; `None` where there is nothing to compare.
    pub bits: Vec<Option<f64>>,
    /// The sum, in bits.
    pub total_bits: f64,
    /// How far the sum lies above the mean of past ones, in standard deviations; negative if below.
    /// `None` until 20 divergences are known, or if nothing was compared.
    pub deviations: Option<f64>,
    /// How often at most the next divergence lies so far above the mean of the past ones, if it is one
    /// of their kind, whatever their distribution: at least `1 / (n + 1)` with `n` past ones, at most
    /// 1. `None` as the deviations.
    ///
    /// Of `n + 1` values no more than `(n + 1) / n * ((n * n - 1) / (n * k * k) + 1)`, rounded down,
    /// can lie `k` deviations or more from the mean of the others (Saw, Yang and Mo, "Chebyshev
    /// Inequality with Estimated Mean and Variance", The American Statistician 38, 1984), and the next
    /// one is any of them. For 19 deviations that is one in `n + 1` up to 358 past ones.
    pub p_value: Option<f64>,
    /// Mean and standard deviation of past divergences, in bits; the latter at least 0.1.
    pub usual_bits: (f64, f64),
}

impl HistogramDivergence {
    /// How far `histograms` lie from the baseline. Attributes with fewer than 20 observations, or
    /// with other ranges than before, are left out.
    #[must_use]
    pub fn of(&self, histograms: &[&[u64]]) -> Divergence {
        let bits: Vec<Option<f64>> = histograms
            .iter()
            .enumerate()
            .map(|(attribute, counts)| divergence_bits(counts, self.baselines.get(attribute)?))
            .collect();
        let total_bits = bits.iter().flatten().sum();
        let compared = bits.iter().any(Option::is_some);
        let deviation = self.deviation_bits().max(LEAST_DEVIATION_BITS);
        let known = compared && self.count >= FEWEST_DIVERGENCES;
        let deviations = known.then(|| (total_bits - self.mean_bits) / deviation);
        Divergence {
            deviations,
            p_value: deviations.map(|deviations| p_value(deviations, self.count)),
            usual_bits: (self.mean_bits, deviation),
            bits,
            total_bits,
        }
    }

    /// Takes a usual set of histograms in: how far it lies from the baseline is how far usual ones
    /// do, and the baseline moves towards it by `rate`, which is clamped to 0 to 1.
    pub fn learn(&mut self, histograms: &[&[u64]], rate: f64) {
        let divergence = self.of(histograms);
        if divergence.bits.iter().any(Option::is_some) {
            self.count = self.count.saturating_add(1);
            let before = divergence.total_bits - self.mean_bits;
            self.mean_bits += before / f64::from(self.count);
            self.squares += before * (divergence.total_bits - self.mean_bits);
        }
        let rate = if rate.is_nan() {
            0.0
        } else {
            rate.clamp(0.0, 1.0)
        };
        let attributes = histograms.len();
        self.baselines.resize(2 * attributes, Vec::new());
        let (baselines, others) = self.baselines.split_at_mut(attributes);
        for ((baseline, other), counts) in baselines.iter_mut().zip(others).zip(histograms) {
            follow(baseline, other, counts, rate);
        }
        if self.baselines.iter().skip(attributes).all(Vec::is_empty) {
            self.baselines.truncate(attributes);
        }
    }

    fn deviation_bits(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        (self.squares / f64::from(self.count - 1)).max(0.0).sqrt()
    }
}

/// Moves a baseline towards what was counted. Where its ranges are others, it starts anew only if
/// those of the histogram before, `other`, were so too: one odd record takes nothing away.
#[expect(clippy::cast_possible_truncation, reason = "a share of a whole")]
fn follow(baseline: &mut Vec<f32>, other: &mut Vec<f32>, counts: &[u64], rate: f64) {
    let Some(total) = observations(counts) else {
        return;
    };
    if other.len() == counts.len() {
        *baseline = std::mem::take(other);
    }
    let shares = counts.iter().map(|&count| (count as f64 / total) as f32);
    if baseline.len() == counts.len() {
        other.clear();
        let rate = rate as f32;
        for (usual, now) in baseline.iter_mut().zip(shares) {
            *usual += rate * (now - *usual);
        }
    } else if baseline.is_empty() {
        *baseline = shares.collect();
    } else {
        *other = shares.collect();
    }
}

/// See [`Divergence::p_value`].
fn p_value(deviations: f64, past: u32) -> f64 {
    let n = f64::from(past);
    if deviations <= 0.0 {
        return 1.0;
    }
    let distance = (n * n - 1.0) / (n * deviations * deviations);
    let as_far = ((n + 1.0) / n * (distance + 1.0)).floor();
    (as_far / (n + 1.0)).min(1.0)
}

/// How many observations a histogram holds, if they say anything.
fn observations(counts: &[u64]) -> Option<f64> {
    let total: u64 = counts
        .iter()
        .fold(0, |sum, &count| sum.saturating_add(count));
    (total >= FEWEST_OBSERVATIONS).then_some(total as f64)
}

fn divergence_bits(counts: &[u64], baseline: &[f32]) -> Option<f64> {
    let total = observations(counts)?;
    if baseline.len() != counts.len() {
        return None;
    }
    let even = SPREAD / counts.len() as f64;
    let mut bits = 0.0;
    let mut occupied = 0.0;
    for (&count, &usual) in counts.iter().zip(baseline).filter(|(count, _)| **count > 0) {
        let share = count as f64 / total;
        let usual = (1.0 - SPREAD) * f64::from(usual) + even;
        bits += share * libm::log2(share / usual);
        occupied += 1.0;
    }
    let chance = (occupied - 1.0) / (2.0 * total * std::f64::consts::LN_2);
    Some((bits - chance).max(0.0))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::p_value;

    proptest! {
        /// Of any values, no more lie so far above the mean of the others than the p-value says.
        #[test]
        fn no_more_lie_so_far_away_than_the_p_value_says(
            values in vec(prop_oneof![0.0..1.0, 0.0..20.0, Just(3.0)], 5..40),
        ) {
            let n = values.len() - 1;
            let distance = |index: usize| {
                let others = || values.iter().enumerate().filter(|(at, _)| *at != index);
                let mean = others().map(|(_, value)| value).sum::<f64>() / n as f64;
                let squares = others().map(|(_, value)| (value - mean).powi(2)).sum::<f64>();
                (values[index] - mean) / (squares / (n - 1) as f64).sqrt().max(1e-6)
            };
            let distances: Vec<f64> = (0..=n).map(distance).collect();
            for far in distances.iter().filter(|distance| **distance > 0.0) {
                let as_far = distances.iter().filter(|other| *other >= far).count() as f64;
                let p_value = p_value(*far * (1.0 - 1e-9), u32::try_from(n).unwrap_or(0));
                prop_assert!(as_far / (n + 1) as f64 <= p_value + 1e-12, "{far}: {p_value}");
            }
        }
    }

    #[test]
    fn many_past_ones_say_what_all_would() {
        assert!((p_value(1e9, 29) - 1.0 / 30.0).abs() < 1e-12);
        assert!((p_value(19.0, 358) - 1.0 / 359.0).abs() < 1e-12);
        assert!((p_value(19.0, 359) - 2.0 / 360.0).abs() < 1e-12);
        assert!((p_value(19.0, 361_000_000) - 1.0 / 361.0).abs() < 1e-8);
        assert!(p_value(-1.0, 29) >= 1.0 && p_value(1e-300, 29) >= 1.0);
    }

    /// Two of `n + 1` values can lie `k` deviations above the mean of the others up to `k` of
    /// `(n + 1) / sqrt(n)`, where the bound is a whole number.
    #[test]
    fn two_can_lie_so_far_and_no_farther() {
        for n in [20_u32, 50, 500] {
            let all = f64::from(n + 1);
            let farthest = all / f64::from(n).sqrt();
            let as_far = |deviations: f64| p_value(deviations, n) * all;
            assert!((as_far(farthest * (1.0 - 1e-9)) - 2.0).abs() < 1e-9);
            assert!((as_far(farthest * (1.0 + 1e-9)) - 1.0).abs() < 1e-9);
        }
    }
}
