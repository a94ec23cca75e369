//! Strange rows are far from the centre for the way the columns vary together.

mod fitted;
mod moments;
mod record;
mod shrinkage;
mod triangle;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use self::fitted::FittedMahalanobis;
use self::moments::Moments;
use crate::check::FEWEST_ROWS;
use crate::order_statistics::part_of;
use crate::robust_space::RobustSpace;
use crate::{Baseline, DetectorError, Fit, Score, Transform, check};

/// Name of the detector, as users write it.
const NAME: &str = "mahalanobis";

/// The least variance of a column, in squared scales: for columns that hardly vary in the rows that
/// are kept. A normal column has 0.14 after half of the rows were trimmed for it alone, and more
/// otherwise.
const LEAST_VARIANCE: f64 = 0.1;

/// Parameters of [`Mahalanobis`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MahalanobisParams {
    /// How distances in a column are measured. Default [`Transform::SignedLog`].
    pub transform: Transform,
    /// Part of the history that is left out as suspicious. Default 0.25.
    pub trim: f64,
    /// The smallest scale of a column; see [`MahalanobisParams::min_scale`]. Default 0.
    pub min_scale: f64,
}

impl Default for MahalanobisParams {
    fn default() -> Self {
        Self {
            transform: Transform::SignedLog,
            trim: 0.25,
            min_scale: 0.0,
        }
    }
}

impl MahalanobisParams {
    /// Sets how distances in a column are measured.
    #[must_use]
    pub fn transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// Sets the part of the history that is left out as suspicious: 0 to 0.5.
    ///
    /// With 0 the centre and the covariance are those of the whole history.
    #[must_use]
    pub fn trim(mut self, trim: f64) -> Self {
        self.trim = trim;
        self
    }

    /// Sets the smallest difference that matters, in the unit of the columns: finite, from 0.
    ///
    /// Neither a column's scale nor its standard deviation is taken smaller than this. Without it,
    /// a column that hardly ever varies makes a trifle look enormous: a count that was 5 for twenty
    /// days and is 6 today.
    #[must_use]
    pub fn min_scale(mut self, min_scale: f64) -> Self {
        self.min_scale = min_scale;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `trim` is 0 to 0.5, and `min_scale` finite and not
    /// negative.
    pub fn check(self) -> Result<Mahalanobis, DetectorError> {
        let allowed = (0.0..=0.5).contains(&self.trim);
        check::parameter("trim", self.trim, allowed, "0 to 0.5")?;
        check::min_scale(self.min_scale)?;
        Ok(Mahalanobis(self))
    }
}

/// The squared Mahalanobis distance from the centre of the usual rows.
///
/// Mahalanobis, "On the generalised distance in statistics", Proceedings of the National Institute
/// of Sciences of India 2 (1936), 49-55. It sees a row whose values are all usual but not together:
/// much data in little time, where time follows data.
///
/// Columns are standardised by median and MAD, with the fall-backs of
/// [`ModifiedZScore`](crate::ModifiedZScore), and [`Transform`]ed; a coordinate beyond 1e60, which
/// only [`Transform::Linear`] gives, counts as 1e60. In these coordinates the score of a row at `x` is
/// `(x - m)ᵀ C⁻¹ (x - m)`, with `m` the mean and `C` the covariance of the history (divisor `n`),
/// shrunk towards equal variances without correlation as far as its rows are too few to know better:
/// Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
/// Journal of Multivariate Analysis 88 (2004), 365-411. At least a millionth is always shrunk, so
/// that columns that are sums of others do no harm. Of more than 512 columns only the variances are
/// used: time and memory would grow with the square of their number.
///
/// The fit has two rounds: the first scores the history with its own mean and covariance. The
/// strangest rows, a part of [`trim`](MahalanobisParams::trim), are left out, and the others give
/// the mean and the covariance that are kept: what was anomalous in the history does not stretch
/// them. Two rows at least are kept. Of normal data, the covariance of the usual part is too small,
/// so that scores are larger than chi-squared; their order is what counts.
///
/// # Missing, infinite and constant
///
/// - A missing value (NaN) is read as the column's mean, in the history and in a row to score: it
///   adds nothing. A column's variance is that of the values that are there.
/// - An infinite value is [`MAX_DISTANCE`](crate::MAX_DISTANCE) scales from the median, before the
///   transform.
/// - A column that never varied, or has fewer than two finite values, changes nothing for the
///   others. Of the first kind its value adds 0, and any other is `MAX_DISTANCE` scales away unless a
///   minimum scale is set; the second kind always adds 0.
/// - No column's variance is taken smaller than 0.1 squared scales: one that hardly varies in the
///   rows that are kept would drown all others.
///
/// ```
/// use anomaly_detectors::{Fit, MahalanobisParams, Score};
/// use ndarray::{Array2, array};
///
/// // Two columns that rise together.
/// let history = Array2::from_shape_fn((200, 2), |(row, column)| {
///     (row * 7 % 40) as f64 + (row * (column + 3) % 5) as f64 / 5.0
/// });
/// let usual = MahalanobisParams::default().check()?.fit(history.view())?;
/// let on_the_line = usual.score_row(array![30.0, 30.5].view())?;
/// let off_the_line = usual.score_row(array![30.0, 10.0].view())?;
/// assert!(off_the_line > 100.0 * on_the_line);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "MahalanobisParams", into = "MahalanobisParams")]
pub struct Mahalanobis(MahalanobisParams);

impl Mahalanobis {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> MahalanobisParams {
        self.0
    }

