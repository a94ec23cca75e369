//! What a slow drift's windows and p-value promise.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod simulated;

use anomaly_detectors::DetectorError;
use anomaly_detectors::series::{FittedSlowDrift, SlowDrift, SlowDriftParams, WindowDrift};
use anomaly_detectors::tail::Side;
use proptest::collection::vec;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use simulated::{Kind, alarm_percents, any_value, close, delays, promised, series, share};

const SIDES: [Side; 3] = [Side::Above, Side::Below, Side::Both];

fn fit(history: &[f64]) -> FittedSlowDrift {
    SlowDrift::default().fit(history).unwrap()
}

fn observe(stream: &mut FittedSlowDrift, values: &[f64]) {
    for &value in values {
        stream.observe(value);
    }
}

fn after(history: &[f64], later: &[f64]) -> FittedSlowDrift {
    let mut stream = fit(history);
    observe(&mut stream, later);
    stream
}

fn windows(stream: &FittedSlowDrift, side: Side) -> Vec<WindowDrift> {
    stream.windows(side).collect()
}

/// Reads a stored stream in which the first `from` was made `to`.
fn read_with(stream: &FittedSlowDrift, from: f64, to: f64) -> Option<FittedSlowDrift> {
    let mut bytes = postcard::to_stdvec(stream).unwrap();
    let from = from.to_le_bytes();
    let place = bytes.windows(8).position(|window| window == from).unwrap();
    bytes[place..place + 8].copy_from_slice(&to.to_le_bytes());
    postcard::from_bytes(&bytes).ok()
}

/// Takes values and gives the p-value.
fn p_values(history: &[f64]) -> impl FnMut(&[f64]) -> f64 + use<> {
    let mut stream = fit(history);
    move |values| {
        observe(&mut stream, values);
        stream.p_value(Side::Both)
    }
}

/// At a nominal 1 %, at every one of these times, after references of 20, 60 and 100.
#[test]
fn false_alarms_are_as_few_as_said() {
    let times = [7, 20, 30, 90, 110];
    for (kind, reference) in promised() {
        let percents = alarm_percents(p_values, kind, reference, times);
        let least = if kind == Kind::WeekendNoise {
            0.15
        } else {
            0.25
        };
        let within = |percent: &f64| (least..=2.0).contains(percent);
        assert!(
            percents.iter().all(within),
            "{kind:?} after {reference}: {percents:?}"
        );
    }
    let percents = alarm_percents(p_values, Kind::Correlated(0.5), 20, times);
    assert!(
        percents.iter().all(|&percent| percent < 4.0),
        "{percents:?}"
    );
}

/// A twentieth of a deviation more at each observation: how many it takes in half and in nine of ten
/// series, after references of 20, 60 and 100.
#[test]
fn drifts_are_found() {
    for (reference, half, nine_tenths) in [(20, 31, 45), (60, 25, 34), (100, 23, 31)] {
        let delays = delays(p_values, reference, |time| 0.05 * time);
        assert!(share(&delays, half) >= 0.5, "{reference}");
        assert!(share(&delays, nine_tenths) >= 0.9, "{reference}");
    }
}

/// Whoever moves a series by a fiftieth of its deviation a night is far away after a year, and at no
/// night has the reference learnt from it.
#[test]
fn step_by_step_poisoning_does_not_move_the_reference() {
    let mut random = ChaCha8Rng::seed_from_u64(41);
    let values = series(Kind::Normal, 60, 400, &mut random);
    let (history, later) = values.split_at(60);
    let clean = fit(history);
    let mut stream = clean.clone();
    let mut alarms = 0;
    for (night, value) in later.iter().enumerate() {
        stream.observe(value + 0.02 * night as f64);
        alarms += u32::from(stream.p_value(Side::Above) <= 0.001);
        assert_eq!(stream.level().to_bits(), clean.level().to_bits());
        assert_eq!(stream.usual_range(), clean.usual_range());
    }
    // From some night on, every night; and the way that it has come is said.
    assert!(alarms > 320, "{alarms}");
    let amounts: Vec<f64> = windows(&stream, Side::Above)
        .iter()
        .map(|w| w.amount)
        .collect();
    assert!(
        (amounts[0] - 7.9).abs() < 1.0 && (amounts[2] - 7.1).abs() < 0.7,
        "{amounts:?}"
    );
    // Back to what it was, it is what it was.
    history
        .iter()
        .chain(&history[..30])
        .for_each(|&value| stream.observe(value));
    assert!(stream.p_value(Side::Both) > 0.1);
}

