//! Whether the level of a series has shifted, since when, and by how much.

use serde::{Deserialize, Serialize};

use super::since_reference::SinceReference;
use super::{cumulative_sum, single_change};
use crate::tail::Side;
use crate::{DetectorError, check};

const NAME: &str = "level-shift";
const VERSION: u32 = 1;
/// The cumulative sum is of this many observations at most. The error of the reference adds up with
/// every one, and hides what a few say; what takes longer is [`SlowDrift`](super::SlowDrift)'s.
const LONGEST_SUM: usize = 30;

/// Parameters of [`LevelShift`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LevelShiftParams {
    /// The shift to look for; see [`LevelShiftParams::shift_deviations`]. Default 1.
    pub shift_deviations: f64,
    /// How often levels change; see [`LevelShiftParams::change_rate`]. Default 0.01.
    pub change_rate: f64,
    /// The smallest scale; see [`LevelShiftParams::min_scale`]. Default 0.
    pub min_scale: f64,
}

impl Default for LevelShiftParams {
    fn default() -> Self {
        Self {
            shift_deviations: 1.0,
            change_rate: 0.01,
            min_scale: 0.0,
        }
    }
}

impl LevelShiftParams {
    /// Sets the shift that is found soonest, in standard deviations of the series: 0.1 to 4.
    ///
    /// Half of it is the allowance of the cumulative sum: a level that moved by less than half is
    /// hardly found at all.
    #[must_use]
    pub fn shift_deviations(mut self, shift_deviations: f64) -> Self {
        self.shift_deviations = shift_deviations;
        self
    }

    /// Sets the prior probability that the level changes before any one observation: 1e-9 to 0.5.
    ///
    /// Only [`LevelChange::probability`] depends on it; p-values do not.
    #[must_use]
    pub fn change_rate(mut self, change_rate: f64) -> Self {
        self.change_rate = change_rate;
        self
    }

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
    /// [`DetectorError::InvalidParameter`] for one out of its range.
    pub fn check(self) -> Result<LevelShift, DetectorError> {
        let (shift, rate) = (self.shift_deviations, self.change_rate);
        let allowed = (0.1..=4.0).contains(&shift);
        check::parameter("shift_deviations", shift, allowed, "0.1 to 4")?;
        let allowed = (1e-9..=0.5).contains(&rate);
        check::parameter("change_rate", rate, allowed, "1e-9 to 0.5")?;
        check::min_scale(self.min_scale)?;
        Ok(LevelShift(self))
    }
}

/// Whether the level of a series has shifted since a reference, since when, and by how much.
///
/// [`LevelShift::fit`] learns the reference, and later observations never change it. Each counts as
/// its distance from the median in median absolute deviations, bounded at 2.5: one wild value is no
/// new level, it takes a second. Two answers rest on these:
///
/// - a p-value: how often Page's cumulative sum (Biometrika 41, 1954) of the last 30 stands this
///   high by chance, given how well the reference is known;
/// - a probability: Shiryaev's posterior of one change (Theory of Probability and Its Applications
///   8, 1963), averaged over the size of the shift. It is the run length posterior of Adams and
///   `MacKay` (arXiv:0710.3742) for one change from a known level, of at most 90 run lengths. It says
///   when, too.
///
/// Neighbours that are alike (an autoregression) are allowed for by their correlation in the
/// reference.
///
/// # How far p-values hold
///
/// At a nominal 1 % on both sides, at any one time 3 to 110 observations after references of 20, 60
/// and 100, the rate of alarms is 0.5 to 2 % for normal, t3, lognormal and tied values and for what
/// is left of a weekly pattern; 0.3 to 1.6 % for noise that is larger on weekends; 0.3 to 2 % for
/// autoregressions of 0.3. For one of 0.5 it is up to 3 % after 20, where so strong a correlation
/// cannot be told from chance, and 0.1 to 1 % after 60 and 100. After 8 it is at most 0.4 %, but 1 and
/// 2 % for the autoregressions. One observation alone is no alarm. Looked at every night, some night
/// alarms more often than each, and alarms come in runs.
///
/// Of normal series whose level moves by 1 deviation, 11, 45 and 52 % alarm within 10 observations
/// after references of 20, 60 and 100, and 54, 92 and 97 % within 30; by 2 deviations, 54, 94 and
/// 99 %, and 95, 100 and 100 %.
///
/// A weekly pattern hides shifts, and a trend is one: for such series, give the differences from
/// [`FittedSeasonalBaseline::expected`](super::FittedSeasonalBaseline::expected).
///
/// ```
/// use anomaly_detectors::series::LevelShiftParams;
/// use anomaly_detectors::tail::Side;
///
/// // Gigabytes a night: 50 to 56. Then one of 90, and from some night on 4 more than before.
/// let usual = |night: u32| f64::from(50 + night * 5 % 7);
/// let history: Vec<f64> = (0..60).map(usual).collect();
/// let mut stream = LevelShiftParams::default().check()?.fit(&history)?;
/// assert_eq!(stream.level(), 53.0);
///
/// stream.observe(90.0);
/// (61..75).map(usual).for_each(|value| stream.observe(value));
/// assert!(stream.p_value(Side::Both) > 0.05);
///
/// (75..89).map(usual).for_each(|value| stream.observe(value + 4.0));
/// assert!(stream.p_value(Side::Above) < 0.001);
/// let change = stream.change(Side::Above).ok_or("nothing observed")?;
/// assert!(change.probability > 0.99);
/// assert!(change.observations.abs_diff(14) <= 1);
/// assert_eq!(change.amount, 4.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(try_from = "LevelShiftParams", into = "LevelShiftParams")]
pub struct LevelShift(LevelShiftParams);

