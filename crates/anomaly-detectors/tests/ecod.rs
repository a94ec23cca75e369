//! Empirical tail probabilities: agreement with `pyod`, and what holds for all data.
//!
//! `fixtures/make_ecod.py` made the values of `pyod`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::ndarray::{Array2, Axis, array};
use anomaly_detectors::{DetectorError, Ecod, EcodParams, EcodTails, Fit, FittedEcod, Score};
use proptest::prelude::*;
use serde::Deserialize;

const TAILS: [EcodTails; 2] = [EcodTails::PerRow, EcodTails::PerValue];

fn ecod(tails: EcodTails) -> Ecod {
    EcodParams::default().tails(tails).check().unwrap()
}

fn bits(scores: impl IntoIterator<Item = f64>) -> Vec<u64> {
    scores.into_iter().map(f64::to_bits).collect()
}

#[derive(Deserialize)]
struct Reference {
    rows: Vec<[f64; 4]>,
    per_row: Vec<f64>,
    per_value: Vec<f64>,
}

#[test]
fn scores_are_those_of_pyod() {
    let reference: Reference = serde_json::from_str(include_str!("fixtures/ecod.json")).unwrap();
    let data = Array2::from(reference.rows);
    for (tails, theirs) in TAILS
        .into_iter()
        .zip([reference.per_row, reference.per_value])
    {
        let fitted = ecod(tails).fit(data.view()).unwrap();
        let ours = fitted.score(data.view()).unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!(
                (ours - theirs).abs() < 1e-12 * theirs,
                "{ours} is not {theirs}"
            );
        }
    }
}

#[test]
fn a_new_row_is_compared_with_the_fit_alone() {
    // Skewed to the right: 1, 2, 2, 7, and one missing.
    let history = array![[2.0], [f64::NAN], [1.0], [7.0], [2.0]];
    let fitted = Ecod::default().fit(history.view()).unwrap();
    let tail = |value: f64| (-fitted.score_row(array![value].view()).unwrap()).exp();
    // The largest of both tails' surprises: the smaller of the tails.
    for (value, expected) in [
        (f64::NEG_INFINITY, 1.0 / 5.0),
        (0.0, 1.0 / 5.0),
        (1.0, 1.0 / 4.0),
        (1.5, 1.0 / 4.0),
        (2.0, 3.0 / 4.0),
        (3.0, 1.0 / 4.0),
        (7.0, 1.0 / 4.0),
        (8.0, 1.0 / 5.0),
        (f64::INFINITY, 1.0 / 5.0),
        (f64::NAN, 1.0),
    ] {
        assert!(
            (tail(value) - expected).abs() < 1e-12,
            "{value}: {}",
            tail(value)
        );
    }
}

#[test]
fn constant_and_absent_columns_say_what_they_can() {
    let nan = f64::NAN;
    let history = array![[5.0, nan, 1.0], [5.0, nan, nan], [5.0, nan, nan]];
    for tails in TAILS {
        let fitted = ecod(tails).fit(history.view()).unwrap();
        let score = |row: [f64; 3]| fitted.score_row(array![row[0], row[1], row[2]].view());
        assert_eq!(score([5.0, 9.0, -7.0]), Ok(0.0));
        for other in [4.0, 6.0, f64::INFINITY] {
            let strange = score([other, 9.0, -7.0]).unwrap();
            assert!((strange - 4_f64.ln()).abs() < 1e-12);
        }
    }
    let one = Ecod::default().fit(history.slice_axis(Axis(0), (0..1).into()));
    let too_few = matches!(one, Err(DetectorError::NotEnoughHistory { rows: 1, .. }));
    assert!(too_few, "{one:?}");
    let empty = Ecod::default().fit(Array2::zeros((4, 0)).view()).unwrap();
    assert_eq!(
        empty.score(Array2::zeros((2, 0)).view()).unwrap(),
        array![0.0, 0.0]
    );
    let error = empty.score(history.view()).unwrap_err();
    assert_eq!(
        error,
        DetectorError::WidthMismatch {
            fitted: 0,
            given: 3
        }
    );
}

