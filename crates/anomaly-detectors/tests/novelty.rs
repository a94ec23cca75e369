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

proptest! {
    /// With the value counted, the share of all values that were seen no more often.
    #[test]
    fn p_values_count_what_is_as_rare(history in vec(0..9_i32, 8..60), value in 0..10_i32) {
        let numbers: Vec<f64> = history.iter().map(|&value| value.into()).collect();
        let mut all = history;
        all.push(value);
        let count = |value: i32| all.iter().filter(|other| **other == value).count();
        let rare = all.iter().filter(|other| count(**other) <= count(value)).count();
        let p_value = fit(&numbers, 0.0).p_value(value.into());
        prop_assert!((p_value - rare as f64 / all.len() as f64).abs() < 1e-12, "{p_value}");
    }
}

/// Values are rounded to multiples of the resolution, which is what is stored of them.
#[test]
fn values_are_rounded_to_multiples() {
    for resolution in [0.25, 10.0] {
        let fitted = fit(&[2.0 * resolution; 8], resolution);
        let seen = |multiple: f64| fitted.seen(multiple * resolution);
        assert_eq!((seen(1.51), seen(2.49)), (8, 8));
        assert_eq!((seen(1.49), seen(2.51), seen(0.01)), (0, 0, 0));
        let stored = serde_json::to_value(&fitted).unwrap();
        assert_eq!(stored["counts"], serde_json::json!([[2.0 * resolution, 8]]));
    }
}

#[test]
fn counts_of_no_fit_are_refused() {
    let stored =
        serde_json::to_string(&fit(&[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0], 0.0)).unwrap();
    assert!(stored.contains("[[1.0,4],[2.0,3],[3.0,1]]"), "{stored}");
    let read = |counts: &str| {
        let changed = stored.replace("[[1.0,4],[2.0,3],[3.0,1]]", counts);
        serde_json::from_str::<FittedNovelty>(&changed).is_ok()
    };
    assert!(read("[[1.0,4],[2.0,3]]"));
    for counts in [
        "[[2.0,4],[1.0,3]]",
        "[[1.0,4],[1.0,3]]",
        "[[1.0,4],[2.0,0]]",
    ] {
        assert!(!read(counts), "{counts}");
    }
    let not_a_number = (
        "novelty",
        1_u32,
        NoveltyParams::default(),
        [(f64::NAN, 9_u32)].as_slice(),
    );
    let bytes = postcard::to_stdvec(&not_a_number).unwrap();
    assert!(postcard::from_bytes::<FittedNovelty>(&bytes).is_err());
}
