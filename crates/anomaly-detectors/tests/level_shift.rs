//! What a level shift's p-value, probability, time and amount promise.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod simulated;

use anomaly_detectors::DetectorError;
use anomaly_detectors::series::{FittedLevelShift, LevelShift, LevelShiftParams};
use anomaly_detectors::tail::Side;
use proptest::collection::vec;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use simulated::{Kind, alarm_percents, any_value, close, delays, promised, series, share};

const SIDES: [Side; 3] = [Side::Above, Side::Below, Side::Both];

fn fit(history: &[f64]) -> FittedLevelShift {
    LevelShift::default().fit(history).unwrap()
}

fn observe(stream: &mut FittedLevelShift, values: &[f64]) {
    for &value in values {
        stream.observe(value);
    }
}

fn after(history: &[f64], later: &[f64]) -> FittedLevelShift {
    let mut stream = fit(history);
    observe(&mut stream, later);
    stream
}

/// Takes values and gives the p-value.
fn p_values(history: &[f64]) -> impl FnMut(&[f64]) -> f64 + use<> {
    let mut stream = fit(history);
    move |values| {
        observe(&mut stream, values);
        stream.p_value(Side::Both)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// At a nominal 1 %, at every one of these times, after references of 20, 60 and 100.
#[test]
fn false_alarms_are_as_few_as_said() {
    let times = [3, 10, 30, 90, 110];
    for (kind, reference) in promised() {
        let percents = alarm_percents(p_values, kind, reference, times);
        let within = |percent: &f64| (0.25..=2.0).contains(percent);
        let all = percents.iter().all(within) && mean(&percents) > 0.45;
        assert!(all, "{kind:?} after {reference}: {percents:?}");
    }
    let percents = alarm_percents(p_values, Kind::Correlated(0.5), 20, times);
    assert!(
        percents.iter().all(|&percent| percent < 3.0),
        "{percents:?}"
    );
}

/// Within 10 and 30 observations of a shift by 1 and 2 deviations, after references of 20, 60, 100.
#[test]
fn shifts_are_found() {
    for (reference, shift, within_10, within_30) in [
        (20, 1.0, 0.10, 0.50),
        (20, 2.0, 0.50, 0.94),
        (60, 1.0, 0.42, 0.90),
        (60, 2.0, 0.93, 0.99),
        (100, 1.0, 0.50, 0.95),
        (100, 2.0, 0.98, 0.99),
    ] {
        let delays = delays(p_values, reference, |_| shift);
        let found = (share(&delays, 10), share(&delays, 30));
        assert!(
            found.0 >= within_10 && found.1 >= within_30,
            "{reference} {shift}: {found:?}"
        );
    }
}

/// The likeliest time is mostly within two observations of the true one, the amount near it; and
/// without a change, high probabilities are rare.
#[test]
fn time_amount_and_probability_of_a_change() {
    let mut random = ChaCha8Rng::seed_from_u64(31);
    let (rounds, mut near, mut sure, mut false_alarms) = (300, 0, 0, 0);
    let mut amounts = Vec::new();
    for _ in 0..rounds {
        let values = series(Kind::Normal, 60, 60, &mut random);
        let mut stream = after(&values[..60], &values[60..100]);
        let quiet = stream.change(Side::Both).unwrap();
        false_alarms += u32::from(quiet.probability > 0.9);
        values[100..]
            .iter()
            .for_each(|value| stream.observe(value - 2.0));
        let change = stream.change(Side::Below).unwrap();
        near += u32::from(change.observations.abs_diff(20) <= 2);
        sure += u32::from(change.probability > 0.99);
        amounts.push(change.amount);
    }
    assert!(near > rounds * 8 / 10, "{near}");
    assert!(sure > rounds * 9 / 10, "{sure}");
    assert!(false_alarms <= rounds / 100, "{false_alarms}");
    assert!((mean(&amounts) + 2.0).abs() < 0.1, "{}", mean(&amounts));
}

/// A new value in a series that never varied is no more than that: one new value of `n + 1`.
#[test]
fn a_constant_reference_supports_little() {
    let constant = [5.0; 30];
    for (value, side) in [
        (6.0, Side::Above),
        (5.000_001, Side::Above),
        (-1e300, Side::Below),
    ] {
        for count in [1, 2, 10, 90] {
            let stream = after(&constant, &vec![value; count]);
            assert!(stream.p_value(side) >= 1.0 / 31.0, "{count} of {value}");
            assert!(
                stream.p_value(Side::Both) >= 1.0 / 31.0,
                "{count} of {value}"
            );
        }
        let stream = after(&constant, &[value; 10]);
        assert!(close(stream.p_value(side), 1.0 / 31.0));
        assert!(stream.change(side).unwrap().probability > 0.9);
        assert_eq!(stream.change(side).unwrap().observations, 10);
    }
    let same = after(&constant, &[5.0; 90]);
    assert!(same.p_value(Side::Both) >= 1.0);
    assert!(same.change(Side::Both).unwrap().probability < 0.5);
    let tolerant = LevelShiftParams::default().min_scale(10.0).check().unwrap();
    let mut tolerant = tolerant.fit(&constant).unwrap();
    (0..20).for_each(|_| tolerant.observe(6.0));
    assert!(tolerant.p_value(Side::Both) > 0.3);
}

#[test]
fn one_wild_value_is_no_shift() {
    let history: Vec<f64> = (0..60).map(|day| f64::from(day * 5 % 7)).collect();
    for wild in [1e300, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(after(&history, &[wild]).p_value(Side::Both) > 0.01);
    }
    let four_nights = after(&history, &[f64::INFINITY; 4]);
    assert!(four_nights.p_value(Side::Above) < 1e-4);
    assert!(four_nights.change(Side::Above).unwrap().amount >= f64::MAX);
}

#[test]
fn what_cannot_be_is_refused() {
    let few = LevelShift::default().fit(&[1.0, f64::NAN, f64::INFINITY, 2.0]);
    let needed = matches!(
        few.unwrap_err(),
        DetectorError::NotEnoughHistory {
            rows: 2,
            needed: 8,
            ..
        }
    );
    assert!(needed);
    for params in [
        LevelShiftParams::default().shift_deviations(0.0),
        LevelShiftParams::default().change_rate(f64::NAN),
        LevelShiftParams::default().change_rate(1.0),
        LevelShiftParams::default().min_scale(-1.0),
    ] {
        assert!(params.check().is_err(), "{params:?}");
    }
    let stored = serde_json::to_string(&after(&[1.0; 9], &[2.0; 3])).unwrap();
    assert!(serde_json::from_str::<FittedLevelShift>(&stored).is_ok());
    for (from, to) in [
        ("level-shift", "slow-drift"),
        ("\"version\":1", "\"version\":2"),
        ("[2.0,", "[1e999,"),
        ("\"deviation\":0.85", "\"deviation\":0.0"),
        ("\"correlation\":0.0", "\"correlation\":1.0"),
    ] {
        assert!(stored.contains(from), "{from} in {stored}");
        let other = stored.replace(from, to);
        assert!(
            serde_json::from_str::<FittedLevelShift>(&other).is_err(),
            "{to}"
        );
    }
    let quiet = fit(&[1.0; 9]);
    assert!(quiet.p_value(Side::Both) >= 1.0 && quiet.change(Side::Both).is_none());
}

proptest! {
    /// Whatever comes, an answer is a number; and one that was stored meanwhile gives the same.
    #[test]
    fn any_data_has_an_answer_and_state_goes_on(
        history in vec(any_value(), 8..60), later in vec(any_value(), 1..130), stop in 0..130_usize,
    ) {
        let fitted = LevelShift::default().fit(&history);
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
        let (low, high) = stream.usual_range();
        prop_assert!(low <= stream.level() && stream.level() <= high);
        for side in SIDES {
            let p_value = stream.p_value(side);
            prop_assert!(p_value > 0.0 && p_value <= 1.0, "{p_value}");
            prop_assert_eq!(stored.p_value(side).to_bits(), p_value.to_bits());
            prop_assert_eq!(stored.change(side), stream.change(side));
            if let Some(change) = stream.change(side) {
                prop_assert!((0.0..=1.0).contains(&change.probability), "{change:?}");
                prop_assert!(change.level.is_finite() && change.amount.is_finite());
                prop_assert!((1..=90).contains(&change.observations));
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
        let mut values = series(Kind::HeavyTails, 40, 40, &mut ChaCha8Rng::seed_from_u64(seed));
        values[60..].iter_mut().for_each(|value| *value += step);
        let judge = |by: &dyn Fn(f64) -> f64| {
            let values: Vec<f64> = values.iter().map(|&value| by(value)).collect();
            after(&values[..40], &values[40..])
        };
        let (before, moved) = (judge(&|value| value), judge(&|value| value * factor + zero));
        for side in SIDES {
            let (p, q) = (before.p_value(side), moved.p_value(side));
            prop_assert!(close(p, q), "{p} {q}");
            let (a, b) = (before.change(side).unwrap(), moved.change(side).unwrap());
            prop_assert!(close(a.probability, b.probability), "{a:?} {b:?}");
            prop_assert!((a.amount * factor - b.amount).abs() < 1e-9 * (1.0 + factor) * 1e3);
        }
        let mirrored = judge(&|value| -value);
        for (side, other) in [(Side::Above, Side::Below), (Side::Below, Side::Above)] {
            let (p, q) = (before.p_value(side), mirrored.p_value(other));
            prop_assert_eq!(p.to_bits(), q.to_bits());
            let (a, b) = (before.change(side).unwrap(), mirrored.change(other).unwrap());
            prop_assert_eq!(a.probability.to_bits(), b.probability.to_bits());
            prop_assert_eq!(a.amount.to_bits(), (-b.amount).to_bits());
        }
        let part = |side| before.change(side).unwrap().probability;
        prop_assert!((part(Side::Above) + part(Side::Below) - part(Side::Both)).abs() < 1e-9);
    }

    /// Damaged states are refused or usable; nothing panics.
    #[test]
    fn garbage_is_no_state(place in 0..200_usize, byte in any::<u8>()) {
        let mut bytes = postcard::to_stdvec(&after(&[1.0, 2.0, 1.0, 3.0, 2.0, 2.0, 9.0, 4.0], &[5.0; 8])).unwrap();
        let place = place % bytes.len();
        bytes[place] = byte;
        if let Ok(stream) = postcard::from_bytes::<FittedLevelShift>(&bytes) {
            prop_assert!(stream.p_value(Side::Both) > 0.0);
            prop_assert!(stream.change(Side::Both).is_some_and(|change| change.probability <= 1.0));
        }
    }
}
