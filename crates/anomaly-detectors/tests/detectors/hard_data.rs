//! Data that is degenerate in every column at once.

use anomaly_detectors::ndarray::{Array1, Array2};

use crate::any_data::finite_scores;
use crate::data::slope;
use crate::every::every_detector;

const ROWS: usize = 40;

/// Matrices of three columns, each of one kind of hard data, and one of all kinds.
fn hard_matrices() -> Vec<Array2<f64>> {
    let of = |value: fn(usize) -> f64| {
        Array2::from_shape_fn((ROWS, 3), |(row, column)| value(row + 7 * column))
    };
    let mut all = vec![
        of(|_| 7.0),
        of(|_| f64::NAN),
        of(|_| f64::INFINITY),
        of(|place| {
            if place % 2 == 0 {
                f64::INFINITY
            } else {
                f64::NEG_INFINITY
            }
        }),
        of(|place| if place % 2 == 0 { 1e308 } else { -1e308 }),
        of(|place| if place % 2 == 0 { f64::MAX } else { f64::MIN }),
        of(|place| f64::from_bits(place as u64)),
        // All but one of forty are equal.
        of(|place| if place % 40 == 1 { 9.0 } else { 5.0 }),
        of(|place| if place % 40 == 1 { f64::MAX } else { 5e-324 }),
        of(|place| if place % 2 == 0 { -0.0 } else { 0.0 }),
        slope(ROWS, 3),
    ];
    let columns: Vec<Array1<f64>> = all.iter().map(|data| data.column(0).to_owned()).collect();
    let mixture = Array2::from_shape_fn((ROWS, 3), |(row, column)| {
        columns[(row + 5 * column) % columns.len()][row]
    });
    all.push(mixture);
    all
}

#[test]
fn hard_data_has_finite_scores() {
    let matrices = hard_matrices();
    for detector in every_detector() {
        for history in &matrices {
            for new in &matrices {
                finite_scores(&detector, history, new).unwrap();
            }
        }
    }
}

#[test]
fn all_shapes_have_finite_scores() {
    for (rows, columns) in [(0, 3), (1, 3), (2, 3), (20, 0), (20, 1), (3, 10_000)] {
        let data = slope(rows, columns);
        for detector in every_detector() {
            finite_scores(&detector, &data, &data).unwrap();
            finite_scores(&detector, &data, &Array2::zeros((0, columns))).unwrap();
        }
    }
}

#[test]
fn ties_in_99_of_100_rows_have_finite_scores() {
    let data = Array2::from_shape_fn(
        (200, 3),
        |(row, column)| {
            if row % 100 == column { 9.0 } else { 5.0 }
        },
    );
    for detector in every_detector() {
        finite_scores(&detector, &data, &data).unwrap();
    }
}

/// More rows than are scored in one go, with some hard values.
pub(crate) fn long_data() -> Array2<f64> {
    let mut data = slope(5_003, 3);
    for (index, value) in data.iter_mut().enumerate() {
        match index % 997 {
            0 => *value = f64::NAN,
            1 => *value = f64::INFINITY,
            2 => *value = -1e308,
            _ => {}
        }
    }
    data
}

#[test]
fn many_rows_score_as_each_of_them() {
    let data = long_data();
    for detector in every_detector() {
        finite_scores(&detector, &data, &data).unwrap();
    }
}
