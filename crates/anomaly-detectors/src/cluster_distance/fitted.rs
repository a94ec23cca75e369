//! The clusters: how strange a row is.

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{ClusterDistance, NAME};
use crate::points::{LARGEST_BLOCK, Points};
use crate::robust_space::RobustSpace;
use crate::{Baseline, DetectorError, Score, check, parallel};

/// Rows that one thread scores at a time.
const BLOCK_ROWS: usize = 64;

/// One cluster of a [`FittedClusterDistance`].
///
/// Serialises as number of rows and radius.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "(usize, f64)", into = "(usize, f64)")]
pub struct Cluster {
    core_rows: usize,
    radius: f64,
}

impl Cluster {
    pub(super) fn new(core_rows: usize, radius: f64) -> Self {
        Self { core_rows, radius }
    }

    /// How many core rows it has, at least 1.
    #[must_use]
    pub fn core_rows(&self) -> usize {
        self.core_rows
    }

    /// How far from a core row its edge is at sensitivity 0, in transformed scales: above 0.
    #[must_use]
    pub fn radius(&self) -> f64 {
        self.radius
    }
}

impl From<(usize, f64)> for Cluster {
    fn from((core_rows, radius): (usize, f64)) -> Self {
        Self::new(core_rows, radius)
    }
}

impl From<Cluster> for (usize, f64) {
    fn from(cluster: Cluster) -> Self {
        (cluster.core_rows, cluster.radius)
    }
}

/// A fitted [`ClusterDistance`].
///
/// A score is 0 at a place where at least two rows of the history were, up to 1 inside a cluster, 1
/// on its edge, without upper bound.
///
/// [`Score::explain`] gives the score to the columns by their shares of the squared distance from
/// the nearest core row. The contributions are never negative and sum to the score.
///
/// It holds at most `max_rows` rows, however long the history was.
///
/// # Stored form
///
/// Serialises with the detector's name and a version, and refuses another name or version, or
/// clusters that no fit can give, when read back. What is read back scores as before, to the last
/// bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedClusterDistance {
    detector: ClusterDistance,
    space: RobustSpace,
    clusters: Vec<Cluster>,
    /// The core rows, cluster after cluster.
    points: Points,
    /// Of each core row: what its squared distance is multiplied by.
    weights: Vec<f64>,
}

impl FittedClusterDistance {
    /// Takes the coordinates of the core rows, cluster after cluster.
    pub(super) fn new(
        detector: ClusterDistance,
        space: RobustSpace,
        clusters: Vec<Cluster>,
        coordinates: &[f64],
    ) -> Result<Self, DetectorError> {
        let params = detector.params();
        let refuse = |reason: String| Err(DetectorError::invalid_state(NAME, reason));
        // A radius this small or large is of no fit, and keeps what follows finite.
        let possible =
            |cluster: &&Cluster| cluster.core_rows > 0 && (1e-12..=1e110).contains(&cluster.radius);
        if let Some(cluster) = clusters.iter().find(|cluster| !possible(cluster)) {
            return refuse(format!(
                "a cluster of {} rows with radius {} is from no fit",
                cluster.core_rows, cluster.radius
            ));
        }
        let rows = clusters
            .iter()
            .fold(0_usize, |rows, c| rows.saturating_add(c.core_rows));
        if !(1..=params.max_rows).contains(&rows) {
            let allowed = params.max_rows;
            return refuse(format!("its clusters have {rows} rows, not 1 to {allowed}"));
        }
        let columns = space.columns().len();
        let Some(points) = Points::new(rows, columns, LARGEST_BLOCK, coordinates) else {
            return refuse(format!(
                "the coordinates are not those of {rows} rows in {columns} columns"
            ));
        };
        let wider = 1.0 + f64::from(params.sensitivity) / 100.0;
        let weights = clusters
            .iter()
            .flat_map(|cluster| {
                let edge = cluster.radius * wider;
                std::iter::repeat_n(1.0 / (edge * edge), cluster.core_rows)
            })
            .collect();
        Ok(Self {
            detector,
            space,
            clusters,
            points,
            weights,
        })
    }

    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> ClusterDistance {
        self.detector
    }

    /// What is usual in each column: what distances are measured in.
    #[must_use]
    pub fn baselines(&self) -> &[Baseline] {
        self.space.columns()
    }

    /// The clusters, at least one, in the order of their first rows.
    #[must_use]
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    pub(super) fn points(&self) -> &Points {
        &self.points
    }

    /// The nearest core row in radii of its cluster, with one copy of the row passed over, and the
    /// square of that distance. `None` if the row's copy is all there is.
    fn nearest(&self, row: ArrayView1<'_, f64>) -> Option<(usize, f64)> {
        let (mut nearest, mut copies) = (None, 0_usize);
        let mut smallest = f64::INFINITY;
        self.points
            .visit_squared_distances(self.space.reader(row), |first, squares| {
                let weights = &self.weights[first..][..squares.len()];
                for (index, (square, weight)) in squares.iter().zip(weights).enumerate() {
                    let square = square * weight;
                    if square < smallest {
                        copies += usize::from(square <= 0.0);
                        if square > 0.0 || copies > 1 {
                            smallest = square;
                            nearest = Some((first + index, square));
                        }
                    }
                }
            });
        nearest
    }

    /// The score of a row of the right width.
    fn score_present(&self, row: ArrayView1<'_, f64>) -> f64 {
        self.nearest(row).map_or(0.0, |(_, square)| square.sqrt())
    }
}

impl Score for FittedClusterDistance {
    fn columns(&self) -> usize {
        self.space.columns().len()
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        check::width(self.columns(), row.len())?;
        Ok(self.score_present(row))
    }

    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns(), data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        parallel::for_each_row(data, scores, BLOCK_ROWS, |row| self.score_present(row));
        Ok(())
    }

    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        check::width(self.columns(), row.len())?;
        let mut contributions = vec![0.0; self.columns()];
        if let Some((point, square)) = self.nearest(row) {
            let coordinate = self.space.reader(row);
            self.points
                .add_shares(point, coordinate, square.sqrt(), &mut contributions);
        }
        Ok(Array1::from(contributions))
    }
}
