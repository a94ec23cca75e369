//! What is usual today, by level, trend, weekday and month's end.

use serde::{Deserialize, Serialize};

use super::huber::{self, Matrix, Regression, Row, dot};
use super::parts::{Clock, Parts, Unit};
use super::point::Point;
use crate::tail::{Side, student_t_tail};
use crate::{DetectorError, MAX_DISTANCE, check};

const NAME: &str = "seasonal-baseline";
const VERSION: u32 = 1;
/// The fewest observations that say anything.
const FEWEST: usize = 8;

/// Parameters of [`SeasonalBaseline`], not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SeasonalBaselineParams {
    /// Whether a trend may be learnt. Default true.
    pub trend: bool,
    /// Whether a weekly pattern may be learnt. Default true.
    pub week: bool,
    /// Whether months' ends may differ. Default true.
    pub month_end: bool,
    /// The smallest scale; see [`SeasonalBaselineParams::min_scale`]. Default 0.
    pub min_scale: f64,
}

impl Default for SeasonalBaselineParams {
    fn default() -> Self {
        Self {
            trend: true,
            week: true,
            month_end: true,
            min_scale: 0.0,
        }
    }
}

impl SeasonalBaselineParams {
    /// Sets whether a trend may be learnt.
    #[must_use]
    pub fn trend(mut self, trend: bool) -> Self {
        self.trend = trend;
        self
    }

    /// Sets whether a weekly pattern may be learnt.
    #[must_use]
    pub fn week(mut self, week: bool) -> Self {
        self.week = week;
        self
    }

    /// Sets whether months' ends may differ.
    #[must_use]
    pub fn month_end(mut self, month_end: bool) -> Self {
        self.month_end = month_end;
        self
    }

    /// Sets the smallest difference that matters, in the unit of the values: finite, from 0.
    #[must_use]
    pub fn min_scale(mut self, min_scale: f64) -> Self {
        self.min_scale = min_scale;
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`DetectorError::InvalidParameter`] unless `min_scale` is finite and not negative.
    pub fn check(self) -> Result<SeasonalBaseline, DetectorError> {
        check::min_scale(self.min_scale)?;
        Ok(SeasonalBaseline(self))
    }
}

/// What is usual today: a level, and a trend, a weekly pattern and an effect of months' ends where
/// the history earns them.
///
/// Each of the eight combinations of the three is fitted by robust regression (Huber's
/// M-estimator), and the one with the smallest Bayesian information criterion, of the robust scale,
/// is kept (Schwarz, Annals of Statistics 6, 1978): a pattern must explain more than chance would.
/// A weekly pattern takes three observations of every weekday, a month's end three of those.
///
/// ```
/// use anomaly_detectors::series::{Point, SeasonalBaselineParams};
/// use anomaly_detectors::tail::Side;
///
/// // Weekends are quiet, and everything grows.
/// let usual = |day: u32| f64::from(day) + if day % 7 < 5 { 100.0 } else { 10.0 } + f64::from(day * 5 % 3);
/// let history: Vec<Point> = (0..60).map(|day| Point::new(day.into(), usual(day))).collect();
/// let fitted = SeasonalBaselineParams::default().check()?.fit(&history)?;
/// assert!(fitted.has_trend() && fitted.has_week());
///
/// // A weekday's number, on a Saturday.
/// let odd = Point::new(61.0, usual(60));
/// assert!(fitted.p_value(&odd, Side::Both) < 1e-6);
/// assert!(fitted.p_value(&Point::new(61.0, usual(61)), Side::Both) > 0.01);
/// # Ok::<(), anomaly_detectors::DetectorError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(try_from = "SeasonalBaselineParams", into = "SeasonalBaselineParams")]
pub struct SeasonalBaseline(SeasonalBaselineParams);

impl SeasonalBaseline {
    /// The parameters.
    #[must_use]
    pub fn params(&self) -> SeasonalBaselineParams {
        self.0
    }

