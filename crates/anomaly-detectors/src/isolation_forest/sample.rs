//! The rows that a tree is grown from.

use ndarray::ArrayView2;

use super::present::Present;
use crate::random::SplitMix64;
use crate::subsample::draw;

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
        present: &Present,
        random: &mut SplitMix64,
    ) -> Self {
        let mut values = Vec::with_capacity(rows * data.ncols());
        for row in draw(random, data.nrows(), rows) {
            let row = data.row(row);
            let row = row.iter().enumerate();
            values.extend(row.map(|(column, &value)| present.read(column, value)));
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
