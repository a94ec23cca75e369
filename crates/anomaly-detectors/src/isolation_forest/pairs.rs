//! A second layout of a forest whose splits ask for at most two columns, made when many rows are to
//! be scored at once.
//!
//! All that a step needs lies side by side, and a split of one column is one of two, the second
//! times 0. Rows take the very paths that [`Tree`] gives them.

use ndarray::{ArrayView2, ArrayViewMut1};

use super::features::Term;
use super::present::Present;
use super::scoring::Views;
use super::tree::Tree;
use crate::parallel;

/// Rows below which the layout costs more time than it saves.
pub(super) const FEWEST_ROWS: usize = 2_048;

/// Rows that walk down a tree side by side: their steps do not wait for each other.
const LANES: usize = 16;

/// The trees of a forest whose rows have at most [`Pairs::MOST_COLUMNS`] columns.
pub(super) struct Pairs {
    trees: Vec<PairTree>,
}

struct PairTree {
    nodes: Vec<PairNode>,
    views: Vec<Views>,
    depth: u32,
}

/// A row goes to `left`, or to its right neighbour if its weighted sum exceeds the threshold.
#[derive(Clone, Copy)]
struct PairNode {
    threshold: f64,
    factors: [f64; 2],
    columns: [u16; 2],
    left: u32,
}

impl Pairs {
    const MOST_COLUMNS: usize = 64;

    /// Lays out a forest, or gives nothing if it does not fit.
    pub(super) fn new(trees: &[Tree], columns: usize) -> Option<Self> {
        if columns > Self::MOST_COLUMNS {
            return None;
        }
        let trees = trees.iter().map(PairTree::new).collect::<Option<_>>()?;
        Some(Self { trees })
    }

    /// Writes what `score` makes of what the trees together say of each row.
    pub(super) fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
        present: &Present,
        score: impl Fn(Views) -> f64 + Send + Sync,
    ) {
        match data.ncols() {
            0..=8 => self.score_padded::<8>(data, scores, present, score),
            9..=16 => self.score_padded::<16>(data, scores, present, score),
            17..=32 => self.score_padded::<32>(data, scores, present, score),
            _ => self.score_padded::<{ Self::MOST_COLUMNS }>(data, scores, present, score),
        }
    }

    /// The same, with room for `COLUMNS` columns: a width known in advance spares a check per step.
    fn score_padded<const COLUMNS: usize>(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
        present: &Present,
        score: impl Fn(Views) -> f64 + Send + Sync,
    ) {
        // What stays in the nearest cache, beside a tree.
        let groups = (64 / COLUMNS).max(1);
        parallel::for_each_block(
            data,
            scores,
            groups * LANES,
            || vec![Group::<COLUMNS>::new(); groups],
            |data, mut scores, groups| {
                for (index, row) in data.rows().into_iter().enumerate() {
                    let values = &mut groups[index / LANES].rows[index % LANES];
                    for (column, (place, &value)) in values.iter_mut().zip(row).enumerate() {
                        *place = present.read(column, value);
                    }
                }
                for group in &mut *groups {
                    group.sums = [Views::default(); LANES];
                }
                for tree in &self.trees {
                    for group in &mut *groups {
                        group.add_views(tree);
                    }
                }
                let sums = groups.iter().flat_map(|group| group.sums);
                for (place, sums) in scores.iter_mut().zip(sums) {
                    *place = score(sums);
                }
            },
        );
    }
}

impl PairTree {
    /// Lays out a tree, unless a split asks for more than two columns.
    fn new(tree: &Tree) -> Option<Self> {
        let node = |at| {
            let Some((feature, threshold, left)) = tree.split(at) else {
                // A leaf leads to itself: nothing exceeds infinity.
                return Some(PairNode {
                    threshold: f64::INFINITY,
                    factors: [0.0; 2],
                    columns: [0; 2],
                    left: u32::try_from(at).ok()?,
                });
            };
            let [Term(first, first_factor), Term(second, second_factor)] =
                tree.features().pair(feature)?;
            Some(PairNode {
                threshold,
                factors: [first_factor, second_factor],
                columns: [u16::try_from(first).ok()?, u16::try_from(second).ok()?],
                left: u32::try_from(left).ok()?,
            })
        };
        Some(Self {
            nodes: (0..tree.len()).map(node).collect::<Option<_>>()?,
            views: (0..tree.len()).map(|at| tree.views_at(at)).collect(),
            depth: tree.depth(),
        })
    }
}

/// [`LANES`] rows and what the trees say of them. Columns without data are never asked for.
#[derive(Clone)]
struct Group<const COLUMNS: usize> {
    rows: [[f64; COLUMNS]; LANES],
    sums: [Views; LANES],
}

impl<const COLUMNS: usize> Group<COLUMNS> {
    fn new() -> Self {
        Self {
            rows: [[0.0; COLUMNS]; LANES],
            sums: [Views::default(); LANES],
        }
    }

    fn add_views(&mut self, tree: &PairTree) {
        let mut places = [0_u32; LANES];
        for _ in 0..tree.depth {
            for (place, row) in places.iter_mut().zip(&self.rows) {
                let node = &tree.nodes[*place as usize];
                // The remainder is the column itself, and tells the compiler that it is in range.
                let term = |which: usize| {
                    node.factors[which] * row[usize::from(node.columns[which]) % COLUMNS]
                };
                *place = node.left + u32::from(term(0) + term(1) > node.threshold);
            }
        }
        for (sum, place) in self.sums.iter_mut().zip(places) {
            *sum += tree.views[place as usize];
        }
    }
}
