//! Whether a series has crept away from what it once was.

use serde::{Deserialize, Serialize};

use super::since_reference::{MOST_RECENT, SinceReference};
use crate::tail::{Side, harmonic_mean_p_value, student_t_tail};
use crate::{DetectorError, check};

const NAME: &str = "slow-drift";
const VERSION: u32 = 1;
/// A week, a month and a quarter of a year of nights.
const WINDOWS: [usize; 3] = [7, 30, MOST_RECENT];

/// Parameters of [`SlowDrift`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SlowDriftParams {
    /// The smallest scale; see [`SlowDriftParams::min_scale`]. Default 0.
    pub min_scale: f64,
}

impl SlowDriftParams {
    /// Sets the smallest difference that matters, in the unit of the series: finite, from 0. The
    /// scale is never taken smaller than this.
    #[must_use]
    pub fn min_scale(mut self, min_scale: f64) -> Self {
        self.min_scale = min_scale;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `min_scale` is finite and not negative.
    pub fn check(self) -> Result<SlowDrift, DetectorError> {
        check::min_scale(self.min_scale)?;
        Ok(SlowDrift(self))
    }
}

/// Whether a series has crept away from what it once was: over the last 7, 30 and 90 observations,
/// against a frozen reference.
///
/// A baseline that learns as it goes follows whoever leads it slowly enough. This reference is
/// learnt once, by [`SlowDrift::fit`], and no observation moves it; when a person has accepted a
/// new level, fit again on a history of it. Observations count as their distance from the median
/// in median absolute deviations, bounded at 2.5, so that one wild value is no drift.
///
/// The mean of the last `w` scores, against that of `n` in the reference, is Student's t with
/// variance `v (1/w + 1/n)`, for `v` correlated observations per independent one (Bayley and
/// Hammersley, Supplement to the JRSS 8, 1946). The windows overlap, and the error of the reference
/// is in all three: their p-values are combined by the harmonic mean (Wilson, PNAS 116, 2019).
///
/// # How far p-values hold
///
/// At a nominal 1 % on both sides, at any one time after references of 20, 60 and 100, the rate of
/// alarms is 0.3 to 2 % for normal, t3, lognormal and tied values, for autoregressions of 0.3, and
/// for what is left of a weekly pattern; 0.1 to 0.8 % for noise that is larger on weekends. For
/// autoregressions of 0.5 it is up to 3.5 % after 20, where so strong a correlation cannot be told
/// from chance. After 8 it is at most 0.3 %, but 1 and 2 % for the autoregressions. A weekly pattern
/// hides drifts, and a trend is one: for such series, give the differences from
/// [`FittedSeasonalBaseline::expected`](super::FittedSeasonalBaseline::expected).
///
/// A drift of 0.05 deviations an observation is found after 30, 24 and 22 of them in half of normal
/// series, after references of 20, 60 and 100, and after 43, 32 and 29 in nine of ten.
///
/// ```
/// use anomaly_detectors::series::SlowDriftParams;
/// use anomaly_detectors::tail::Side;
///
/// // Gigabytes a night: 50 to 56. Then somebody adds a twentieth of a gigabyte every night.
/// let usual = |night: u32| f64::from(50 + night * 5 % 7);
/// let history: Vec<f64> = (0..60).map(usual).collect();
/// let mut stream = SlowDriftParams::default().check()?.fit(&history)?;
/// for night in 0..90 {
///     stream.observe(usual(60 + night) + 0.05 * f64::from(night));
/// }
/// assert!(stream.p_value(Side::Both) < 1e-4);
/// let amounts: Vec<f64> = stream.windows(Side::Both).map(|window| window.amount).collect();
/// assert!(amounts[0] > 3.5, "over the last week, of the 4.5 that were added");
/// assert!(amounts[2] > 1.5 && amounts[2] < 3.0, "over all 90 nights");
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(try_from = "SlowDriftParams", into = "SlowDriftParams")]
pub struct SlowDrift(SlowDriftParams);

