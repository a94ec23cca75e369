//! What holds for any history.
#![allow(clippy::float_cmp, reason = "equal to the last bit is what is asked")]

use anomaly_detectors::DetectorError;
use anomaly_detectors::tail::{
    FittedTailCalibrator, TailCalibrator, TailCalibratorParams, TailPrior, conformal_p_value,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn fit(scores: &[f64]) -> FittedTailCalibrator {
    TailCalibrator::default().fit(scores).unwrap()
}

/// Scores with ties, gaps and outliers.
fn scores() -> impl Strategy<Value = Vec<f64>> {
    let score = prop_oneof![
        8 => -5.0..5.0_f64,
        2 => (-3..3_i8).prop_map(f64::from),
        1 => -1e3..1e3_f64,
    ];
    vec(score, 8..150)
}

/// Of a few hard values, so that there are ties too.
fn hard_scores() -> impl Strategy<Value = Vec<f64>> {
    let hard = [
        0.0,
        -0.0,
        1.0,
        1.0 + f64::EPSILON,
        5e-324,
        1e-310,
        -1e-310,
        1e300,
        1e308,
        -1e308,
        f64::MAX,
        f64::MIN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    vec(prop_oneof![select(hard.to_vec()), any::<f64>()], 8..60)
}

fn check_probabilities(scores: &[f64], fitted: &FittedTailCalibrator) -> Result<(), TestCaseError> {
    let mut asked: Vec<f64> = scores
        .iter()
        .flat_map(|s| [*s, 2.0 * s, s / 2.0, s + 1.0])
        .collect();
    asked.extend([0.0, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY]);
    asked.retain(|score| !score.is_nan());
    asked.sort_by(f64::total_cmp);
    let mut before = 1.0;
    for score in asked {
        let p_value = fitted.p_value(score);
        prop_assert!(p_value > 0.0 && p_value <= 1.0, "{p_value} of {score}");
        prop_assert!(
            p_value <= before * (1.0 + 1e-12),
            "{p_value} of {score} after {before}"
        );
        before = p_value;
    }
    prop_assert_eq!(fitted.p_value(f64::NAN), 1.0);
    Ok(())
}

proptest! {
    #[test]
    fn larger_is_rarer(scores in scores(), prior_scale in proptest::option::of(0.01..10.0_f64)) {
        let mut prior = TailPrior::default();
        prior.scale = prior_scale;
        let calibrator = TailCalibratorParams::default().prior(prior).check().unwrap();
        check_probabilities(&scores, &calibrator.fit(&scores).unwrap())?;
    }

    #[test]
    fn hard_values_have_probabilities(scores in hard_scores()) {
        match TailCalibrator::default().fit(&scores) {
            Ok(fitted) => check_probabilities(&scores, &fitted)?,
            Err(_) => prop_assert!(scores.iter().filter(|score| !score.is_nan()).count() < 8),
        }
    }

    /// A unit that is a power of two changes no bit; another unit or origin rounds.
    #[test]
    fn unit_and_origin_do_not_matter(
        scores in scores(), exponent in -200..200_i32, factor in 0.01..100.0_f64, origin in -10.0..10.0_f64, score in -10.0..2e3_f64,
    ) {
        let fitted = fit(&scores);
        let of = |change: &dyn Fn(f64) -> f64| {
            let changed: Vec<f64> = scores.iter().map(|&score| change(score)).collect();
            fit(&changed).p_value(change(score))
        };
        let power = 2_f64.powi(exponent);
        prop_assert_eq!(of(&|score| score * power), fitted.p_value(score));
        // Ties stay ties, but differences of nearly equal scores lose their digits.
        let coarse: Vec<f64> = scores.iter().map(|score| (score * 1024.0).round() / 1024.0).collect();
        let changed: Vec<f64> = coarse.iter().map(|score| factor * (score + origin)).collect();
        let (one, other) = (fit(&coarse), fit(&changed));
        prop_assert_eq!(one.outliers(), other.outliers());
        let score = score.floor() + 0.123;
        let (one, other) = (one.p_value(score), other.p_value(factor * (score + origin)));
        prop_assert!((one.ln() - other.ln()).abs() < 1e-6, "{one} {other}");
    }

    #[test]
    fn order_does_not_matter((scores, shuffled) in scores().prop_flat_map(|scores| {
        (Just(scores.clone()), Just(scores).prop_shuffle())
    })) {
        prop_assert_eq!(fit(&scores), fit(&shuffled));
    }

    #[test]
    fn a_round_trip_changes_nothing(scores in scores()) {
        let fitted = fit(&scores);
        let bytes = postcard::to_stdvec(&fitted).unwrap();
        prop_assert_eq!(postcard::from_bytes::<FittedTailCalibrator>(&bytes).unwrap(), fitted.clone());
        let json = serde_json::to_string(&fitted).unwrap();
        prop_assert_eq!(serde_json::from_str::<FittedTailCalibrator>(&json).unwrap(), fitted);
    }

    /// In the body it counts, as long as no score is an outlier.
    #[test]
    fn the_body_is_conformal(scores in scores()) {
        let calibrator = TailCalibratorParams::default().outliers(0.0).check().unwrap();
        let fitted = calibrator.fit(&scores).unwrap();
        let mut sorted = scores.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        prop_assert_eq!(fitted.p_value(median), conformal_p_value(median, &sorted));
        prop_assert_eq!(fitted.outliers(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The sum over the grid is the integral: Bayes' rule by brute force, on a grid a hundred times
    /// as fine.
    #[test]
    fn the_tail_is_the_predictive_distribution(seed in 0..1_000_000_u64, count in 8..120_usize, far in 0.5..3.0_f64) {
        let mut random = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(seed);
        let mut sorted: Vec<f64> = (0..count).map(|_| crate::simulation::exponential(&mut random)).collect();
        let calibrator = TailCalibratorParams::default().outliers(0.0).check().unwrap();
        let fitted = calibrator.fit(&sorted).unwrap();
        sorted.sort_by(f64::total_cmp);
        let in_tail = (count.div_ceil(10)).max(3);
        let threshold = sorted[count - in_tail - 1];
        let excesses: Vec<f64> = sorted[count - in_tail..].iter().map(|score| score - threshold).collect();
        let score = far * excesses[in_tail - 1];
        let (mut weights, mut sum) = (0.0, 0.0);
        for shape in (0..150).map(|step| -0.495 + 0.01 * f64::from(step)) {
            for scale in (0..300).map(|step| (-6.0 + 0.04 * f64::from(step)).exp()) {
                let survival = |excess: f64| (1.0 + shape * excess / scale).max(0.0).powf(-1.0 / shape);
                let density: f64 = excesses.iter().map(|&excess| survival(excess).powf(1.0 + shape) / scale).product();
                let weight = density * (-0.5 * ((shape + 0.2) / 0.25_f64).powi(2)).exp();
                weights += weight;
                sum += weight * survival(score);
            }
        }
        let expected = (1 + in_tail) as f64 / (1 + count) as f64 * sum / weights;
        let p_value = fitted.p_value(threshold + score);
        prop_assert!((p_value / expected - 1.0).abs() < 0.2, "{p_value} {expected}");
    }
}

#[test]
fn eight_scores_are_enough() {
    let nan = f64::NAN;
    let seven = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, nan, nan];
    let error = TailCalibrator::default().fit(&seven).unwrap_err();
    let is_expected = matches!(
        error,
        DetectorError::NotEnoughHistory {
            rows: 7,
            needed: 8,
            ..
        }
    );
    assert!(is_expected, "{error}");
    let fitted = fit(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    assert!(fitted.p_value(100.0) < 0.01 && fitted.p_value(9.0) > 0.05);
}

#[test]
fn all_equal_scores_say_no_more_than_their_number() {
    let fitted = fit(&[2.0; 30]);
    assert_eq!(fitted.p_value(2.0), 1.0);
    assert_eq!(fitted.p_value(2.1), 1.0 / 31.0);
    assert_eq!(fitted.p_value(f64::INFINITY), 1.0 / 31.0);
}

/// Three of sixty are far out: they are known for it, and hide no fourth one.
#[test]
fn past_anomalies_hide_no_new_one() {
    let usual = |i: u32| f64::from(i * 37 % 57) / 57.0;
    let mut scores: Vec<f64> = (0..57).map(usual).collect();
    scores.extend([8.0, 8.5, 9.5]);
    let fitted = fit(&scores);
    assert_eq!((fitted.outliers(), fitted.observations()), (3, 60));
    assert!(fitted.p_value(7.0) < 1e-3);
    let counting = TailCalibratorParams::default()
        .outliers(0.0)
        .check()
        .unwrap();
    let counted = counting.fit(&scores).unwrap().p_value(7.0);
    assert!(counted > 10.0 * fitted.p_value(7.0), "{counted}");
}

#[test]
fn parameters_have_ranges() {
    let params = TailCalibratorParams::default;
    let with = |change: fn(&mut TailPrior)| {
        let mut prior = TailPrior::default();
        change(&mut prior);
        params().prior(prior)
    };
    for (name, wrong) in [
        ("tail_share", params().tail_share(0.6)),
        ("most_in_tail", params().most_in_tail(9)),
        ("outliers", params().outliers(f64::NAN)),
        ("shape", with(|prior| prior.shape = 1.1)),
        ("shape_deviation", with(|prior| prior.shape_deviation = 0.0)),
        ("scale", with(|prior| prior.scale = Some(0.0))),
        ("scale_deviation", with(|prior| prior.scale_deviation = 9.0)),
    ] {
        let error = wrong.check().unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_stored_form_is_checked() {
    let json = serde_json::to_string(&fit(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])).unwrap();
    for (good, bad) in [
        ("[1.0,2.0", "[2.0,1.0"),
        ("[1.0,2.0,3.0", "[3.0"),
        ("8.0]", "1e308]"),
        ("\"version\":1", "\"version\":2"),
        ("tail-calibrator", "z-score"),
        ("\"tail_share\":0.1", "\"tail_share\":1.0"),
    ] {
        assert!(json.contains(good), "{json}");
        let changed = json.replace(good, bad);
        assert!(
            serde_json::from_str::<FittedTailCalibrator>(&changed).is_err(),
            "{changed}"
        );
    }
}

/// Where most scores are equal, no scale is told by them: what is known of it does not count.
#[test]
fn a_scale_is_known_in_bodies_alone() {
    let mut scores = vec![5.0; 20];
    scores.extend([5.5, 6.0, 7.5]);
    let p_value = |scores: &[f64], scale| {
        let mut prior = TailPrior::default();
        prior.scale = scale;
        let params = TailCalibratorParams::default().outliers(0.0).prior(prior);
        params.check().unwrap().fit(scores).unwrap().p_value(9.0)
    };
    assert_eq!(p_value(&scores, Some(0.01)), p_value(&scores, None));
    // With a body it does.
    scores[..10].fill(4.0);
    assert!(p_value(&scores, Some(0.01)) < 0.9 * p_value(&scores, None));
}

/// A thousand scores in the tail say what their distribution is, however small their likelihood.
#[test]
fn a_long_tail_is_that_of_its_distribution() {
    let scores: Vec<f64> = (0..10_000)
        .map(|place| -((f64::from(place) + 0.5) / 1e4).ln())
        .collect();
    let params = TailCalibratorParams::default().outliers(0.0);
    let calibrator = params.most_in_tail(1_000).check().unwrap();
    let fitted = calibrator.fit(&scores).unwrap();
    for far in [2.5, 3.0, 4.0] {
        let ratio = fitted.p_value(far) / f64::exp(-far);
        assert!((0.8..1.25).contains(&ratio), "{ratio} at {far}");
    }
}
