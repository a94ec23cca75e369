//! The Mahalanobis distance: agreement with scikit-learn, and what holds for it alone.
//!
//! `fixtures/make_mahalanobis.py` made the values of scikit-learn.

use anomaly_detectors::ndarray::{Array1, Array2, Axis, array, concatenate};
use anomaly_detectors::{Fit, FittedMahalanobis, MahalanobisParams, Score, Transform};
use proptest::prelude::*;
use serde::Deserialize;

use crate::data::{any_number, bits, matrix, slope};
use crate::stored::refusal;

const TRANSFORMS: [Transform; 2] = [Transform::Linear, Transform::SignedLog];

fn fit(params: MahalanobisParams, data: &Array2<f64>) -> FittedMahalanobis {
    params.check().unwrap().fit(data.view()).unwrap()
}

fn scores(params: MahalanobisParams, data: &Array2<f64>) -> Array1<f64> {
    fit(params, data).score(data.view()).unwrap()
}

fn untrimmed(transform: Transform) -> MahalanobisParams {
    MahalanobisParams::default().transform(transform).trim(0.0)
}

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    transform: Transform,
    columns: usize,
    history: Vec<f64>,
    scores: Vec<f64>,
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let json = include_str!("../fixtures/mahalanobis.json");
    let reference: Reference = serde_json::from_str(json).unwrap();
    for case in reference.cases {
        let shape = (case.scores.len(), case.columns);
        let history = Array2::from_shape_vec(shape, case.history).unwrap();
        for (ours, theirs) in scores(untrimmed(case.transform), &history)
            .iter()
            .zip(case.scores)
        {
            let difference = (ours - theirs).abs();
            assert!(difference <= 1e-9 * theirs, "{ours} is not {theirs}");
        }
    }
}

proptest! {
    #[test]
    fn contributions_make_the_score(
        history in matrix(2..40_usize, Just(3), any_number()),
        new in matrix(0..40_usize, Just(3), any_number()),
    ) {
        for transform in TRANSFORMS {
            let fitted = fit(MahalanobisParams::default().transform(transform), &history);
            for row in new.rows() {
                let score = fitted.score_row(row).unwrap();
                prop_assert!(score >= 0.0);
                let contributions = fitted.explain(row).unwrap();
                // They may cancel out.
                let size = contributions.mapv(f64::abs).sum();
                let difference = (contributions.sum() - score).abs();
                prop_assert!(difference <= 1e-9 * size, "{contributions} {score}");
            }
        }
    }

    #[test]
    fn the_history_scores_no_more_than_its_columns(
        data in matrix(2..40_usize, 1..6_usize, any_number()),
    ) {
        // The trace of the covariance times the inverse of what it was shrunk to.
        let data = data.mapv(|value| if value.is_nan() { 0.0 } else { value });
        for transform in TRANSFORMS {
            let scores = scores(untrimmed(transform), &data);
            let mean = scores.sum() / scores.len() as f64;
            prop_assert!(mean <= data.ncols() as f64 * (1.0 + 1e-6), "{mean}");
        }
    }

    #[test]
    fn units_do_not_matter(
        data in matrix(3..40_usize, Just(2), -10.0..10.0),
        exponents in (-300..300_i32, -300..300_i32),
        shift in -100_000..100_000_i32,
    ) {
        let scaled = &data * &array![2_f64.powi(exponents.0), -2_f64.powi(exponents.1)];
        // The medians of whole numbers and their differences are exact.
        let whole = (&data * 1024.0).round();
        let shifted = &whole + f64::from(shift);
        for transform in TRANSFORMS {
            let params = MahalanobisParams::default().transform(transform);
            prop_assert_eq!(bits(&scores(params, &scaled)), bits(&scores(params, &data)));
            prop_assert_eq!(bits(&scores(params, &shifted)), bits(&scores(params, &whole)));
        }
    }

    #[test]
    fn a_column_that_says_nothing_changes_nothing(
        data in matrix(2..40_usize, Just(2), any_number()),
        place in 0..3_usize,
    ) {
        for silent in [7.0, f64::NAN] {
            let mut columns = vec![data.column(0), data.column(1)];
            let silent = Array1::from_elem(data.nrows(), silent);
            columns.insert(place, silent.view());
            let columns: Vec<_> = columns.iter().map(|column| column.insert_axis(Axis(1))).collect();
            let with = concatenate(Axis(1), &columns).unwrap();
            for transform in TRANSFORMS {
                let params = MahalanobisParams::default().transform(transform);
                prop_assert_eq!(bits(&scores(params, &with)), bits(&scores(params, &data)));
            }
        }
    }

    #[test]
    fn a_missing_value_to_score_adds_nothing(
        data in matrix(2..30_usize, Just(3), -10.0..10.0),
        row in matrix(Just(1), Just(3), any_number()),
        missing in 0..3_usize,
    ) {
        let mut row = row.row(0).to_owned();
        row[missing] = f64::NAN;
        let fitted = fit(MahalanobisParams::default(), &data);
        prop_assert_eq!(fitted.explain(row.view()).unwrap()[missing], 0.0);
    }
}

