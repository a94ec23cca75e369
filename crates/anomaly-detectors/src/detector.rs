//! What every detector can do.

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};

use crate::{DetectorError, check};

/// A detector with checked parameters, ready to learn what is usual.
///
/// A detector of your own, which then works with [`metrics`](crate::metrics) and
/// [`TailCalibrator`](crate::tail::TailCalibrator) like any other:
///
/// ```
/// use anomaly_detectors::{DetectorError, Fit, Score};
/// use ndarray::{Array1, ArrayView1, ArrayView2, array};
///
/// /// How often a row has zeros where there never were any.
/// struct NewZeros;
///
/// #[derive(Debug)]
/// struct FittedNewZeros {
///     never_zero: Vec<bool>,
/// }
///
/// impl Fit for NewZeros {
///     type Fitted = FittedNewZeros;
///
///     fn fit(&self, data: ArrayView2<'_, f64>) -> Result<FittedNewZeros, DetectorError> {
///         if data.nrows() < 2 {
///             let (detector, rows) = ("new_zeros", data.nrows());
///             return Err(DetectorError::NotEnoughHistory { detector, rows, needed: 2 });
///         }
///         let columns = data.columns().into_iter();
///         let never_zero = columns.map(|column| column.iter().all(|value| *value != 0.0));
///         Ok(FittedNewZeros { never_zero: never_zero.collect() })
///     }
/// }
///
/// impl Score for FittedNewZeros {
///     fn columns(&self) -> usize {
///         self.never_zero.len()
///     }
///
///     fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
///         Ok(self.explain(row)?.sum())
///     }
///
///     fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
///         if row.len() != self.columns() {
///             let (fitted, given) = (self.columns(), row.len());
///             return Err(DetectorError::WidthMismatch { fitted, given });
///         }
///         let new = row.iter().zip(&self.never_zero);
///         Ok(new.map(|(value, never)| f64::from(*never && *value == 0.0)).collect())
///     }
/// }
///
/// let usual = NewZeros.fit(array![[5.0, 0.0], [6.0, 2.0]].view())?;
/// assert_eq!(usual.score(array![[0.0, 0.0], [7.0, 0.0]].view())?, array![1.0, 0.0]);
/// # Ok::<(), DetectorError>(())
/// ```
pub trait Fit {
    /// What fitting gives.
    type Fitted: Score;

    /// Learns from `data`: one row per observation, one column per feature, any units.
    ///
    /// NaN means missing. The same data and parameters give the same result on every machine and
    /// for any number of threads.
    ///
    /// # Errors
    /// [`DetectorError::NotEnoughHistory`] for fewer than two rows, and
    /// [`DetectorError::InvalidParameter`] for parameters that are about other columns, such as weights
    /// of more or fewer ([`IsolationForestParams::column_weights`](crate::IsolationForestParams)). All
    /// other data can be fitted: constant, missing, infinite, without columns.
    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError>;
}

/// A fitted detector: says how strange a row is.
///
/// Larger is stranger. Scores are never NaN and never infinite, whatever the row holds, so they can
/// be sorted. Scores of different detectors are not comparable.
pub trait Score: std::fmt::Debug + Send + Sync {
    /// Columns of the data that the detector was fitted on, and that every row to score must have.
    fn columns(&self) -> usize;

    /// The score of one row. Detectors of this crate allocate nothing here.
    ///
    /// # Errors
    /// [`DetectorError::WidthMismatch`] unless the row has [`Score::columns`] values.
    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError>;

    /// Writes the score of each row of `data` to the same place of `scores`.
    ///
    /// Each score is the one that [`Score::score_row`] gives, to the last bit.
    ///
    /// # Errors
    /// [`DetectorError::WidthMismatch`] unless `data` has [`Score::columns`] columns, and
    /// [`DetectorError::OutputLength`] unless `scores` has one element per row.
    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        mut scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns(), data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        for (row, score) in data.rows().into_iter().zip(&mut scores) {
            *score = self.score_row(row)?;
        }
        Ok(())
    }

    /// The score of each row of `data`.
    ///
    /// # Errors
    /// [`DetectorError::WidthMismatch`] unless `data` has [`Score::columns`] columns.
    fn score(&self, data: ArrayView2<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        let mut scores = Array1::zeros(data.nrows());
        self.score_into(data, scores.view_mut())?;
        Ok(scores)
    }

    /// How much each column adds to the strangeness of `row`: the largest says which feature it was.
    ///
    /// How the contributions add up to the score is documented at each detector.
    ///
    /// # Errors
    /// [`DetectorError::WidthMismatch`] unless the row has [`Score::columns`] values.
    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError>;
}
