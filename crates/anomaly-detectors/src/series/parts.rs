//! What a seasonal baseline is made of, as columns of a regression.

use serde::{Deserialize, Serialize};

use super::huber::{MOST_COLUMNS, Row};
use super::point::Point;
use super::seasonal_baseline::SeasonalBaselineParams;

/// How often each weekday, and a month's end, must have been seen before it counts.
const FEWEST_OF_A_KIND: usize = 3;
/// A trend is not followed farther than this many times the history's length.
const FARTHEST: f64 = 1e6;

/// Where the values lie, so that regressions work on numbers of ordinary size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) centre: f64,
    pub(crate) spread: f64,
}

impl Unit {
    pub(crate) fn of(points: &[Point]) -> Self {
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

    pub(crate) fn inward(&self, value: f64) -> f64 {
        // Halves first: the difference of two large numbers may not be one.
        (value / 2.0 - self.centre / 2.0) / self.spread * 2.0
    }
}

/// Where the days lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub(crate) centre: f64,
    pub(crate) half: f64,
}

impl Clock {
    /// Of points in the order of their days, at least one.
    pub(crate) fn of(points: &[Point]) -> Self {
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
pub(crate) struct Parts {
    pub(crate) trend: bool,
    pub(crate) week: bool,
    pub(crate) month_end: bool,
}

impl Parts {
    /// Every combination that the parameters allow and the history can tell apart, simplest first.
    pub(crate) fn learnable(params: SeasonalBaselineParams, points: &[Point]) -> Vec<Self> {
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

    pub(crate) fn columns(self) -> usize {
        1 + usize::from(self.trend) + 6 * usize::from(self.week) + usize::from(self.month_end)
    }

    /// The row of a point: 1, how late it is, which weekday (against the seventh), a month's end.
    pub(crate) fn row(self, point: &Point, clock: &Clock) -> Row {
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
