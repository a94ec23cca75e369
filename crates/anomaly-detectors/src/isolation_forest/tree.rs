//! One isolation tree in flat arrays.

use serde::{Deserialize, Serialize};

use super::path_length::average_path_length;

/// Rows that walk down a tree side by side: their steps do not wait for each other.
pub(super) const LANES: usize = 16;

/// An isolation tree. Node 0 is the root; the two children of a node are neighbours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// Of each node: how many rows of the sample came by.
    rows: Vec<u32>,
    /// Of each leaf: its depth and the further depth that its rows would need on average.
    path_lengths: Vec<f64>,
    /// Steps from the root to the deepest leaf.
    depth: u32,
}

/// Where a row goes next: to `left`, or to its right neighbour if its value exceeds the threshold.
///
/// A leaf leads to itself, since nothing exceeds infinity. All rows can then take the same number
/// of steps, wherever they end, which spares the processor a guess at each.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    threshold: f64,
    column: u32,
    left: u32,
}

/// A node as it is grown and stored, in the order: node, its left subtree, its right subtree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Step {
    /// Rows whose value in this column exceeds this threshold go right.
    Split(u32, f64),
    /// So many rows of the sample end here.
    Leaf(u32),
}

impl Tree {
    /// Lays out a tree. The error says what is wrong with the steps.
    pub(super) fn new(steps: &[Step], columns: usize, depth_limit: u32) -> Result<Self, String> {
        let mut tree = Self {
            nodes: Vec::with_capacity(steps.len()),
            rows: Vec::with_capacity(steps.len()),
            path_lengths: Vec::with_capacity(steps.len()),
            depth: 0,
        };
        let mut steps = steps.iter();
        tree.add_node();
        tree.place(0, 0, &mut steps, columns, depth_limit)?;
        if steps.len() > 0 {
            return Err("a tree goes on after its last leaf".to_owned());
        }
        Ok(tree)
    }

    /// Makes the next step node `at`, with all that is below it.
    fn place(
        &mut self,
        at: u32,
        depth: u32,
        steps: &mut std::slice::Iter<'_, Step>,
        columns: usize,
        depth_limit: u32,
    ) -> Result<(), String> {
        let index = at as usize;
        match *steps.next().ok_or("a tree ends before its last leaf")? {
            Step::Leaf(rows) => {
                self.rows[index] = rows;
                self.nodes[index].left = at;
                self.path_lengths[index] = f64::from(depth) + average_path_length(rows as usize);
                self.depth = self.depth.max(depth);
            }
            Step::Split(column, threshold) => {
                if column as usize >= columns || !threshold.is_finite() || depth >= depth_limit {
                    return Err(format!(
                        "a split at depth {depth} asks whether column {column} exceeds {threshold}"
                    ));
                }
                let left = self.add_node();
                let right = self.add_node();
                self.nodes[index] = Node {
                    threshold,
                    column,
                    left,
                };
                self.place(left, depth + 1, steps, columns, depth_limit)?;
                self.place(right, depth + 1, steps, columns, depth_limit)?;
                self.rows[index] = self.rows[left as usize]
                    .checked_add(self.rows[right as usize])
                    .ok_or("a tree has too many rows")?;
            }
        }
        Ok(())
    }

    /// Adds a leaf without rows, and gives its index.
    #[allow(clippy::cast_possible_truncation)] // A tree has at most two nodes per row: 2^21.
    fn add_node(&mut self) -> u32 {
        let index = self.nodes.len() as u32;
        self.nodes.push(Node {
            threshold: f64::INFINITY,
            column: 0,
            left: index,
        });
        self.rows.push(0);
        self.path_lengths.push(0.0);
        index
    }

    /// What [`Tree::new`] makes this tree of.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::with_capacity(self.nodes.len());
        let mut ahead = vec![0];
        while let Some(at) = ahead.pop() {
            let node = self.nodes[at];
            if self.is_leaf(at) {
                steps.push(Step::Leaf(self.rows[at]));
            } else {
                steps.push(Step::Split(node.column, node.threshold));
                ahead.extend([node.left as usize + 1, node.left as usize]);
            }
        }
        steps
    }

    /// Rows of the sample that the tree was grown from.
    pub(super) fn sample_rows(&self) -> usize {
        self.rows[0] as usize
    }

    /// Steps from the root to the deepest leaf.
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Column and threshold of each split, in any order.
    pub(super) fn splits(&self) -> impl Iterator<Item = (usize, f64)> {
        (0..self.nodes.len())
            .filter_map(|at| self.split(at))
            .map(|(column, threshold, _)| (column, threshold))
    }

    /// Column, threshold and left child of a node, or nothing if it is a leaf.
    pub(super) fn split(&self, at: usize) -> Option<(usize, f64, usize)> {
        let node = self.nodes[at];
        (!self.is_leaf(at)).then_some((node.column as usize, node.threshold, node.left as usize))
    }

    /// The path length of the rows that end at this leaf.
    pub(super) fn path_length_at(&self, leaf: usize) -> f64 {
        self.path_lengths[leaf]
    }

    /// The path length of the row whose value in each column `value` gives.
    pub(super) fn path_length(&self, value: impl Fn(usize) -> f64) -> f64 {
        let mut at = 0;
        while !self.is_leaf(at) {
            at = self.next(at, &value);
        }
        self.path_lengths[at]
    }

    /// Adds the path length of each of the rows, [`LANES`] of them one after the other in `rows`, to
    /// its sum.
    pub(super) fn add_path_lengths(&self, rows: &[f64], sums: &mut [f64]) {
        let columns = rows.len() / LANES;
        let mut at = [0; LANES];
        for _ in 0..self.depth {
            for (lane, at) in at.iter_mut().enumerate() {
                *at = self.next(*at, |column| rows[lane * columns + column]);
            }
        }
        for (sum, at) in sums.iter_mut().zip(at) {
            *sum += self.path_lengths[at];
        }
    }

    /// Adds to each column by how much its splits shorten the row's path beyond the average.
    ///
    /// At a node that `n` rows came by, `c(n)` more steps are to be expected. After a step to a
    /// child of `m` rows it is `c(m)`, and one was taken: the split saved `c(n) - c(m) - 1`.
    pub(super) fn add_savings(&self, value: impl Fn(usize) -> f64, savings: &mut [f64]) {
        let expected = |at: usize| average_path_length(self.rows[at] as usize);
        let mut at = 0;
        while !self.is_leaf(at) {
            let next = self.next(at, &value);
            savings[self.nodes[at].column as usize] += expected(at) - expected(next) - 1.0;
            at = next;
        }
    }

    fn is_leaf(&self, at: usize) -> bool {
        self.nodes[at].left as usize == at
    }

    fn next(&self, at: usize, value: impl Fn(usize) -> f64) -> usize {
        let node = self.nodes[at];
        node.left as usize + usize::from(value(node.column as usize) > node.threshold)
    }
}
