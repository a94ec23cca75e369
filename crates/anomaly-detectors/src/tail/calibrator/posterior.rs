//! What scores and prior together say about scale and shape of a tail.

use super::exceedances::Exceedances;
use super::pareto;
use super::prior::{Beliefs, TailPrior};

/// Shapes looked at: from a tail that soon ends to one without a mean. None is 0.
pub(super) const SMALLEST_SHAPE: f64 = -0.5;
pub(super) const LARGEST_SHAPE: f64 = 1.0;
const SHAPES: u32 = 12;
/// Scales looked at for every shape.
const SCALES: u32 = 16;
/// Logarithms of the scale in mean excesses, of the largest shape and of the smallest.
const LN_SCALES: (f64, f64) = (-1.6, 0.8);
/// What is less likely than the likeliest by this many powers of e does not matter.
const NEGLIGIBLE: f64 = 18.0;

/// A scale and shape, and how likely they are.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    probability: f64,
    scale: f64,
    shape: f64,
}

/// What scores and prior together say about a tail, as a sum over a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Posterior {
    nodes: Vec<Node>,
}

impl Posterior {
    pub(super) fn of(exceedances: &Exceedances, prior: &TailPrior) -> Self {
        let mut cells = Vec::with_capacity((SHAPES * SCALES) as usize);
        // The mean excess is 1 / (1 - shape) scales; the more there are, the closer.
        let unsure = 5.0 / (exceedances.excesses.len() as f64).sqrt();
        let (low, high) = (LN_SCALES.0 - unsure, LN_SCALES.1 + unsure);
        for shape in middles(SHAPES, SMALLEST_SHAPE, LARGEST_SHAPE) {
            for ln_scale in middles(SCALES, low, high) {
                let scale = libm::exp(ln_scale);
                let ln_prior = prior.ln_density(exceedances.ln_in_bodies(ln_scale), shape);
                let ln_likelihood = pareto::ln_likelihood(&exceedances.excesses, scale, shape);
                let node = Node {
                    probability: ln_prior + ln_likelihood,
                    scale,
                    shape,
                };
                cells.push(node);
            }
        }
        Self::normalized(cells)
    }

    /// Of nodes with the logarithms of their probabilities, up to a common constant.
    fn normalized(mut nodes: Vec<Node>) -> Self {
        let ln_probabilities = nodes.iter().map(|node| node.probability);
        let largest = ln_probabilities.fold(f64::NEG_INFINITY, f64::max);
        nodes.retain(|node| node.probability >= largest - NEGLIGIBLE);
        let mut total = 0.0;
        for node in &mut nodes {
            node.probability = libm::exp(node.probability - largest);
            total += node.probability;
        }
        for node in &mut nodes {
            node.probability /= total;
        }
        Self { nodes }
    }

    /// How often the excess of a usual score that exceeds the threshold is at least `excess`.
    pub(super) fn survival(&self, excess: f64) -> f64 {
        self.mean(|node| pareto::survival(excess / node.scale, node.shape))
    }

    /// `None` if the history says nothing about the scale in bodies.
    pub(super) fn beliefs(&self, exceedances: &Exceedances) -> Option<Beliefs> {
        let ln_unit = exceedances.ln_in_bodies(0.0)?;
        let ln_scale = |node: &Node| ln_unit + libm::log(node.scale);
        Some(Beliefs {
            ln_scale: self.mean(ln_scale),
            ln_scale_squared: self.mean(|node| ln_scale(node) * ln_scale(node)),
            shape: self.mean(|node| node.shape),
            shape_squared: self.mean(|node| node.shape * node.shape),
        })
    }

    fn mean(&self, of: impl Fn(&Node) -> f64) -> f64 {
        self.nodes
            .iter()
            .map(|node| node.probability * of(node))
            .sum()
    }
}

/// The middles of so many equal parts from `low` to `high`.
fn middles(count: u32, low: f64, high: f64) -> impl Iterator<Item = f64> {
    let part = (high - low) / f64::from(count);
    (0..count).map(move |index| low + (f64::from(index) + 0.5) * part)
}
