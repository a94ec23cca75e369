//! Data for the tests.

use anomaly_detectors::ndarray::{Array1, Array2};
use proptest::prelude::*;

/// Whatever a float can be, often the same and often ugly.
pub(crate) fn any_number() -> impl Strategy<Value = f64> + Clone {
    let ugly = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        1e308,
        -1e308,
        f64::MIN_POSITIVE,
        5e-324,
        -0.0,
        0.0,
        0.1,
        1.0,
    ];
    prop_oneof![
        4 => proptest::sample::select(ugly.to_vec()),
        3 => any::<f64>(),
        3 => -10.0..10.0,
    ]
}

pub(crate) fn matrix(
    rows: impl Strategy<Value = usize>,
    columns: impl Strategy<Value = usize>,
    number: impl Strategy<Value = f64> + Clone,
) -> impl Strategy<Value = Array2<f64>> {
    (rows, columns).prop_flat_map(move |(rows, columns)| {
        proptest::collection::vec(number.clone(), rows * columns)
            .prop_map(move |values| Array2::from_shape_vec((rows, columns), values).unwrap())
    })
}

/// Rows on a slope with some scatter; exact numbers, the same on every platform.
pub(crate) fn slope(rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        (row * 7 % 101) as f64 + (row * (column + 3) * (row + 5) % 17) as f64 / 16.0
    })
}

pub(crate) fn bits(scores: &Array1<f64>) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}
