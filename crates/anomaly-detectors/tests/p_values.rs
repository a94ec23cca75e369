//! P-values stay probabilities, and fall as scores rise.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::tail::{
    Efficiency, Side, conformal_p_value, harmonic_mean_p_value, predictive_t_tail,
    student_t_critical_value, student_t_tail,
};
use proptest::prelude::*;

const SIDES: [Side; 3] = [Side::Above, Side::Below, Side::Both];

fn is_probability(p_value: f64) -> bool {
    p_value > 0.0 && p_value <= 1.0
}

fn any_number() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![
        any::<f64>(),
        -50.0..50.0,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(0.0)
    ]
}

proptest! {
    #[test]
    fn any_number_has_a_probability(
        z in any_number(),
        freedom in any_number(),
        observations in 0..200_usize,
        p_values in proptest::collection::vec(any_number(), 0..8),
        weights in proptest::collection::vec(any_number(), 0..8),
    ) {
        for side in SIDES {
            prop_assert!(is_probability(student_t_tail(z, freedom, side)));
            for efficiency in [Efficiency::MEAN_AND_DEVIATION, Efficiency::QUARTILES] {
                prop_assert!(is_probability(predictive_t_tail(z, observations, efficiency, side)));
            }
        }
        prop_assert!(is_probability(conformal_p_value(z, &p_values)));
        prop_assert!(is_probability(harmonic_mean_p_value(&p_values, &weights)));
    }

    #[test]
    fn stranger_is_rarer(
        a in -1e3..1e3,
        b in -1e3..1e3,
        observations in 2..500_usize,
        mut calibration in proptest::collection::vec(-1e3..1e3, 0..50),
    ) {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        calibration.sort_by(f64::total_cmp);
        prop_assert!(conformal_p_value(high, &calibration) <= conformal_p_value(low, &calibration));
        let tail = |z: f64, side| predictive_t_tail(z, observations, Efficiency::MEDIAN_AND_MAD, side);
        let rises = 1.0 + 1e-9;
        prop_assert!(tail(high, Side::Above) <= tail(low, Side::Above) * rises);
        prop_assert!(tail(low, Side::Below) <= tail(high, Side::Below) * rises);
        let (near, far) = if a.abs() <= b.abs() { (a, b) } else { (b, a) };
        prop_assert!(tail(far, Side::Both) <= tail(near, Side::Both) * rises);
    }

    #[test]
    fn a_critical_value_has_its_rate(
        exponent in -200.0..-0.31,
        freedom in prop_oneof![0.5..1e5, Just(f64::INFINITY)],
    ) {
        let rate = 10_f64.powf(exponent);
        for side in SIDES {
            let Some(critical) = student_t_critical_value(rate, freedom, side) else {
                prop_assert!(freedom < 2.0, "{rate} {freedom}");
                continue;
            };
            let tail = student_t_tail(critical, freedom, side);
            prop_assert!((tail / rate - 1.0).abs() < 1e-9, "{tail} is not {rate}");
        }
    }

    #[test]
    fn a_harmonic_mean_lies_between(p_values in proptest::collection::vec(1e-12..1.0, 1..20)) {
        let mean = harmonic_mean_p_value(&p_values, &[]);
        let smallest = p_values.iter().copied().fold(1.0, f64::min);
        let largest = p_values.iter().copied().fold(0.0, f64::max);
        prop_assert!(smallest * (1.0 - 1e-12) <= mean && mean <= largest * (1.0 + 1e-12));
        // One small p-value counts by its share, however close to 1 the others are.
        prop_assert!(mean <= p_values.len() as f64 * smallest * (1.0 + 1e-12));
    }

    #[test]
    fn conformal_p_values_count(calibration in proptest::collection::vec(0..20_i32, 0..60), score in 0..20_i32) {
        let mut sorted: Vec<f64> = calibration.iter().map(|&c| f64::from(c)).collect();
        sorted.sort_by(f64::total_cmp);
        let at_least = calibration.iter().filter(|&&usual| usual >= score).count();
        let expected = (1 + at_least) as f64 / (1 + calibration.len()) as f64;
        prop_assert_eq!(conformal_p_value(f64::from(score), &sorted).to_bits(), expected.to_bits());
    }
}

