//! What stands for missing and infinite values.

use ndarray::ArrayView2;

/// Rows looked at to find a column's usual value.
const ROWS_FOR_SUBSTITUTE: usize = 1024;

/// The largest magnitude where splits combine columns: times a factor, and summed, it is finite.
const MOST_IN_SUMS: f64 = 1e150;

/// Makes the values of a row finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Present {
    /// Of each column: what a missing value is read as.
    substitutes: Vec<f64>,
    /// A larger magnitude is read as this one.
    most: f64,
}

impl Present {
    /// For rows like these, and splits of so many columns.
    pub(super) fn of(data: ArrayView2<'_, f64>, columns_per_split: usize) -> Self {
        Self::new(substitutes(data), columns_per_split)
    }

    pub(super) fn new(substitutes: Vec<f64>, columns_per_split: usize) -> Self {
        let most = if columns_per_split > 1 {
            MOST_IN_SUMS
        } else {
            f64::MAX
        };
        Self { substitutes, most }
    }

    pub(super) fn columns(&self) -> usize {
        self.substitutes.len()
    }

    pub(super) fn substitutes(&self) -> &[f64] {
        &self.substitutes
    }

    /// What a value of a column counts as: finite.
    pub(super) fn read(&self, column: usize, value: f64) -> f64 {
        let value = if value.is_nan() {
            self.substitutes[column]
        } else {
            value
        };
        value.clamp(-self.most, self.most)
    }
}

/// What each column's missing values are read as: a value that occurs, in the middle of the others.
fn substitutes(data: ArrayView2<'_, f64>) -> Vec<f64> {
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
