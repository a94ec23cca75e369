//! What the detectors that judge each column by itself have in common.

use std::fmt::Debug;

use ndarray::{Array1, ArrayView1, ArrayView2, ArrayViewMut1};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::estimator::Estimator;
use crate::tail::{Side, predictive_t_critical_value, predictive_t_tail};
use crate::{Baseline, DetectorError, Fit, MAX_DISTANCE, Score, check, parallel};

/// Rows that one thread scores at a time: 20 microseconds or more, well above what handing them to
/// a thread takes. Fewer rows than this stay on the thread that asks.
const BLOCK_ROWS: usize = 1024;

/// A detector that gives each column a location and a scale, and judges it by itself.
///
/// Names what [`ZScore`](crate::ZScore), [`ModifiedZScore`](crate::ModifiedZScore) and
/// [`Iqr`](crate::Iqr) have in common, for code that takes any of them. Others cannot implement it.
pub trait Univariate:
    Estimator + Clone + Debug + Send + Sync + Serialize + DeserializeOwned
{
    /// How many standard deviations of normal values one scale is.
    fn deviations_per_scale(&self) -> f64;
}

pub(crate) mod estimator {
    use crate::Aggregation;
    use crate::tail::Efficiency;

    /// The part of [`Univariate`](super::Univariate) that is not exported: it trusts its input.
    pub trait Estimator {
        /// Name of the detector, as users write it.
        const NAME: &'static str;
        /// How well location and scale use their observations.
        const EFFICIENCY: Efficiency;

        /// How the distances of the columns make one score.
        fn aggregation(&self) -> Aggregation;

        /// The smallest scale of a column.
        fn min_scale(&self) -> f64;

        /// Location and scale of at least two finite values, not all equal, whose squares and sums
        /// stay finite. May reorder and overwrite them.
        fn estimate(&self, values: &mut [f64]) -> (f64, f64);
    }
}

/// A fitted [`ZScore`](crate::ZScore), [`ModifiedZScore`](crate::ModifiedZScore) or
/// [`Iqr`](crate::Iqr): a location and a scale per column.
///
/// Each value of a row becomes its signed distance from the column's location in scales, and the
/// [`Aggregation`](crate::Aggregation) of the distances is the score. [`Score::explain`] gives what each column adds:
/// never negative, summing to the score, or, for [`Aggregation::Max`](crate::Aggregation::Max), with the score as the largest.
///
/// # Missing, infinite and constant
///
/// - A missing value (NaN) is left out of the fit, and adds 0 to a score.
/// - An infinite value is left out of the fit too, since it has no magnitude, and scores as
///   [`MAX_DISTANCE`](crate::MAX_DISTANCE), beyond every finite value.
/// - A column with fewer than two finite values in the fit is not judged: whatever it holds adds 0.
/// - A column whose values were all equal has scale 0, or the detector's minimum scale. With scale
///   0, its one value adds 0 and any other value counts as `MAX_DISTANCE`.
///
/// # Stored form
///
/// Serialises with the detector's name and a version, and refuses another name or version when read
/// back. What is read back scores as before, to the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record<D>", into = "Record<D>", bound = "D: Univariate")]
pub struct FittedUnivariate<D> {
    detector: D,
    baselines: Vec<Baseline>,
}

impl<D: Univariate> FittedUnivariate<D> {
    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> &D {
        &self.detector
    }

    /// What is usual in each column.
    #[must_use]
    pub fn baselines(&self) -> &[Baseline] {
        &self.baselines
    }

    /// The signed distance of each value of `row` from its column's location, in scales; see
    /// [`Baseline::distance`].
    ///
    /// # Errors
    /// [`DetectorError::WidthMismatch`] unless the row has one value per column of the fit.
    pub fn distances(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        check::width(self.baselines.len(), row.len())?;
        Ok(self.distances_of(row).collect())
    }

    /// How often a next value of a column is at least as far out as `value`, if the column is normal:
    /// above 0, at most 1.
    ///
    /// Takes into account how few observations location and scale were estimated from; see
    /// [`predictive_t_tail`]. A column that never varied says nothing about sizes: there, any new
    /// value has `1 / (n + 1)`, all that `n` equal observations can tell.
    ///
    /// `None` for a missing value, a column that is not judged, and a column that does not exist.
    #[must_use]
    pub fn p_value(&self, column: usize, value: f64, side: Side) -> Option<f64> {
        let baseline = self.baselines.get(column)?;
        if value.is_nan() || !baseline.is_judged() {
            return None;
        }
        let distance = baseline.distance(value);
        let observations = baseline.observations();
        if baseline.is_constant() {
            let strange = side.outward(distance) > 0.0;
            return Some(if strange {
                chance_of_a_new_value(baseline)
            } else {
                1.0
            });
        }
        let deviations = distance * self.detector.deviations_per_scale();
        Some(predictive_t_tail(
            deviations,
            observations,
            D::EFFICIENCY,
            side,
        ))
    }

