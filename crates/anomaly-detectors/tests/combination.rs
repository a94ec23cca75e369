//! Combining p-values, and choosing among them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::tail::{cauchy_p_value, discoveries, harmonic_mean_p_value};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn any_p_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        0.0..=1.0_f64,
        Just(0.0),
        Just(1.0),
        Just(1e-200),
        Just(f64::NAN),
        -9.0..9.0_f64
    ]
}

/// The textbook's procedure, written as it is stated.
fn by_definition(p_values: &[f64], rate: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let count = p_values.len() as f64;
    let last = (1..=order.len())
        .rfind(|&rank| p_values[order[rank - 1]] <= rate * rank as f64 / count)
        .unwrap_or(0);
    let mut called = vec![false; p_values.len()];
    order[..last].iter().for_each(|&place| called[place] = true);
    called
}

proptest! {
    #[test]
    fn a_combination_is_a_probability(p_values in vec(any_p_value(), 0..30)) {
        let combined = cauchy_p_value(&p_values);
        prop_assert!(combined > 0.0 && combined <= 1.0, "{combined}");
    }

    /// Less evidence in one place never makes more evidence of all.
    #[test]
    fn a_combination_grows_with_each_part(
        p_values in vec(1e-12..1.0_f64, 1..20), place in 0..20_usize, factor in 1.0..100.0_f64,
    ) {
        let mut weaker = p_values.clone();
        let place = place % weaker.len();
        weaker[place] = (weaker[place] * factor).min(1.0);
        let slack = 1e-12 * cauchy_p_value(&p_values);
        prop_assert!(cauchy_p_value(&weaker) + slack >= cauchy_p_value(&p_values));
    }

    /// One alone is itself, below the certainty that counts as less, and as many like it are too.
    #[test]
    fn one_is_itself(
        p_value in prop_oneof![0.001..0.99, (-200.0..-3.0).prop_map(|power| 10_f64.powf(power))],
        count in 1..9_usize,
    ) {
        let combined = cauchy_p_value(&vec![p_value; count]);
        prop_assert!((combined / p_value - 1.0).abs() < 1e-9, "{combined} for {p_value}");
    }

    /// One that is tiny decides, as it does in the harmonic mean.
    #[test]
    fn one_small_p_value_decides(exponent in -250.0..-8.0_f64, others in vec(0.05..0.9_f64, 1..20)) {
        let small = 10_f64.powf(exponent);
        let all: Vec<f64> = others.iter().copied().chain([small]).collect();
        let (cauchy, harmonic) = (cauchy_p_value(&all), harmonic_mean_p_value(&all, &[]));
        prop_assert!((cauchy / harmonic - 1.0).abs() < 0.01, "{cauchy} {harmonic}");
    }

    #[test]
    fn discoveries_are_those_of_the_definition(
        p_values in vec(0.0..0.2_f64, 0..40), rate in 0.0..0.5_f64,
    ) {
        prop_assert_eq!(discoveries(&p_values, rate), by_definition(&p_values, rate));
    }
}

/// At a rate of 10 %, with a tenth of the p-values from attacks, at most about 9 % are false.
#[test]
fn false_discoveries_are_as_rare_as_promised() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let (mut share, nights) = (0.0, 2_000);
    for _ in 0..nights {
        let p_values: Vec<f64> = (0..100)
            .map(|job| random.random::<f64>().powi(if job < 10 { 12 } else { 1 }))
            .collect();
        let called = discoveries(&p_values, 0.1);
        let all = called.iter().filter(|called| **called).count();
        let false_ones = called[10..].iter().filter(|called| **called).count();
        share += false_ones as f64 / all.max(1) as f64;
    }
    let share = share / f64::from(nights);
    assert!((0.07..=0.1).contains(&share), "{share}");
}

#[test]
fn odd_input_is_defined() {
    assert_eq!(discoveries(&[], 0.1), [false; 0]);
    assert_eq!(discoveries(&[f64::NAN, 0.01], f64::NAN), [false, false]);
    assert_eq!(discoveries(&[f64::NAN, 0.01], 0.1), [false, true]);
    assert_eq!(discoveries(&[0.0, 1.0], 7.0), [true, true]);
    assert!(cauchy_p_value(&[f64::NAN]) >= 1.0);
}
