//! The features of many jobs, one row each.

use ndarray::{Array2, ArrayView2};

/// The coordinates of many jobs: one row a job, one column a feature, NaN where a value is missing.
///
/// ```
/// use anomaly_features::FeatureMatrix;
/// let mut matrix = FeatureMatrix::new(2);
/// matrix.push([1.0, f64::NAN]);
/// matrix.push([2.0]);
/// assert_eq!(matrix.view().dim(), (2, 2));
/// assert!(matrix.view()[[1, 1]].is_nan());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMatrix {
    rows: Array2<f64>,
}

impl FeatureMatrix {
    /// No rows of `columns` columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self {
            rows: Array2::zeros((0, columns)),
        }
    }

    /// Adds a row. Missing values at its end are NaN, surplus ones are dropped.
    pub fn push(&mut self, row: impl IntoIterator<Item = f64>) {
        let mut values = ndarray::Array1::from_elem(self.rows.ncols(), f64::NAN);
        for (slot, value) in values.iter_mut().zip(row) {
            *slot = value;
        }
        // The row has been made as wide as the matrix, which is all that could go wrong.
        _ = self.rows.push_row(values.view());
    }

    /// The rows, for the detectors.
    #[must_use]
    pub fn view(&self) -> ArrayView2<'_, f64> {
        self.rows.view()
    }
}
