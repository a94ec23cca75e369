//! A grown forest: how strange a row is.

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::pairs::{self, Pairs};
use super::path_length::average_path_length;
use super::present::Present;
use super::ranked::{self, Ranked};
use super::record::Record;
use super::scoring::{Usual, Views};
use super::tree::{LANES, Tree};
use super::{ForestScoring, IsolationForest};
use crate::{DetectorError, Score, check, parallel};

/// Trees that a row walks down side by side: its steps do not wait for each other.
const TREES_AT_ONCE: usize = 8;

/// Columns of a row whose values are made present once, on the stack, and not at each step.
const MOST_COLUMNS_AT_HAND: usize = 64;

/// A fitted [`IsolationForest`].
///
/// What a score is depends on its [`ForestScoring`]; larger is stranger.
///
/// [`Score::explain`] compares the row with the usual one, whose values are those that missing
/// values are read as. Its values are replaced by the row's, column after column, once in ascending
/// and once in descending order; a column's contribution is the mean of what the score rises by when
/// it is replaced. That is its Shapley value (Štrumbelj and Kononenko, JMLR 11, 2010) as far as two
/// opposite orders tell, which is all if columns act on each other in pairs. The contributions sum
/// to what the row scores more than the usual one. That of a missing value, and of a usual one, is 0.
/// This takes as long as to score two rows per column.
///
/// Serialises with the detector's name and a version, without padding, and refuses another name or
/// version, or a tree that no fit can give, when read back. What is read back scores as before, to
/// the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedIsolationForest {
    detector: IsolationForest,
    sample_rows: usize,
    present: Present,
    reference: Reference,
    trees: Vec<Tree>,
}

/// What the history's rows look like to the forest, as sums over the trees.
///
/// Known if [`ForestScoring::DepthAndDensity`] asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Reference {
    path_length: Usual,
    log_density: Usual,
}

impl Reference {
    pub(super) fn is_sound(self) -> bool {
        self.path_length.is_sound() && self.log_density.is_sound()
    }
}

impl FittedIsolationForest {
    pub(super) fn new(
        detector: IsolationForest,
        sample_rows: usize,
        present: Present,
        reference: Reference,
        trees: Vec<Tree>,
    ) -> Self {
        Self {
            detector,
            sample_rows,
            present,
            reference,
            trees,
        }
    }

    /// Takes these rows of the history as the usual ones.
    pub(super) fn refer_to(&mut self, data: ArrayView2<'_, f64>, rows: &[usize]) {
        let views = parallel::map(rows.len(), |index| self.views_of_row(data.row(rows[index])));
        self.reference = Reference {
            path_length: Usual::of(views.iter().map(|view| view.path_length)),
            log_density: Usual::of(views.iter().map(|view| view.log_density)),
        };
    }

    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> &IsolationForest {
        &self.detector
    }

    /// Rows that each tree was grown from: `max_samples`, or all rows of the fit if those were fewer.
    #[must_use]
    pub fn sample_rows(&self) -> usize {
        self.sample_rows
    }

    pub(super) fn present(&self) -> &Present {
        &self.present
    }

    pub(super) fn reference(&self) -> Reference {
        self.reference
    }

    pub(super) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    fn scoring(&self) -> ForestScoring {
        self.detector.params().scoring
    }

    /// The path length that is neither short nor long, summed over the trees. Above 0.
    fn usual_path_length(&self) -> f64 {
        self.trees.len() as f64 * average_path_length(self.sample_rows)
    }

    /// Reads a row's values by column, made present.
    fn reader<'a>(&'a self, row: ArrayView1<'a, f64>) -> impl Fn(usize) -> f64 + 'a {
        move |column| self.present.read(column, row[column])
    }

    /// What all trees say of a row of the right width.
    fn views_of_row(&self, row: ArrayView1<'_, f64>) -> Views {
        let value = self.reader(row);
        if row.len() > MOST_COLUMNS_AT_HAND {
            return self.views_of(value);
        }
        let mut values = [0.0; MOST_COLUMNS_AT_HAND];
        for (column, place) in values[..row.len()].iter_mut().enumerate() {
            *place = value(column);
        }
        self.views_of(|column| values[column])
    }

    /// What all trees say of the row whose value in each column `value` gives, made present.
    fn views_of(&self, value: impl Fn(usize) -> f64) -> Views {
        let mut sums = Views::default();
        for trees in self.trees.chunks(TREES_AT_ONCE) {
            let mut places = [0; TREES_AT_ONCE];
            let depth = trees.iter().map(Tree::depth).max().unwrap_or(0);
            for _ in 0..depth {
                for (tree, place) in trees.iter().zip(&mut places) {
                    *place = tree.next(*place, &value);
                }
            }
            for (tree, place) in trees.iter().zip(places) {
                sums += tree.views_at(place);
            }
        }
        sums
    }

