//! Strange rows surprise several detectors that look for different things.

mod fitted;
mod member;
mod record;
mod tail_curve;

use ndarray::{ArrayView2, Axis, CowArray};
use serde::{Deserialize, Serialize};

pub use self::fitted::FittedEnsemble;
pub use self::member::EnsembleMember;
use self::tail_curve::TailCurve;
use crate::check::FEWEST_ROWS;
use crate::order_statistics::part_of;
use crate::random::SplitMix64;
use crate::subsample::subsample;
use crate::{
    DetectorError, Fit, ForestScoring, IsolationForest, IsolationForestParams, Mahalanobis,
    MahalanobisParams, NearestNeighbours, NearestNeighboursParams, check,
};

/// Name of the detector, as users write it.
const NAME: &str = "ensemble";
/// The most members.
const MOST_MEMBERS: usize = 16;
/// The most rows of the history that say how rare a score is.
const MOST_REFERENCE_ROWS: usize = 16_384;

/// Parameters of [`Ensemble`], not checked yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EnsembleParams {
    /// The detectors that are asked. The default has three; see [`Ensemble`].
    pub members: Vec<EnsembleMember>,
    /// Part of the history that some members do not learn from, because the first member finds it
    /// strange. Default 0.25.
    pub trim: f64,
    /// Where the randomness starts. Default 0.
    pub seed: u64,
}

impl Default for EnsembleParams {
    fn default() -> Self {
        Self {
            members: vec![
                EnsembleMember::IsolationForest(default_forest()),
                EnsembleMember::NearestNeighbours(default_neighbours()),
                EnsembleMember::Mahalanobis(default_mahalanobis()),
            ],
            trim: 0.25,
            seed: 0,
        }
    }
}

fn default_forest() -> IsolationForest {
    let params = IsolationForestParams::default()
        .trees(100)
        .max_samples(256)
        .columns_per_split(1)
        .pooled_gain(0.25)
        .scoring(ForestScoring::DepthAndDensity);
    // These are allowed; the default stands in for what cannot happen.
    params.check().unwrap_or_default()
}

fn default_neighbours() -> NearestNeighbours {
    let params = NearestNeighboursParams::default().trim(0.0);
    params.check().unwrap_or_default()
}

fn default_mahalanobis() -> Mahalanobis {
    let params = MahalanobisParams::default().trim(0.0);
    params.check().unwrap_or_default()
}

impl EnsembleParams {
    /// Sets the members: 1 to 16. All count alike; to let one count double, name it twice.
    ///
    /// The first should be one that anomalies in the history do not mislead, such as an isolation
    /// forest: it says which rows the others learn from.
    #[must_use]
    pub fn members(mut self, members: impl Into<Vec<EnsembleMember>>) -> Self {
        self.members = members.into();
        self
    }

    /// Sets the part of the history, 0 to 0.5, that is kept from [`NearestNeighbours`] and
    /// [`Mahalanobis`] because the first member finds it strange.
    ///
    /// What they leave out by their own `trim` comes on top of it. With 0 they learn from all rows.
    #[must_use]
    pub fn trim(mut self, trim: f64) -> Self {
        self.trim = trim;
        self
    }

    /// Sets where the randomness starts. Any number will do.
    ///
    /// Each member draws from a hash of this seed and its place, added to its own seed: members that
    /// are named twice differ.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks the parameters. The members' own were checked when the members were made.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless there are 1 to 16 members and `trim` is 0 to 0.5.
    pub fn check(self) -> Result<Ensemble, DetectorError> {
        let count = self.members.len();
        let allowed = (1..=MOST_MEMBERS).contains(&count);
        check::parameter("members", count, allowed, "a list of 1 to 16 detectors")?;
        let allowed = (0.0..=0.5).contains(&self.trim);
        check::parameter("trim", self.trim, allowed, "0 to 0.5")?;
        Ok(Ensemble(self))
    }
}