impl SlowDrift {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> SlowDriftParams {
        self.0
    }

    /// Learns the reference from a history in the order of time. Values that are not finite are left
    /// out.
    ///
    /// # Errors
    /// [`DetectorError::NotEnoughHistory`] for fewer than 8 finite values.
    pub fn fit(&self, history: &[f64]) -> Result<FittedSlowDrift, DetectorError> {
        Ok(FittedSlowDrift {
            slow_drift: *self,
            since: SinceReference::of(history, self.0.min_scale, NAME)?,
        })
    }
}

/// How far the last observations are from the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct WindowDrift {
    /// How many observations: 7, 30 or 90, missing ones not counted.
    pub observations: usize,
    /// Their level: the median, in the unit of the series.
    pub level: f64,
    /// How far that is above the level of the reference, in the unit of the series; negative below.
    pub amount: f64,
    /// How often they are this far off by chance: above 0, at most 1.
    pub p_value: f64,
}

/// A fitted [`SlowDrift`]: the reference, and the last 90 observations since.
///
/// Serialises with its name and a version, in at most 1 KB with a compact format, and refuses
/// another of either when read back. What is read back goes on as if it had not been away, to the
/// last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedSlowDrift {
    slow_drift: SlowDrift,
    since: SinceReference,
}

impl FittedSlowDrift {
    /// The parameters that it was fitted with.
    #[must_use]
    pub fn params(&self) -> SlowDriftParams {
        self.slow_drift.params()
    }

    /// The level of the reference: its median.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.since.reference.level()
    }

    /// Between which values 95 % of the reference lie.
    #[must_use]
    pub fn usual_range(&self) -> (f64, f64) {
        self.since.reference.usual_range()
    }

    /// Finite observations of the reference.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.since.reference.observations()
    }

    /// Takes the next observation. A missing one (NaN) says nothing; an infinite one is the largest
    /// number. The reference stays.
    pub fn observe(&mut self, value: f64) {
        self.since.observe(value);
    }

    /// The windows that are full, shortest first: none before the seventh observation.
    pub fn windows(&self, side: Side) -> impl Iterator<Item = WindowDrift> {
        let full = WINDOWS.into_iter().filter(|&w| w <= self.since.len());
        full.map(move |observations| {
            let (level, amount) = self.since.level_of_last(observations);
            WindowDrift {
                observations,
                level,
                amount,
                p_value: self.window_p_value(observations, side),
            }
        })
    }

    /// How often a series that has not moved looks moved this far to `side`, in any of the windows:
    /// above 0, at most 1. 1 before the first window is full.
    ///
    /// After a history that never varied, and without a minimum scale, it is at least `1 / (n + 1)`
    /// for `n` values: more they do not support.
    #[must_use]
    pub fn p_value(&self, side: Side) -> f64 {
        let p_values: Vec<f64> = self.windows(side).map(|window| window.p_value).collect();
        harmonic_mean_p_value(&p_values, &[])
    }

    fn window_p_value(&self, observations: usize, side: Side) -> f64 {
        let reference = &self.since.reference;
        let count = observations as f64;
        let mean = self.since.scores().take(observations).sum::<f64>() / count;
        let variance = reference.observations_per_independent() / count
            + 1.0 / reference.independent_observations();
        let t = mean / variance.sqrt();
        reference.supported(student_t_tail(t, reference.degrees_of_freedom(), side))
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Record {
    detector: String,
    version: u32,
    parameters: SlowDriftParams,
    since: SinceReference,
}

impl From<FittedSlowDrift> for Record {
    fn from(fitted: FittedSlowDrift) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: fitted.params(),
            since: fitted.since,
        }
    }
}

impl TryFrom<Record> for FittedSlowDrift {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        Ok(Self {
            slow_drift: record.parameters.check()?,
            since: record.since.checked(NAME)?,
        })
    }
}

check::checked_params!(SlowDrift, SlowDriftParams);
