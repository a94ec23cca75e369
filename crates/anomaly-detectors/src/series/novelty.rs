//! How often a value has been seen, for series that mostly repeat themselves.

use serde::{Deserialize, Serialize};

use crate::{DetectorError, check};

const NAME: &str = "novelty";
const VERSION: u32 = 1;
/// The fewest observations that say anything.
const FEWEST: usize = 8;

/// Parameters of [`Novelty`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct NoveltyParams {
    /// Values closer than this are one; see [`NoveltyParams::resolution`]. Default 0: only equal
    /// values are.
    pub resolution: f64,
}

impl NoveltyParams {
    /// Sets how far apart two values are that count as different: finite, from 0. Values are rounded
    /// to its multiples.
    #[must_use]
    pub fn resolution(mut self, resolution: f64) -> Self {
        self.resolution = resolution;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `resolution` is finite and not negative.
    pub fn check(self) -> Result<Novelty, DetectorError> {
        let allowed = self.resolution.is_finite() && self.resolution >= 0.0;
        check::parameter(
            "resolution",
            self.resolution,
            allowed,
            "finite and not negative",
        )?;
        Ok(Novelty(self))
    }
}

/// How often a value has been seen, for series that mostly repeat themselves: a status, a count
/// that is nearly always 0, a size that changes with releases.
///
/// Such a series has no scale: a distance from its median says nothing about how rare a value is.
/// What it has is a frequency for each value. A new value is as likely as it has been for the last
/// value of its kind to be new (Good, Biometrika 40, 1953).
///
/// ```
/// use anomaly_detectors::series::NoveltyParams;
///
/// // Mostly 0, sometimes 1, once 5.
/// let history: Vec<f64> = (0..99).map(|i| if i == 40 { 5.0 } else { f64::from(i % 9 == 0) }).collect();
/// let fitted = NoveltyParams::default().check()?.fit(&history)?;
/// assert_eq!(fitted.p_value(0.0), 1.0);
/// assert_eq!(fitted.p_value(1.0), 0.13);
/// assert_eq!(fitted.p_value(2.0), 0.02, "one value in a hundred was new, and now this one");
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(try_from = "NoveltyParams", into = "NoveltyParams")]
pub struct Novelty(NoveltyParams);

impl Novelty {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> NoveltyParams {
        self.0
    }

    /// Counts the values of a history. NaN is left out; infinities are values like others.
    ///
    /// # Errors
    /// [`DetectorError::NotEnoughHistory`] for fewer than 8 values.
    pub fn fit(&self, history: &[f64]) -> Result<FittedNovelty, DetectorError> {
        let mut values: Vec<f64> = history
            .iter()
            .filter(|value| !value.is_nan())
            .map(|&value| self.rounded(value))
            .collect();
        if values.len() < FEWEST {
            let rows = values.len();
            return Err(DetectorError::NotEnoughHistory {
                detector: NAME,
                rows,
                needed: FEWEST,
            });
        }
        values.sort_by(f64::total_cmp);
        let counts: Vec<(f64, u32)> = values
            .chunk_by(|a, b| a.total_cmp(b).is_eq())
            .filter_map(|equal| Some((*equal.first()?, u32::try_from(equal.len()).ok()?)))
            .collect();
        Ok(FittedNovelty {
            novelty: *self,
            counts,
        })
    }

    fn rounded(self, value: f64) -> f64 {
        let resolution = self.0.resolution;
        let rounded = (value / resolution).round() * resolution;
        // Without a resolution there is no multiple, and it is no number. Where the multiple is beyond
        // all numbers, so is the difference that matters.
        let rounded = if rounded.is_finite() { rounded } else { value };
        // -0.0 is 0.0.
        rounded + 0.0
    }
}

/// A fitted [`Novelty`].
///
/// Serialises with its name and a version, and refuses another of either when read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedNovelty {
    novelty: Novelty,
    /// Different values in ascending order, and how often each was seen: at least once.
    counts: Vec<(f64, u32)>,
}

impl FittedNovelty {
    /// How often `value` was seen.
    #[must_use]
    pub fn seen(&self, value: f64) -> u32 {
        let value = self.novelty.rounded(value);
        let place = self
            .counts
            .binary_search_by(|(other, _)| other.total_cmp(&value));
        place
            .ok()
            .and_then(|place| self.counts.get(place))
            .map_or(0, |(_, count)| *count)
    }

    /// How many values the history had.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.counts.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// How often a next value is at least as rare as `value`: above 0, at most 1.
    ///
    /// With the value itself counted, the share of all values that were seen no more often: a
    /// conformal p-value, exact where the order of the values does not matter (Vovk, Gammerman and
    /// Shafer, "Algorithmic Learning in a Random World", 2005). 1 for NaN.
    #[must_use]
    pub fn p_value(&self, value: f64) -> f64 {
        if value.is_nan() {
            return 1.0;
        }
        let seen = u64::from(self.seen(value));
        let rounded = self.novelty.rounded(value);
        let others = self.counts.iter().filter(|(other, count)| {
            u64::from(*count) <= seen + 1 && other.total_cmp(&rounded).is_ne()
        });
        // Those as rare, and those of the same value, itself among them.
        let rare = others.map(|(_, count)| u64::from(*count)).sum::<u64>() + seen + 1;
        rare as f64 / (self.observations() + 1) as f64
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Record {
    detector: String,
    version: u32,
    parameters: NoveltyParams,
    counts: Vec<(f64, u32)>,
}

impl From<FittedNovelty> for Record {
    fn from(fitted: FittedNovelty) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: fitted.novelty.params(),
            counts: fitted.counts,
        }
    }
}

impl TryFrom<Record> for FittedNovelty {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let ascending = record
            .counts
            .is_sorted_by(|a, b| a.0.total_cmp(&b.0).is_lt());
        let counted = record
            .counts
            .iter()
            .all(|(value, count)| !value.is_nan() && *count > 0);
        if !ascending || !counted {
            return Err(DetectorError::invalid_state(
                NAME,
                "its values are not counted in order",
            ));
        }
        Ok(Self {
            novelty: record.parameters.check()?,
            counts: record.counts,
        })
    }
}

check::checked_params!(Novelty, NoveltyParams);
