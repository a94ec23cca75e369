//! What scores and prior together say about scale, shape and outliers of a tail.

use super::exceedances::Exceedances;
use super::pareto;
use super::prior::{Beliefs, TailPrior};

/// Shapes looked at: from a tail that soon ends to one without a mean.
pub(super) const SMALLEST_SHAPE: f64 = -0.5;
pub(super) const LARGEST_SHAPE: f64 = 1.0;
const SHAPES: i32 = 16;
/// Scales looked at: so many to either side of the prior's median, up to four deviations.
const SCALES: i32 = 16;
const DEVIATIONS: f64 = 4.0;
/// Parts of the largest share of outliers that are looked at, besides 0.
const SHARES: [f64; 4] = [0.25, 0.5, 0.75, 1.0];
/// An outlier exceeds the threshold by this many scales at least, and by a Pareto distribution of
/// this scale and shape beyond: far, and anywhere.
const OUTLIERS_FROM: f64 = 1.0;
const OUTLIERS_SCALE: f64 = 7.0;
const OUTLIERS_SHAPE: f64 = 0.7;
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
    /// The expected share of the tail's scores that are outliers, below 1.
    pub(super) outlier_share: f64,
    pub(super) beliefs: Beliefs,
}

impl Posterior {
    /// `outliers` is the largest share of the tail that may be outliers.
    pub(super) fn of(exceedances: &Exceedances, prior: &TailPrior, outliers: f64) -> Self {
        // Without a scale nothing tells what is usual from what is not.
        let outliers = if exceedances.has_scale { outliers } else { 0.0 };
        let shares = shares(prior, outliers);
        let cells: Vec<Cell> = grid(prior)
            .into_iter()
            .map(|point| Cell::of(point, &exceedances.excesses, &shares))
            .collect();
        let largest = cells
            .iter()
            .flat_map(|cell| cell.ln_weights)
            .fold(f64::NEG_INFINITY, f64::max);
        let mut posterior = Self {
            nodes: Vec::with_capacity(cells.len()),
            outlier_share: 0.0,
            beliefs: Beliefs::default(),
        };
        let mut total = 0.0;
        for cell in &cells {
            let mut weight = 0.0;
            for (ln_weight, share) in cell.ln_weights.iter().zip(&shares) {
                let part = libm::exp(ln_weight - largest);
                weight += part;
                posterior.outlier_share += part * share.outliers;
                if share.outliers > 0.0 {
                    posterior.beliefs.outliers += part;
                }
            }
            if weight < libm::exp(-NEGLIGIBLE) {
                continue;
            }
            total += weight;
            posterior.count(&cell.point, weight);
        }
        posterior.divide(total);
        posterior
    }

    fn count(&mut self, point: &GridPoint, weight: f64) {
        let beliefs = &mut self.beliefs;
        beliefs.ln_scale += weight * point.ln_scale;
        beliefs.ln_scale_squared += weight * point.ln_scale * point.ln_scale;
        beliefs.light += weight * point.light;
        beliefs.light_shape += weight * point.light * point.shape;
        beliefs.heavy_shape += weight * (1.0 - point.light) * point.shape;
        self.nodes.push(Node {
            probability: weight,
            scale: libm::exp(point.ln_scale),
            shape: point.shape,
        });
    }

    fn divide(&mut self, total: f64) {
        for node in &mut self.nodes {
            node.probability /= total;
        }
        self.outlier_share /= total;
        let beliefs = &mut self.beliefs;
        for sum in [
            &mut beliefs.ln_scale,
            &mut beliefs.ln_scale_squared,
            &mut beliefs.light,
            &mut beliefs.light_shape,
            &mut beliefs.heavy_shape,
            &mut beliefs.outliers,
        ] {
            *sum /= total;
        }
    }

    /// How often the excess of a usual score that exceeds the threshold is at least `excess`.
    pub(super) fn survival(&self, excess: f64) -> f64 {
        let mut sum = 0.0;
        for node in &self.nodes {
            sum += node.probability * pareto::survival(excess / node.scale, node.shape);
        }
        sum.min(1.0)
    }
}

/// A share of outliers in the tail, and its prior probability.
#[derive(Debug, Clone, Copy)]
struct Share {
    outliers: f64,
    ln_prior: f64,
}

fn shares(prior: &TailPrior, outliers: f64) -> [Share; SHARES.len() + 1] {
    let some = if outliers > 0.0 {
        prior.outlier_probability
    } else {
        0.0
    };
    let none = Share {
        outliers: 0.0,
        ln_prior: libm::log(1.0 - some),
    };
    let mut shares = [none; SHARES.len() + 1];
    for (share, part) in shares.iter_mut().skip(1).zip(SHARES) {
        *share = Share {
            outliers: part * outliers,
            ln_prior: libm::log(some / SHARES.len() as f64),
        };
    }
    shares
}

/// A scale and shape of the grid.
#[derive(Debug, Clone, Copy)]
struct GridPoint {
    ln_scale: f64,
    shape: f64,
    ln_prior: f64,
    /// Prior probability that a tail of this shape is of the light kind.
    light: f64,
}

fn grid(prior: &TailPrior) -> Vec<GridPoint> {
    let bell = |deviations: f64| libm::exp(-0.5 * deviations * deviations);
    let mut points = Vec::new();
    for step in 0..SHAPES {
        let part = f64::from(step) / f64::from(SHAPES - 1);
        let shape = SMALLEST_SHAPE + part * (LARGEST_SHAPE - SMALLEST_SHAPE);
        let kind = |mean: f64| bell((shape - mean) / prior.shape_deviation);
        let light = prior.light_probability * kind(prior.light_shape);
        let heavy = (1.0 - prior.light_probability) * kind(prior.heavy_shape);
        if light + heavy < libm::exp(-NEGLIGIBLE) {
            continue;
        }
        for step in -SCALES..=SCALES {
            let deviations = DEVIATIONS * f64::from(step) / f64::from(SCALES);
            points.push(GridPoint {
                ln_scale: libm::log(prior.scale) + deviations * prior.scale_deviation,
                shape,
                ln_prior: libm::log(light + heavy) - 0.5 * deviations * deviations,
                light: light / (light + heavy),
            });
        }
    }
    points
}

/// A point of the grid, and how well it explains the scores for each share of outliers.
#[derive(Debug, Clone, Copy)]
struct Cell {
    point: GridPoint,
    ln_weights: [f64; SHARES.len() + 1],
}

impl Cell {
    fn of(point: GridPoint, excesses: &[f64], shares: &[Share; SHARES.len() + 1]) -> Self {
        let scale = libm::exp(point.ln_scale);
        let mut ln_weights = shares
            .map(|share| point.ln_prior + share.ln_prior - point.ln_scale * excesses.len() as f64);
        for excess in excesses {
            let excess = excess / scale;
            let usual = pareto::density(excess, point.shape);
            let strange = strange_density(excess);
            for (ln_weight, share) in ln_weights.iter_mut().zip(shares) {
                let mixed = (1.0 - share.outliers) * usual + share.outliers * strange;
                // Beyond the end of a light tail there is nothing but rounding.
                *ln_weight += libm::log(mixed.max(f64::MIN_POSITIVE));
            }
        }
        Self { point, ln_weights }
    }
}

/// The density of an outlier that is `excess` scales beyond the threshold.
fn strange_density(excess: f64) -> f64 {
    let beyond = (excess - OUTLIERS_FROM) / OUTLIERS_SCALE;
    if beyond < 0.0 {
        return 0.0;
    }
    pareto::density(beyond, OUTLIERS_SHAPE) / OUTLIERS_SCALE
}
