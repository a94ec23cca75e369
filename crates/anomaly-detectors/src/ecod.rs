//! Strange rows lie in the tails of many columns at once.

mod column;
mod fitted;
mod record;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use self::column::Column;
pub use self::fitted::FittedEcod;
use crate::{DetectorError, Fit, check, parallel};

/// Name of the detector, as users write it.
const NAME: &str = "ecod";

/// Which tail of a column counts, for [`Ecod`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EcodTails {
    /// The row chooses, as published: the largest of three sums over all columns, of the left tails,
    /// of the right tails, and of the tail to which each column is skewed.
    PerRow,
    /// Each value chooses: the sum over the columns of the rarer of its two tails, as in the library
    /// `pyod`. Rows that are low in one column and high in another count in full.
    ///
    /// The default, because it is what most people know and compare with. On labelled sets neither
    /// is better throughout.
    #[default]
    PerValue,
}

/// Parameters of [`Ecod`]. All are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EcodParams {
    /// Which tail of a column counts. Default: each value chooses.
    pub tails: EcodTails,
}

impl EcodParams {
    /// Sets which tail of a column counts.
    #[must_use]
    pub fn tails(mut self, tails: EcodTails) -> Self {
        self.tails = tails;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// None today: every combination is allowed. All detectors are made in the same way.
    pub fn check(self) -> Result<Ecod, DetectorError> {
        Ok(Ecod(self))
    }
}

/// Empirical tail probabilities: Li, Zhao, Hu, Botta, Ionescu and Chen, "ECOD: Unsupervised Outlier
/// Detection Using Empirical Cumulative Distribution Functions", IEEE TKDE 35 (2023), 12181-12193.
///
/// In each column, the left tail of a value is the share of the fit's values that are not larger,
/// the right tail the share that are not smaller. The score is the sum over the columns of
/// `-ln(tail)`, with the tail that [`EcodTails`] says. A column is skewed to the left if its third
/// central moment is below 0, else to the right. Only the order of values counts, so that units do
/// not matter, and there is nothing to tune.
///
/// # New rows
///
/// A new row is compared with the rows of the fit alone. A tail in which none of the `n` values of
/// the fit lies is `1 / (n + 1)`, the tail of the new value among all. So a value outside the range
/// of the fit is a little stranger than the last one inside, however far out it is.
///
/// # Missing, infinite and constant
///
/// - A missing value (NaN) is left out of the fit, and adds 0 to a score.
/// - An infinite value counts as the largest finite number of its sign.
/// - A column with fewer than two values in the fit is not judged: whatever it holds adds 0.
/// - In a column whose `n` values were all equal, that value adds 0 and any other `ln(n + 1)`.
///
/// ```
/// use anomaly_detectors::{EcodParams, Fit, Score};
/// use ndarray::array;
///
/// let history = array![[1.0, 10.0], [2.0, 12.0], [3.0, 11.0], [4.0, 13.0]];
/// let usual = EcodParams::default().check()?.fit(history.view())?;
/// // All four values are at most 9; none is at least 9.
/// let contributions = usual.explain(array![9.0, 11.0].view())?;
/// assert_eq!(contributions[0], 5_f64.ln());
/// assert!(contributions[1] < contributions[0]);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "EcodParams", into = "EcodParams")]
pub struct Ecod(EcodParams);

impl Ecod {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> EcodParams {
        self.0
    }
}

impl Fit for Ecod {
    type Fitted = FittedEcod;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(NAME, data.nrows())?;
        let columns = parallel::map(data.ncols(), |index| Column::of(data.column(index)));
        Ok(FittedEcod::new(*self, columns))
    }
}

check::checked_params!(Ecod, EcodParams);