#[test]
fn windows_are_judged_when_full() {
    let history: Vec<f64> = (0..60).map(|day| f64::from(day * 5 % 7)).collect();
    let lengths = |count: usize| -> Vec<usize> {
        let stream = after(&history, &vec![3.0; count]);
        windows(&stream, Side::Both)
            .iter()
            .map(|window| window.observations)
            .collect()
    };
    assert!(lengths(6).is_empty());
    assert_eq!(lengths(29), [7]);
    assert_eq!(lengths(30), [7, 30]);
    assert_eq!(lengths(400), [7, 30, 90]);
    assert!(after(&history, &[1e9; 6]).p_value(Side::Both) >= 1.0);
    // Missing values fill none.
    let gaps = after(
        &history,
        &[3.0, f64::NAN, 3.0, 3.0, 3.0, 3.0, f64::NAN, 3.0],
    );
    assert!(windows(&gaps, Side::Both).is_empty());
    // Nor does one wild value make a drift.
    let wild = after(&history, &[3.0, 3.0, 3.0, f64::INFINITY, 3.0, 3.0, 3.0]);
    assert!(wild.p_value(Side::Both) > 0.1);
}

/// A new value in a series that never varied is no more than that: one new value of `n + 1`.
#[test]
fn a_constant_reference_supports_little() {
    for (value, side) in [
        (6.0, Side::Above),
        (5.000_001, Side::Above),
        (-1e300, Side::Below),
    ] {
        for count in [7, 30, 90] {
            let stream = after(&[5.0; 30], &vec![value; count]);
            assert!(
                close(stream.p_value(side), 1.0 / 31.0),
                "{count} of {value}"
            );
            assert!(
                close(stream.p_value(Side::Both), 1.0 / 31.0),
                "{count} of {value}"
            );
        }
    }
    assert!(after(&[5.0; 30], &[5.0; 90]).p_value(Side::Both) >= 1.0);
    let tolerant = SlowDriftParams::default().min_scale(10.0).check().unwrap();
    let mut tolerant = tolerant.fit(&[5.0; 30]).unwrap();
    (0..90).for_each(|_| tolerant.observe(6.0));
    assert!(tolerant.p_value(Side::Both) > 0.3);
}

#[test]
fn what_cannot_be_is_refused() {
    let few = SlowDrift::default().fit(&[1.0, f64::NAN, f64::INFINITY, 2.0]);
    let needed = matches!(
        few.unwrap_err(),
        DetectorError::NotEnoughHistory {
            rows: 2,
            needed: 8,
            ..
        }
    );
    assert!(needed);
    assert!(
        SlowDriftParams::default()
            .min_scale(f64::NAN)
            .check()
            .is_err()
    );
    let stored = serde_json::to_string(&after(&[1.0; 9], &[2.0; 3])).unwrap();
    assert!(serde_json::from_str::<FittedSlowDrift>(&stored).is_ok());
    for (from, to) in [
        ("slow-drift", "level-shift"),
        ("\"version\":1", "\"version\":2"),
        ("\"mean\":0.0", "\"mean\":9.0"),
    ] {
        assert!(stored.contains(from), "{from} in {stored}");
        let other = stored.replace(from, to);
        assert!(
            serde_json::from_str::<FittedSlowDrift>(&other).is_err(),
            "{to}"
        );
    }
}

