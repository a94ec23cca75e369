//! One observation of a series.

use serde::{Deserialize, Serialize};

const WEEK_DAYS: f64 = 7.0;

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

    /// 0 to 6, the same for days a multiple of seven apart.
    pub(crate) fn weekday(&self) -> f64 {
        self.day.floor().rem_euclid(WEEK_DAYS)
    }
}
