//! A time as tools print it: some with a zone, some without.

use anomaly_model::chrono::{DateTime, NaiveDateTime, Utc};

use crate::{Place, ReadOption, RecordError, Timezone};

/// A time as it was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// With a zone.
    Zoned(DateTime<Utc>),
    /// On a clock somewhere.
    Local(NaiveDateTime),
}

impl Moment {
    /// RFC 3339, also with the name of the zone at its end (RFC 9557):
    /// `2026-11-22T03:00:00+01:00[Europe/Berlin]`.
    pub(crate) fn zoned(text: &str) -> Option<DateTime<Utc>> {
        let (time, name) = text.split_once('[').unwrap_or((text, "]"));
        let time = DateTime::parse_from_rfc3339(time).ok()?;
        name.ends_with(']').then(|| time.to_utc())
    }

    /// A time with a zone, or one without, whose date and time are parted by a `T` or a space.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let local = || {
            let parse = |format| NaiveDateTime::parse_from_str(text, format);
            parse("%Y-%m-%dT%H:%M:%S%.f")
                .or_else(|_| parse("%Y-%m-%d %H:%M:%S%.f"))
                .ok()
        };
        Self::zoned(text)
            .map(Self::Zoned)
            .or_else(|| local().map(Self::Local))
    }

    /// The time at which something started.
    ///
    /// `field` names it in errors: of a time that clocks of the zone skipped, and of one without a
    /// zone where none is known, which ends the reading.
    pub(crate) fn start(
        self,
        field: &str,
        zone: Option<Timezone>,
        place: Place,
    ) -> Result<DateTime<Utc>, RecordError> {
        self.on_clock_of(field, zone, place, Timezone::to_utc)
    }

    /// The time at which what started at `start` ended.
    pub(crate) fn end(
        self,
        field: &str,
        zone: Option<Timezone>,
        place: Place,
        start: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, RecordError> {
        self.on_clock_of(field, zone, place, |zone, local| {
            zone.to_utc_from(local, start)
        })
    }

    fn on_clock_of(
        self,
        field: &str,
        zone: Option<Timezone>,
        place: Place,
        to_utc: impl Fn(Timezone, NaiveDateTime) -> Option<DateTime<Utc>>,
    ) -> Result<DateTime<Utc>, RecordError> {
        let local = match self {
            Self::Zoned(time) => return Ok(time),
            Self::Local(local) => local,
        };
        let zone = zone.ok_or_else(|| RecordError::needs(place, ReadOption::Timezone))?;
        to_utc(zone, local).ok_or_else(|| {
            let message = format!(
                "`{field}` is {}, which clocks in {zone} skipped: is that the zone?",
                local.format("%Y-%m-%dT%H:%M:%S")
            );
            RecordError::new(place, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;
    use crate::{Place, Timezone};

    fn zoned(text: &str) -> Option<String> {
        match Moment::parse(text)? {
            Moment::Zoned(time) => Some(time.to_rfc3339()),
            Moment::Local(local) => Some(local.to_string()),
        }
    }

    #[test]
    fn every_way_to_print_a_time() {
        let berlin = "2026-11-22T02:00:00+00:00";
        for text in [
            "2026-11-22T03:00:00+01:00[Europe/Berlin]",
            "2026-11-22T03:00:00+01:00",
            "2026-11-22T02:00:00Z",
        ] {
            assert_eq!(zoned(text).as_deref(), Some(berlin), "{text}");
        }
        for text in ["2026-11-22T03:00:00.250000", "2026-11-22 03:00:00.25"] {
            assert_eq!(zoned(text).as_deref(), Some("2026-11-22 03:00:00.250"));
        }
        for text in [
            "2026-11-22T03:00:00+01:00[Europe/Berlin",
            "2026-11-22T03:00:00[Europe/Berlin]",
            "2026-11-22",
            "",
        ] {
            assert_eq!(zoned(text), None, "{text}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_and_the_one_that_does_not_come() {
        let zone: Timezone = "Europe/Berlin".parse().unwrap();
        let (zone, place) = (Some(zone), Place::line(7));
        let local = |text| Moment::parse(text).unwrap();
        let start = local("2026-10-25T02:30:00").start("start", zone, place);
        let start = start.unwrap();
        assert_eq!(start.to_rfc3339(), "2026-10-25T00:30:00+00:00");
        let end = |text| {
            let end = local(text).end("end", zone, place, start);
            end.unwrap().to_rfc3339()
        };
        assert_eq!(end("2026-10-25T02:40:00"), "2026-10-25T00:40:00+00:00");
        // Earlier on the clock than the start: after the clock was set back.
        assert_eq!(end("2026-10-25T02:10:00"), "2026-10-25T01:10:00+00:00");
        let skipped = local("2026-03-29T02:30:00").start("start", zone, place);
        assert_eq!(
            skipped.unwrap_err().to_string(),
            "line 7: `start` is 2026-03-29T02:30:00, which clocks in Europe/Berlin skipped: is \
             that the zone?"
        );
    }
}
