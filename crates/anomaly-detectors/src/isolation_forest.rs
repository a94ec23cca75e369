//! Strange rows are few and different, so random splits isolate them early.

mod features;
mod fitted;
mod grow;
mod pairs;
mod params;
mod path_length;
mod pooled_gain;
mod present;
mod ranked;
mod record;
mod sample;
mod scoring;
mod tree;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use self::fitted::FittedIsolationForest;
use self::fitted::Reference;
pub use self::params::IsolationForestParams;
use self::present::Present;
use self::sample::Sample;
pub use self::scoring::ForestScoring;
use self::tree::Tree;
use crate::random::SplitMix64;
use crate::subsample::subsample;
use crate::{DetectorError, Fit, check, parallel};

/// Name of the detector, as users write it.
const NAME: &str = "isolation-forest";
/// The most rows of the history that tell what is usual.
const MOST_REFERENCE_ROWS: usize = 2048;

/// An isolation forest: Liu, Ting and Zhou, "Isolation Forest", ICDM 2008, pages 413-422, with what
/// later papers found to rank anomalies better.
///
/// Each tree takes a random sample of rows and splits it at random, until rows stand alone or a depth
/// is reached. A row that ends close to the root, or in a large part of the space with few others,
/// was easy to isolate, hence is strange. No distance and no distribution is assumed, and the units
/// of the columns do not matter.
///
/// A split of the default forest takes two columns, each in units of its range, and mostly a random
/// place; every fourth stands where it parts the rows best. Depth and density are read off the same
/// leaves; see [`ForestScoring`]. [`IsolationForestParams::plain`] is the forest of the paper above.
///
/// # Missing, infinite and constant
///
/// - A missing value (NaN) is read as a usual value of its column, in the fit and in the score: the
///   middle one (the lower of the middle two) of the finite values in at most 1,024 evenly spaced
///   rows of the fit, or in all rows if those have none, or 0 if the column has none.
/// - An infinite value counts as the largest finite number of its sign.
/// - Columns that never varied are never split. If none varied, all rows score alike.
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "IsolationForestParams", into = "IsolationForestParams")]
pub struct IsolationForest(IsolationForestParams);

impl IsolationForest {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &IsolationForestParams {
        &self.0
    }

    fn check_columns(&self, columns: usize) -> Result<(), DetectorError> {
        let weights = self.0.column_weights.len();
        if weights == 0 || weights == columns {
            return Ok(());
        }
        Err(DetectorError::InvalidParameter {
            parameter: "column_weights",
            value: format!("{weights} numbers for {columns} columns"),
            expected: "one per column, or none",
        })
    }
}

impl Fit for IsolationForest {
    type Fitted = FittedIsolationForest;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(NAME, data.nrows())?;
        self.check_columns(data.ncols())?;
        let params = &self.0;
        let sample_rows = params.max_samples.min(data.nrows());
        let depth_limit = path_length::depth_limit(sample_rows);
        let present = Present::of(data, params.columns_per_split);
        let trees = parallel::map(params.trees, |index| {
            let mut random = SplitMix64::new(params.seed, index);
            let sample = Sample::draw(data, sample_rows, &present, &mut random);
            let (steps, features) = grow::grow(&sample, params, depth_limit, &mut random);
            Tree::new(&steps, features, depth_limit, params.scoring)
        });
        let trees = trees
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|reason| DetectorError::invalid_state(NAME, reason))?;
        let reference = Reference::default();
        let mut fitted =
            FittedIsolationForest::new(self.clone(), sample_rows, present, reference, trees);
        if params.scoring == ForestScoring::DepthAndDensity {
            // The indices before it drew the trees' samples.
            let count = data.nrows().min(MOST_REFERENCE_ROWS);
            let rows = subsample(params.seed, params.trees, data.nrows(), count);
            fitted.refer_to(data, &rows);
        }
        Ok(fitted)
    }
}

check::checked_params!(IsolationForest, IsolationForestParams);
