//! Strange rows are far from every cluster of past rows.

mod clustering;
mod fitted;
mod record;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use self::fitted::{Cluster, FittedClusterDistance};
use crate::points::{LARGEST_BLOCK, Points};
use crate::robust_space::RobustSpace;
use crate::subsample::subsample;
use crate::{DetectorError, Fit, Transform, check};

/// Name of the detector, as users write it.
const NAME: &str = "cluster-distance";

/// Parameters of [`ClusterDistance`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterDistanceParams {
    /// Percent by which clusters are wider (positive) or narrower (negative). Default 0.
    pub sensitivity: i32,
    /// The fewest rows that make a cluster. Default 4.
    pub cluster_rows: usize,
    /// Rows of the history that are clustered, at most. Default 1,024.
    pub max_rows: usize,
    /// How distances in a column are measured. Default [`Transform::Linear`].
    pub transform: Transform,
    /// The smallest scale of a column; see [`ClusterDistanceParams::min_scale`]. Default 0.
    pub min_scale: f64,
}

impl Default for ClusterDistanceParams {
    fn default() -> Self {
        Self {
            sensitivity: 0,
            cluster_rows: 4,
            max_rows: 1024,
            transform: Transform::Linear,
            min_scale: 0.0,
        }
    }
}

impl ClusterDistanceParams {
    /// Sets by how many percent clusters are wider: -99 to 1,000.
    ///
    /// Positive makes scores smaller, hence fewer rows strange; negative makes them larger. The
    /// clusters themselves and the order of the scores stay.
    #[must_use]
    pub fn sensitivity(mut self, sensitivity: i32) -> Self {
        self.sensitivity = sensitivity;
        self
    }

    /// Sets the fewest rows that make a cluster: 2 to 1,024.
    ///
    /// Fewer rows than this, far from the others, are strange in the history already.
    #[must_use]
    pub fn cluster_rows(mut self, cluster_rows: usize) -> Self {
        self.cluster_rows = cluster_rows;
        self
    }

    /// Sets how many rows of the history are clustered, at most: 2 to 8,192.
    ///
    /// Of a longer history, so many are drawn. The time of a fit grows with the square of them, the
    /// time of a score and the memory linearly.
    #[must_use]
    pub fn max_rows(mut self, max_rows: usize) -> Self {
        self.max_rows = max_rows;
        self
    }

