//! Lengths of time as tools print them.

/// The seconds of a length on a clock: `HH:MM:SS`, with any number of hours, and a fraction.
///
/// `1 02:03:04` has a day before it.
pub(crate) fn of_clock(text: &str) -> Option<f64> {
    let text = text.trim();
    let (days, clock) = text.split_once(' ').unwrap_or(("0", text));
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (minutes, seconds) = (number(minutes)?, number(seconds)?);
    let in_range = minutes < 60.0 && seconds < 60.0;
    let hours = number(days)? * 24.0 + number(hours)?;
    in_range.then_some((hours * 60.0 + minutes) * 60.0 + seconds)
}

/// The seconds of an ISO 8601 duration of days or less: `PT5M46S`, `P1DT2H`, `PT0.5S`, `P2W`.
///
/// Months and years have no length, and are refused.
pub(crate) fn of_iso_8601(text: &str) -> Option<f64> {
    let text = text.trim().strip_prefix('P')?;
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let seconds = parts(date, &[('W', 604_800.0), ('D', 86_400.0)])?
        + parts(time, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])?;
    let has_part = text.bytes().any(|byte| byte.is_ascii_digit());
    (has_part && !text.ends_with('T')).then_some(seconds)
}

/// Numbers with units behind them, each at most once and in this order.
fn parts(mut text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut seconds = 0.0;
    for (unit, length) in units {
        if let Some((amount, rest)) = text.split_once(*unit) {
            seconds += number(amount)? * length;
            text = rest;
        }
    }
    text.is_empty().then_some(seconds)
}

/// A number without sign, exponent or other words; the comma is a point in ISO 8601.
fn number(text: &str) -> Option<f64> {
    let is_plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b',');
    if text.is_empty() || !text.bytes().all(is_plain) {
        return None;
    }
    text.replace(',', ".").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{of_clock, of_iso_8601};

    #[test]
    fn lengths_on_a_clock() {
        for (text, seconds) in [
            ("00:05:46", 346.0),
            ("123:00:01", 442_801.0),
            ("1 02:03:04", 93_784.0),
            ("0:00:00.25", 0.25),
        ] {
            assert_eq!(of_clock(text), Some(seconds), "{text}");
        }
        for text in [
            "", "5:46", "00:60:00", "00:00:60", "-1:00:00", "1:2:3:4", "a:b:c", "::",
        ] {
            assert_eq!(of_clock(text), None, "{text}");
        }
    }

    #[test]
    fn iso_8601_lengths() {
        for (text, seconds) in [
            ("PT5M46S", 346.0),
            ("PT0S", 0.0),
            ("P1DT2H", 93_600.0),
            ("PT1H30M", 5400.0),
            ("PT0.5S", 0.5),
            ("PT49H", 176_400.0),
            ("P2W", 1_209_600.0),
        ] {
            assert_eq!(of_iso_8601(text), Some(seconds), "{text}");
        }
        for text in [
            "", "P", "PT", "5M", "P1M", "P1Y", "PT5S3M", "PT-5S", "PTxS", "P1DT", "PT1e9S",
        ] {
            assert_eq!(of_iso_8601(text), None, "{text}");
        }
    }
}