#[test]
fn nothing_to_go_by_is_no_evidence() {
    assert_eq!(harmonic_mean_p_value(&[], &[]).to_bits(), 1_f64.to_bits());
    assert_eq!(
        harmonic_mean_p_value(&[f64::NAN], &[]).to_bits(),
        1_f64.to_bits()
    );
    assert_eq!(
        harmonic_mean_p_value(&[0.01], &[0.0]).to_bits(),
        1_f64.to_bits()
    );
    assert_eq!(
        predictive_t_tail(9.0, 1, Efficiency::QUARTILES, Side::Both).to_bits(),
        1_f64.to_bits()
    );
    // A p-value of 0 is as small as it gets, not the end of the sum.
    let both = harmonic_mean_p_value(&[0.0, 1.0], &[]);
    assert!((both - 2e-300).abs() < 1e-310);
    // Only the proportions of weights count.
    let heavy = harmonic_mean_p_value(&[0.01, 0.5], &[1e308, 1e308]);
    assert!((heavy - harmonic_mean_p_value(&[0.01, 0.5], &[])).abs() < 1e-12);
}

/// Of two values, the next one has Student's t distribution with one degree of freedom, whose tail is
/// known in closed form; of fewer, nothing is known.
#[test]
fn two_values_say_something_of_a_third() {
    let mean = Efficiency::MEAN_AND_DEVIATION;
    for z in [0.5, 3.0, 40.0] {
        let expected = 1.0 - 2.0 / std::f64::consts::PI * (z / 1.5_f64.sqrt()).atan();
        let found = predictive_t_tail(z, 2, mean, Side::Both);
        assert!(
            (found / expected - 1.0).abs() < 1e-9,
            "{found} for {expected}"
        );
        assert!(predictive_t_tail(z, 1, mean, Side::Both) >= 1.0);
        // Estimators that are less efficient say less.
        assert!(
            predictive_t_tail(z, 9, Efficiency::QUARTILES, Side::Above)
                > predictive_t_tail(z, 9, mean, Side::Above)
        );
    }
}

/// Estimators that are less efficient count as mean and deviation of fewer values: the formula of the
/// documentation, by Student's t alone.
#[test]
fn an_estimator_counts_as_its_efficiency_says() {
    let efficiencies = [
        (Efficiency::MEAN_AND_DEVIATION, 1.0, 1.0),
        (
            Efficiency::MEDIAN_AND_MAD,
            2.0 / std::f64::consts::PI,
            0.3674,
        ),
        (Efficiency::QUARTILES, 0.8079, 0.3674),
    ];
    for (efficiency, location, scale) in efficiencies {
        for n in [4_u16, 20, 300] {
            let count = f64::from(n);
            let widening = f64::sqrt(1.0 + 1.0 / (count * location));
            for side in SIDES {
                let expected = student_t_tail(2.0 / widening, (count - 1.0) * scale, side);
                let found = predictive_t_tail(2.0, n.into(), efficiency, side);
                assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
            }
        }
    }
}

#[test]
fn what_has_no_critical_value() {
    let critical = |rate, freedom| student_t_critical_value(rate, freedom, Side::Above);
    for rate in [f64::NAN, -0.1, 0.0, 1e-305, 0.500_001, 0.9, f64::INFINITY] {
        assert_eq!(critical(rate, 5.0), None, "{rate}");
    }
    for freedom in [f64::NAN, f64::NEG_INFINITY, -1.0, 0.0] {
        assert_eq!(critical(0.1, freedom), None, "{freedom}");
    }
    // So heavy a tail has it beyond all numbers that are looked at.
    assert_eq!(critical(1e-9, 0.01), None);
    assert_eq!(critical(0.5, 5.0), Some(0.0));
}
