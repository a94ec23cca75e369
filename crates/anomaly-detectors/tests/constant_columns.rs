//! Columns that never or hardly ever vary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::float_cmp, reason = "equal to the last bit is what is asked")]

use anomaly_detectors::ndarray::{Array2, array};
use anomaly_detectors::tail::Side;
use anomaly_detectors::{
    Baseline, Fit, Iqr, IqrParams, MAX_DISTANCE, ModifiedZScore, ModifiedZScoreParams, Score,
    Univariate, ZScore, ZScoreParams,
};

/// A value whose mean over some rows is off by a rounding.
const VALUE: f64 = 0.1;

fn constant(rows: usize) -> Array2<f64> {
    Array2::from_elem((rows, 1), VALUE)
}

fn its_value_is_usual_and_any_other_is_not<D: Univariate>(detector: &D) {
    let usual = detector.fit(constant(11).view()).unwrap();
    let distance = |value: f64| usual.distances(array![value].view()).unwrap()[0];
    assert!(usual.baselines()[0].is_constant());
    assert_eq!(distance(VALUE), 0.0);
    assert_eq!(distance(VALUE.next_up()), MAX_DISTANCE);
    assert_eq!(distance(f64::NEG_INFINITY), -MAX_DISTANCE);

    let p_value = |value, side| usual.p_value(0, value, side).unwrap();
    assert_eq!(p_value(VALUE, Side::Both), 1.0);
    assert_eq!(p_value(0.2, Side::Both), 1.0 / 12.0);
    assert_eq!(p_value(0.2, Side::Above), 1.0 / 12.0);
    assert_eq!(p_value(0.2, Side::Below), 1.0);
}

#[test]
fn a_constant_column_is_left_or_kept() {
    its_value_is_usual_and_any_other_is_not(&ZScore::default());
    its_value_is_usual_and_any_other_is_not(&ModifiedZScore::default());
    its_value_is_usual_and_any_other_is_not(&Iqr::default());
}

#[test]
fn another_column_still_ranks_rows_that_left_a_constant() {
    let data = Array2::from_shape_fn((20, 2), |(row, column)| (row * column) as f64);
    let usual = ModifiedZScore::default().fit(data.view()).unwrap();
    let scores = usual
        .score(array![[1.0, 10.0], [1.0, 90.0]].view())
        .unwrap();
    assert!(scores[0] < scores[1]);
}

fn a_smallest_scale_holds<D: Univariate>(detector: &D) {
    let usual = detector.fit(constant(5).view()).unwrap();
    assert_eq!(usual.baselines()[0].scale(), 0.5);
    assert!(!usual.baselines()[0].is_constant());
    let distance = usual.distances(array![1.1].view()).unwrap()[0];
    assert!((distance - 2.0).abs() < 1e-12);
    // A larger scale is left alone.
    let wide = detector.fit(array![[0.0], [50.0], [100.0]].view()).unwrap();
    assert!(wide.baselines()[0].scale() > 1.0);
}

#[test]
fn a_scale_is_never_below_the_smallest() {
    a_smallest_scale_holds(&ZScoreParams::default().min_scale(0.5).check().unwrap());
    a_smallest_scale_holds(
        &ModifiedZScoreParams::default()
            .min_scale(0.5)
            .check()
            .unwrap(),
    );
    a_smallest_scale_holds(&IqrParams::default().min_scale(0.5).check().unwrap());
}

#[test]
fn a_mostly_tied_column_falls_back_to_mean_deviation() {
    // Nine times 5, once 15: MAD and IQR are 0, the mean absolute deviation from 5 is 1.
    let mut data = Array2::from_elem((10, 1), 5.0);
    data[[4, 0]] = 15.0;
    let scale = |baseline: &Baseline| (baseline.location(), baseline.scale());
    let modified = ModifiedZScore::default().fit(data.view()).unwrap();
    let (location, deviation) = scale(&modified.baselines()[0]);
    assert_eq!(location, 5.0);
    assert!((deviation - 1.253_314).abs() < 1e-6);
    // 2 IQR, of 1.349 deviations each.
    let (location, half) = scale(&Iqr::default().fit(data.view()).unwrap().baselines()[0]);
    assert_eq!(location, 5.0);
    assert!((half - 2.0 * 1.348_980 * 1.253_314).abs() < 1e-5);
}

#[test]
fn a_column_that_was_hardly_ever_there_is_not_judged() {
    let nan = f64::NAN;
    let data = array![[1.0, nan, 7.0], [2.0, nan, nan], [3.0, nan, f64::INFINITY]];
    let usual = ZScore::default().fit(data.view()).unwrap();
    let judged: Vec<bool> = usual.baselines().iter().map(Baseline::is_judged).collect();
    assert_eq!(judged, [true, false, false]);
    assert_eq!(
        usual.score_row(array![2.0, 9.0, f64::INFINITY].view()),
        Ok(0.0)
    );
    assert_eq!(usual.p_value(1, 9.0, Side::Both), None);
}