    /// Learns what is usual. Observations that are not finite are left out; their order does not
    /// matter.
    ///
    /// # Errors
    /// [`DetectorError::NotEnoughHistory`] for fewer than 8 finite observations.
    pub fn fit(&self, history: &[Point]) -> Result<FittedSeasonalBaseline, DetectorError> {
        let mut points: Vec<Point> = history
            .iter()
            .copied()
            .filter(|point| point.value.is_finite() && point.day.is_finite())
            .collect();
        if points.len() < FEWEST {
            let rows = points.len();
            return Err(DetectorError::NotEnoughHistory {
                detector: NAME,
                rows,
                needed: FEWEST,
            });
        }
        points.sort_by(|a, b| a.day.total_cmp(&b.day).then(a.value.total_cmp(&b.value)));
        let unit = Unit::of(&points);
        let values: Vec<f64> = points
            .iter()
            .map(|point| unit.inward(point.value))
            .collect();

        let mut best: Option<(f64, FittedSeasonalBaseline)> = None;
        for parts in Parts::learnable(self.0, &points) {
            let columns = parts.columns();
            if points.len() <= columns {
                continue;
            }
            let clock = Clock::of(&points);
            let rows: Vec<Row> = points
                .iter()
                .map(|point| parts.row(point, &clock))
                .collect();
            let regression = huber::fit(&rows, &values, columns);
            let criterion = criterion(&regression, points.len(), columns);
            if best.as_ref().is_none_or(|(least, _)| criterion < *least) {
                let fitted = FittedSeasonalBaseline {
                    baseline: *self,
                    parts,
                    clock,
                    unit,
                    observations: points.len(),
                    coefficients: regression.coefficients,
                    scale: regression.scale,
                    certainty: regression.certainty,
                };
                best = Some((criterion, fitted));
            }
        }
        let needed = FEWEST;
        let missing = DetectorError::NotEnoughHistory {
            detector: NAME,
            rows: points.len(),
            needed,
        };
        best.map(|(_, fitted)| fitted).ok_or(missing)
    }
}

/// Schwarz's criterion of a regression: smaller is better.
fn criterion(regression: &Regression, observations: usize, columns: usize) -> f64 {
    let (n, p) = (observations as f64, columns as f64);
    // Values are in units of their own spread: what is below this is rounding.
    let variance = (regression.scale * regression.scale * (n - p) / n).max(1e-24);
    n * libm::log(variance) + p * libm::log(n)
}

/// A fitted [`SeasonalBaseline`].
///
/// Serialises with its name and a version, and refuses another of either when read back. What is
/// read back judges as before, to the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedSeasonalBaseline {
    baseline: SeasonalBaseline,
    parts: Parts,
    clock: Clock,
    unit: Unit,
    observations: usize,
    coefficients: Row,
    scale: f64,
    certainty: Matrix,
}

impl FittedSeasonalBaseline {
    /// The parameters that it was fitted with.
    #[must_use]
    pub fn params(&self) -> SeasonalBaselineParams {
        self.baseline.params()
    }

    /// Whether the history earned a trend.
    #[must_use]
    pub fn has_trend(&self) -> bool {
        self.parts.trend
    }

    /// Whether the history earned a weekly pattern.
    #[must_use]
    pub fn has_week(&self) -> bool {
        self.parts.week
    }

    /// Whether the history earned an effect of months' ends.
    #[must_use]
    pub fn has_month_end(&self) -> bool {
        self.parts.month_end
    }

