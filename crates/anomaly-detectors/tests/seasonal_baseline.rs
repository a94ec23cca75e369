//! What a seasonal baseline promises.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::series::{FittedSeasonalBaseline, Point, SeasonalBaselineParams};
use anomaly_detectors::tail::Side;
use anomaly_detectors::{DetectorError, MAX_DISTANCE};
use proptest::collection::vec;
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn fit(points: &[Point]) -> FittedSeasonalBaseline {
    SeasonalBaselineParams::default()
        .check()
        .unwrap()
        .fit(points)
        .unwrap()
}

/// A normal variable, as the sum of twelve uniform ones (exact to far beyond four deviations here).
fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

/// `length` days of one of seven kinds of series, with errors of deviation about 1.
fn series(kind: usize, length: usize, random: &mut impl Rng) -> Vec<Point> {
    let first: f64 = random.random_range(0..7_u8).into();
    let slope = random.random_range(-0.15..0.15);
    let week: Vec<f64> = (0..7).map(|_| 3.0 * normal(random)).collect();
    (0..length)
        .map(|index| {
            let day = first + index as f64;
            let mut error = normal(random);
            if kind == 1 {
                // Heavy tails: Student's t with three degrees of freedom, scaled.
                let squares = (0..3).map(|_| normal(random).powi(2)).sum::<f64>();
                error /= squares.sqrt();
            }
            if kind == 2 {
                error = ((0.5 * error).exp() - 1.133) / 0.604;
            }
            if kind == 3 && index + 1 < length && random.random_bool(0.05) {
                error += if random.random_bool(0.5) { 6.0 } else { -6.0 };
            }
            let trend = if matches!(kind, 4 | 6) {
                slope * day
            } else {
                0.0
            };
            let season = if matches!(kind, 5 | 6) {
                week[index % 7]
            } else {
                0.0
            };
            Point::new(day, 100.0 + trend + season + error)
        })
        .collect()
}

/// Jumps of four to eight deviations are found, and at a nominal 1 % the alarms are few.
#[test]
fn jumps_stand_out_of_trend_week_and_noise() {
    const SERIES: usize = 400;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut usual, mut jumped, mut nominal) = (Vec::new(), Vec::new(), 0);
    for kind in 0..7 {
        for _ in 0..SERIES {
            let points = series(kind, 61, &mut random);
            let (last, history) = points.split_last().unwrap();
            let fitted = fit(history);
            let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
            let value = last.value + side * random.random_range(4.0..8.0);
            usual.push(fitted.distance(last).abs());
            jumped.push(fitted.distance(&Point { value, ..*last }).abs());
            nominal += usize::from(fitted.p_value(last, Side::Both) < 0.01);
        }
    }
    usual.sort_by(f64::total_cmp);
    let threshold = usual[usual.len() - 1 - usual.len() / 100];
    let found = jumped.iter().filter(|&&score| score > threshold).count();
    let found = found as f64 / jumped.len() as f64;
    let below = |score: &f64| usual.partition_point(|usual| usual < score) as f64;
    let auroc = jumped.iter().map(below).sum::<f64>() / (usual.len() * jumped.len()) as f64;
    assert!(auroc > 0.99, "{auroc}");
    assert!(found > 0.88, "{found}");
    // Two of the seven kinds have heavier tails than the t distribution allows for.
    let per_thousand = nominal * 1_000 / usual.len();
    assert!((5..=20).contains(&per_thousand), "{per_thousand}");
}

/// A pattern is learnt when it is there, and not otherwise.
#[test]
fn patterns_are_earned() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut learnt = [0; 7];
    for (kind, learnt) in learnt.iter_mut().enumerate() {
        for _ in 0..20 {
            *learnt += u32::from(fit(&series(kind, 60, &mut random)).has_week());
        }
    }
    assert!(learnt[5] >= 18 && learnt[6] >= 18, "{learnt:?}");
    assert!(learnt[0] + learnt[4] <= 4, "{learnt:?}");
    // Two weeks are no pattern, whatever they look like.
    let weekend = |day: u32| Point::new(day.into(), if day % 7 < 5 { 9.0 } else { 1.0 });
    assert!(!fit(&(0..14).map(weekend).collect::<Vec<_>>()).has_week());
    assert!(fit(&(0..28).map(weekend).collect::<Vec<_>>()).has_week());
}