    /// Sets how distances in a column are measured.
    #[must_use]
    pub fn transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// Sets the smallest difference that matters, in the unit of the columns: finite, from 0.
    ///
    /// A column's scale is never taken smaller than this. Without it, a column that hardly ever
    /// varies makes a trifle look enormous: a count that was 5 for twenty days and is 6 today.
    #[must_use]
    pub fn min_scale(mut self, min_scale: f64) -> Self {
        self.min_scale = min_scale;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `sensitivity` is -99 to 1,000, `cluster_rows` 2 to
    /// 1,024, `max_rows` 2 to 8,192, and `min_scale` finite and not negative.
    pub fn check(self) -> Result<ClusterDistance, DetectorError> {
        let allowed = (-99..=1000).contains(&self.sensitivity);
        check::parameter("sensitivity", self.sensitivity, allowed, "-99 to 1000")?;
        let allowed = (2..=1024).contains(&self.cluster_rows);
        check::parameter("cluster_rows", self.cluster_rows, allowed, "2 to 1024")?;
        let allowed = (2..=8192).contains(&self.max_rows);
        check::parameter("max_rows", self.max_rows, allowed, "2 to 8192")?;
        check::min_scale(self.min_scale)?;
        Ok(ClusterDistance(self))
    }
}

/// The distance from the nearest cluster of past rows, where 1 is on the cluster's edge.
///
/// For histories that have more than one usual state: full and incremental, weekday and weekend.
/// A mean or median lies between them, where nothing ever was; a cluster does not.
///
/// Columns are standardised by median and MAD, with the fall-backs of
/// [`ModifiedZScore`](crate::ModifiedZScore), and [`Transform`]ed; the distance is Euclidean.
///
/// Clusters are those of DBSCAN: Ester, Kriegel, Sander and Xu, "A density-based algorithm for
/// discovering clusters in large spatial databases with noise", KDD 1996, pages 226-231. With `m`
/// for [`cluster_rows`](ClusterDistanceParams::cluster_rows):
///
/// - The *k-distance* of a row is the distance to its `m - 1`th nearest other row (or to the
///   farthest, if there are fewer).
/// - The reach `e` is Tukey's outer fence of all k-distances, `q3 + 3 (q3 - q1)`: the paper
///   reads it off their sorted graph, where noise begins. A fence of 0 (below a billionth of a scale)
///   means that most rows have copies, as counts have; `e` then is one scale.
/// - A row is *core* if its k-distance is at most `e`. Core rows within `e` of each other are in
///   one cluster. Rows that are not core belong to none.
/// - The radius of a cluster is the largest k-distance of its core rows, and at least `e / 2`, so
///   that a cluster of equal rows has an edge.
///
/// The distance of a row from a cluster is the distance from the cluster's nearest core row, and the
/// score
///
/// ```text
/// min over clusters (distance / (radius (1 + sensitivity / 100)))
/// ```
///
/// One score fits clusters of any shape, since a cluster is the union of the balls around its rows.
///
/// There is one reach for all clusters. A state that is as wide as another but much rarer is sparser, and
/// its rows may stay outside until there are more of them; a sensitivity cannot make up for that.
///
/// # Scoring the history
///
/// A core row lies on itself. One exact copy of the scored row is therefore passed over: a core row
/// scores its distance from the nearest other, at most 1 at sensitivity 0, instead of 0. Of a new
/// row that happens to equal one row of the history, it cannot be told whether it is that row: it
/// scores the same. What was there at least twice scores 0.
///
/// # Missing, infinite and constant
///
/// - A missing value (NaN) of a row to score adds nothing to its distances. In the history it is
///   read as the column's median, and left out when the column is standardised.
/// - An infinite value is [`MAX_DISTANCE`](crate::MAX_DISTANCE) scales from the median, before the
///   transform.
/// - A column that never varied adds 0 for its value. Any other value is `MAX_DISTANCE` scales away
///   unless a minimum scale is set. A column with fewer than two finite values adds 0.
///
/// # Deterministic
///
/// There is no seed. Up to `max_rows` rows of history their order does not matter; of a longer
/// history, the rows that are drawn depend on their number alone.
///
/// ```
/// use anomaly_detectors::{ClusterDistanceParams, Fit, Score};
/// use ndarray::{Array2, array};
///
/// // Gigabytes, six small nights and then a large one. Sizes vary by factors: take logarithms.
/// let history = Array2::from_shape_fn((56, 1), |(night, _)| {
///     let usual = if night % 7 == 6 { 400.0 } else { 10.0 };
///     f64::ln(usual) + 0.1 * f64::sin((night * night) as f64)
/// });
/// let usual = ClusterDistanceParams::default().check()?.fit(history.view())?;
/// assert_eq!(usual.clusters().len(), 2);
///
/// let scores = usual.score(array![[10.4], [415.0], [80.0]].mapv(f64::ln).view())?;
/// assert!(scores[0] < 1.0 && scores[1] < 1.0, "{scores}");
/// assert!(scores[2] > 10.0, "between the clusters nothing ever was: {scores}");
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "ClusterDistanceParams", into = "ClusterDistanceParams")]
pub struct ClusterDistance(ClusterDistanceParams);

impl ClusterDistance {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> ClusterDistanceParams {
        self.0
    }
}

impl Fit for ClusterDistance {
    type Fitted = FittedClusterDistance;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(NAME, data.nrows())?;
        let params = self.0;
        let space = RobustSpace::of(data, params.transform, params.min_scale)?;
        let rows = if data.nrows() > params.max_rows {
            subsample(0, 0, data.nrows(), params.max_rows)
        } else {
            (0..data.nrows()).collect()
        };
        let mut coordinates = Vec::with_capacity(rows.len() * data.ncols());
        for &row in &rows {
            space.place(data.row(row), &mut coordinates);
        }
        let points = Points::new(rows.len(), data.ncols(), LARGEST_BLOCK, &coordinates)
            .ok_or_else(|| DetectorError::invalid_state(NAME, "a coordinate is not finite"))?;
        let (core, clusters) = clustering::cluster(&points, params.cluster_rows);
        let columns = data.ncols();
        let coordinates: Vec<f64> = core
            .into_iter()
            .flat_map(|row| &coordinates[row * columns..][..columns])
            .copied()
            .collect();
        FittedClusterDistance::new(*self, space, clusters, &coordinates)
    }
}

check::checked_params!(ClusterDistance, ClusterDistanceParams);
