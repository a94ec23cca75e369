//! A fitted histogram: how rare the values of a row are.

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::Histogram;
use super::column::Column;
use super::record::Record;
use crate::{DetectorError, Score, check, parallel};

/// Rows that one thread scores at a time.
const BLOCK_ROWS: usize = 256;

/// A fitted [`Histogram`]: the counts of each column's bins.
///
/// A score is from 0 to `columns * ln(10 k + 1)`, with `k` the bins of a column. [`Score::explain`]
/// gives what each column adds: never negative, summing to the score.
///
/// Takes 16 bytes per bin of each column, however long the history was.
///
/// Serialises with the detector's name and a version, as ranges and counts, and refuses another name
/// or version, or a column that no fit can give, when read back. What is read back scores as before,
/// to the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedHistogram {
    detector: Histogram,
    columns: Vec<Column>,
}

impl FittedHistogram {
    pub(super) fn new(detector: Histogram, columns: Vec<Column>) -> Self {
        Self { detector, columns }
    }

    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> Histogram {
        self.detector
    }

    pub(super) fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// What each column adds.
    fn surprises<'a>(&'a self, row: ArrayView1<'a, f64>) -> impl Iterator<Item = f64> + 'a {
        self.columns
            .iter()
            .zip(row)
            .map(|(column, &value)| column.surprise(value))
    }

    fn score_of(&self, row: ArrayView1<'_, f64>) -> f64 {
        self.surprises(row)
            .fold(0.0, |sum, surprise| sum + surprise)
    }
}

impl Score for FittedHistogram {
    fn columns(&self) -> usize {
        self.columns.len()
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        check::width(self.columns(), row.len())?;
        Ok(self.score_of(row))
    }

    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns(), data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        parallel::for_each_row(data, scores, BLOCK_ROWS, |row| self.score_of(row));
        Ok(())
    }

    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        check::width(self.columns(), row.len())?;
        Ok(self.surprises(row).collect())
    }
}