    /// The least variance of a column, in squared scales.
    fn least_variance(&self, baseline: &Baseline) -> f64 {
        if baseline.scale() > 0.0 {
            let least = self.0.min_scale / baseline.scale();
            LEAST_VARIANCE.max(least * least)
        } else {
            LEAST_VARIANCE
        }
    }

    /// Learns the scales of the columns from all of `data`, at least two rows, and the centre and the
    /// covariance from some of its rows, at least one.
    pub(crate) fn fit_among(
        &self,
        data: ArrayView2<'_, f64>,
        mut rows: Vec<usize>,
    ) -> Result<FittedMahalanobis, DetectorError> {
        let params = self.0;
        let space = RobustSpace::of(data, params.transform, params.min_scale)?;
        let first = self.learn(data, &space, &rows)?;
        let usual = rows.len() - part_of(rows.len(), params.trim);
        let kept = usual.max(FEWEST_ROWS);
        if kept >= rows.len() {
            return Ok(first);
        }
        let scores = first.score(data)?;
        let strangeness = |&a: &usize, &b: &usize| scores[a].total_cmp(&scores[b]).then(a.cmp(&b));
        rows.select_nth_unstable_by(kept, strangeness);
        rows.truncate(kept);
        // In the order of the history, so that sums are the same however the selection works.
        rows.sort_unstable();
        self.learn(data, &space, &rows)
    }

    /// Learns from some rows of `data`.
    fn learn(
        &self,
        data: ArrayView2<'_, f64>,
        space: &RobustSpace,
        rows: &[usize],
    ) -> Result<FittedMahalanobis, DetectorError> {
        let moments = Moments::of(data, space, rows);
        let mut covariance = shrinkage::shrink(&moments);
        for (column, baseline) in space.columns().iter().enumerate() {
            let variance = covariance.diagonal_mut(column);
            *variance = variance.max(self.least_variance(baseline));
        }
        let factor = covariance.inverse_factor();
        FittedMahalanobis::new(*self, space.clone(), moments.means, factor)
    }
}

impl Fit for Mahalanobis {
    type Fitted = FittedMahalanobis;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(NAME, data.nrows())?;
        self.fit_among(data, (0..data.nrows()).collect())
    }
}

check::checked_params!(Mahalanobis, MahalanobisParams);
