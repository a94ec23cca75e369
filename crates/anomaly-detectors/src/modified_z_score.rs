//! Distance from the median in median absolute deviations.

use serde::{Deserialize, Serialize};

use crate::order_statistics::{
    DEVIATIONS_PER_MAD, DEVIATIONS_PER_MEAN_DEVIATION, mean_absolute_deviation, median, sort,
};
use crate::tail::Efficiency;
use crate::univariate::estimator::Estimator;
use crate::univariate::{FittedUnivariate, Univariate};
use crate::{Aggregation, DetectorError, check};

/// Parameters of [`ModifiedZScore`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ModifiedZScoreParams {
    /// How the distances of the columns make one score.
    pub aggregation: Aggregation,
    /// The smallest scale of a column; see [`ModifiedZScoreParams::min_scale`]. Default 0.
    pub min_scale: f64,
}

impl ModifiedZScoreParams {
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
    pub fn check(self) -> Result<ModifiedZScore, DetectorError> {
        check::min_scale(self.min_scale)?;
        Ok(ModifiedZScore(self))
    }
}

/// The distance of each value from its column's median, in median absolute deviations (MAD).
///
/// The scale is `1.4826 MAD`, which is the standard deviation if the data is normal: Iglewicz and
/// Hoaglin, "How to Detect and Handle Outliers" (1993), whose 0.6745 is its inverse. Up to half of
/// the history may be wild without moving it far.
///
/// More than half of the values may be equal, and the MAD then is 0. The scale then is `1.2533`
/// mean absolute deviations from the median, again the standard deviation of normal data. If that
/// is 0 as well, the column is constant. No small number is ever divided by instead.
///
/// ```
/// use anomaly_detectors::{Fit, ModifiedZScoreParams, Score};
/// use ndarray::array;
///
/// // One wild job in the history does not hide the next one.
/// let history = array![[10.0], [12.0], [11.0], [13.0], [9.0], [900.0]];
/// let usual = ModifiedZScoreParams::default().check()?.fit(history.view())?;
/// let distances = usual.distances(array![30.0].view())?;
/// assert!(distances[0] > 8.0);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "ModifiedZScoreParams", into = "ModifiedZScoreParams")]
pub struct ModifiedZScore(ModifiedZScoreParams);

/// A fitted [`ModifiedZScore`].
pub type FittedModifiedZScore = FittedUnivariate<ModifiedZScore>;

impl ModifiedZScore {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> ModifiedZScoreParams {
        self.0
    }
}

impl Univariate for ModifiedZScore {
    fn deviations_per_scale(&self) -> f64 {
        1.0
    }
}

impl Estimator for ModifiedZScore {
    const NAME: &'static str = "modified-z-score";
    const EFFICIENCY: Efficiency = Efficiency::MEDIAN_AND_MAD;

    fn aggregation(&self) -> Aggregation {
        self.0.aggregation
    }

    fn min_scale(&self) -> f64 {
        self.0.min_scale
    }

    fn estimate(&self, values: &mut [f64]) -> (f64, f64) {
        sort(values);
        let location = median(values);
        let mean_deviation = mean_absolute_deviation(values, location);
        for value in values.iter_mut() {
            *value = (*value - location).abs();
        }
        sort(values);
        let mad = median(values);
        if mad > 0.0 {
            (location, DEVIATIONS_PER_MAD * mad)
        } else {
            (location, DEVIATIONS_PER_MEAN_DEVIATION * mean_deviation)
        }
    }
}

check::checked_params!(ModifiedZScore, ModifiedZScoreParams);