#[test]
fn missing_values_of_the_history_do_not_narrow_a_column() {
    let present = slope(40, 1);
    let missing = Array2::from_elem((25, 1), f64::NAN);
    let history = concatenate(Axis(0), &[missing.view(), present.view()]).unwrap();
    let params = untrimmed(Transform::SignedLog);
    let holey = scores(params, &history);
    for (index, expected) in scores(params, &present).iter().enumerate() {
        let score = holey[25 + index];
        assert!((score - expected).abs() <= 1e-12 * (1.0 + expected));
    }
    assert_eq!(holey[0], 0.0);
}

#[test]
fn what_was_strange_together_does_not_hide_itself() {
    // Two columns that rise together, but for a tenth of the rows, all at one place.
    let mut data = slope(200, 1);
    data.append(Axis(1), slope(200, 2).slice_axis(Axis(1), (1..2).into()))
        .unwrap();
    for row in 0..20 {
        data[[row, 0]] = 90.0 + row as f64 / 20.0;
        data[[row, 1]] = 10.0;
    }
    let lowest_and_highest = |trim| {
        let scores = scores(MahalanobisParams::default().trim(trim), &data);
        let lowest = (0..20).map(|row| scores[row]).fold(f64::MAX, f64::min);
        let highest = (20..200).map(|row| scores[row]).fold(0.0, f64::max);
        (lowest, highest)
    };
    let (strange, usual) = lowest_and_highest(0.25);
    assert!(strange > 100.0 * usual, "{strange} {usual}");
    let (strange, usual) = lowest_and_highest(0.0);
    assert!(strange < 10.0 * usual, "{strange} {usual}");
}

#[test]
fn a_rare_mark_does_not_drown_what_is_strange() {
    // A tenth of the rows is marked, and none of those that are kept.
    let mut data = slope(500, 3);
    for (row, mark) in data.column_mut(2).iter_mut().enumerate() {
        *mark = f64::from(u8::from(row % 10 == 0));
    }
    data[[123, 0]] = 5_000.0;
    data[[123, 1]] = 5_000.0;
    let scores = scores(MahalanobisParams::default(), &data);
    let strangest = (0..500).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    assert_eq!(strangest, Some(123));
}

#[test]
fn a_smallest_scale_is_a_smallest_deviation() {
    let params = untrimmed(Transform::Linear).min_scale(0.5);
    let usual = fit(params, &Array2::from_elem((20, 1), 5.0));
    let scores = usual.score(array![[5.0], [5.5], [7.0]].view()).unwrap();
    for (score, expected) in scores.iter().zip([0.0, 1.0, 16.0]) {
        assert!((score - expected).abs() < 1e-5, "{scores}");
    }
    // A larger deviation, here 1, is left alone.
    let wide = Array2::from_shape_fn((20, 1), |(row, _)| if row % 2 == 0 { -1.0 } else { 1.0 });
    let scores = fit(params, &wide).score(array![[0.0], [1.0], [-3.0]].view());
    for (score, expected) in scores.unwrap().iter().zip([0.0, 1.0, 9.0]) {
        assert!((score - expected).abs() < 1e-5, "{score}");
    }
}

#[test]
fn of_many_columns_only_the_variances_are_used() {
    let one = slope(50, 1);
    let copies = |columns| Array2::from_shape_fn((50, columns), |(row, _)| one[[row, 0]]);
    let params = MahalanobisParams::default();
    let separate = scores(params, &one);
    // Copies are one column, but for what is shrunk: a part of about one by the number of rows.
    for (columns, expected, tolerance) in [(512, 1.0, 0.05), (513, 513.0, 1e-5)] {
        let data = copies(columns);
        let fitted = fit(params, &data);
        for (row, score) in data.rows().into_iter().zip(&separate) {
            let expected = score * expected;
            let score = fitted.score_row(row).unwrap();
            assert!((score - expected).abs() <= tolerance * expected);
            let explained = fitted.explain(row).unwrap().sum();
            assert!((explained - score).abs() <= 1e-6 * score);
        }
    }
}

#[test]
fn what_no_fit_gives_is_refused() {
    let stored = serde_json::to_value(fit(MahalanobisParams::default(), &slope(20, 2))).unwrap();
    for (key, value, reason) in [
        (
            "factor",
            vec![1.0, 0.5],
            "2 entries are no factor of 2 columns",
        ),
        (
            "factor",
            vec![1.0; 4],
            "4 entries are no factor of 2 columns",
        ),
        (
            "factor",
            vec![1.0, 0.5, 0.0],
            "its mean and factor are from no fit",
        ),
        (
            "factor",
            vec![1.0, 1e8, 1.0],
            "its mean and factor are from no fit",
        ),
        ("means", vec![1.0], "its mean and factor are from no fit"),
        (
            "means",
            vec![1.0, 1e61],
            "its mean and factor are from no fit",
        ),
    ] {
        let mut changed = stored.clone();
        changed[key] = value.into();
        let error = refusal::<FittedMahalanobis>(&changed.to_string());
        let expected = format!("the stored mahalanobis cannot be used: {reason}; fit it again");
        assert_eq!(error, expected);
    }
}
