//! The rows that a tree is grown from.

use ndarray::ArrayView2;

use crate::random::SplitMix64;
use crate::subsample::draw;

/// Rows looked at to find a column's usual value.
const ROWS_FOR_SUBSTITUTE: usize = 1024;

/// Finite values of some rows, row after row.
#[derive(Debug)]
pub(super) struct Sample {
    values: Vec<f64>,
    rows: usize,
    columns: usize,
}

impl Sample {
    /// Draws `rows` different rows of `data`, at most as many as it has.
    pub(super) fn draw(
        data: ArrayView2<'_, f64>,
        rows: usize,
        substitutes: &[f64],
        random: &mut SplitMix64,
    ) -> Self {
        let mut values = Vec::with_capacity(rows * data.ncols());
        for row in draw(random, data.nrows(), rows) {
            let row = data.row(row);
            values.extend(
                row.iter().zip(substitutes).map(|(&value, &substitute)| {
                    present(value, substitute).clamp(f64::MIN, f64::MAX)
                }),
            );
        }
        Self {
            values,
            rows,
            columns: data.ncols(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    pub(super) fn value(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }
}

/// The value, or the substitute where it is missing.
pub(super) fn present(value: f64, substitute: f64) -> f64 {
    if value.is_nan() { substitute } else { value }
}

/// What each column's missing values are read as: a value that occurs, in the middle of the others.
pub(super) fn substitutes(data: ArrayView2<'_, f64>) -> Vec<f64> {
    let step = data.nrows().div_ceil(ROWS_FOR_SUBSTITUTE).max(1);
    let mut scratch = Vec::new();
    data.columns()
        .into_iter()
        .map(|column| {
            let mut middle_of_every = |step| {
                scratch.clear();
                scratch.extend(column.iter().step_by(step).filter(|v| v.is_finite()));
                let middle = scratch.len().checked_sub(1)? / 2;
                Some(*scratch.select_nth_unstable_by(middle, f64::total_cmp).1)
            };
            middle_of_every(step)
                .or_else(|| middle_of_every(1))
                .unwrap_or(0.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::substitutes;

    #[test]
    fn a_missing_value_is_read_as_one_that_occurs() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let data = array![
            [0.0, nan, inf],
            [100.0, nan, 3.0],
            [nan, nan, nan],
            [7.0, nan, 9.0]
        ];
        assert_eq!(substitutes(data.view()), [7.0, 0.0, 3.0]);
        // Its one value is in a row that is not among the evenly spaced.
        let mut sparse = ndarray::Array2::from_elem((5_000, 1), nan);
        sparse[[4_999, 0]] = 5.0;
        assert_eq!(substitutes(sparse.view()), [5.0]);
    }
}