/// The mean surprise of several detectors that look for different things.
///
/// A member's surprise at a row is `-ln(t)`, with `t` the share of the history that the member
/// scores at least as high; rows of the history that score the same count by half. The score is the
/// mean over the members. Scores of any scale can be combined so, and what one member is sure of is
/// not outvoted: Fisher's way to combine tail probabilities, "Statistical Methods for Research
/// Workers", 4th edition (1932), section 21.1, applied to ranks. All members count alike.
///
/// Beyond the highest score of the history, the tail goes on as a Pareto tail of index 1: a row that
/// lies as far above it as the lowest lies below has half its `t`. So new rows that are stranger than
/// all of the history are still told apart.
///
/// # The default
///
/// - An [`IsolationForest`], by depth and density, sees what is rare in any distribution.
/// - [`NearestNeighbours`] sees local anomalies, where forests are weak.
/// - [`Mahalanobis`] sees values that do not go together.
///
/// The last two measure distances from what they take for usual, and anomalies in the history that
/// stand together look usual to them. The forest is hardly misled, since its small samples thin such
/// groups out. So the members learn in turn: the first from all rows, those two from the part of the
/// history that the first finds usual; see [`EnsembleParams::trim`]. Scales of columns are learnt from
/// all rows.
///
/// Of a history above 16,384 rows, as many are drawn to say which are usual and how rare a score is;
/// each member itself learns from what it would take of all rows otherwise.
///
/// # Missing, infinite and constant
///
/// As each member does.
///
/// ```
/// use anomaly_detectors::{Ensemble, Fit, Score};
/// use ndarray::{Array2, array};
///
/// // Two columns that rise together.
/// let history = Array2::from_shape_fn((200, 2), |(row, column)| {
///     (row * 7 % 40) as f64 + (row * (column + 3) % 5) as f64 / 5.0
/// });
/// let usual = Ensemble::default().fit(history.view())?;
/// let on_the_line = usual.score_row(array![30.0, 30.5].view())?;
/// let off_the_line = usual.score_row(array![30.0, 10.0].view())?;
/// assert!(off_the_line > 2.0 * on_the_line);
///
/// let contributions = usual.explain(array![20.0, 900.0].view())?;
/// assert!(contributions[1] > contributions[0]);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "EnsembleParams", into = "EnsembleParams")]
pub struct Ensemble(EnsembleParams);

impl Ensemble {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> &EnsembleParams {
        &self.0
    }
}

impl Fit for Ensemble {
    type Fitted = FittedEnsemble;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(NAME, data.nrows())?;
        let EnsembleParams { members, seed, .. } = &self.0;
        // The members' seeds take the indices before it.
        let mut rows = if data.nrows() > MOST_REFERENCE_ROWS {
            subsample(*seed, members.len(), data.nrows(), MOST_REFERENCE_ROWS)
        } else {
            (0..data.nrows()).collect()
        };
        rows.sort_unstable();
        let reference = if rows.len() < data.nrows() {
            CowArray::from(data.select(Axis(0), &rows))
        } else {
            CowArray::from(data)
        };
        let mut usual = rows.clone();
        let mut fitted = Vec::with_capacity(members.len());
        for (index, member) in members.iter().enumerate() {
            let member = member.reseeded(SplitMix64::new(*seed, index).next())?;
            let member = member.fit(data, &usual)?;
            let scores = member.detector().score(reference.view())?.to_vec();
            if index == 0 {
                usual = least_strange(&rows, &scores, self.0.trim);
            }
            fitted.push((member, TailCurve::of(scores)));
        }
        FittedEnsemble::new(self.clone(), fitted)
    }
}

/// The rows without the part of them, 0 to 0.5, that scores highest; at least two stay.
fn least_strange(rows: &[usize], scores: &[f64], trim: f64) -> Vec<usize> {
    let kept = (rows.len() - part_of(rows.len(), trim)).max(FEWEST_ROWS);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    order.truncate(kept);
    // In the order of the history, so that equal scores are all that it decides about.
    order.sort_unstable();
    order.into_iter().map(|index| rows[index]).collect()
}

check::checked_params!(Ensemble, EnsembleParams);
