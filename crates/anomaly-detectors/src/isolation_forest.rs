//! Strange rows are few and different, so random splits isolate them early.

mod batch;
mod fitted;
mod grow;
mod path_length;
mod record;
mod sample;
mod tree;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use self::fitted::FittedIsolationForest;
use self::sample::Sample;
use self::tree::Tree;
use crate::random::SplitMix64;
use crate::{DetectorError, Fit, check, parallel};

/// Name of the detector, as users write it.
const NAME: &str = "isolation-forest";

/// Parameters of [`IsolationForest`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct IsolationForestParams {
    /// Number of trees. Default 100.
    pub trees: usize,
    /// Rows that each tree is grown from, at most. Default 256.
    pub max_samples: usize,
    /// Where the randomness starts. Default 0.
    pub seed: u64,
}

impl Default for IsolationForestParams {
    fn default() -> Self {
        Self {
            trees: 100,
            max_samples: 256,
            seed: 0,
        }
    }
}

impl IsolationForestParams {
    /// Sets the number of trees: 1 to 10,000. More trees make scores steadier, at a linear cost.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// Sets how many rows each tree is grown from, without replacement: 2 to 1,048,576.
    ///
    /// All rows, where there are fewer. Small samples keep clusters of anomalies from looking usual.
    #[must_use]
    pub fn max_samples(mut self, max_samples: usize) -> Self {
        self.max_samples = max_samples;
        self
    }

    /// Sets where the randomness starts. Any number will do: two seeds share no tree.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `trees` is 1 to 10,000 and `max_samples` is 2 to
    /// 1,048,576.
    pub fn check(self) -> Result<IsolationForest, DetectorError> {
        let allowed = (1..=10_000).contains(&self.trees);
        check::parameter("trees", self.trees, allowed, "1 to 10000")?;
        let allowed = (2..=1 << 20).contains(&self.max_samples);
        check::parameter("max_samples", self.max_samples, allowed, "2 to 1048576")?;
        Ok(IsolationForest(self))
    }
}

/// The isolation forest of Liu, Ting and Zhou, "Isolation Forest", ICDM 2008, pages 413-422.
///
/// Each tree takes a random sample of rows and splits it at a random place of a random column that
/// still varies, until rows stand alone or the depth reaches `ceil(log2(sample rows))`. A row that
/// ends close to the root is easy to isolate, hence strange. No distance and no distribution is
/// assumed, and the units of the columns do not matter.
///
/// # Missing, infinite and constant
///
/// - A missing value (NaN) is read as a usual value of its column, in the fit and in the score: the
///   middle one (the lower of the middle two) of the finite values in at most 1,024 evenly spaced
///   rows of the fit, or in all rows if those have none, or 0 if the column has none.
/// - An infinite value counts as the largest finite number of its sign.
/// - Columns that never varied are never split. If none varied, all rows score 0.5.
///
/// # Same seed, same forest
///
/// Random numbers come from `SplitMix64`, started for each tree from a hash of the seed and the tree's
/// index, so that the result depends on neither platform nor threads. With the feature `rayon`,
/// trees are grown and rows are scored on all threads of its pool.
///
/// ```
/// use anomaly_detectors::{Fit, IsolationForestParams, Score};
/// use ndarray::Array2;
///
/// let mut data = Array2::from_shape_fn((200, 2), |(row, column)| ((row * 7 + column) % 20) as f64);
/// data[[0, 1]] = 90.0;
/// let forest = IsolationForestParams::default().seed(7).check()?.fit(data.view())?;
///
/// let scores = forest.score(data.view())?;
/// assert!(scores.iter().skip(1).all(|&usual| usual < scores[0]));
///
/// let contributions = forest.explain(data.row(0))?;
/// assert!(contributions[1] > contributions[0]);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "IsolationForestParams", into = "IsolationForestParams")]
pub struct IsolationForest(IsolationForestParams);

impl IsolationForest {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> IsolationForestParams {
        self.0
    }
}

impl Fit for IsolationForest {
    type Fitted = FittedIsolationForest;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(NAME, data.nrows())?;
        let IsolationForestParams {
            trees,
            max_samples,
            seed,
        } = self.0;
        let sample_rows = max_samples.min(data.nrows());
        let depth_limit = path_length::depth_limit(sample_rows);
        let substitutes = sample::substitutes(data);
        let trees = parallel::map(trees, |index| {
            let mut random = SplitMix64::new(seed, index);
            let sample = Sample::draw(data, sample_rows, &substitutes, &mut random);
            let steps = grow::grow(&sample, depth_limit, &mut random);
            Tree::new(&steps, data.ncols(), depth_limit)
        });
        let trees = trees
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|reason| DetectorError::invalid_state(NAME, reason))?;
        Ok(FittedIsolationForest::new(
            *self,
            sample_rows,
            substitutes,
            trees,
        ))
    }
}

impl TryFrom<IsolationForestParams> for IsolationForest {
    type Error = DetectorError;

    fn try_from(params: IsolationForestParams) -> Result<Self, DetectorError> {
        params.check()
    }
}

impl From<IsolationForest> for IsolationForestParams {
    fn from(detector: IsolationForest) -> Self {
        detector.0
    }
}
