//! The subsamples: how strange a row is.

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{NAME, NearestNeighbours};
use crate::points::{LARGEST_BLOCK, Points, nearest_other};
use crate::robust_space::RobustSpace;
use crate::{Baseline, DetectorError, Score, check, parallel};

/// Rows that one thread scores at a time.
const BLOCK_ROWS: usize = 64;

/// A fitted [`NearestNeighbours`].
///
/// A score is the mean distance from the nearest row of each subsample, in transformed scales: 0 for
/// a row that is in all of them, about 1 or less for usual rows of few columns, without upper bound.
///
/// [`Score::explain`] gives each distance to the columns by their shares of its square. The
/// contributions are never negative and sum to the score.
///
/// It holds `samples` times `sample_rows` rows, however long the history was.
///
/// # Stored form
///
/// Serialises with the detector's name and a version, and refuses another name or version, or
/// subsamples that no fit can give, when read back. What is read back scores as before, to the last
/// bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedNearestNeighbours {
    detector: NearestNeighbours,
    space: RobustSpace,
    sample_rows: usize,
    /// Sample after sample; each lies in one block.
    points: Points,
}

impl FittedNearestNeighbours {
    /// Takes the coordinates of the drawn rows, sample after sample.
    pub(super) fn new(
        detector: NearestNeighbours,
        space: RobustSpace,
        sample_rows: usize,
        coordinates: &[f64],
    ) -> Result<Self, DetectorError> {
        let samples = detector.params().samples;
        let block = LARGEST_BLOCK / sample_rows * sample_rows;
        let columns = space.columns().len();
        let points =
            Points::new(samples * sample_rows, columns, block, coordinates).ok_or_else(|| {
                let reason = format!("the coordinates are not those of {samples} samples of {sample_rows} rows in {columns} columns");
                DetectorError::invalid_state(NAME, reason)
            })?;
        Ok(Self {
            detector,
            space,
            sample_rows,
            points,
        })
    }

    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> NearestNeighbours {
        self.detector
    }

    /// What is usual in each column: what distances are measured in.
    #[must_use]
    pub fn baselines(&self) -> &[Baseline] {
        self.space.columns()
    }

    /// Rows of each subsample: what was asked for, or half of the history if that was fewer.
    #[must_use]
    pub fn sample_rows(&self) -> usize {
        self.sample_rows
    }

    pub(super) fn points(&self) -> &Points {
        &self.points
    }

    /// The score of a row of the right width.
    pub(super) fn score_present(&self, row: ArrayView1<'_, f64>) -> f64 {
        let (mut sum, mut samples) = (0.0, 0_usize);
        self.points
            .visit_squared_distances(self.space.reader(row), |_, squares| {
                for sample in squares.chunks_exact(self.sample_rows) {
                    if let Some(square) = nearest_other(sample.iter().copied()) {
                        sum += square.sqrt();
                        samples += 1;
                    }
                }
            });
        sum / samples.max(1) as f64
    }
}

impl Score for FittedNearestNeighbours {
    fn columns(&self) -> usize {
        self.space.columns().len()
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        check::width(self.columns(), row.len())?;
        Ok(self.score_present(row))
    }

    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns(), data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        parallel::for_each_row(data, scores, BLOCK_ROWS, |row| self.score_present(row));
        Ok(())
    }

    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        check::width(self.columns(), row.len())?;
        let coordinate = self.space.reader(row);
        let mut nearest = Vec::new();
        self.points
            .visit_squared_distances(&coordinate, |first, squares| {
                let samples = squares.chunks_exact(self.sample_rows).enumerate();
                nearest.extend(samples.filter_map(|(index, sample)| {
                    let smallest = nearest_other(sample.iter().copied())?;
                    let place = sample.iter().position(|&square| {
                        square <= smallest && (square > 0.0 || smallest <= 0.0)
                    })?;
                    Some((first + index * self.sample_rows + place, smallest.sqrt()))
                }));
            });
        let mut contributions = vec![0.0; self.columns()];
        for &(point, distance) in &nearest {
            let amount = distance / nearest.len() as f64;
            self.points
                .add_shares(point, &coordinate, amount, &mut contributions);
        }
        Ok(Array1::from(contributions))
    }
}
