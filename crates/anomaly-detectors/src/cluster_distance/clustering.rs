//! Which rows are core rows, and of which cluster.

use super::Cluster;
use crate::order_statistics::{quantile, sort};
use crate::parallel;
use crate::points::Points;

/// Distances below this, in scales, are roundings.
const SMALLEST_REACH: f64 = 1e-9;
/// The smallest radius of a cluster, as a part of the reach.
const SMALLEST_RADIUS: f64 = 0.5;

/// The core points, cluster after cluster, and the clusters, from the first point on.
pub(super) fn cluster(points: &Points, cluster_rows: usize) -> (Vec<usize>, Vec<Cluster>) {
    let k_distances = parallel::map(points.count(), |point| {
        k_distance(points, point, cluster_rows)
    });
    let reach = reach(k_distances.clone());
    // Points that are in no cluster yet and may be.
    let mut open: Vec<bool> = k_distances
        .iter()
        .map(|&distance| distance <= reach)
        .collect();
    let (mut core, mut clusters) = (Vec::new(), Vec::new());
    for seed in 0..points.count() {
        if !std::mem::take(&mut open[seed]) {
            continue;
        }
        let first = core.len();
        core.push(seed);
        let mut next = first;
        while next < core.len() {
            visit_squares(points, core[next], |other, square| {
                if open[other] && square.sqrt() <= reach {
                    open[other] = false;
                    core.push(other);
                }
            });
            next += 1;
        }
        let radius = core[first..]
            .iter()
            .map(|&point| k_distances[point])
            .fold(SMALLEST_RADIUS * reach, f64::max);
        clusters.push(Cluster::new(core.len() - first, radius));
    }
    (core, clusters)
}

/// The distance within which core points are of one cluster.
fn reach(mut k_distances: Vec<f64>) -> f64 {
    sort(&mut k_distances);
    let (q1, q3) = (quantile(&k_distances, 0.25), quantile(&k_distances, 0.75));
    let fence = q3 + 3.0 * (q3 - q1);
    if fence > SMALLEST_REACH { fence } else { 1.0 }
}

/// The distance of a point from its `cluster_rows - 1`th nearest other one, or from the farthest.
fn k_distance(points: &Points, point: usize, cluster_rows: usize) -> f64 {
    let mut squares = Vec::with_capacity(points.count());
    visit_squares(points, point, |other, square| {
        if other != point {
            squares.push(square);
        }
    });
    let Some(last) = squares.len().checked_sub(1) else {
        return 0.0;
    };
    let (_, square, _) = squares.select_nth_unstable_by(last.min(cluster_rows - 2), f64::total_cmp);
    square.sqrt()
}

fn visit_squares(points: &Points, point: usize, mut visit: impl FnMut(usize, f64)) {
    points.visit_squared_distances(
        |column| points.coordinate(point, column),
        |first, squares| {
            for (index, &square) in squares.iter().enumerate() {
                visit(first + index, square);
            }
        },
    );
}
