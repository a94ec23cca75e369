//! A fitted ECOD: how rare the values of a row are.

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::column::{Column, Surprise};
use super::record::Record;
use super::{Ecod, EcodTails};
use crate::{DetectorError, Score, check, parallel};

/// Rows that one thread scores at a time.
const BLOCK_ROWS: usize = 256;

/// A fitted [`Ecod`]: the empirical distribution of each column.
///
/// A score is from 0 to `columns * ln(n + 1)`, with `n` the rows of the fit. [`Score::explain`] gives
/// `-ln` of the tail that counts in each column: never negative, summing to the score. With
/// [`EcodTails::PerRow`] it is the tail of the sum that is largest for this row (of equal sums the
/// first of left, right and skewed).
///
/// Takes 32 bytes per distinct value of each column, and `log2` of their number steps per value to
/// score.
///
/// Serialises with the detector's name and a version, as distinct values and counts, and refuses
/// another name or version, or a column that no fit can give, when read back. What is read back
/// scores as before, to the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedEcod {
    detector: Ecod,
    columns: Vec<Column>,
}

impl FittedEcod {
    pub(super) fn new(detector: Ecod, columns: Vec<Column>) -> Self {
        Self { detector, columns }
    }

    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> Ecod {
        self.detector
    }

    pub(super) fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    fn surprises<'a>(&'a self, row: ArrayView1<'a, f64>) -> impl Iterator<Item = Surprise> + 'a {
        self.columns
            .iter()
            .zip(row)
            .map(|(column, &value)| column.surprise(value))
    }

    /// The sums of the row over all columns.
    fn sums(&self, row: ArrayView1<'_, f64>) -> Surprise {
        self.surprises(row)
            .fold(Surprise::default(), |sums, surprise| Surprise {
                left: sums.left + surprise.left,
                right: sums.right + surprise.right,
                skewed: sums.skewed + surprise.skewed,
            })
    }

    fn score_of(&self, row: ArrayView1<'_, f64>) -> f64 {
        match self.detector.params().tails {
            EcodTails::PerRow => {
                let sums = self.sums(row);
                sums.left.max(sums.right).max(sums.skewed)
            }
            EcodTails::PerValue => self
                .surprises(row)
                .fold(0.0, |sum, surprise| sum + surprise.left.max(surprise.right)),
        }
    }
}

impl Score for FittedEcod {
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
        let part: fn(Surprise) -> f64 = match self.detector.params().tails {
            EcodTails::PerRow => {
                let sums = self.sums(row);
                if sums.left >= sums.right.max(sums.skewed) {
                    |surprise| surprise.left
                } else if sums.right >= sums.skewed {
                    |surprise| surprise.right
                } else {
                    |surprise| surprise.skewed
                }
            }
            EcodTails::PerValue => |surprise| surprise.left.max(surprise.right),
        };
        Ok(self.surprises(row).map(part).collect())
    }
}
