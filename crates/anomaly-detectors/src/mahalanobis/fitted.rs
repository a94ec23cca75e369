//! Mean and covariance: how strange a row is.

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::moments::{LARGEST_COORDINATE, reader};
use super::record::Record;
use super::triangle::{LARGEST_TRIANGLE, Triangle, add_multiple};
use super::{Mahalanobis, NAME};
use crate::robust_space::RobustSpace;
use crate::{Baseline, DetectorError, Score, check, parallel};

/// Rows that one thread scores at a time.
const BLOCK_ROWS: usize = 256;
/// No fit gives a factor with a larger entry: the least variance in any direction is 1e-12.
const LARGEST_ENTRY: f64 = 1e7;

/// Whitened deviations of a row: without correlation, and of variance 1. Never more than a triangle
/// has columns, so that there is no need to allocate.
type Whitened = [f64; LARGEST_TRIANGLE];

/// A fitted [`Mahalanobis`].
///
/// A score is 0 at the centre and has no upper bound. If nothing is trimmed and nothing missing, the
/// mean score of the history is at most the number of columns.
///
/// [`Score::explain`] gives each column `u` times the element of `C⁻¹ u` that belongs to it, with
/// `u` the deviations from the mean: what the column adds, half of each product with another column
/// being its own. The contributions sum to the score. A column's may be negative: its value makes
/// the others likelier, such as time that is long when there is much data.
///
/// It holds the inverse Cholesky factor of the covariance, of `d` columns `d (d + 1) / 2` numbers
/// (`d` if above 512), and as many multiplications score a row.
///
/// # Stored form
///
/// Serialises with the detector's name and a version, and refuses another name or version, or a mean
/// or factor that no fit can give, when read back. What is read back scores as before, to the last
/// bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedMahalanobis {
    detector: Mahalanobis,
    space: RobustSpace,
    means: Vec<f64>,
    /// `W` with `WᵀW` the inverse of the covariance.
    factor: Triangle,
}

impl FittedMahalanobis {
    pub(super) fn new(
        detector: Mahalanobis,
        space: RobustSpace,
        means: Vec<f64>,
        factor: Triangle,
    ) -> Result<Self, DetectorError> {
        let within = |values: &[f64], largest: f64| values.iter().all(|v| v.abs() <= largest);
        let possible = within(&means, LARGEST_COORDINATE)
            && within(factor.entries(), LARGEST_ENTRY)
            && factor.diagonal().all(|entry| entry > 0.0);
        if means.len() != space.columns().len() || !possible {
            let reason = "its mean and factor are from no fit";
            return Err(DetectorError::invalid_state(NAME, reason));
        }
        Ok(Self {
            detector,
            space,
            means,
            factor,
        })
    }

    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> Mahalanobis {
        self.detector
    }

    /// What is usual in each column: what coordinates are measured in.
    #[must_use]
    pub fn baselines(&self) -> &[Baseline] {
        self.space.columns()
    }

    pub(super) fn means(&self) -> &[f64] {
        &self.means
    }

    pub(super) fn factor(&self) -> &Triangle {
        &self.factor
    }

    /// How far a row of the right width lies from the mean in each column; 0 where it is missing.
    fn deviations<'a>(&'a self, row: ArrayView1<'a, f64>) -> impl Iterator<Item = f64> + 'a {
        let coordinate = reader(&self.space, row);
        self.means.iter().enumerate().map(move |(column, mean)| {
            let deviation = coordinate(column) - mean;
            if deviation.is_nan() { 0.0 } else { deviation }
        })
    }

    /// The factor times the deviations, if it is more than a diagonal.
    fn whiten<'a>(
        &self,
        deviations: impl Iterator<Item = f64>,
        whitened: &'a mut Whitened,
    ) -> &'a [f64] {
        let whitened = &mut whitened[..self.means.len()];
        whitened.fill(0.0);
        for (column, deviation) in deviations.enumerate() {
            add_multiple(
                &mut whitened[column..],
                deviation,
                self.factor.column(column),
            );
        }
        whitened
    }

    /// What each column adds if the factor is a diagonal.
    fn separate<'a>(
        &'a self,
        deviations: impl Iterator<Item = f64> + 'a,
    ) -> impl Iterator<Item = f64> + 'a {
        deviations
            .zip(self.factor.diagonal())
            .map(|(deviation, entry)| {
                let whitened = deviation * entry;
                whitened * whitened
            })
    }

    /// The score of a row of the right width.
    fn score_of(&self, row: ArrayView1<'_, f64>, whitened: &mut Whitened) -> f64 {
        let deviations = self.deviations(row);
        if self.factor.is_whole() {
            let whitened = self.whiten(deviations, whitened);
            whitened
                .iter()
                .fold(0.0, |sum, element| sum + element * element)
        } else {
            self.separate(deviations).fold(0.0, |sum, part| sum + part)
        }
    }
}

impl Score for FittedMahalanobis {
    fn columns(&self) -> usize {
        self.space.columns().len()
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        check::width(self.columns(), row.len())?;
        Ok(self.score_of(row, &mut [0.0; LARGEST_TRIANGLE]))
    }

    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns(), data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        parallel::for_each_block(
            data,
            scores,
            BLOCK_ROWS,
            || [0.0; LARGEST_TRIANGLE],
            |data, mut scores, whitened| {
                for (row, score) in data.rows().into_iter().zip(&mut scores) {
                    *score = self.score_of(row, whitened);
                }
            },
        );
        Ok(())
    }

    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        check::width(self.columns(), row.len())?;
        if !self.factor.is_whole() {
            return Ok(self.separate(self.deviations(row)).collect());
        }
        let mut whitened = [0.0; LARGEST_TRIANGLE];
        let whitened = self.whiten(self.deviations(row), &mut whitened);
        let part = |(column, deviation): (usize, f64)| {
            let entries = self.factor.column(column).iter();
            let products = entries.zip(&whitened[column..]).map(|(a, b)| a * b);
            deviation * products.fold(0.0, |sum, product| sum + product)
        };
        Ok(self.deviations(row).enumerate().map(part).collect())
    }
}
