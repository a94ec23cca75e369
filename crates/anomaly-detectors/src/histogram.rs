//! Strange rows have values where few were.

mod column;
mod fitted;
mod record;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use self::column::Column;
pub use self::fitted::FittedHistogram;
use crate::{DetectorError, Fit, check, parallel};

/// Name of the detector, as users write it.
const NAME: &str = "histogram";
/// The most bins of a column.
const MOST_BINS: usize = 1000;

/// Parameters of [`Histogram`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HistogramParams {
    /// Number of bins of each column; 0 for what suits the number of values. Default 0.
    pub bins: usize,
}

impl HistogramParams {
    /// Sets the number of bins of each column: 1 to 1,000, or 0 for what suits the number of values.
    ///
    /// That is `ceil(log2(n)) + 1` for `n` finite values: Sturges, "The choice of a class interval",
    /// Journal of the American Statistical Association 21 (1926), 65-66. Few bins overlook gaps, many
    /// make gaps of chance. On labelled sets this, 10, the square root of `n` and the rule of Freedman
    /// and Diaconis are equally good on average; it needs no bound, and no constant for all sizes.
    #[must_use]
    pub fn bins(mut self, bins: usize) -> Self {
        self.bins = bins;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `bins` is 0 to 1,000.
    pub fn check(self) -> Result<Histogram, DetectorError> {
        let allowed = self.bins <= MOST_BINS;
        check::parameter("bins", self.bins, allowed, "0 to 1000")?;
        Ok(Histogram(self))
    }
}

/// Histogram-based outlier score: Goldstein and Dengel, "Histogram-based Outlier Score (HBOS): A fast
/// Unsupervised Anomaly Detection Algorithm", KI-2012 (Poster and Demo Track), 59-63.
///
/// The range of each column's finite values is cut into bins of equal width. A value in a bin with
/// `c` of the `n` values of the fit adds `ln((m + a) / (c + a))` to the score, with `m` the largest
/// count of the column's bins and `a` a tenth of the mean count: as in the library `pyod`, but for a
/// constant, where the columns lie between 0 and 1. A value less than half a bin outside the range is
/// in the bin at that end, one farther out in an empty bin.
///
/// It sees gaps inside a column, which no distance from the middle sees, and costs next to nothing.
/// Each column is judged by itself, and a wild value in the history stretches the range: all others
/// then share few bins.
///
/// # Missing, infinite and constant
///
/// - A missing value (NaN) is left out of the fit, and adds 0 to a score.
/// - An infinite value is left out of the fit, and is in an empty bin.
/// - A column with fewer than two finite values in the fit is not judged: whatever it holds adds 0.
/// - In a column that never varied, its value adds 0 and any other as much as an empty bin.
///
/// ```
/// use anomaly_detectors::{Fit, HistogramParams, Score};
/// use ndarray::array;
///
/// let history = array![[1.0, 10.0], [1.5, 10.0], [2.0, 12.0], [8.5, 13.0], [9.0, 14.0]];
/// let usual = HistogramParams::default().bins(4).check()?.fit(history.view())?;
/// // Between the two groups of the first column there is nothing; three are in its fullest bin.
/// let contributions = usual.explain(array![5.5, 10.5].view())?;
/// assert_eq!(contributions[0], (3.125_f64 / 0.125).ln());
/// assert_eq!(contributions[1], 0.0);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "HistogramParams", into = "HistogramParams")]
pub struct Histogram(HistogramParams);

impl Histogram {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> HistogramParams {
        self.0
    }

    /// The number of bins, at least one, for some values.
    fn bins_for(self, values: usize) -> usize {
        match self.0.bins {
            // The logarithm, rounded up, is the number of binary digits of one less.
            0 => 1 + (usize::BITS - values.saturating_sub(1).leading_zeros()) as usize,
            bins => bins,
        }
    }
}

impl Fit for Histogram {
    type Fitted = FittedHistogram;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(NAME, data.nrows())?;
        let columns = parallel::map(data.ncols(), |index| {
            Column::of(data.column(index), |values| self.bins_for(values))
        });
        Ok(FittedHistogram::new(*self, columns))
    }
}

check::checked_params!(Histogram, HistogramParams);
