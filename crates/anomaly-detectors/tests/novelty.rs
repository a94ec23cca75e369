//! What counting values promises.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::DetectorError;
use anomaly_detectors::series::{FittedNovelty, NoveltyParams};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn fit(history: &[f64], resolution: f64) -> FittedNovelty {
    NoveltyParams::default()
        .resolution(resolution)
        .check()
        .unwrap()
        .fit(history)
        .unwrap()
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0..5_i32).prop_map(f64::from),
        -1e9..1e9_f64,
        Just(-0.0),
        Just(f64::INFINITY),
        Just(f64::MIN),
        Just(f64::NAN),
    ]
}

proptest! {
    #[test]
    fn every_value_has_a_probability(
        mut history in vec(any_value(), 8..80), value in any_value(), resolution in 0.0..3.0_f64,
    ) {
        prop_assume!(history.iter().filter(|value| !value.is_nan()).count() >= 8);
        let fitted = fit(&history, resolution);
        let p_value = fitted.p_value(value);
        prop_assert!(p_value > 0.0 && p_value <= 1.0);
        // What was seen more often is not rarer, and the order of the history does not matter.
        for other in history.clone() {
            if fitted.seen(other) > fitted.seen(value) && !value.is_nan() {
                prop_assert!(fitted.p_value(other) >= p_value);
            }
        }
        history.reverse();
        prop_assert_eq!(&fit(&history, resolution), &fitted);
        let bytes = postcard::to_stdvec(&fitted).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<FittedNovelty>(&bytes).unwrap(), &fitted);
    }

    /// Damaged states are refused or usable; nothing panics.
    #[test]
    fn garbage_is_no_state(bytes in vec(any::<u8>(), 0..80)) {
        if let Ok(fitted) = postcard::from_bytes::<FittedNovelty>(&bytes) {
            prop_assert!(fitted.p_value(1.0) > 0.0);
        }
    }
}

/// At most a share `p` of usual values has a p-value of at most `p`: at 1 % and at 5 %, on histories
/// of 20 and 100 of which most are ties.
#[test]
fn p_values_hold_on_tied_series() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for length in [20, 100] {
        let (mut one, mut five, rounds) = (0, 0, 4_000);
        for _ in 0..rounds {
            let mut draw = || {
                if random.random_bool(0.7) {
                    0.0
                } else {
                    f64::from(random.random_range(1..20))
                }
            };
            let history: Vec<f64> = (0..length).map(|_| draw()).collect();
            let p_value = fit(&history, 0.0).p_value(draw());
            one += u32::from(p_value <= 0.01);
            five += u32::from(p_value <= 0.05);
        }
        assert!(one * 100 <= rounds * 12 / 10, "{one}");
        assert!(five * 20 <= rounds * 11 / 10, "{five}");
    }
}

#[test]
fn odd_input_is_defined() {
    let few = NoveltyParams::default()
        .check()
        .unwrap()
        .fit(&[1.0, f64::NAN, 2.0])
        .unwrap_err();
    assert!(matches!(
        few,
        DetectorError::NotEnoughHistory {
            rows: 2,
            needed: 8,
            ..
        }
    ));
    let fitted = fit(&[0.0, -0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0], 1.0);
    assert_eq!(
        (fitted.seen(0.3), fitted.seen(0.6), fitted.observations()),
        (8, 0, 8)
    );
    assert!(fitted.p_value(f64::NAN) >= 1.0);
    assert!(NoveltyParams::default().resolution(-1.0).check().is_err());
}
