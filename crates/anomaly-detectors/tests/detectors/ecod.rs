//! Empirical tail probabilities: agreement with `pyod`, and what holds for all data.
//!
//! `fixtures/make_ecod.py` made the values of `pyod`.

use anomaly_detectors::ndarray::{Array2, Axis, array};
use anomaly_detectors::{Ecod, EcodParams, EcodTails, Fit, FittedEcod, Score};
use proptest::prelude::*;
use serde::Deserialize;

use crate::data::{any_number, bits, matrix};
use crate::stored::refusal;

const TAILS: [EcodTails; 2] = [EcodTails::PerRow, EcodTails::PerValue];

fn ecod(tails: EcodTails) -> Ecod {
    EcodParams::default().tails(tails).check().unwrap()
}

#[derive(Deserialize)]
struct Reference {
    rows: Vec<[f64; 4]>,
    per_row: Vec<f64>,
    per_value: Vec<f64>,
}

#[test]
fn scores_are_those_of_pyod() {
    let reference: Reference = serde_json::from_str(include_str!("../fixtures/ecod.json")).unwrap();
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
        let error = refusal::<FittedEcod>(&stored.replace(from, to));
        let expected = format!("the stored ecod cannot be used: {reason}; fit it again");
        assert!(error.starts_with(&expected), "{error}");
    }
}

proptest! {
    #[test]
    fn contributions_make_the_score(
        history in matrix(2..40_usize, Just(3), any_number()),
        new in matrix(2..40_usize, Just(3), any_number()),
    ) {
        for tails in TAILS {
            let fitted = ecod(tails).fit(history.view()).unwrap();
            let largest = 3.0 * (history.nrows() as f64 + 1.0).ln() + 1e-9;
            for row in new.rows() {
                let score = fitted.score_row(row).unwrap();
                prop_assert!((0.0..=largest).contains(&score), "{score}");
                let contributions = fitted.explain(row).unwrap();
                prop_assert!(contributions.iter().all(|&value| value >= 0.0));
                prop_assert!((contributions.sum() - score).abs() <= 1e-12 * (1.0 + score));
            }
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
        for tails in TAILS {
            let fitted = ecod(tails).fit(data.view()).unwrap();
            prop_assert_eq!(&fitted, &ecod(tails).fit(reversed.view()).unwrap());
            let other = ecod(tails).fit(scaled.view()).unwrap();
            let scores = bits(&other.score(scaled.view()).unwrap());
            prop_assert_eq!(bits(&fitted.score(data.view()).unwrap()), scores);
        }
    }
}

/// The third central moment of one column of whole numbers, which is exact, up to a factor above 0.
fn third_moment(rows: &[Vec<i64>], column: usize) -> i64 {
    let count = i64::try_from(rows.len()).unwrap();
    let sum: i64 = rows.iter().map(|row| row[column]).sum();
    let cubes = rows.iter().map(|row| (count * row[column] - sum).pow(3));
    cubes.sum()
}

/// Minus the logarithms of the tails, summed over the columns: left, right, and by the third moment.
fn sums_by_definition(history: &[Vec<i64>], row: &[i64]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (column, here) in row.iter().enumerate() {
        let values: Vec<i64> = history.iter().map(|row| row[column]).collect();
        let n = values.len() as f64;
        let tail = |is_in: &dyn Fn(&i64) -> bool| {
            let count = values.iter().filter(|value| is_in(value)).count();
            -(count as f64 / n).max(1.0 / (n + 1.0)).ln()
        };
        let (left, right) = (tail(&|value| value <= here), tail(&|value| value >= here));
        let skewed = if third_moment(history, column) < 0 {
            left
        } else {
            right
        };
        for (sum, part) in sums.iter_mut().zip([left, right, skewed]) {
            *sum += part;
        }
    }
    sums
}

proptest! {
    /// Wherever the column's zero is, and in units whose cubes vanish or overflow.
    #[test]
    fn each_column_has_the_tail_that_its_third_moment_says(
        history in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![3 => 0..4_i64, 1 => -30..30_i64], 3), 4..25),
        shift in -1_000..1_000_i64,
        exponent in prop_oneof![Just(-900), Just(0), Just(900)],
    ) {
        let number = |value: i64| (value + shift) as f64 * 2_f64.powi(exponent);
        let data = Array2::from_shape_fn((history.len(), 3), |(row, column)| number(history[row][column]));
        // Without skew, a rounding may decide.
        prop_assume!((0..3).all(|column| third_moment(&history, column) != 0));
        let fitted = ecod(EcodTails::PerRow).fit(data.view()).unwrap();
        for (row, here) in history.iter().enumerate() {
            let [left, right, skewed] = sums_by_definition(&history, here);
            let expected = left.max(right).max(skewed);
            let score = fitted.score_row(data.row(row)).unwrap();
            prop_assert!((score - expected).abs() < 1e-9 * (1.0 + expected), "{score} {expected}");
        }
    }
}

/// A column without skew counts as skewed to the right.
#[test]
fn without_skew_the_right_tail_counts() {
    // The first column has no skew, the second is skewed to the right.
    let history = array![[-1.0, 0.0], [0.0, 0.0], [1.0, 3.0]];
    let fitted = ecod(EcodTails::PerRow).fit(history.view()).unwrap();
    let score = fitted.score_row(array![-1.0, 3.0].view()).unwrap();
    assert!((score - 3_f64.ln()).abs() < 1e-12, "{score}");
}
