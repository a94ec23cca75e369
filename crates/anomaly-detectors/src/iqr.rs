//! Distance from the middle in Tukey's fences.

use serde::{Deserialize, Serialize};

use crate::order_statistics::{
    DEVIATIONS_PER_MEAN_DEVIATION, mean_absolute_deviation, quantile, sort,
};
use crate::tail::Efficiency;
use crate::univariate::estimator::Estimator;
use crate::univariate::{FittedUnivariate, Univariate};
use crate::{Aggregation, DetectorError, check};

/// Interquartile ranges per standard deviation of normal data: `2 Phi^-1(3/4)`.
const IQR_PER_DEVIATION: f64 = 1.348_979_500_392_163_6;

/// Parameters of [`Iqr`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct IqrParams {
    /// Interquartile ranges between a quartile and its fence; see [`IqrParams::k`]. Default 1.5.
    pub k: f64,
    /// How the distances of the columns make one score.
    pub aggregation: Aggregation,
    /// The smallest scale of a column; see [`IqrParams::min_scale`]. Default 0.
    pub min_scale: f64,
}

impl Default for IqrParams {
    fn default() -> Self {
        Self {
            k: 1.5,
            aggregation: Aggregation::default(),
            min_scale: 0.0,
        }
    }
}

impl IqrParams {
    /// Sets how many interquartile ranges the fences stand outside the quartiles: 0 to 1,000.
    ///
    /// Tukey's inner fences stand at 1.5, his outer ones at 3.
    #[must_use]
    pub fn k(mut self, k: f64) -> Self {
        self.k = k;
        self
    }

    /// Sets how the distances of the columns make one score.
    #[must_use]
    pub fn aggregation(mut self, aggregation: Aggregation) -> Self {
        self.aggregation = aggregation;
        self
    }

    /// Sets the smallest difference that matters, in the unit of the columns: finite, from 0.
    ///
    /// The fences never stand closer to the middle than this. Without it, a column that hardly ever
    /// varies makes a trifle look enormous: a count that was 5 for twenty days and is 6 today.
    #[must_use]
    pub fn min_scale(mut self, min_scale: f64) -> Self {
        self.min_scale = min_scale;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `k` is 0 to 1,000 and `min_scale` is finite and
    /// not negative.
    pub fn check(self) -> Result<Iqr, DetectorError> {
        check::parameter("k", self.k, (0.0..=1000.0).contains(&self.k), "0 to 1000")?;
        check::min_scale(self.min_scale)?;
        Ok(Iqr(self))
    }
}

/// The distance of each value from the middle of its column, where 1 is on Tukey's fences.
///
/// With the quartiles `q1` and `q3` and `iqr = q3 - q1`, the fences stand at `q1 - k iqr` and
/// `q3 + k iqr` (Tukey, "Exploratory Data Analysis", 1977). The location is the middle between
/// them, `(q1 + q3) / 2`, and the scale half their distance, `(k + 1/2) iqr`, so that values with
/// `|z| > 1` are those outside. Quartiles are definition 7 of Hyndman and Fan (1996): linear
/// interpolation, as in R and `NumPy`.
///
/// More than half of the values may be equal, and the `iqr` then may be 0. It then is taken as
/// 1.6907 mean absolute deviations from the location, its value for normal data. If that is 0 as
/// well, the column is constant.
///
/// ```
/// use anomaly_detectors::{Fit, IqrParams};
/// use ndarray::array;
///
/// let history = array![[1.0], [2.0], [3.0], [4.0], [5.0]];
/// let usual = IqrParams::default().check()?.fit(history.view())?;
/// assert_eq!(usual.fences(0), Some((-1.0, 7.0)));
/// assert_eq!(usual.distances(array![7.0].view())?[0], 1.0);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "IqrParams", into = "IqrParams")]
pub struct Iqr(IqrParams);

/// A fitted [`Iqr`].
pub type FittedIqr = FittedUnivariate<Iqr>;

impl Iqr {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> IqrParams {
        self.0
    }
}

impl FittedIqr {
    /// The lower and the upper fence of a column, in its unit.
    ///
    /// `None` for a column that is not judged or does not exist.
    #[must_use]
    pub fn fences(&self, column: usize) -> Option<(f64, f64)> {
        let baseline = self.baselines().get(column).filter(|b| b.is_judged())?;
        let (location, scale) = (baseline.location(), baseline.scale());
        Some((location - scale, location + scale))
    }
}

impl Univariate for Iqr {
    fn deviations_per_scale(&self) -> f64 {
        (self.0.k + 0.5) * IQR_PER_DEVIATION
    }
}

impl Estimator for Iqr {
    const NAME: &'static str = "iqr";
    const EFFICIENCY: Efficiency = Efficiency::QUARTILES;

    fn aggregation(&self) -> Aggregation {
        self.0.aggregation
    }

    fn min_scale(&self) -> f64 {
        self.0.min_scale
    }

    fn estimate(&self, values: &mut [f64]) -> (f64, f64) {
        sort(values);
        let (q1, q3) = (quantile(values, 0.25), quantile(values, 0.75));
        let location = q1.midpoint(q3);
        let iqr = if q3 > q1 {
            q3 - q1
        } else {
            let deviation = mean_absolute_deviation(values, location);
            IQR_PER_DEVIATION * DEVIATIONS_PER_MEAN_DEVIATION * deviation
        };
        (location, (self.0.k + 0.5) * iqr)
    }
}

check::checked_params!(Iqr, IqrParams);