impl LevelShift {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> LevelShiftParams {
        self.0
    }

    /// Learns the reference from a history in the order of time. Values that are not finite are left
    /// out.
    ///
    /// # Errors
    /// [`DetectorError::NotEnoughHistory`] for fewer than 8 finite values.
    pub fn fit(&self, history: &[f64]) -> Result<FittedLevelShift, DetectorError> {
        Ok(FittedLevelShift {
            level_shift: *self,
            since: SinceReference::of(history, self.0.min_scale, NAME)?,
        })
    }
}

/// A change of level.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct LevelChange {
    /// How likely the level has changed to that side at all, at any time that is looked at: 0 to 1.
    ///
    /// Where it has not, and at the default rate, it exceeds 0.9 in at most 1 % of the series that
    /// [`LevelShift`] names, in 2 % of autoregressions of 0.3, and in 3 % of those of 0.5.
    pub probability: f64,
    /// When most likely, if it has: so many observations ago, 1 to 90, missing ones not counted.
    /// With 1, the last one is the first of the new level; with 90, it may have been earlier.
    pub observations: usize,
    /// The new level: the median of these observations, in the unit of the series.
    pub level: f64,
    /// How far that is above the level of the reference, in the unit of the series; negative below.
    pub amount: f64,
}

/// A fitted [`LevelShift`]: the reference, and the last 90 observations since.
///
/// Serialises with its name and a version, in at most 1 KB with a compact format, and refuses
/// another of either when read back. What is read back goes on as if it had not been away, to the
/// last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedLevelShift {
    level_shift: LevelShift,
    since: SinceReference,
}

impl FittedLevelShift {
    /// The parameters that it was fitted with.
    #[must_use]
    pub fn params(&self) -> LevelShiftParams {
        self.level_shift.params()
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

    /// How often the level looks shifted this far to `side` by chance: above 0, at most 1. 1 before
    /// the first observation.
    ///
    /// After a history that never varied, and without a minimum scale, it is at least `1 / (n + 1)`
    /// for `n` values: more they do not support.
    #[must_use]
    pub fn p_value(&self, side: Side) -> f64 {
        let allowance = self.params().shift_deviations / 2.0;
        let one_sided = |sign: f64| {
            let scores = self.since.scores().take(LONGEST_SUM);
            let height = cumulative_sum::height(scores.map(|score| sign * score), allowance);
            let steps = self.since.len().min(LONGEST_SUM);
            cumulative_sum::p_value(height, allowance, steps, &self.since.reference)
        };
        let p_value = match side {
            Side::Above => one_sided(1.0),
            Side::Below => one_sided(-1.0),
            Side::Both => (2.0 * one_sided(1.0).min(one_sided(-1.0))).min(1.0),
        };
        self.since.reference.supported(p_value)
    }

    /// The likeliest change to `side`, however unlikely; `None` before the first observation.
    #[must_use]
    pub fn change(&self, side: Side) -> Option<LevelChange> {
        let rate = self.params().change_rate;
        let scores = self.since.scores();
        let changes = single_change::posterior(scores, rate, &self.since.reference, side);
        let (index, _) = changes
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let (level, amount) = self.since.level_of_last(index + 1);
        Some(LevelChange {
            probability: changes.iter().sum::<f64>().min(1.0),
            observations: index + 1,
            level,
            amount,
        })
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Record {
    detector: String,
    version: u32,
    parameters: LevelShiftParams,
    since: SinceReference,
}

impl From<FittedLevelShift> for Record {
    fn from(fitted: FittedLevelShift) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: fitted.params(),
            since: fitted.since,
        }
    }
}

impl TryFrom<Record> for FittedLevelShift {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        Ok(Self {
            level_shift: record.parameters.check()?,
            since: record.since.checked(NAME)?,
        })
    }
}

check::checked_params!(LevelShift, LevelShiftParams);
