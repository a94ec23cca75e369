//! Distance from the mean in standard deviations.

use serde::{Deserialize, Serialize};

use crate::tail::Efficiency;
use crate::univariate::estimator::Estimator;
use crate::univariate::{FittedUnivariate, Univariate};
use crate::{Aggregation, DetectorError, check};

/// Parameters of [`ZScore`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ZScoreParams {
    /// How the distances of the columns make one score.
    pub aggregation: Aggregation,
    /// The smallest scale of a column; see [`ZScoreParams::min_scale`]. Default 0.
    pub min_scale: f64,
}

impl ZScoreParams {
    /// Sets how the distances of the columns make one score.
    #[must_use]
    pub fn aggregation(mut self, aggregation: Aggregation) -> Self {
        self.aggregation = aggregation;
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
    /// [`DetectorError::InvalidParameter`] unless `min_scale` is finite and not negative.
    pub fn check(self) -> Result<ZScore, DetectorError> {
        check::min_scale(self.min_scale)?;
        Ok(ZScore(self))
    }
}

/// The distance of each value from its column's mean, in standard deviations.
///
/// Mean and sample standard deviation (`n - 1` in the denominator) of the finite values of the fit.
/// Exact for normal data, but a few wild values in the history widen the deviation and hide the
/// next one: [`ModifiedZScore`](crate::ModifiedZScore) does not have this weakness.
///
/// ```
/// use anomaly_detectors::{Fit, Score, ZScoreParams};
/// use ndarray::array;
///
/// let history = array![[10.0], [12.0], [11.0], [13.0], [9.0]];
/// let usual = ZScoreParams::default().check()?.fit(history.view())?;
/// assert_eq!(usual.baselines()[0].location(), 11.0);
///
/// let scores = usual.score(array![[11.0], [14.0], [30.0]].view())?;
/// assert!(scores[0] < scores[1] && scores[1] < scores[2]);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "ZScoreParams", into = "ZScoreParams")]
pub struct ZScore(ZScoreParams);

/// A fitted [`ZScore`].
pub type FittedZScore = FittedUnivariate<ZScore>;

impl ZScore {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> ZScoreParams {
        self.0
    }
}

impl Univariate for ZScore {
    fn deviations_per_scale(&self) -> f64 {
        1.0
    }
}

impl Estimator for ZScore {
    const NAME: &'static str = "z-score";
    const EFFICIENCY: Efficiency = Efficiency::MEAN_AND_DEVIATION;

    fn aggregation(&self) -> Aggregation {
        self.0.aggregation
    }

    fn min_scale(&self) -> f64 {
        self.0.min_scale
    }

    fn estimate(&self, values: &mut [f64]) -> (f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
        (mean, (squares / (count - 1.0)).sqrt())
    }
}

check::checked_params!(ZScore, ZScoreParams);