#[test]
fn ten_thousand_columns_are_fine() {
    let data = Array2::from_shape_fn((20, 10_000), |(row, column)| ((row * column) % 17) as f64);
    let scores = Ecod::default()
        .fit(data.view())
        .unwrap()
        .score(data.view())
        .unwrap();
    assert!(scores.iter().all(|score| score.is_finite()));
}

#[test]
fn what_no_fit_gives_is_refused() {
    let history = array![[1.0], [2.0], [2.0]];
    let stored = serde_json::to_string(&Ecod::default().fit(history.view()).unwrap()).unwrap();
    assert!(
        stored.contains(r#""values":[1.0,2.0],"counts":[1,2]"#),
        "{stored}"
    );
    for (from, to, reason) in [
        (r#""ecod""#, r#""iqr""#, "it is the state of iqr"),
        (
            r#""version":1"#,
            r#""version":2"#,
            "it is of version 2, this program reads 1",
        ),
        (
            "[1.0,2.0]",
            "[2.0,2.0]",
            "the values of a column are not finite and ascending",
        ),
        ("[1.0,2.0]", "[1.0]", "a column has 1 values and 2 counts"),
        ("[1,2]", "[1,0]", "the counts of a column are from no fit"),
        (
            "[1,2]",
            "[1,18446744073709551615]",
            "the counts of a column are from no fit",
        ),
    ] {
        let error = serde_json::from_str::<FittedEcod>(&stored.replace(from, to)).unwrap_err();
        let expected = format!("the stored ecod cannot be used: {reason}; fit it again");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

fn any_number() -> impl Strategy<Value = f64> + Clone {
    let ugly = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        5e-324,
        -0.0,
        0.0,
    ];
    prop_oneof![
        proptest::sample::select(ugly.to_vec()),
        any::<f64>(),
        -9.0..9.0
    ]
}

fn matrix(columns: usize) -> impl Strategy<Value = Array2<f64>> {
    (2..40_usize).prop_flat_map(move |rows| {
        proptest::collection::vec(any_number(), rows * columns)
            .prop_map(move |values| Array2::from_shape_vec((rows, columns), values).unwrap())
    })
}

proptest! {
    #[test]
    fn any_data_has_finite_explained_and_stored_scores(history in matrix(3), new in matrix(3)) {
        for tails in TAILS {
            let fitted = ecod(tails).fit(history.view()).unwrap();
            let scores = fitted.score(new.view()).unwrap();
            let largest = 3.0 * (history.nrows() as f64 + 1.0).ln() + 1e-9;
            for (row, &score) in new.rows().into_iter().zip(&scores) {
                prop_assert!((0.0..=largest).contains(&score), "{score}");
                prop_assert_eq!(fitted.score_row(row).unwrap().to_bits(), score.to_bits());
                let contributions = fitted.explain(row).unwrap();
                prop_assert!(contributions.iter().all(|&value| value >= 0.0));
                prop_assert!((contributions.sum() - score).abs() <= 1e-12 * (1.0 + score));
            }
            let json = serde_json::to_string(&fitted).unwrap();
            prop_assert_eq!(&serde_json::from_str::<FittedEcod>(&json).unwrap(), &fitted);
            let bytes = postcard::to_stdvec(&fitted).unwrap();
            let read: FittedEcod = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(bits(read.score(new.view()).unwrap()), bits(scores));
        }
    }

    #[test]
    fn order_of_rows_and_units_do_not_matter(
        data in matrix(2),
        exponent in -200..200_i32,
    ) {
        // Magnitudes that can be scaled without loss.
        let data = data.mapv(|value| if value.abs() < 1e-9 { 0.0 } else { value.clamp(-1e9, 1e9) });
        let reversed = data.select(Axis(0), &(0..data.nrows()).rev().collect::<Vec<_>>());
        let scaled = &data * 2_f64.powi(exponent);
        for tails in TAILS {
            let fitted = ecod(tails).fit(data.view()).unwrap();
            prop_assert_eq!(&fitted, &ecod(tails).fit(reversed.view()).unwrap());
            let other = ecod(tails).fit(scaled.view()).unwrap();
            let scores = bits(other.score(scaled.view()).unwrap());
            prop_assert_eq!(bits(fitted.score(data.view()).unwrap()), scores);
        }
    }
}
