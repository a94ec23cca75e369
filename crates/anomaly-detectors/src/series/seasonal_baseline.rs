//! What is usual today, by level, trend, weekday and month's end.

use serde::{Deserialize, Serialize};

use super::huber::{self, MOST_COLUMNS, Matrix, Regression, Row, dot};
use crate::tail::{Side, student_t_tail};
use crate::{DetectorError, MAX_DISTANCE, check};

const NAME: &str = "seasonal-baseline";
const VERSION: u32 = 1;
/// The fewest observations that say anything.
const FEWEST: usize = 8;
/// How often each weekday, and a month's end, must have been seen before it counts.
const FEWEST_OF_A_KIND: usize = 3;
const WEEK_DAYS: f64 = 7.0;
/// A trend is not followed farther than this many times the history's length.
const FARTHEST: f64 = 1e6;

/// One observation of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When: days since any midnight, in the time zone whose week matters. Days a multiple of seven
    /// apart have the same weekday.
    pub day: f64,
    /// Whether the day is one at a month's end (or any other day that the caller knows to differ).
    pub month_end: bool,
    /// The number observed. One that is not finite is left out of a fit.
    pub value: f64,
}

impl Point {
    /// An observation of `value` on `day`, which is not at a month's end.
    #[must_use]
    pub fn new(day: f64, value: f64) -> Self {
        Self {
            day,
            month_end: false,
            value,
        }
    }

    /// The same observation, of a day at a month's end.
    #[must_use]
    pub fn at_month_end(mut self) -> Self {
        self.month_end = true;
        self
    }

    fn weekday(&self) -> f64 {
        self.day.floor().rem_euclid(WEEK_DAYS)
    }
}

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

/// Where the values lie, so that regressions work on numbers of ordinary size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Unit {
    centre: f64,
    spread: f64,
}

impl Unit {
    fn of(points: &[Point]) -> Self {
        let (low, high) = points
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), point| {
                (low.min(point.value), high.max(point.value))
            });
        let spread = high / 2.0 - low / 2.0;
        Self {
            centre: low.midpoint(high),
            spread: if spread > 0.0 { spread } else { 1.0 },
        }
    }

    fn inward(&self, value: f64) -> f64 {
        // Halves first: the difference of two large numbers may not be one.
        (value / 2.0 - self.centre / 2.0) / self.spread * 2.0
    }
}

/// Where the days lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Clock {
    centre: f64,
    half: f64,
}

impl Clock {
    /// Of points in the order of their days, at least one.
    fn of(points: &[Point]) -> Self {
        let day = |point: Option<&Point>| point.map_or(0.0, |point| point.day);
        let (first, last) = (day(points.first()), day(points.last()));
        let half = last / 2.0 - first / 2.0;
        Self {
            centre: first.midpoint(last),
            half: if half > 0.0 { half } else { 1.0 },
        }
    }
}

/// Which parts a baseline has beside its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Parts {
    trend: bool,
    week: bool,
    month_end: bool,
}

impl Parts {
    /// Every combination that the parameters allow and the history can tell apart, simplest first.
    fn learnable(params: SeasonalBaselineParams, points: &[Point]) -> Vec<Self> {
        let mut weekdays = [0_usize; 7];
        let mut month_ends = 0;
        for point in points {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 6"
            )]
            if let Some(count) = weekdays.get_mut(point.weekday() as usize) {
                *count += 1;
            }
            month_ends += usize::from(point.month_end);
        }
        let several_days = points.first().map(|point| point.day) < points.last().map(|p| p.day);
        let week = params.week && weekdays.iter().all(|&count| count >= FEWEST_OF_A_KIND);
        let ends = month_ends.min(points.len() - month_ends) >= FEWEST_OF_A_KIND;
        let choices = |allowed: bool| {
            if allowed {
                &[false, true][..]
            } else {
                &[false][..]
            }
        };
        let mut all = Vec::with_capacity(8);
        for &month_end in choices(params.month_end && ends) {
            for &week in choices(week) {
                for &trend in choices(params.trend && several_days) {
                    all.push(Self {
                        trend,
                        week,
                        month_end,
                    });
                }
            }
        }
        all
    }

    fn columns(self) -> usize {
        1 + usize::from(self.trend) + 6 * usize::from(self.week) + usize::from(self.month_end)
    }

    /// The row of a point: 1, how late it is, which weekday (against the seventh), a month's end.
    fn row(self, point: &Point, clock: &Clock) -> Row {
        let mut row = [0.0; MOST_COLUMNS];
        row[0] = 1.0;
        let mut next = 1;
        if self.trend {
            let late = (point.day / 2.0 - clock.centre / 2.0) / clock.half * 2.0;
            row[next] = late.clamp(-FARTHEST, FARTHEST);
            next += 1;
        }
        if self.week {
            let weekday = point.weekday();
            for (column, day) in row[next..next + 6]
                .iter_mut()
                .zip([0.0, 1.0, 2.0, 3.0, 4.0, 5.0_f64])
            {
                // The effects of all seven add up to nothing.
                *column = if weekday > 5.5 {
                    -1.0
                } else {
                    f64::from((weekday - day).abs() < 0.5)
                };
            }
            next += 6;
        }
        if self.month_end {
            row[next] = f64::from(point.month_end);
        }
        row
    }
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
        if self.scale <= ROUNDING && min_scale <= 0.0 {
            return MAX_DISTANCE.copysign(difference);
        }
        (difference / deviation).clamp(-MAX_DISTANCE, MAX_DISTANCE)
    }

    /// How often a usual value of that day is at least as far out on `side`: above 0, at most 1.
    ///
    /// Student's t with as many degrees of freedom as observations exceed coefficients.
    #[must_use]
    pub fn p_value(&self, point: &Point, side: Side) -> f64 {
        let free = self
            .observations
            .saturating_sub(self.parts.columns())
            .max(1);
        student_t_tail(self.distance(point), free as f64, side)
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

impl TryFrom<SeasonalBaselineParams> for SeasonalBaseline {
    type Error = DetectorError;

    fn try_from(params: SeasonalBaselineParams) -> Result<Self, DetectorError> {
        params.check()
    }
}

impl From<SeasonalBaseline> for SeasonalBaselineParams {
    fn from(baseline: SeasonalBaseline) -> Self {
        baseline.0
    }
}
