//! Agreement of series and calibration with `NumPy` and `SciPy`; `fixtures/make_series.py` made their
//! values, from the definitions.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use anomaly_detectors::series::{
    LevelShiftParams, Point, SeasonalBaseline, SlowDriftParams, WindowDrift,
};
use anomaly_detectors::tail::{
    FittedTailCalibrator, Side, TailCalibrator, TailCalibratorParams, TailPrior,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    references: Vec<Reference>,
    seasonal: Vec<Seasonal>,
    calibrators: Vec<Calibrator>,
    pooled: Vec<Pooled>,
    outlier_edges: Vec<OutlierEdge>,
}

/// A reference, what came later, and by side what is found in it.
#[derive(Deserialize)]
struct Reference {
    history: Vec<Option<f64>>,
    later: Vec<f64>,
    min_scale: f64,
    shift_deviations: f64,
    change_rate: f64,
    level: f64,
    usual: (f64, f64),
    /// Observations, level, amount and p-value of each window.
    drift: HashMap<Side, Vec<(usize, f64, f64, f64)>>,
    shift: HashMap<Side, f64>,
    /// Probability, observations, level and amount.
    change: HashMap<Side, (f64, usize, f64, f64)>,
}

/// Days, values and month's ends, and what is expected then.
#[derive(Deserialize)]
struct Seasonal {
    points: Vec<(f64, f64, f64)>,
    asked: Vec<(f64, f64, f64)>,
    parts: (bool, bool, bool),
    expected: Vec<f64>,
    distance: Vec<f64>,
    above: Vec<f64>,
}

#[derive(Deserialize)]
struct Calibrator {
    scores: Vec<f64>,
    prior: TailPrior,
    tail_share: f64,
    most_in_tail: usize,
    outlier_share: f64,
    outliers: usize,
    p_values: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct Pooled {
    base: TailPrior,
    streams: Vec<Vec<f64>>,
    #[serde(rename = "pooled")]
    prior: TailPrior,
}

/// How far out the largest scores, `steps` apart, are when they begin to be outliers.
#[derive(Deserialize)]
struct OutlierEdge {
    others: Vec<f64>,
    steps: Vec<f64>,
    outlier_share: f64,
    edge: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/series.json")).unwrap()
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64) {
    let difference = (ours - theirs).abs();
    assert!(
        difference <= 1e-7 * theirs.abs() + 1e-12,
        "{ours} is not {theirs}"
    );
}

#[test]
fn drifts_and_shifts_are_those_of_scipy() {
    for case in fixture().references {
        let history: Vec<f64> = case.history.iter().map(|x| x.unwrap_or(f64::NAN)).collect();
        let drift = SlowDriftParams::default().min_scale(case.min_scale);
        let mut drift = drift.check().unwrap().fit(&history).unwrap();
        let shift = LevelShiftParams::default()
            .min_scale(case.min_scale)
            .shift_deviations(case.shift_deviations)
            .change_rate(case.change_rate);
        let mut shift = shift.check().unwrap().fit(&history).unwrap();
        for &value in &case.later {
            drift.observe(value);
            shift.observe(value);
        }
        assert_close(shift.level(), case.level);
        assert_close(drift.level(), case.level);
        for (low, high) in [drift.usual_range(), shift.usual_range()] {
            assert_close(low, case.usual.0);
            assert_close(high, case.usual.1);
        }
        let known = history.iter().filter(|value| value.is_finite()).count();
        assert_eq!((drift.observations(), shift.observations()), (known, known));
        for side in [Side::Above, Side::Below, Side::Both] {
            let windows: Vec<WindowDrift> = drift.windows(side).collect();
            assert_eq!(windows.len(), case.drift[&side].len());
            for (ours, theirs) in windows.iter().zip(&case.drift[&side]) {
                assert_eq!(ours.observations, theirs.0);
                assert_close(ours.level, theirs.1);
                assert_close(ours.amount, theirs.2);
                assert_close(ours.p_value, theirs.3);
            }
            assert_close(shift.p_value(side), case.shift[&side]);
            let (ours, theirs) = (shift.change(side).unwrap(), case.change[&side]);
            assert_close(ours.probability, theirs.0);
            assert_eq!(ours.observations, theirs.1);
            assert_close(ours.level, theirs.2);
            assert_close(ours.amount, theirs.3);
        }
    }
}

#[test]
fn seasons_are_those_of_numpy() {
    let point = |&(day, value, end): &(f64, f64, f64)| {
        let point = Point::new(day, value);
        if end > 0.0 {
            point.at_month_end()
        } else {
            point
        }
    };
    for case in fixture().seasonal {
        let points: Vec<Point> = case.points.iter().map(point).collect();
        let fitted = SeasonalBaseline::default().fit(&points).unwrap();
        let parts = (
            fitted.has_trend(),
            fitted.has_week(),
            fitted.has_month_end(),
        );
        assert_eq!(parts, case.parts);
        for (index, asked) in case.asked.iter().map(point).enumerate() {
            assert_close(fitted.expected(&asked), case.expected[index]);
            assert_close(fitted.distance(&asked), case.distance[index]);
            assert_close(fitted.p_value(&asked, Side::Above), case.above[index]);
        }
    }
}

#[test]
fn calibrated_p_values_are_those_of_scipy() {
    for case in fixture().calibrators {
        let calibrator = TailCalibratorParams::default()
            .tail_share(case.tail_share)
            .most_in_tail(case.most_in_tail)
            .outliers(case.outlier_share)
            .prior(case.prior);
        let fitted = calibrator.check().unwrap().fit(&case.scores).unwrap();
        assert_eq!(fitted.outliers(), case.outliers);
        for (score, theirs) in case.p_values {
            assert_close(fitted.p_value(score), theirs);
        }
    }
}

#[test]
fn pooled_priors_are_those_of_scipy() {
    for case in fixture().pooled {
        let streams = case.streams.iter();
        let streams: Vec<FittedTailCalibrator> = streams
            .map(|scores| TailCalibrator::default().fit(scores).unwrap())
            .collect();
        let ours = TailPrior::pooled(case.base, &streams).unwrap();
        assert_close(ours.shape, case.prior.shape);
        assert_close(ours.shape_deviation, case.prior.shape_deviation);
        assert_close(ours.scale.unwrap(), case.prior.scale.unwrap());
        assert_close(ours.scale_deviation, case.prior.scale_deviation);
    }
}

#[test]
fn outliers_begin_where_those_of_numpy_do() {
    for case in fixture().outlier_edges {
        let calibrator = TailCalibratorParams::default().outliers(case.outlier_share);
        let calibrator = calibrator.check().unwrap();
        let outliers = |edge: f64| {
            let far = case.steps.iter().map(|step| edge + step);
            let scores: Vec<f64> = case.others.iter().copied().chain(far).collect();
            calibrator.fit(&scores).unwrap().outliers()
        };
        let strange = case.steps.len();
        assert_eq!(outliers(case.edge * (1.0 + 1e-9)), strange, "{}", case.edge);
        assert_ne!(outliers(case.edge * (1.0 - 1e-9)), strange, "{}", case.edge);
    }
}
