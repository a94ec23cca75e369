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
/// deviation; [`deviations`](Divergence::deviations) above it are strange whatever the distribution:
/// more than `k` happens at most once in `1 + k * k` times (Cantelli's inequality), once in 362 for
/// 19.
///
/// Observations are counts per range, one histogram per attribute, in the same order each time.
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
    /// Shares per range, one list per attribute; empty where there was nothing yet.
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
    /// How far the sum lies above the mean of past ones, in standard deviations; negative if below. `None` until 20 divergences are known, or if nothing was compared.
    pub deviations: Option<f64>,
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
        Divergence {
            deviations: known.then(|| (total_bits - self.mean_bits) / deviation),
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
        self.baselines.resize(histograms.len(), Vec::new());
        for (baseline, counts) in self.baselines.iter_mut().zip(histograms) {
            follow(baseline, counts, rate);
        }
    }

    fn deviation_bits(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        (self.squares / f64::from(self.count - 1)).max(0.0).sqrt()
    }
}

/// Moves a baseline towards what was counted; starts it anew where its ranges are others.
#[expect(clippy::cast_possible_truncation, reason = "a share of a whole")]
fn follow(baseline: &mut Vec<f32>, counts: &[u64], rate: f64) {
    let Some(total) = observations(counts) else {
        return;
    };
    let shares = counts.iter().map(|&count| (count as f64 / total) as f32);
    if baseline.len() == counts.len() {
        let rate = rate as f32;
        for (usual, now) in baseline.iter_mut().zip(shares) {
            *usual += rate * (now - *usual);
        }
    } else {
        *baseline = shares.collect();
    }
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
