//! Strange rows are far from the nearest of a few usual ones.

mod fitted;
mod record;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use self::fitted::FittedNearestNeighbours;
use crate::order_statistics::part_of;
use crate::points::LARGEST_BLOCK;
use crate::robust_space::RobustSpace;
use crate::subsample::subsample;
use crate::{DetectorError, Fit, Transform, check, parallel};

/// Name of the detector, as users write it.
const NAME: &str = "nearest-neighbours";
/// The most rows that are looked at to find the innocent ones.
const LARGEST_POOL: usize = 4096;

/// Parameters of [`NearestNeighbours`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct NearestNeighboursParams {
    /// Number of subsamples. Default 50.
    pub samples: usize,
    /// Rows of each subsample, at most. Default 16.
    pub sample_rows: usize,
    /// How distances in a column are measured. Default [`Transform::SignedLog`].
    pub transform: Transform,
    /// Part of the history that is left out as suspicious. Default 0.25.
    pub trim: f64,
    /// The smallest scale of a column; see [`NearestNeighboursParams::min_scale`]. Default 0.
    pub min_scale: f64,
    /// Where the randomness starts. Default 0.
    pub seed: u64,
}

impl Default for NearestNeighboursParams {
    fn default() -> Self {
        Self {
            samples: 50,
            sample_rows: 16,
            transform: Transform::SignedLog,
            trim: 0.25,
            min_scale: 0.0,
            seed: 0,
        }
    }
}

impl NearestNeighboursParams {
    /// Sets the number of subsamples: 1 to 1,000. More make scores steadier, at a linear cost.
    #[must_use]
    pub fn samples(mut self, samples: usize) -> Self {
        self.samples = samples;
        self
    }

    /// Sets how many rows each subsample holds: 1 to 1,024, and at most half of the history.
    ///
    /// Small subsamples keep clusters of anomalies from looking usual, large ones see finer detail.
    #[must_use]
    pub fn sample_rows(mut self, sample_rows: usize) -> Self {
        self.sample_rows = sample_rows;
        self
    }

    /// Sets how distances in a column are measured.
    #[must_use]
    pub fn transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// Sets the part of the history that is left out as suspicious: 0 to 0.5.
    ///
    /// With 0 the subsamples come from the whole history.
    #[must_use]
    pub fn trim(mut self, trim: f64) -> Self {
        self.trim = trim;
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

    /// Sets where the randomness starts. Any number will do: two seeds share no subsample but by
    /// chance.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `samples` is 1 to 1,000, `sample_rows` 1 to 1,024,
    /// `trim` 0 to 0.5, and `min_scale` finite and not negative.
    pub fn check(self) -> Result<NearestNeighbours, DetectorError> {
        let allowed = (1..=1000).contains(&self.samples);
        check::parameter("samples", self.samples, allowed, "1 to 1000")?;
        let allowed = (1..=LARGEST_BLOCK).contains(&self.sample_rows);
        check::parameter("sample_rows", self.sample_rows, allowed, "1 to 1024")?;
        let allowed = (0.0..=0.5).contains(&self.trim);
        check::parameter("trim", self.trim, allowed, "0 to 0.5")?;
        check::min_scale(self.min_scale)?;
        Ok(NearestNeighbours(self))
    }
}

/// The mean distance from the nearest row of each of many small subsamples.
///
/// Nearest neighbours in subsamples instead of in all data: Sugiyama and Borgwardt, "Rapid
/// distance-based outlier detection via sampling", NIPS 2013, averaged over subsamples as in
/// Aggarwal and Sathe, "Theoretical foundations and algorithms for outlier ensembles", SIGKDD
/// Explorations 17 (2015). It sees local and correlated anomalies, where isolation forests are
/// weak, and costs as little for a million rows of history as for a thousand.
///
/// Columns are standardised by median and MAD, with the fall-backs of
/// [`ModifiedZScore`](crate::ModifiedZScore), and [`Transform`]ed; the distance is Euclidean.
///
/// The fit has two rounds. In the first, subsamples of the whole history score its rows. The
/// strangest, a part of [`trim`](NearestNeighboursParams::trim), are left out, and the subsamples
/// that are kept are drawn from the others: what was anomalous in the history is no neighbour. Of a
/// history above 4,096 rows, as many are drawn for both rounds. A subsample holds at most half of
/// the rows, so that subsamples of a short history differ.
///
/// # Scoring the history
///
/// A row that was drawn lies on itself. One exact copy of the scored row is therefore passed over
/// in each subsample: a row of the history scores as if it had not been drawn there. A subsample
/// without any other row says nothing and is left out of the mean. Of a new row that happens to
/// equal one row of the history, it cannot be told whether it is that row: it scores the same.
/// What was there at least twice in a subsample is at distance 0.
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
/// # Same seed, same scores
///
/// Each subsample is drawn from a hash of the seed and its index, by place in the history: another
/// order of the history is like another seed. The order and number of rows to score, and the number
/// of threads, change nothing.
///
/// ```
/// use anomaly_detectors::{Fit, NearestNeighboursParams, Score};
/// use ndarray::{Array2, array};
///
/// // Two columns that rise together.
/// let history = Array2::from_shape_fn((200, 2), |(row, column)| {
///     (row * 7 % 40) as f64 + (row * (column + 3) % 5) as f64 / 5.0
/// });
/// let usual = NearestNeighboursParams::default().seed(7).check()?.fit(history.view())?;
/// let on_the_line = usual.score_row(array![30.0, 30.5].view())?;
/// let off_the_line = usual.score_row(array![30.0, 10.0].view())?;
/// assert!(off_the_line > 2.0 * on_the_line);
///
/// let contributions = usual.explain(array![20.0, 900.0].view())?;
/// assert!(contributions[1] > contributions[0]);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "NearestNeighboursParams", into = "NearestNeighboursParams")]
pub struct NearestNeighbours(NearestNeighboursParams);

impl NearestNeighbours {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> NearestNeighboursParams {
        self.0
    }