    /// Observations that it rests on.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.observations
    }

    /// The usual value on the day of `point`; the point's own value does not matter.
    #[must_use]
    pub fn expected(&self, point: &Point) -> f64 {
        let inward = dot(&self.parts.row(point, &self.clock), &self.coefficients);
        (inward * self.unit.spread + self.unit.centre).clamp(f64::MIN, f64::MAX)
    }

    /// How many standard deviations of a new value `point` lies above (positive) or below what is
    /// usual on its day, between -[`MAX_DISTANCE`] and [`MAX_DISTANCE`].
    ///
    /// Counts how unsure the expectation itself is: more for a day far from the history, or of a
    /// weekday seldom seen. 0 for a value or day that is not a number. In a series that never
    /// varied around its expectation, and without a minimum scale, any other value is as far out
    /// as can be.
    #[must_use]
    pub fn distance(&self, point: &Point) -> f64 {
        if point.value.is_nan() || !point.day.is_finite() {
            return 0.0;
        }
        let row = self.parts.row(point, &self.clock);
        let mut unsure = 0.0;
        for (i, line) in self.certainty.iter().enumerate() {
            unsure += row[i] * dot(line, &row);
        }
        let difference = self.unit.inward(point.value) - dot(&row, &self.coefficients);
        let min_scale = self.params().min_scale / self.unit.spread;
        let deviation = self.scale.max(min_scale).max(ROUNDING) * (1.0 + unsure.max(0.0)).sqrt();
        if difference.abs() <= ROUNDING {
            return 0.0;
        }
        if self.never_varied() {
            return MAX_DISTANCE.copysign(difference);
        }
        (difference / deviation).clamp(-MAX_DISTANCE, MAX_DISTANCE)
    }

    /// How often a usual value of that day is at least as far out on `side`: above 0, at most 1.
    ///
    /// Student's t with as many degrees of freedom as observations exceed coefficients. A series that
    /// never varied around its expectation, without a minimum scale, says nothing about sizes: there,
    /// any other value has `1 / (n + 1)`, all that `n` observations can tell.
    #[must_use]
    pub fn p_value(&self, point: &Point, side: Side) -> f64 {
        let free = self
            .observations
            .saturating_sub(self.parts.columns())
            .max(1);
        let p_value = student_t_tail(self.distance(point), free as f64, side);
        if self.never_varied() {
            p_value.max(1.0 / (self.observations as f64 + 1.0))
        } else {
            p_value
        }
    }

    /// Whether there is no scale to measure a difference by.
    fn never_varied(&self) -> bool {
        self.scale <= ROUNDING && self.params().min_scale <= 0.0
    }
}

/// Differences below this part of the values' spread are rounding.
const ROUNDING: f64 = 1e-9;

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Record {
    detector: String,
    version: u32,
    parameters: SeasonalBaselineParams,
    parts: Parts,
    clock: Clock,
    unit: Unit,
    observations: usize,
    coefficients: Row,
    scale: f64,
    certainty: Matrix,
}

impl From<FittedSeasonalBaseline> for Record {
    fn from(fitted: FittedSeasonalBaseline) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: fitted.params(),
            parts: fitted.parts,
            clock: fitted.clock,
            unit: fitted.unit,
            observations: fitted.observations,
            coefficients: fitted.coefficients,
            scale: fitted.scale,
            certainty: fitted.certainty,
        }
    }
}

impl TryFrom<Record> for FittedSeasonalBaseline {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let Record {
            clock,
            unit,
            scale,
            coefficients,
            certainty,
            ..
        } = &record;
        let certainties = certainty.iter().flatten();
        let numbers = [clock.centre, clock.half, unit.centre, unit.spread, *scale];
        let finite = numbers
            .iter()
            .chain(coefficients)
            .chain(certainties)
            .all(|number| number.is_finite());
        if !finite || clock.half <= 0.0 || unit.spread <= 0.0 || *scale < 0.0 {
            return Err(DetectorError::invalid_state(
                NAME,
                "a number in it is out of range",
            ));
        }
        Ok(Self {
            baseline: record.parameters.check()?,
            parts: record.parts,
            clock: record.clock,
            unit: record.unit,
            observations: record.observations,
            coefficients: record.coefficients,
            scale: record.scale,
            certainty: record.certainty,
        })
    }
}

check::checked_params!(SeasonalBaseline, SeasonalBaselineParams);