    /// The score of a row of which the trees together say this.
    fn score_of(&self, sums: Views) -> f64 {
        match self.scoring() {
            ForestScoring::Depth => libm::exp2(-sums.path_length / self.usual_path_length()),
            ForestScoring::Density | ForestScoring::AdjustedDensity => {
                -sums.log_density / self.trees.len() as f64
            }
            ForestScoring::DepthAndDensity => {
                let [by_depth, by_density] = self.deviations(sums);
                by_depth.max(by_density)
            }
        }
    }

    /// How much stranger than usual a row is, by depth and by density, in standard deviations.
    fn deviations(&self, sums: Views) -> [f64; 2] {
        [
            self.reference.path_length.below(sums.path_length),
            self.reference.log_density.below(sums.log_density),
        ]
    }

    fn score_block(
        &self,
        data: ArrayView2<'_, f64>,
        mut scores: ArrayViewMut1<'_, f64>,
        block: &mut Block,
    ) {
        block.fill(data, &self.present);
        for tree in &self.trees {
            block.add_views(tree);
        }
        for (score, sums) in scores.iter_mut().zip(&block.sums) {
            *score = self.score_of(*sums);
        }
    }

    /// The fastest layout, if these are enough rows and it fits this forest.
    fn ranked(&self, rows: usize) -> Option<Ranked> {
        if rows < ranked::FEWEST_ROWS || self.scoring() != ForestScoring::Depth {
            return None;
        }
        Ranked::new(&self.trees, self.columns())
    }

    /// The next fastest layout, if these are enough rows and it fits this forest.
    fn pairs(&self, rows: usize) -> Option<Pairs> {
        if rows < pairs::FEWEST_ROWS {
            return None;
        }
        Pairs::new(&self.trees, self.columns())
    }
}

impl Score for FittedIsolationForest {
    fn columns(&self) -> usize {
        self.present.columns()
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        check::width(self.columns(), row.len())?;
        Ok(self.score_of(self.views_of_row(row)))
    }

    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns(), data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        if let Some(ranked) = self.ranked(data.nrows()) {
            ranked.score_into(data, scores, &self.present, |path_length| {
                self.score_of(Views {
                    path_length,
                    log_density: 0.0,
                })
            });
            return Ok(());
        }
        if let Some(pairs) = self.pairs(data.nrows()) {
            pairs.score_into(data, scores, &self.present, |sums| self.score_of(sums));
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
        let usual = |column| self.present.read(column, f64::NAN);
        // The score of the usual row with the given row's values in some columns.
        let score = |replaced: &dyn Fn(usize) -> bool| {
            let pick = |column| {
                if replaced(column) {
                    value(column)
                } else {
                    usual(column)
                }
            };
            self.score_of(self.views_of(pick))
        };
        let (mut with_lower, mut with_this_and_higher) = (score(&|_| false), score(&|_| true));
        let contributions = (0..self.columns()).map(|column| {
            if value(column).total_cmp(&usual(column)).is_eq() {
                return 0.0;
            }
            let with_this_and_lower = score(&|other| other <= column);
            let with_higher = score(&|other| other > column);
            let ascending = with_this_and_lower - with_lower;
            let descending = with_this_and_higher - with_higher;
            (with_lower, with_this_and_higher) = (with_this_and_lower, with_higher);
            f64::midpoint(ascending, descending)
        });
        Ok(contributions.collect())
    }
}

/// Rows that are scored together: they pass through one tree while it is in the nearest cache.
struct Block {
    columns: usize,
    /// Present values, row after row; a whole number of [`LANES`] rows.
    values: Vec<f64>,
    /// Of each row: what the trees say of it.
    sums: Vec<Views>,
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
            sums: vec![Views::default(); rows],
        }
    }

    /// Takes in at most as many rows as there is room for. The rest stays as it was: its sums are
    /// not read.
    fn fill(&mut self, data: ArrayView2<'_, f64>, present: &Present) {
        let rows = self.values.chunks_exact_mut(self.columns.max(1));
        for (row, values) in data.rows().into_iter().zip(rows) {
            for (column, (value, &given)) in values.iter_mut().zip(row).enumerate() {
                *value = present.read(column, given);
            }
        }
        self.sums.fill(Views::default());
    }

    fn add_views(&mut self, tree: &Tree) {
        for (index, sums) in self.sums.chunks_exact_mut(LANES).enumerate() {
            let size = LANES * self.columns;
            tree.add_views(&self.values[index * size..][..size], sums);
        }
    }
}
