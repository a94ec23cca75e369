//! From the scores of a history to p-values that hold for short ones.

mod exceedances;
mod fitted;
mod outliers;
mod pareto;
mod posterior;
mod prior;
mod record;

use serde::{Deserialize, Serialize};

pub use self::fitted::FittedTailCalibrator;
pub use self::prior::TailPrior;
use crate::{DetectorError, check};

const NAME: &str = "tail-calibrator";
/// The fewest scores that say anything.
const FEWEST: usize = 8;
/// Scores beyond count as this: differences stay finite.
const LARGEST: f64 = f64::MAX / 4.0;

/// Parameters of [`TailCalibrator`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TailCalibratorParams {
    /// Share of the scores that make the tail. Default 1/10: more leaves less to be guessed about the
    /// shape, but is no tail any longer; less has too few scores.
    pub tail_share: f64,
    /// The most scores in the tail. Default 100: from 1,000 scores on, more and more p-values
    /// come from counting.
    pub most_in_tail: usize,
    /// The largest share of the scores that may be outliers; see
    /// [`TailCalibratorParams::outliers`]. Default 1/10.
    pub outliers: f64,
    /// What is known before the first score. Default: [`TailPrior::default`].
    pub prior: TailPrior,
}

impl Default for TailCalibratorParams {
    fn default() -> Self {
        Self {
            tail_share: 0.1,
            most_in_tail: 100,
            outliers: 0.1,
            prior: TailPrior::default(),
        }
    }
}

impl TailCalibratorParams {
    /// Sets the share of the scores that make the tail: from 0.05 to 0.5.
    #[must_use]
    pub fn tail_share(mut self, tail_share: f64) -> Self {
        self.tail_share = tail_share;
        self
    }

    /// Sets the most scores in the tail: from 10 to 1,000. Fitting takes time in proportion to it.
    #[must_use]
    pub fn most_in_tail(mut self, most_in_tail: usize) -> Self {
        self.most_in_tail = most_in_tail;
        self
    }

    /// Sets the largest share of the scores that may be outliers: from 0 to 0.25.
    ///
    /// A history holds past anomalies, and one with 5 % of them would hide the next. So the largest
    /// scores are set aside if the gap below them is wider than a heavy tail, that of Student's t
    /// with three degrees of freedom, would have it: a history of such a tail loses some one time in
    /// ten. p-values are then those of a usual observation. The price: in a tail heavier than that,
    /// up to this share of usual observations may be called rare, however long the history. With 0
    /// all scores count, and p-values approach the conformal ones of any distribution.
    #[must_use]
    pub fn outliers(mut self, outliers: f64) -> Self {
        self.outliers = outliers;
        self
    }

    /// Sets what is known before the first score; see [`TailPrior::pooled`].
    #[must_use]
    pub fn prior(mut self, prior: TailPrior) -> Self {
        self.prior = prior;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] for one that is out of its range.
    pub fn check(self) -> Result<TailCalibrator, DetectorError> {
        let share = (0.05..=0.5).contains(&self.tail_share);
        check::parameter("tail_share", self.tail_share, share, "from 0.05 to 0.5")?;
        let most = (10..=1_000).contains(&self.most_in_tail);
        check::parameter("most_in_tail", self.most_in_tail, most, "from 10 to 1000")?;
        let outliers = (0.0..=0.25).contains(&self.outliers);
        check::parameter("outliers", self.outliers, outliers, "from 0 to 0.25")?;
        self.prior.check()?;
        Ok(TailCalibrator(self))
    }
}

/// Turns scores, where larger is stranger, into p-values that hold already for 20 scores of history.
///
/// - **Body.** A score that the history reached often is counted:
///   [`conformal_p_value`](super::conformal_p_value), which holds for any distribution.
/// - **Tail.** Beyond the threshold that a tenth of the scores exceed, at least three, the excess has a
///   generalised Pareto distribution (Pickands, Annals of Statistics 3 (1975), 119-131). Its scale and
///   shape are not estimated but averaged over, in proportion to how well they explain the history and
///   to a [`TailPrior`]: the Bayesian predictive probability, which unlike a fitted curve counts how
///   unsure a few scores leave it (Coles, "An Introduction to Statistical Modeling of Extreme Values",
///   2001, section 9.1; a prior on the shape: Martins and Stedinger, Water Resources Research 36
///   (2000), 737-744). The tail is small so that little is left to the Pareto distribution: at 100
///   scores, 1 % is where the largest score lies, whatever the distribution.
/// - **Outliers.** Past anomalies do not count, see [`TailCalibratorParams::outliers`].
/// - **Many streams.** [`TailPrior::pooled`] learns the prior from other streams.
/// - **Many scores.** The tail has 100 scores at most. From 10,000 scores on, p-values down to 1 %
///   are counted, and what is beyond rests on 100 scores rather than on a prior.
///
/// At a nominal 1 % the rate of false alarms is about 0.5 to 2 % from 20 scores on, over normal, heavy
/// (Student's t of three degrees of freedom), mildly skewed and 5 % contaminated data. It is 2 to 4 %
/// for distances to both sides of strongly skewed data, unless no outliers are set aside. Far below
/// `1 / n` a p-value ranks, and is an extrapolation: a nominal 0.1 % is up to 0.6 % for the kinds named
/// and 1.5 % for strongly skewed data.
///
/// The scores must be such as a new observation gets. Those of the very observations that a
/// detector was fitted on are too small; [`cross_fitted_scores`](super::cross_fitted_scores) makes
/// the right ones. For deviations to both sides take their absolute values: a skewed distribution
/// is then judged by its longer side.
///
/// The p-values do not depend on unit and origin of the scores (but for rounding).
///
/// ```
/// use anomaly_detectors::series::{Point, SeasonalBaseline};
/// use anomaly_detectors::tail::{TailCalibrator, cross_fitted_scores};
///
/// let usual = |day: u32| f64::from(day) + f64::from(day * day % 11);
/// let history: Vec<Point> = (0..20).map(|day| Point::new(day.into(), usual(day))).collect();
/// let baseline = SeasonalBaseline::default();
/// let scores = cross_fitted_scores(
///     &history,
///     10,
///     |train| baseline.fit(train),
///     |fitted, point| fitted.distance(point).abs(),
/// )?;
/// let calibrator = TailCalibrator::default().fit(&scores)?;
/// let fitted = baseline.fit(&history)?;
/// let p_value = |value| calibrator.p_value(fitted.distance(&Point::new(20.0, value)).abs());
/// assert!(p_value(usual(20)) > 0.05);
/// assert!(p_value(usual(20) + 60.0) < 0.01, "one in a hundred, after twenty days");
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "TailCalibratorParams", into = "TailCalibratorParams")]
pub struct TailCalibrator(TailCalibratorParams);

impl TailCalibrator {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> TailCalibratorParams {
        self.0
    }

    /// Learns how large scores usually are. NaN is left out; the order does not matter.
    ///
    /// # Errors
    /// [`DetectorError::NotEnoughHistory`] for fewer than 8 scores.
    pub fn fit(&self, scores: &[f64]) -> Result<FittedTailCalibrator, DetectorError> {
        let mut sorted: Vec<f64> = scores
            .iter()
            .filter(|score| !score.is_nan())
            .map(|score| score.clamp(-LARGEST, LARGEST))
            .collect();
        if sorted.len() < FEWEST {
            return Err(DetectorError::NotEnoughHistory {
                detector: NAME,
                rows: sorted.len(),
                needed: FEWEST,
            });
        }
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(FittedTailCalibrator::new(*self, sorted))
    }
}

check::checked_params!(TailCalibrator, TailCalibratorParams);