    /// The distance (see [`Baseline::distance`]) that a next value of a column reaches on `side`
    /// with a chance of just `false_alarm_rate`, if the column is normal: where
    /// [`FittedUnivariate::p_value`] is the rate.
    ///
    /// A fixed threshold means another rate after every number of observations, and several times
    /// its nominal one after 20 to 60; this one moves with them. It is positive for
    /// [`Side::Above`], negative for [`Side::Below`], and a magnitude for [`Side::Both`]. The rate is
    /// 1e-12 to 0.5.
    ///
    /// In a column that never varied, any new value is [`MAX_DISTANCE`] away, and that is the
    /// critical distance if the rate is at least `1 / (n + 1)`. A smaller rate cannot be kept there.
    ///
    /// `None` for a rate out of range or that cannot be kept, a column that is not judged, and a
    /// column that does not exist.
    ///
    /// ```
    /// use anomaly_detectors::tail::Side;
    /// use anomaly_detectors::{Fit, ModifiedZScore};
    /// use ndarray::Array2;
    ///
    /// let nights = |count| Array2::from_shape_fn((count, 1), |(night, _)| (night * 7 % 20) as f64);
    /// let critical = |count| {
    ///     let usual = ModifiedZScore::default().fit(nights(count).view())?;
    ///     Ok(usual.critical_distance(0, 0.001, Side::Above))
    /// };
    /// assert!(critical(20)? > Some(4.7));
    /// assert!(critical(1_000)? < Some(3.2));
    /// # Ok::<(), anomaly_detectors::DetectorError>(())
    /// ```
    #[must_use]
    pub fn critical_distance(
        &self,
        column: usize,
        false_alarm_rate: f64,
        side: Side,
    ) -> Option<f64> {
        let baseline = self.baselines.get(column)?;
        if !baseline.is_judged() || !(1e-12..=0.5).contains(&false_alarm_rate) {
            return None;
        }
        if baseline.is_constant() {
            let farthest = match side {
                Side::Above | Side::Both => MAX_DISTANCE,
                Side::Below => -MAX_DISTANCE,
            };
            return (chance_of_a_new_value(baseline) <= false_alarm_rate).then_some(farthest);
        }
        let observations = baseline.observations();
        let deviations =
            predictive_t_critical_value(false_alarm_rate, observations, D::EFFICIENCY, side)?;
        Some(deviations / self.detector.deviations_per_scale())
    }

    fn distances_of<'a>(&'a self, row: ArrayView1<'a, f64>) -> impl Iterator<Item = f64> + 'a {
        self.baselines
            .iter()
            .zip(row)
            .map(|(baseline, &value)| baseline.distance(value))
    }
}

/// How often a column that never varied has another value: `1 / (n + 1)` after `n` observations.
fn chance_of_a_new_value(baseline: &Baseline) -> f64 {
    1.0 / (baseline.observations() as f64 + 1.0)
}

impl<D: Univariate> Fit for D {
    type Fitted = FittedUnivariate<D>;

    fn fit(&self, data: ArrayView2<'_, f64>) -> Result<Self::Fitted, DetectorError> {
        check::history(D::NAME, data.nrows())?;
        let mut scratch = Vec::with_capacity(data.nrows());
        let baselines = data
            .columns()
            .into_iter()
            .map(|column| {
                let values = column.iter().copied();
                Baseline::of(values, self.min_scale(), &mut scratch, |values| {
                    self.estimate(values)
                })
            })
            .collect();
        Ok(FittedUnivariate {
            detector: self.clone(),
            baselines,
        })
    }
}

impl<D: Univariate> Score for FittedUnivariate<D> {
    fn columns(&self) -> usize {
        self.baselines.len()
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        check::width(self.columns(), row.len())?;
        Ok(self.detector.aggregation().score(self.distances_of(row)))
    }

    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns(), data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        let aggregation = self.detector.aggregation();
        parallel::for_each_row(data, scores, BLOCK_ROWS, |row| {
            aggregation.score(self.distances_of(row))
        });
        Ok(())
    }

    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        check::width(self.columns(), row.len())?;
        let aggregation = self.detector.aggregation();
        Ok(self
            .distances_of(row)
            .map(|distance| aggregation.contribution(distance))
            .collect())
    }
}

/// The stored form of all three detectors.
#[derive(Serialize, Deserialize)]
#[serde(bound = "D: Univariate")]
struct Record<D> {
    detector: String,
    version: u32,
    parameters: D,
    columns: Vec<Baseline>,
}

const VERSION: u32 = 1;

impl<D: Univariate> From<FittedUnivariate<D>> for Record<D> {
    fn from(fitted: FittedUnivariate<D>) -> Self {
        Self {
            detector: D::NAME.to_owned(),
            version: VERSION,
            parameters: fitted.detector,
            columns: fitted.baselines,
        }
    }
}

impl<D: Univariate> TryFrom<Record<D>> for FittedUnivariate<D> {
    type Error = DetectorError;

    fn try_from(record: Record<D>) -> Result<Self, DetectorError> {
        check::state(D::NAME, VERSION, &record.detector, record.version)?;
        Ok(Self {
            detector: record.parameters,
            baselines: record.columns,
        })
    }
}