/// Each number of a reference and each observation has a range, and an observation too many is refused.
#[test]
fn a_reference_of_no_fit_is_refused() {
    let history: Vec<f64> = (0..20).map(|day| f64::from(day * 7 % 20) / 4.0).collect();
    let stream = after(&history, &[777.25; 90]);
    let stored = serde_json::to_value(&stream).unwrap();
    let reference = &stored["since"]["reference"];
    let number = |name: &str| reference[name].as_f64().unwrap();
    let (low, high) = stream.usual_range();
    for (from, others) in [
        (777.25, [777.5, -777.5, f64::INFINITY, f64::NAN]),
        (low, [low - 1.0, high, f64::NEG_INFINITY, high + 1.0]),
        (high, [high + 1.0, low, f64::INFINITY, low - 1.0]),
        (number("deviation"), [0.85, 2.5, 0.84, 5.1]),
        (number("correlation"), [-0.05, 0.9, -0.06, 0.91]),
    ] {
        let read = others.map(|to| read_with(&stream, from, to).is_some());
        assert_eq!(read, [true, true, false, false], "{from} {others:?}");
    }
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut stored = stored.clone();
        change(&mut stored["since"]);
        serde_json::from_str::<FittedSlowDrift>(&stored.to_string()).is_ok()
    };
    assert!(changed(&|_| {}));
    assert!(changed(
        &|since| since["reference"]["baseline"][2] = 8.into()
    ));
    assert!(!changed(
        &|since| since["reference"]["baseline"][2] = 7.into()
    ));
    for (mean, possible) in [(2.5, true), (-2.5, true), (2.6, false), (-2.6, false)] {
        assert_eq!(
            changed(&|since| since["reference"]["mean"] = mean.into()),
            possible,
            "{mean}"
        );
    }
    assert!(!changed(&|since| since["recent"]
        .as_array_mut()
        .unwrap()
        .push(1.0.into())));
}

proptest! {
    /// Whatever comes, an answer is a number; and one that was stored meanwhile gives the same.
    #[test]
    fn any_data_has_an_answer_and_state_goes_on(
        history in vec(any_value(), 8..60), later in vec(any_value(), 1..130), stop in 0..130_usize,
    ) {
        let fitted = SlowDrift::default().fit(&history);
        prop_assume!(fitted.is_ok());
        let (mut stream, mut stored) = (fitted.clone().unwrap(), fitted.unwrap());
        for (index, &value) in later.iter().enumerate() {
            if index == stop {
                let bytes = postcard::to_stdvec(&stored).unwrap();
                prop_assert!(bytes.len() < 1_024);
                stored = postcard::from_bytes(&bytes).unwrap();
            }
            stream.observe(value);
            stored.observe(value);
        }
        prop_assert_eq!(&stream, &stored);
        for side in SIDES {
            let p_value = stream.p_value(side);
            prop_assert!(p_value > 0.0 && p_value <= 1.0, "{p_value}");
            prop_assert_eq!(stored.p_value(side).to_bits(), p_value.to_bits());
            for window in windows(&stream, side) {
                prop_assert!(window.level.is_finite() && window.amount.is_finite());
                prop_assert!(window.p_value > 0.0 && window.p_value <= 1.0);
            }
        }
    }

    /// The reference stays, whatever is observed: 90 observations later all else is forgotten.
    #[test]
    fn nothing_moves_the_reference(
        history in vec(-1e3..1e3_f64, 8..60), poison in vec(any_value(), 0..300),
        later in vec(-1e3..1e3_f64, 90),
    ) {
        let mut stream = after(&history, &poison);
        observe(&mut stream, &later);
        prop_assert_eq!(stream, after(&history, &later));
    }

    /// Neither the unit nor the zero of the values matters, and up is to down as down to up.
    #[test]
    fn what_should_not_matter_does_not(
        seed in any::<u64>(), step in -3.0..3.0_f64, factor in 0.001..1000.0_f64, zero in -1e3..1e3_f64,
    ) {
        let mut values = series(Kind::Lognormal, 40, 90, &mut ChaCha8Rng::seed_from_u64(seed));
        values[60..].iter_mut().for_each(|value| *value += step);
        let judge = |by: &dyn Fn(f64) -> f64| {
            let values: Vec<f64> = values.iter().map(|&value| by(value)).collect();
            after(&values[..40], &values[40..])
        };
        let (before, moved) = (judge(&|value| value), judge(&|value| value * factor + zero));
        for side in SIDES {
            let (p, q) = (before.p_value(side), moved.p_value(side));
            prop_assert!(close(p, q), "{p} {q}");
            for (a, b) in before.windows(side).zip(moved.windows(side)) {
                prop_assert!((a.amount * factor - b.amount).abs() < 1e-6 * (1.0 + factor));
            }
        }
        let mirrored = judge(&|value| -value);
        for (side, other) in [(Side::Above, Side::Below), (Side::Below, Side::Above)] {
            let (p, q) = (before.p_value(side), mirrored.p_value(other));
            prop_assert_eq!(p.to_bits(), q.to_bits());
        }
    }
}
