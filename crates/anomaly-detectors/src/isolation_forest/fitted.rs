//! A grown forest: how strange a row is.

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::IsolationForest;
use super::batch::{self, Ranked};
use super::path_length::average_path_length;
use super::record::Record;
use super::sample::present;
use super::tree::{LANES, Tree};
use crate::{DetectorError, Score, check, parallel};

/// A fitted [`IsolationForest`].
///
/// A score is above 0 and at most 1: `2^(-E(h) / c(n))` with `E(h)` the mean path length of the
/// row, `n` the rows that each tree was grown from, and `c(n)` the average path length. About 0.5 is
/// usual, close to 1 certainly strange.
///
/// [`Score::explain`] follows the row down each tree. At a node with `n` rows, `c(n)` further steps
/// are to be expected; a split that leads to `m` rows and cost one step has saved `c(n) - c(m) - 1`,
/// which its column is credited with. The credits, averaged over the trees and divided by the `c(n)`
/// of the root, sum to `1 + log2(score)`. A column in which the row is usual has a credit near 0 or
/// below.
///
/// Serialises with the detector's name and a version, without padding, and refuses another name or
/// version, or a tree that no fit can give, when read back. What is read back scores as before, to
/// the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedIsolationForest {
    detector: IsolationForest,
    sample_rows: usize,
    /// Of each column: what a missing value is read as.
    substitutes: Vec<f64>,
    trees: Vec<Tree>,
}

impl FittedIsolationForest {
    pub(super) fn new(
        detector: IsolationForest,
        sample_rows: usize,
        substitutes: Vec<f64>,
        trees: Vec<Tree>,
    ) -> Self {
        Self {
            detector,
            sample_rows,
            substitutes,
            trees,
        }
    }

    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> IsolationForest {
        self.detector
    }

    /// Rows that each tree was grown from: `max_samples`, or all rows of the fit if those were fewer.
    #[must_use]
    pub fn sample_rows(&self) -> usize {
        self.sample_rows
    }

    pub(super) fn substitutes(&self) -> &[f64] {
        &self.substitutes
    }

    pub(super) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The path length that is neither short nor long, summed over the trees. Above 0.
    fn usual_sum(&self) -> f64 {
        self.trees.len() as f64 * average_path_length(self.sample_rows)
    }

    /// Reads a row's values by column, with its missing ones replaced.
    fn reader<'a>(&'a self, row: ArrayView1<'a, f64>) -> impl Fn(usize) -> f64 + 'a {
        move |column| present(row[column], self.substitutes[column])
    }

    fn score_block(
        &self,
        data: ArrayView2<'_, f64>,
        mut scores: ArrayViewMut1<'_, f64>,
        block: &mut Block,
    ) {
        block.fill(data, &self.substitutes);
        for tree in &self.trees {
            block.add_path_lengths(tree);
        }
        let usual_sum = self.usual_sum();
        for (score, sum) in scores.iter_mut().zip(&block.sums) {
            *score = score_of(*sum, usual_sum);
        }
    }
}

fn score_of(sum: f64, usual_sum: f64) -> f64 {
    libm::exp2(-sum / usual_sum)
}

impl Score for FittedIsolationForest {
    fn columns(&self) -> usize {
        self.substitutes.len()
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        check::width(self.columns(), row.len())?;
        let value = self.reader(row);
        let sum = self
            .trees
            .iter()
            .map(|tree| tree.path_length(&value))
            .fold(0.0, |sum, length| sum + length);
        Ok(score_of(sum, self.usual_sum()))
    }

    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns(), data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        if data.nrows() >= batch::FEWEST_ROWS
            && let Some(ranked) = Ranked::new(&self.trees, self.columns())
        {
            let usual_sum = self.usual_sum();
            ranked.score_into(data, scores, &self.substitutes, |sum| {
                score_of(sum, usual_sum)
            });
            return Ok(());
        }
        let rows = Block::rows(self.columns());
        parallel::for_each_block(
            data,
            scores,
            rows,
            || Block::new(rows, self.columns()),
            |data, scores, block| self.score_block(data, scores, block),
        );
        Ok(())
    }

    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        check::width(self.columns(), row.len())?;
        let value = self.reader(row);
        let mut savings = vec![0.0; self.columns()];
        for tree in &self.trees {
            tree.add_savings(&value, &mut savings);
        }
        Ok(Array1::from(savings) / self.usual_sum())
    }
}

/// Rows that are scored together: they pass through one tree while it is in the nearest cache.
struct Block {
    columns: usize,
    /// Present values, row after row; a whole number of [`LANES`] rows.
    values: Vec<f64>,
    /// Of each row: the sum of its path lengths.
    sums: Vec<f64>,
}

impl Block {
    /// How many rows of this width make a block that stays in the nearest cache.
    fn rows(columns: usize) -> usize {
        LANES * (256 / columns.max(1)).clamp(1, 16)
    }

    fn new(rows: usize, columns: usize) -> Self {
        Self {
            columns,
            values: vec![0.0; rows * columns],
            sums: vec![0.0; rows],
        }
    }

    /// Takes in at most as many rows as there is room for. The rest stays as it was: its sums are
    /// not read.
    fn fill(&mut self, data: ArrayView2<'_, f64>, substitutes: &[f64]) {
        let rows = self.values.chunks_exact_mut(self.columns.max(1));
        for (row, values) in data.rows().into_iter().zip(rows) {
            for ((value, &given), &substitute) in values.iter_mut().zip(row).zip(substitutes) {
                *value = present(given, substitute);
            }
        }
        self.sums.fill(0.0);
    }

    fn add_path_lengths(&mut self, tree: &Tree) {
        for (index, sums) in self.sums.chunks_exact_mut(LANES).enumerate() {
            let size = LANES * self.columns;
            tree.add_path_lengths(&self.values[index * size..][..size], sums);
        }
    }
}