#[test]
fn a_months_end_is_learnt_from_three_of_them() {
    let month = |day: u32| {
        let point = Point::new(day.into(), f64::from(day * 7 % 5));
        let mut end = Point {
            value: point.value + 40.0,
            ..point
        }
        .at_month_end();
        end.day = point.day;
        if day % 30 == 29 { end } else { point }
    };
    let history: Vec<Point> = (0..100).map(month).collect();
    let fitted = fit(&history);
    assert!(fitted.has_month_end());
    let usual = Point::new(119.0, 42.0).at_month_end();
    assert!(fitted.p_value(&usual, Side::Both) > 0.05);
    assert!(fitted.p_value(&Point::new(119.0, 42.0), Side::Both) < 1e-6);
}

#[test]
fn too_little_is_an_answer_and_a_constant_is_defined() {
    let few: Vec<Point> = (0..7).map(|day| Point::new(day.into(), 1.0)).collect();
    let error = SeasonalBaselineParams::default()
        .check()
        .unwrap()
        .fit(&few)
        .unwrap_err();
    assert!(matches!(
        error,
        DetectorError::NotEnoughHistory {
            rows: 7,
            needed: 8,
            ..
        }
    ));
    let constant: Vec<Point> = (0..30).map(|day| Point::new(day.into(), 5.0)).collect();
    let fitted = fit(&constant);
    assert!(fitted.distance(&Point::new(30.0, 5.0)).abs() <= 0.0);
    assert!(fitted.distance(&Point::new(30.0, 6.0)) >= MAX_DISTANCE);
    // Thirty equal values are one in thirty-one, for however odd a value.
    let p_value = |day, value| fitted.p_value(&Point::new(day, value), Side::Both);
    assert_eq!((p_value(30.0, 6.0), p_value(30.0, 5.0)), (1.0 / 31.0, 1.0));
    assert!(fitted.p_value(&Point::new(30.0, 6.0), Side::Below) > 0.999);
    let tolerant = SeasonalBaselineParams::default()
        .min_scale(10.0)
        .check()
        .unwrap();
    assert!(
        tolerant
            .fit(&constant)
            .unwrap()
            .distance(&Point::new(30.0, 6.0))
            < 0.2
    );
    assert!(
        SeasonalBaselineParams::default()
            .min_scale(f64::NAN)
            .check()
            .is_err()
    );
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e3..1e3_f64,
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MAX),
        Just(f64::MIN),
        Just(5e-324),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, an answer is a number, and the same one after being stored.
    #[test]
    fn nothing_is_not_a_number(
        points in vec((any_value(), any_value(), any::<bool>()), 8..60),
        (day, value) in (any_value(), any_value()),
    ) {
        let points: Vec<Point> = points
            .into_iter()
            .map(|(day, value, month_end)| Point { day, month_end, value })
            .collect();
        let fitted = SeasonalBaselineParams::default().check().unwrap().fit(&points);
        prop_assume!(fitted.is_ok());
        let fitted = fitted.unwrap();
        let point = Point::new(day, value);
        let distance = fitted.distance(&point);
        prop_assert!(distance.abs() <= MAX_DISTANCE, "{distance}");
        prop_assert!((0.0..=1.0).contains(&fitted.p_value(&point, Side::Above)));
        let back: FittedSeasonalBaseline =
            postcard::from_bytes(&postcard::to_stdvec(&fitted).unwrap()).unwrap();
        prop_assert_eq!(back.distance(&point).to_bits(), distance.to_bits());
        prop_assert_eq!(back, fitted);
    }

    /// Neither the order, nor the week in which it began, nor the unit of the values matters.
    #[test]
    fn what_should_not_matter_does_not(
        seed in any::<u64>(), kind in 0..7_usize, weeks in -500..500_i32,
        factor in 0.001..1000.0_f64, shift in -1e3..1e3_f64,
    ) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let points = series(kind, 41, &mut random);
        let moved = |point: &Point| Point {
            day: point.day + 7.0 * f64::from(weeks), value: point.value * factor + shift, ..*point
        };
        let mut other: Vec<Point> = points[..40].iter().map(moved).collect();
        other.reverse();
        let before = fit(&points[..40]).distance(&points[40]);
        let after = fit(&other).distance(&moved(&points[40]));
        prop_assert!((before - after).abs() <= 1e-6 * (1.0 + before.abs()), "{before} {after}");
    }
}

#[test]
fn another_state_is_refused() {
    let points: Vec<Point> = (0..30)
        .map(|day| Point::new(day.into(), f64::from(day % 4)))
        .collect();
    let stored = serde_json::to_string(&fit(&points)).unwrap();
    for (from, to) in [
        ("seasonal-baseline", "z-score"),
        ("\"version\":1", "\"version\":2"),
    ] {
        let other = stored.replace(from, to);
        assert!(
            serde_json::from_str::<FittedSeasonalBaseline>(&other).is_err(),
            "{to}"
        );
    }
}

