//! One isolation tree in flat arrays.

use serde::{Deserialize, Serialize};

use super::ForestScoring;
use super::features::Features;
use super::path_length::average_path_length;
use super::scoring::Views;

/// Rows that walk down a tree side by side: their steps do not wait for each other.
pub(super) const LANES: usize = 16;

/// An isolation tree. Node 0 is the root; the two children of a node are neighbours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    features: Features,
    nodes: Vec<Node>,
    /// Of each node: how many rows of the sample came by.
    rows: Vec<u32>,
    /// Of each node: its depth, and for a leaf the further depth that its rows would need on average.
    views: Vec<Views>,
    /// Of each node: the part of its range that its left side takes, 0 for a leaf.
    left_shares: Vec<f64>,
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
    feature: u32,
    left: u32,
}

/// A node as it is grown and stored, in the order: node, its left subtree, its right subtree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Step {
    /// Rows whose value of this feature exceeds this threshold go right.
    Split {
        feature: u32,
        threshold: f64,
        /// The part, above 0 and below 1, of the range of the rows' values that is left of it.
        left_share: f64,
    },
    /// So many rows of the sample end here.
    Leaf(u32),
}

impl Tree {
    /// Lays out a tree. The error says what is wrong with the steps.
    pub(super) fn new(
        steps: &[Step],
        features: Features,
        depth_limit: u32,
        scoring: ForestScoring,
    ) -> Result<Self, String> {
        let mut tree = Self {
            features,
            nodes: Vec::with_capacity(steps.len()),
            rows: Vec::with_capacity(steps.len()),
            views: Vec::with_capacity(steps.len()),
            left_shares: Vec::with_capacity(steps.len()),
            depth: 0,
        };
        let mut steps = steps.iter();
        tree.add_node();
        tree.place(0, 0, &mut steps, depth_limit)?;
        if steps.len() > 0 {
            return Err("a tree goes on after its last leaf".to_owned());
        }
        tree.view(scoring);
        Ok(tree)
    }

    /// Makes the next step node `at`, with all that is below it.
    fn place(
        &mut self,
        at: u32,
        depth: u32,
        steps: &mut std::slice::Iter<'_, Step>,
        depth_limit: u32,
    ) -> Result<(), String> {
        let index = at as usize;
        match *steps.next().ok_or("a tree ends before its last leaf")? {
            Step::Leaf(rows) => {
                self.rows[index] = rows;
                self.nodes[index].left = at;
                self.depth = self.depth.max(depth);
            }
            Step::Split {
                feature,
                threshold,
                left_share,
            } => {
                let known = (feature as usize) < self.features.len();
                if !known || !threshold.is_finite() || depth >= depth_limit {
                    return Err(format!(
                        "a split at depth {depth} asks whether feature {feature} exceeds {threshold}"
                    ));
                }
                if !(f64::EPSILON..=1.0 - f64::EPSILON).contains(&left_share) {
                    return Err(format!(
                        "a split leaves {left_share} of the range on its left"
                    ));
                }
                let left = self.add_node();
                let right = self.add_node();
                self.nodes[index] = Node {
                    threshold,
                    feature,
                    left,
                };
                self.left_shares[index] = left_share;
                self.place(left, depth + 1, steps, depth_limit)?;
                self.place(right, depth + 1, steps, depth_limit)?;
                let (left, right) = (self.rows[left as usize], self.rows[right as usize]);
                if left == 0 || right == 0 {
                    return Err("a split has no rows on one side".to_owned());
                }
                self.rows[index] = left.checked_add(right).ok_or("a tree has too many rows")?;
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
            feature: 0,
            left: index,
        });
        self.rows.push(0);
        self.views.push(Views::default());
        self.left_shares.push(0.0);
        index
    }

    /// Works out what each leaf says. Children come after their parents.
    fn view(&mut self, scoring: ForestScoring) {
        for at in 0..self.nodes.len() {
            let view = self.views[at];
            if self.is_leaf(at) {
                self.views[at].path_length += average_path_length(self.rows[at] as usize);
                continue;
            }
            let left = self.nodes[at].left as usize;
            for child in [left, left + 1] {
                self.views[child] = Views {
                    path_length: view.path_length + 1.0,
                    log_density: view.log_density + self.log_density(at, child, scoring),
                };
            }
        }
    }

    /// What the step from a node to its child adds to the density.
    fn log_density(&self, at: usize, child: usize, scoring: ForestScoring) -> f64 {
        let rows_share = f64::from(self.rows[child]) / f64::from(self.rows[at]);
        let left_share = self.left_shares[at];
        let range_share = if child == self.nodes[at].left as usize {
            left_share
        } else {
            1.0 - left_share
        };
        scoring.log_density(rows_share, range_share)
    }

    /// What [`Tree::new`] makes this tree of, but the features.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::with_capacity(self.nodes.len());
        let mut ahead = vec![0];
        while let Some(at) = ahead.pop() {
            let node = self.nodes[at];
            if self.is_leaf(at) {
                steps.push(Step::Leaf(self.rows[at]));
            } else {
                steps.push(Step::Split {
                    feature: node.feature,
                    threshold: node.threshold,
                    left_share: self.left_shares[at],
                });
                ahead.extend([node.left as usize + 1, node.left as usize]);
            }
        }
        steps
    }

    pub(super) fn features(&self) -> &Features {
        &self.features
    }

    /// Rows of the sample that the tree was grown from.
    pub(super) fn sample_rows(&self) -> usize {
        self.rows[0] as usize
    }

    /// Nodes, leaves among them.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Steps from the root to the deepest leaf.
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Feature and threshold of each split, in any order.
    pub(super) fn splits(&self) -> impl Iterator<Item = (usize, f64)> {
        (0..self.nodes.len())
            .filter_map(|at| self.split(at))
            .map(|(feature, threshold, _)| (feature, threshold))
    }

    /// Feature, threshold and left child of a node, or nothing if it is a leaf.
    pub(super) fn split(&self, at: usize) -> Option<(usize, f64, usize)> {
        let node = self.nodes[at];
        (!self.is_leaf(at)).then_some((node.feature as usize, node.threshold, node.left as usize))
    }

    /// What a leaf says of the rows that end there.
    pub(super) fn views_at(&self, leaf: usize) -> Views {
        self.views[leaf]
    }

    /// Adds to the sums of each of the rows, [`LANES`] of them one after the other in `rows`, what
    /// the tree says of it.
    pub(super) fn add_views(&self, rows: &[f64], sums: &mut [Views]) {
        let columns = rows.len() / LANES;
        let mut at = [0; LANES];
        for _ in 0..self.depth {
            for (lane, at) in at.iter_mut().enumerate() {
                *at = self.next(*at, |column| rows[lane * columns + column]);
            }
        }
        for (sum, at) in sums.iter_mut().zip(at) {
            *sum += self.views[at];
        }
    }

    fn is_leaf(&self, at: usize) -> bool {
        self.nodes[at].left as usize == at
    }

    /// Where a row goes from a node; from a leaf nowhere.
    pub(super) fn next(&self, at: usize, value: impl Fn(usize) -> f64) -> usize {
        let node = self.nodes[at];
        let value = self.features.read(node.feature as usize, value);
        node.left as usize + usize::from(value > node.threshold)
    }
}
