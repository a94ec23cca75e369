//! Histograms: agreement with `pyod`, and what holds for all data.
//!
//! `fixtures/make_histogram.py` made the values of `pyod`.

use anomaly_detectors::ndarray::{Array2, Axis, array};
use anomaly_detectors::{Fit, FittedHistogram, HistogramParams, Score};
use proptest::prelude::*;
use serde::Deserialize;

use crate::data::{any_number, bits, matrix};
use crate::stored::{is_refused_with, refusal};

fn fit(bins: usize, data: &Array2<f64>) -> FittedHistogram {
    let detector = HistogramParams::default().bins(bins).check().unwrap();
    detector.fit(data.view()).unwrap()
}

#[derive(Deserialize)]
struct Reference {
    rows: Vec<[f64; 3]>,
    history_rows: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    bins: usize,
    scores: Vec<f64>,
}

#[test]
fn scores_are_those_of_pyod() {
    let json = include_str!("../fixtures/histogram.json");
    let reference: Reference = serde_json::from_str(json).unwrap();
    let rows = Array2::from(reference.rows);
    let (history, _) = rows.view().split_at(Axis(0), reference.history_rows);
    let history = history.to_owned();
    for case in reference.cases {
        let ours = fit(case.bins, &history).score(rows.view()).unwrap();
        assert_eq!(ours.len(), case.scores.len());
        for (ours, theirs) in ours.iter().zip(case.scores) {
            let difference = (ours - theirs).abs();
            assert!(
                difference <= 1e-12 * (1.0 + theirs),
                "{ours} is not {theirs}"
            );
        }
    }
}

#[test]
fn a_value_counts_as_its_bin() {
    // Bins of width 2 with 3, 0, 0 and 1 values, and 0.1 added to each count.
    let history = array![[0.0], [8.0], [f64::NAN], [1.0], [f64::INFINITY], [0.0]];
    let usual = fit(4, &history);
    for (value, smoothed) in [
        (f64::NAN, 3.1),
        (0.0, 3.1),
        (1.9, 3.1),
        (2.0, 0.1),
        (5.0, 0.1),
        (6.0, 1.1),
        (8.0, 1.1),
        // Half a bin outside, and farther.
        (-1.0, 3.1),
        (-1.1, 0.1),
        (9.0, 1.1),
        (9.1, 0.1),
        (f64::NEG_INFINITY, 0.1),
        (f64::INFINITY, 0.1),
    ] {
        let score = usual.score_row(array![value].view()).unwrap();
        let expected = (3.1_f64 / smoothed).ln();
        assert!((score - expected).abs() < 1e-12, "{value}: {score}");
    }
}

#[test]
fn constant_and_absent_columns_say_what_they_can() {
    let nan = f64::NAN;
    let history = array![[5.0, nan, 1.0], [5.0, nan, nan], [5.0, nan, nan]];
    // Three values have three bins, all in one of them.
    let fitted = fit(0, &history);
    let score = |row: [f64; 3]| fitted.score_row(array![row[0], row[1], row[2]].view());
    assert_eq!(score([5.0, 9.0, -7.0]), Ok(0.0));
    for other in [4.0, 5.1, f64::INFINITY] {
        let strange = score([other, 9.0, -7.0]).unwrap();
        assert!((strange - 31_f64.ln()).abs() < 1e-12);
    }
}

#[test]
fn numbers_near_the_largest_keep_their_proportions() {
    let unit = 2_f64.powi(1020);
    let (history, new) = (
        array![[9.0], [15.0], [-3.0], [-9.0]],
        array![[-10.0], [-13.0], [0.0], [4.0], [12.0], [15.5]],
    );
    let (usual, huge) = (fit(5, &history), fit(5, &(&history * unit)));
    let scores = usual.score(new.view()).unwrap();
    assert!(scores[0] < scores[1], "{scores}");
    let same = huge.score((&new * unit).view()).unwrap();
    assert_eq!(bits(&scores), bits(&same));
}

#[test]
fn what_no_fit_gives_is_refused() {
    let history = array![[1.0], [2.0], [2.0]];
    let stored = serde_json::to_string(&fit(2, &history)).unwrap();
    assert!(
        stored.contains(r#""range":[1.0,2.0],"counts":[1,2]"#),
        "{stored}"
    );
    for (from, to, reason) in [
        ("[1.0,2.0]", "[2.0,1.0]", "a column ranges from 2 to 1"),
        ("[1,2]", "[3]", "the counts of a column are from no fit"),
        ("[1,2]", "[0,1]", "the counts of a column are from no fit"),
        (
            "[1,2]",
            "[1,18446744073709551615]",
            "the counts of a column are from no fit",
        ),
    ] {
        let error = refusal::<FittedHistogram>(&stored.replace(from, to));
        let expected = format!("the stored histogram cannot be used: {reason}; fit it again");
        assert!(error.starts_with(&expected), "{error}");
    }
    let fitted = fit(2, &history);
    assert!(is_refused_with(&fitted, 1.0, f64::NEG_INFINITY));
    assert!(is_refused_with(&fitted, 2.0, f64::INFINITY));
}

proptest! {
    #[test]
    fn contributions_make_the_score(
        history in matrix(2..40_usize, Just(3), any_number()),
        new in matrix(2..40_usize, Just(3), any_number()),
        bins in 1..20_usize,
    ) {
        let fitted = fit(bins, &history);
        let largest = 3.0 * (10.0 * bins as f64 + 1.0).ln() + 1e-9;
        for row in new.rows() {
            let score = fitted.score_row(row).unwrap();
            prop_assert!((0.0..=largest).contains(&score), "{score}");
            let contributions = fitted.explain(row).unwrap();
            prop_assert!(contributions.iter().all(|&value| value >= 0.0));
            prop_assert!((contributions.sum() - score).abs() <= 1e-12 * (1.0 + score));
        }
    }

    #[test]
    fn what_is_in_the_history_is_never_outside(
        data in matrix(2..40_usize, Just(1), any_number()),
        bins in 1..20_usize,
    ) {
        let fitted = fit(bins, &data);
        let outside = fitted.score_row(array![f64::INFINITY].view()).unwrap();
        for value in data.iter().filter(|value| value.is_finite()) {
            let score = fitted.score_row(array![*value].view()).unwrap();
            prop_assert!(score < outside || outside <= 0.0, "{value}: {score} {outside}");
        }
    }

    #[test]
    fn order_of_rows_and_units_do_not_matter(
        data in matrix(2..40_usize, Just(2), any_number()),
        exponent in -200..200_i32,
    ) {
        // Magnitudes that can be scaled without loss.
        let data = data.mapv(|value| if value.abs() < 1e-9 { 0.0 } else { value.clamp(-1e9, 1e9) });
        let reversed = data.select(Axis(0), &(0..data.nrows()).rev().collect::<Vec<_>>());
        let scaled = &data * 2_f64.powi(exponent);
        let fitted = fit(0, &data);
        prop_assert_eq!(&fitted, &fit(0, &reversed));
        let scores = bits(&fit(0, &scaled).score(scaled.view()).unwrap());
        prop_assert_eq!(bits(&fitted.score(data.view()).unwrap()), scores);
    }
}
