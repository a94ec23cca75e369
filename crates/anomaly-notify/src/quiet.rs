//! When a sink is to be silent.

use anomaly_model::Severity;
use anomaly_model::chrono::{
    DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};

use crate::NotifyError;

/// Hours in which a sink is silent: `[[sinks.quiet]]` in the file. What there is to tell waits for
/// their end.
///
/// ```
/// use anomaly_notify::SinkOptions;
/// let sinks: SinkOptions = toml::from_str(r#"
///     name = "office"
///     [[quiet]]
///     days = ["sat", "sun"]
///     zone = "Europe/Berlin"
///     break_through = "high"
///     [file]
///     path = "/var/log/backwatch/events.ndjson"
/// "#)?;
/// assert_eq!(sinks.quiet.len(), 1);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct QuietHours {
    /// The days on which they begin, `"mon"` to `"sun"`; every day unless set.
    #[serde(default = "every_day")]
    pub days: Vec<Weekday>,
    /// When they begin, by the clock of `zone`, `"22:00"`; midnight unless set.
    #[serde(default, deserialize_with = "clock_time")]
    pub from: NaiveTime,
    /// When they end: on the same day if that is later than `from`, otherwise on the next one;
    /// midnight unless set.
    #[serde(default, deserialize_with = "clock_time")]
    pub to: NaiveTime,
    /// The time zone, by its IANA name; UTC unless set.
    #[serde(default = "utc")]
    pub zone: Tz,
    /// The least severity that is told nevertheless; none unless set.
    #[serde(default)]
    pub break_through: Option<Severity>,
}

fn every_day() -> Vec<Weekday> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun]
}

fn utc() -> Tz {
    Tz::UTC
}

fn clock_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    NaiveTime::parse_from_str(&text, "%H:%M")
        .map_err(|_| serde::de::Error::custom(format!("`{text}` is no time such as \"22:00\"")))
}

impl QuietHours {
    /// The end of the hours that `now` lies in, if it lies in any.
    fn end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = now.with_timezone(&self.zone).date_naive();
        // They may have begun yesterday; and a zone may have skipped a day.
        (0..=2)
            .filter_map(|back| today.checked_sub_days(Days::new(back)))
            .filter(|day| self.days.contains(&day.weekday()))
            .filter_map(|day| {
                let (from, to) = self.on(day)?;
                (from <= now && now < to).then_some(to)
            })
            .max()
    }

    /// From when to when they last if they begin on `day`.
    fn on(&self, day: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let last = if self.from < self.to {
            day
        } else {
            day.checked_add_days(Days::new(1))?
        };
        Some((self.instant(day, self.from)?, self.instant(last, self.to)?))
    }

    /// Of an hour that comes twice the first; what the clock skipped is the time after it.
    fn instant(&self, day: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
        let mut local = day.and_time(time);
        // The longest skip there has been is a day.
        for _ in 0..=24 * 4 {
            if let Some(instant) = local.and_local_timezone(self.zone).earliest() {
                return Some(instant.to_utc());
            }
            local += TimeDelta::minutes(15);
        }
        None
    }
}

/// Until when the sink is silent for an event of this severity, if it is at `now`.
pub(crate) fn until(
    quiet: &[QuietHours],
    now: DateTime<Utc>,
    severity: Severity,
) -> Option<DateTime<Utc>> {
    let silent = |hours: &&QuietHours| hours.break_through.is_none_or(|least| severity < least);
    let mut end = now;
    // Hours that follow on each other are one silence; no more than a week of them is possible, as
    // `check` has seen.
    for _ in 0..=8 * quiet.len() {
        match quiet
            .iter()
            .filter(silent)
            .filter_map(|hours| hours.end(end))
            .max()
        {
            Some(later) => end = later,
            None => break,
        }
    }
    (end > now).then_some(end)
}

/// Refuses hours that never end.
pub(crate) fn check(quiet: &[QuietHours]) -> Result<(), NotifyError> {
    for hours in quiet {
        if hours.days.is_empty() {
            return Err(NotifyError::options("quiet hours without a day"));
        }
    }
    // A week without a change of any clock would do, and a year holds one.
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(365 * 60);
    let speaks = (0..52).any(|week| {
        let from = start + TimeDelta::weeks(week);
        until(quiet, from, Severity::Low).is_none_or(|end| end < from + TimeDelta::days(7))
    });
    if quiet.is_empty() || speaks {
        Ok(())
    } else {
        Err(NotifyError::options(
            "the quiet hours last the whole week: the sink would never tell anything",
        ))
    }
}