/// Seventy days with a trend, quiet weekends and large months' ends.
fn all_patterns() -> Vec<Point> {
    let usual = |day: u32| {
        let value = f64::from(day) + f64::from(day * 5 % 3);
        let weekend = if day % 7 < 5 { 0.0 } else { -60.0 };
        let point = Point::new(day.into(), value + weekend);
        if day % 10 < 9 {
            return point;
        }
        let value = point.value + 200.0;
        Point { value, ..point }.at_month_end()
    };
    (0..70).map(usual).collect()
}

#[test]
fn what_may_not_be_learnt_is_not() {
    let history = all_patterns();
    let parts = |params: SeasonalBaselineParams| {
        let fitted = params.check().unwrap().fit(&history).unwrap();
        assert_eq!((fitted.params(), fitted.observations()), (params, 70));
        [
            fitted.has_trend(),
            fitted.has_week(),
            fitted.has_month_end(),
        ]
    };
    let params = SeasonalBaselineParams::default;
    assert_eq!(parts(params()), [true; 3]);
    assert!(!parts(params().trend(false))[0]);
    assert!(!parts(params().week(false))[1]);
    assert!(!parts(params().month_end(false))[2]);
    assert_eq!(
        parts(params().trend(false).week(false).month_end(false)),
        [false; 3]
    );
}

/// Neither months' ends nor other days are known from two of them.
#[test]
fn two_of_a_kind_are_no_pattern() {
    let has_month_end = |are_ends: fn(u32) -> bool| {
        let point = |day: u32| {
            let value = f64::from(day * 7 % 5);
            if are_ends(day) {
                Point::new(day.into(), value + 90.0).at_month_end()
            } else {
                Point::new(day.into(), value)
            }
        };
        fit(&(0..20).map(point).collect::<Vec<_>>()).has_month_end()
    };
    assert!(!has_month_end(|day| day % 10 == 6));
    assert!(!has_month_end(|day| day % 10 != 6));
    assert!(has_month_end(|day| day % 7 == 5));
    assert!(has_month_end(|day| day % 7 != 5));
}

/// A trend is followed to a million times half of the history's length, and no farther.
#[test]
fn a_trend_is_followed_far() {
    let usual = |step: u32| {
        let day = f64::from(1_001 + 100 * step);
        Point::new(day, day + f64::from(step * 5 % 3))
    };
    let fitted = fit(&(0..21).map(usual).collect::<Vec<_>>());
    let expected = |days: f64| fitted.expected(&Point::new(2_001.0 + days, 0.0));
    assert!(
        (expected(9e8) / 9e8 - 1.0).abs() < 0.01,
        "{}",
        expected(9e8)
    );
    assert!(
        (expected(-9e8) / -9e8 - 1.0).abs() < 0.01,
        "{}",
        expected(-9e8)
    );
    assert!(
        expected(2e9) <= expected(1e9),
        "{} {}",
        expected(2e9),
        expected(1e9)
    );
}

/// A smallest difference is in the unit of the values, whatever their spread.
#[test]
fn distances_count_smallest_differences() {
    let points: Vec<Point> = (0..20)
        .map(|day| Point::new(day.into(), 5.0 + f64::from(day * 7 % 5) / 100.0))
        .collect();
    let params = SeasonalBaselineParams::default().min_scale(10.0);
    let fitted = params.check().unwrap().fit(&points).unwrap();
    let distance = fitted.distance(&Point::new(20.0, 25.02));
    // How unsure the level itself is makes it a little less.
    assert!(
        (distance - 2.0 / f64::sqrt(1.05)).abs() < 0.01,
        "{distance}"
    );
}

#[test]
fn what_no_fit_can_give_is_refused() {
    let read = |stored: &serde_json::Value| {
        serde_json::from_str::<FittedSeasonalBaseline>(&stored.to_string()).ok()
    };
    // Neither days that are all one nor values that are all equal are from no fit.
    let one_day: Vec<Point> = (0..9).map(|value| Point::new(3.0, value.into())).collect();
    let equal: Vec<Point> = (0..9).map(|day| Point::new(day.into(), 3.0)).collect();
    for points in [one_day, equal, all_patterns()] {
        let fitted = fit(&points);
        let stored = serde_json::to_value(&fitted).unwrap();
        assert_eq!(read(&stored), Some(fitted));
        for (part, field, number) in [
            ("clock", "half", 0.0),
            ("clock", "half", -1.0),
            ("unit", "spread", 0.0),
            ("unit", "spread", -1.0),
        ] {
            let mut changed = stored.clone();
            changed[part][field] = number.into();
            assert_eq!(read(&changed), None, "{field} {number}");
        }
        let mut changed = stored;
        changed["scale"] = (-1.0).into();
        assert_eq!(read(&changed), None);
    }
}
