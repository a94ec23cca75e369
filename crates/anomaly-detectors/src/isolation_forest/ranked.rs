//! A second layout of a forest, made when many rows are to be scored at once.
//!
//! Each value is replaced by its rank: how many thresholds of its column lie below it. A value
//! exceeds a threshold if and only if its rank exceeds that of the threshold, so that rows take the
//! very paths that [`Tree`] gives them, while a split shrinks to 32 bits. Trees are filled up
//! to [`DEPTH`] levels, which makes a node's place its path.

use ndarray::{ArrayView2, ArrayViewMut1};

use super::present::Present;
use super::tree::Tree;
use crate::parallel;

/// Rows below which the ranks cost more time than they save.
pub(super) const FEWEST_ROWS: usize = 2_048;

/// Trees above which this layout takes more memory than it should: 3 KiB each.
const MOST_TREES: usize = 1_000;

/// Levels of a tree. The lower half is walked row by row, the upper half is compared in full.
const DEPTH: u32 = 8;

/// Places of the lowest level, and of all splits above it, the first of which is not used.
const PLACES: usize = 1 << DEPTH;

/// Places on the level below the upper half.
const HALFWAY: usize = 1 << (DEPTH / 2);

/// The rank of a threshold that no value exceeds.
const NEVER: i16 = i16::MAX;

/// Rows that pass through a tree side by side.
const ROWS: usize = 64;

/// Rows whose steps are taken by turns, their places in registers.
const LANES: usize = 8;

/// A forest that is scored by depth alone, whose rows have at most [`Ranked::MOST_COLUMNS`] columns, and
/// whose trees are shallow and ask for one column at a time.
pub(super) struct Ranked {
    /// Of each column: the thresholds of all trees, in ascending order.
    thresholds: Vec<Vec<f64>>,
    trees: Vec<RankedTree>,
}

struct RankedTree {
    /// The splits above [`HALFWAY`], from the root on, level by level.
    upper: [UpperSplit; HALFWAY - 1],
    /// Place 1 is the root; the children of place `i` are places `2 i` and `2 i + 1`.
    splits: [Split; PLACES],
    path_lengths: [f64; PLACES],
}

/// Rank and column in one number, [`key`] of the rank plus the column: a row goes right if the key
/// of its rank exceeds it, whatever the column.
type Split = u32;

#[derive(Clone, Copy)]
struct UpperSplit {
    rank: i16,
    column: u16,
    /// A bit for each place halfway that a row cannot reach if it goes right here.
    lost: u16,
}

impl Ranked {
    const MOST_COLUMNS: usize = 64;

    /// Lays out a forest, or gives nothing if it does not fit.
    pub(super) fn new(trees: &[Tree], columns: usize) -> Option<Self> {
        let fits = |tree: &Tree| tree.depth() <= DEPTH && tree.features().are_columns();
        if columns > Self::MOST_COLUMNS || trees.len() > MOST_TREES || !trees.iter().all(fits) {
            return None;
        }
        let mut thresholds = vec![Vec::new(); columns];
        for (column, threshold) in trees.iter().flat_map(Tree::splits) {
            thresholds[column].push(threshold);
        }
        for thresholds in &mut thresholds {
            if thresholds.len() >= NEVER as usize {
                return None;
            }
            thresholds.sort_unstable_by(f64::total_cmp);
        }
        let trees = trees
            .iter()
            .map(|tree| RankedTree::new(tree, &thresholds))
            .collect();
        Some(Self { thresholds, trees })
    }

    /// Writes what `score` makes of each row's sum of path lengths.
    pub(super) fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
        present: &Present,
        score: impl Fn(f64) -> f64 + Send + Sync,
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
        score: impl Fn(f64) -> f64 + Send + Sync,
    ) {
        // What stays in the nearest cache, beside a tree.
        let tiles = (32 / COLUMNS).max(1);
        parallel::for_each_block(
            data,
            scores,
            tiles * ROWS,
            || vec![Tile::<COLUMNS>::new(); tiles],
            |data, mut scores, tiles| {
                for (index, row) in data.rows().into_iter().enumerate() {
                    let tile = &mut tiles[index / ROWS];
                    for (column, &value) in row.iter().enumerate() {
                        let value = present.read(column, value);
                        let rank = rank(&self.thresholds[column], value);
                        tile.set(index % ROWS, column, rank);
                    }
                }
                for tile in &mut *tiles {
                    tile.sums.fill(0.0);
                }
                for tree in &self.trees {
                    for tile in &mut *tiles {
                        tile.add_path_lengths(tree);
                    }
                }
                let sums = tiles.iter().flat_map(|tile| tile.sums);
                for (place, sum) in scores.iter_mut().zip(sums) {
                    *place = score(sum);
                }
            },
        );
    }
}

/// How many of the thresholds, less than [`NEVER`] and in ascending order, are below the value.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn rank(thresholds: &[f64], value: f64) -> i16 {
    thresholds.partition_point(|&threshold| threshold < value) as i16
}

