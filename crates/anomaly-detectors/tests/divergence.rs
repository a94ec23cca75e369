//! Histograms against a baseline that follows them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::HistogramDivergence;
use proptest::collection::vec;
use proptest::prelude::*;

/// Draws `observations` from weights with a small generator, so that the counts are a sample.
fn sample(weights: &[u32], observations: u64, seed: &mut u64) -> Vec<u64> {
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    let mut counts = vec![0; weights.len()];
    for _ in 0..observations {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut left = (*seed >> 33) % total;
        for (count, &weight) in counts.iter_mut().zip(weights) {
            if left < u64::from(weight) {
                *count += 1;
                break;
            }
            left -= u64::from(weight);
        }
    }
    counts
}

fn learnt(weights: &[u32], seed: &mut u64) -> HistogramDivergence {
    let mut usual = HistogramDivergence::default();
    for day in 0..60_u64 {
        usual.learn(&[&sample(weights, 50 + 37 * (day % 7), seed)], 0.1);
    }
    usual
}

proptest! {
    /// No counts, however large, make a result that is not a number, and a state reads back.
    #[test]
    fn any_histograms_have_a_finite_divergence(
        nights in vec(vec(vec(prop_oneof![Just(0), 1..9_u64, any::<u64>()], 0..5), 0..4), 0..40),
        rate in prop_oneof![Just(f64::NAN), -1.0..2.0],
    ) {
        let mut usual = HistogramDivergence::default();
        for night in &nights {
            let night: Vec<&[u64]> = night.iter().map(Vec::as_slice).collect();
            let divergence = usual.of(&night);
            prop_assert!(divergence.total_bits.is_finite() && divergence.total_bits >= 0.0);
            prop_assert!(divergence.deviations.is_none_or(f64::is_finite));
            prop_assert!(divergence.p_value.is_none_or(|p| (1e-12..=1.0).contains(&p)));
            prop_assert_eq!(divergence.p_value.is_some(), divergence.deviations.is_some());
            prop_assert_eq!(divergence.bits.len(), night.len());
            usual.learn(&night, rate);
        }
        let text = serde_json::to_string(&usual).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let read: HistogramDivergence =
            serde_json::from_str(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(read, usual);
    }

    /// Whatever the usual mix is: samples of it are not strange, and files that are nearly all in a
    /// range that was hardly used are.
    #[test]
    fn a_mix_that_was_never_seen_is_strange(
        mut weights in vec(0..100_u32, 3..30),
        mut seed in any::<u64>(),
    ) {
        weights[0] = 0;
        weights[1] = 50;
        let usual = learnt(&weights, &mut seed);
        let ordinary = usual.of(&[&sample(&weights, 90, &mut seed)]).deviations.unwrap_or(f64::NAN);
        prop_assert!(ordinary < 19.0, "{}", ordinary);
        let mut strange = vec![0; weights.len()];
        strange[0] = 300;
        let strange = usual.of(&[&strange]).deviations.unwrap_or(f64::NAN);
        prop_assert!(strange > 19.0, "{}", strange);
    }
}

/// A baseline that follows fast forgets fast.
#[test]
fn the_rate_says_how_soon_a_new_mix_is_usual() {
    let (before, after) = ([100_u64, 0], [0_u64, 100]);
    let after_days = |rate| {
        let mut usual = HistogramDivergence::default();
        for _ in 0..20 {
            usual.learn(&[&before], rate);
        }
        for _ in 0..5 {
            usual.learn(&[&after], rate);
        }
        usual.of(&[&after]).total_bits
    };
    assert!(after_days(0.0) > 7.0);
    assert!(after_days(0.1) > after_days(0.5));
    assert!(after_days(1.0) < 0.02);
}

#[test]
fn too_little_is_an_answer() {
    let mut usual = HistogramDivergence::default();
    assert_eq!(usual.of(&[&[50, 50]]).bits, [None], "no baseline yet");
    usual.learn(&[&[50, 50]], 0.1);
    assert_eq!(usual.of(&[&[5, 5]]).bits, [None], "too few observations");
    assert_eq!(usual.of(&[&[50, 50, 50]]).bits, [None], "other ranges");
    let one = usual.of(&[&[50, 50]]);
    assert_eq!(
        (one.bits.len(), one.deviations),
        (1, None),
        "no past divergences"
    );
}

/// Other ranges than the baseline's are not learnt from one histogram alone, and are from two in a row.
#[test]
fn other_ranges_are_learnt_when_they_come_again() {
    let mut usual = HistogramDivergence::default();
    for night in 0..30 {
        usual.learn(&[&[40 + night % 3, 60, 0], &[9, 20]], 0.1);
    }
    let strange: [&[u64]; 2] = [&[0, 5, 95], &[9, 20]];
    let before = usual.of(&strange);
    assert!(before.deviations > Some(19.0));
    for _ in 0..2 {
        usual.learn(&[&[50, 50], &[9, 20]], 0.0);
        let stored = serde_json::to_string(&usual).unwrap();
        assert_eq!(
            serde_json::from_str::<HistogramDivergence>(&stored).unwrap(),
            usual
        );
        assert_eq!(usual.of(&strange).bits, before.bits);
        assert_eq!(usual.of(&[&[50, 50], &[9, 20]]).bits[0], None);
        usual.learn(&[&[41, 60, 0], &[9, 20]], 0.0);
    }
    for _ in 0..2 {
        usual.learn(&[&[50, 50], &[9, 20]], 0.0);
    }
    assert_eq!(usual.of(&strange).bits[0], None);
    assert_eq!(usual.of(&[&[50, 50], &[9, 20]]).bits[0], Some(0.0));
}

/// However far it lies, a divergence is no rarer than the past ones can say.
#[test]
fn few_past_divergences_say_little() {
    let mut usual = HistogramDivergence::default();
    for _ in 0..29 {
        usual.learn(&[&[95, 5]], 0.1);
    }
    // The first of them had nothing to be compared with.
    let odd = usual.of(&[&[0, 100]]);
    assert!(odd.deviations > Some(19.0));
    assert_eq!(odd.p_value, Some(1.0 / 29.0));
    assert_eq!(usual.of(&[&[95, 5]]).p_value, Some(1.0));
}

/// What the documentation writes, of whole numbers: bits of the shares against those of the baseline,
/// less what chance adds.
fn bits_by_definition(counts: &[u64], usual: &[u64]) -> f64 {
    let total = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
    let (n, all) = (total(counts), total(usual));
    let occupied = counts.iter().filter(|&&count| count > 0).count() as f64;
    let terms = counts.iter().zip(usual).filter(|(count, _)| **count > 0);
    let bits = terms.map(|(&count, &usual)| {
        let share = count as f64 / n;
        // A hundredth of it is spread evenly.
        let usual = 0.99 * usual as f64 / all + 0.01 / counts.len() as f64;
        share * (share / usual).log2()
    });
    (bits.sum::<f64>() - (occupied - 1.0) / (2.0 * n * std::f64::consts::LN_2)).max(0.0)
}

proptest! {
    /// Against a baseline that stays: the bits of each, and mean and deviation of the past ones.
    #[test]
    fn divergences_and_what_is_usual_are_those_of_the_definition(
        nights in vec(vec(0..60_u64, 4), 23..40),
    ) {
        // Enough files in each, and not the same.
        let nights: Vec<Vec<u64>> = nights
            .into_iter()
            .map(|mut night| {
                night[0] += 20;
                night
            })
            .collect();
        let mut usual = HistogramDivergence::default();
        usual.learn(&[&nights[0]], 0.0);
        let mut past = Vec::new();
        for night in &nights[1..] {
            let expected = bits_by_definition(night, &nights[0]);
            let found = usual.of(&[night]);
            prop_assert!((found.total_bits - expected).abs() < 1e-4, "{found:?}, {expected}");
            if past.len() >= 2 {
                let n = past.len() as f64;
                let mean = past.iter().sum::<f64>() / n;
                let squares = past.iter().map(|bits: &f64| (bits - mean).powi(2)).sum::<f64>();
                let deviation = (squares / (n - 1.0)).sqrt().max(0.1);
                prop_assert!((found.usual_bits.0 - mean).abs() < 1e-4);
                prop_assert!((found.usual_bits.1 - deviation).abs() < 1e-4);
                if let Some(deviations) = found.deviations {
                    prop_assert!((deviations - (expected - mean) / deviation).abs() < 1e-2);
                }
            }
            past.push(expected);
            usual.learn(&[night], 0.0);
        }
    }
}

/// However many attributes there are, each is learnt and compared with its own past.
#[test]
fn every_attribute_is_learnt() {
    let night: Vec<Vec<u64>> = (0..5).map(|attribute| vec![30, 10 * attribute]).collect();
    let night: Vec<&[u64]> = night.iter().map(Vec::as_slice).collect();
    let mut usual = HistogramDivergence::default();
    usual.learn(&night, 0.1);
    let bits = usual.of(&night).bits;
    assert!(
        bits.iter().all(|bits| bits.is_some_and(|bits| bits < 0.1)),
        "{bits:?}"
    );
    let other: Vec<&[u64]> = night.iter().map(|_| &[0, 100][..]).collect();
    let bits = usual.of(&other).bits;
    assert!(
        bits.iter().all(|bits| bits.is_some_and(|bits| bits > 0.5)),
        "{bits:?}"
    );
}