    /// Learns the scales of the columns from all of `data`, at least two rows, and takes neighbours
    /// from some of its rows, at least one.
    pub(crate) fn fit_among(
        &self,
        data: ArrayView2<'_, f64>,
        mut candidates: Vec<usize>,
    ) -> Result<FittedNearestNeighbours, DetectorError> {
        let params = self.0;
        let space = RobustSpace::of(data, params.transform, params.min_scale)?;
        if candidates.len() > LARGEST_POOL {
            let pool = subsample(params.seed, 0, candidates.len(), LARGEST_POOL);
            candidates = pool.into_iter().map(|index| candidates[index]).collect();
        }
        let sample_rows = params.sample_rows.min(candidates.len().div_ceil(2));
        let first = self.draw(data, &space, &candidates, sample_rows, 0)?;
        let suspicious = part_of(candidates.len(), params.trim);
        if suspicious == 0 {
            return Ok(first);
        }
        let scores = parallel::map(candidates.len(), |index| {
            first.score_present(data.row(candidates[index]))
        });
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        order.truncate(candidates.len() - suspicious);
        candidates = order.into_iter().map(|index| candidates[index]).collect();
        self.draw(data, &space, &candidates, sample_rows, 1)
    }

    /// Draws the subsamples of a round from `candidates`, rows of `data`.
    fn draw(
        &self,
        data: ArrayView2<'_, f64>,
        space: &RobustSpace,
        candidates: &[usize],
        sample_rows: usize,
        round: usize,
    ) -> Result<FittedNearestNeighbours, DetectorError> {
        let NearestNeighboursParams { samples, seed, .. } = self.0;
        // Index 0 drew the pool.
        let first = 1 + round * samples;
        let mut coordinates = Vec::with_capacity(samples * sample_rows * data.ncols());
        for index in first..first + samples {
            for drawn in subsample(seed, index, candidates.len(), sample_rows) {
                space.place(data.row(candidates[drawn]), &mut coordinates);
            }
        }
        FittedNearestNeighbours::new(*self, space.clone(), sample_rows, &coordinates)
    }
}

impl Fit for NearestNeighbours {
    type Fitted = FittedNearestNeighbours;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(NAME, data.nrows())?;
        self.fit_among(data, (0..data.nrows()).collect())
    }
}

check::checked_params!(NearestNeighbours, NearestNeighboursParams);