/// A rank, not negative, where the lower 16 bits leave room for a column.
fn key(rank: i16) -> u32 {
    u32::from(rank.cast_unsigned()) << 16
}

impl RankedTree {
    #[allow(clippy::cast_possible_truncation)] // A column is below `Ranked::MOST_COLUMNS`.
    fn new(tree: &Tree, thresholds: &[Vec<f64>]) -> Self {
        let mut ranked = Self {
            upper: [UpperSplit {
                rank: NEVER,
                column: 0,
                lost: 0,
            }; HALFWAY - 1],
            splits: [key(NEVER); PLACES],
            path_lengths: [0.0; PLACES],
        };
        // Of each place: the node of the tree that stands there, again and again below a leaf.
        let mut nodes = [0; 2 * PLACES];
        for place in 1..PLACES {
            let node = nodes[place];
            let Some((column, threshold, left)) = tree.split(node) else {
                nodes[2 * place] = node;
                nodes[2 * place + 1] = node;
                continue;
            };
            nodes[2 * place] = left;
            nodes[2 * place + 1] = left + 1;
            let (rank, column) = (rank(&thresholds[column], threshold), column as u16);
            ranked.splits[place] = key(rank) + u32::from(column);
            if let Some(upper) = ranked.upper.get_mut(place - 1) {
                let level = place.ilog2();
                let below = HALFWAY >> level;
                let first = (place - (1 << level)) * below;
                *upper = UpperSplit {
                    rank,
                    column,
                    lost: ((1 << (below / 2)) - 1) << first,
                };
            }
        }
        for (length, &node) in ranked.path_lengths.iter_mut().zip(&nodes[PLACES..]) {
            *length = tree.views_at(node).path_length;
        }
        ranked
    }
}

/// Ranks of [`ROWS`] rows, both ways round, and the sums of their path lengths.
///
/// Columns without data keep rank 0, and no split asks for them.
#[derive(Clone)]
struct Tile<const COLUMNS: usize> {
    by_column: [[i16; ROWS]; COLUMNS],
    by_row: [[u32; COLUMNS]; ROWS],
    sums: [f64; ROWS],
}

impl<const COLUMNS: usize> Tile<COLUMNS> {
    fn new() -> Self {
        Self {
            by_column: [[0; ROWS]; COLUMNS],
            by_row: [[0; COLUMNS]; ROWS],
            sums: [0.0; ROWS],
        }
    }

    fn set(&mut self, row: usize, column: usize, rank: i16) {
        self.by_column[column][row] = rank;
        self.by_row[row][column] = key(rank);
    }

    fn add_path_lengths(&mut self, tree: &RankedTree) {
        let mut places = self.places_halfway(tree);
        let (places, _) = places.as_chunks_mut::<LANES>();
        let (rows, _) = self.by_row.as_chunks::<LANES>();
        let (sums, _) = self.sums.as_chunks_mut::<LANES>();
        for ((places, rows), sums) in places.iter_mut().zip(rows).zip(sums) {
            // Level by level: the steps of different rows do not wait for each other.
            for _ in DEPTH / 2..DEPTH {
                for (place, keys) in places.iter_mut().zip(rows) {
                    let split = tree.splits[usize::from(*place)];
                    // The remainder is the column itself, and tells the compiler that it is in range.
                    let key = keys[split as usize % COLUMNS];
                    // The first bit of the difference says whether the key exceeds the split. On the
                    // last step the place loses its first bit, and is one of the lowest level.
                    let right = (split.wrapping_sub(key) >> 31) as u8;
                    *place = (*place << 1) | right;
                }
            }
            for (sum, place) in sums.iter_mut().zip(places) {
                *sum += tree.path_lengths[usize::from(*place)];
            }
        }
    }

    /// Where each row stands after the upper half of the tree.
    ///
    /// All splits are compared, which the compiler does for eight rows at a time. A row stands at
    /// the first place that none of its steps to the right has lost: Lucchese and others,
    /// "`QuickScorer`: A Fast Algorithm to Rank Documents with Additive Ensembles of Regression
    /// Trees", SIGIR 2015.
    fn places_halfway(&self, tree: &RankedTree) -> [u8; ROWS] {
        let mut lost = [0; ROWS];
        for split in &tree.upper {
            let ranks = &self.by_column[usize::from(split.column) % COLUMNS];
            lose(&mut lost, ranks, *split);
        }
        #[allow(clippy::cast_possible_truncation)] // At most 16 bits are set, and never the last.
        lost.map(|lost| HALFWAY as u8 + lost.trailing_ones() as u8)
    }
}

/// Kept apart, for the compiler to see one simple loop.
#[inline(never)]
fn lose(lost: &mut [u16; ROWS], ranks: &[i16; ROWS], split: UpperSplit) {
    for (lost, &rank) in lost.iter_mut().zip(ranks) {
        let right = u16::from(rank > split.rank).wrapping_neg();
        *lost |= right & split.lost;
    }
}
