//! The zone of times that a tool prints without one.

use std::fmt;
use std::str::FromStr;

use anomaly_model::chrono::{
    DateTime, FixedOffset, LocalResult, NaiveDateTime, TimeZone as _, Utc,
};
use chrono_tz::Tz;

use crate::SourceError;

/// A time zone: an IANA name such as `Europe/Berlin`, or an offset from UTC such as `+02:00`.
///
/// ```
/// use anomaly_sources::Timezone;
///
/// let zone: Timezone = "Europe/Berlin".parse()?;
/// let utc = |local: &str| zone.to_utc(local.parse().unwrap()).map(|time| time.to_rfc3339());
/// assert_eq!(utc("2026-07-01T03:00:00").as_deref(), Some("2026-07-01T01:00:00+00:00"));
/// // The clock showed this twice, first in summer time ...
/// assert_eq!(utc("2026-10-25T02:30:00").as_deref(), Some("2026-10-25T00:30:00+00:00"));
/// // ... and never this.
/// assert_eq!(utc("2026-03-29T02:30:00"), None);
///
/// assert!("UTC".parse::<Timezone>().is_ok());
/// assert_eq!("-05:30".parse::<Timezone>()?.to_string(), "-05:30");
/// assert!("Berlin".parse::<Timezone>().is_err());
/// # Ok::<(), anomaly_sources::SourceError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timezone(Zone);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Timezone {
    /// The time at which clocks of the zone showed `local`. `None` for a time that they skipped.
    ///
    /// Of a time that they showed twice, because they were set back, the first.
    #[must_use]
    pub fn to_utc(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        self.candidates(local).earliest()
    }

    /// Like [`Self::to_utc`] for what ended, and so cannot be before `start`: of a time that clocks
    /// showed twice, the first that is not before it.
    #[must_use]
    pub(crate) fn to_utc_from(
        self,
        local: NaiveDateTime,
        start: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        match self.candidates(local) {
            LocalResult::Ambiguous(first, second) if first < start => Some(second),
            candidates => candidates.earliest(),
        }
    }

    fn candidates(self, local: NaiveDateTime) -> LocalResult<DateTime<Utc>> {
        match self.0 {
            Zone::Named(zone) => zone.from_local_datetime(&local).map(|time| time.to_utc()),
            Zone::Fixed(offset) => offset.from_local_datetime(&local).map(|time| time.to_utc()),
        }
    }
}

impl FromStr for Timezone {
    type Err = SourceError;

    fn from_str(name: &str) -> Result<Self, SourceError> {
        let zone = match name.parse() {
            Ok(named) => Zone::Named(named),
            Err(_) => Zone::Fixed(name.parse().map_err(|_| SourceError::UnknownTimezone {
                name: name.to_owned(),
            })?),
        };
        Ok(Self(zone))
    }
}

impl fmt::Display for Timezone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Zone::Named(zone) => f.pad(zone.name()),
            Zone::Fixed(offset) => fmt::Display::fmt(&offset, f),
        }
    }
}
