//! The name that the archives of a series have in common.

/// What stands between the parts of a name.
const SEPARATORS: &[char] = &['-', '_', '.', ':', '@', ' ', '+', '~'];

/// The name of an archive without the date, the time and the seconds since 1970 in it:
/// `mail01-home-2026-11-22T03:00:05.123` is of the series `mail01-home`. Empty if nothing is left.
///
/// A counter is not taken away: `db-1` and `db-2` may well be two databases.
pub(super) fn series(archive: &str) -> String {
    let mut rest = archive;
    let mut kept = String::new();
    while let Some(first) = rest.chars().next() {
        // A number that goes on to the left is no date.
        let is_start = !kept.ends_with(|c: char| c.is_ascii_digit());
        if let Some(length) = date(rest).filter(|_| is_start) {
            rest = rest.get(length..).unwrap_or_default();
            let cut = kept.trim_end_matches(SEPARATORS).len();
            kept.truncate(cut);
        } else {
            kept.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    kept.trim_matches(SEPARATORS).to_owned()
}

/// The length of the date, with the time that may follow it, at the beginning of `text`.
fn date(text: &str) -> Option<usize> {
    let mut reader = Digits(text.as_bytes());
    let day = reader.year().and_then(|()| {
        let mut with_day = reader;
        if with_day.month().is_some() && with_day.part(2, 1, 31).is_some() {
            return Some(with_day);
        }
        let mut week = reader;
        if week.week().is_some() {
            return Some(week);
        }
        let mut month = reader;
        month.separated_month()?;
        Some(month)
    });
    let end = match day {
        Some(mut end) => {
            end.time();
            end
        }
        None => Digits(text.as_bytes()).epoch()?,
    };
    let is_whole = !end.0.first().is_some_and(u8::is_ascii_digit);
    is_whole.then_some(text.len() - end.0.len())
}

/// What is left of a text that is looked through for numbers.
#[derive(Clone, Copy)]
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    /// A number of so many digits between `low` and `high`, after a separator or directly.
    fn part(&mut self, digits: usize, low: u32, high: u32) -> Option<()> {
        let mut rest = *self;
        rest.skip(b"-_.:Tt @h");
        rest.number(digits, low, high)?;
        *self = rest;
        Some(())
    }

    fn number(&mut self, digits: usize, low: u32, high: u32) -> Option<()> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let number: u32 = std::str::from_utf8(number).ok()?.parse().ok()?;
        self.0 = rest;
        (low..=high).contains(&number).then_some(())
    }

    fn skip(&mut self, any_of: &[u8]) {
        if let [first, rest @ ..] = self.0
            && any_of.contains(first)
        {
            self.0 = rest;
        }
    }

    fn year(&mut self) -> Option<()> {
        self.number(4, 1970, 2199)
    }

    fn month(&mut self) -> Option<()> {
        self.part(2, 1, 12)
    }

    /// A month that is the last part of a date: six digits in a row are none.
    fn separated_month(&mut self) -> Option<()> {
        let has_separator = !self.0.first()?.is_ascii_digit();
        has_separator.then_some(())?;
        self.month()
    }

    /// `W47`, after a separator or directly.
    fn week(&mut self) -> Option<()> {
        self.skip(b"-_.");
        let [b'W' | b'w', rest @ ..] = self.0 else {
            return None;
        };
        self.0 = rest;
        self.number(2, 1, 53)
    }

    /// Hour, minute, second, fraction and zone, as far as they are there.
    fn time(&mut self) {
        let mut time = *self;
        if time.part(2, 0, 23).and(time.part(2, 0, 59)).is_none() {
            return;
        }
        _ = time.part(2, 0, 60);
        let mut fraction = time;
        fraction.skip(b".,");
        if fraction.0.len() < time.0.len() {
            let digits = fraction.0.iter().take_while(|byte| byte.is_ascii_digit());
            let digits = digits.count();
            if (1..=9).contains(&digits) {
                time.0 = fraction.0.get(digits..).unwrap_or_default();
            }
        }
        let mut zone = time;
        match zone.0 {
            [b'Z' | b'z', rest @ ..] => time.0 = rest,
            [b'+' | b'-', rest @ ..] => {
                zone.0 = rest;
                if zone.number(2, 0, 14).is_some() && zone.part(2, 0, 59).is_some() {
                    time = zone;
                }
            }
            _ => {}
        }
        if !time.0.first().is_some_and(u8::is_ascii_digit) {
            *self = time;
        }
    }

    /// The seconds since 1970 in the years from 2001 to 2286: ten digits.
    fn epoch(mut self) -> Option<Self> {
        self.number(1, 1, 9)?;
        self.number(9, 0, 999_999_999)?;
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::series;

    #[test]
    fn dates_are_no_part_of_a_series() {
        for (archive, expected) in [
            ("mail01-home-2026-11-22T03:00:05.123456", "mail01-home"),
            ("mail01-2026-11-22T03:00:05", "mail01"),
            ("mail01-2026-11-22T03:00:05+01:00", "mail01"),
            ("mail01-2026-11-22T03:00:05Z", "mail01"),
            ("mail01-2026-11-22_03:00:05", "mail01"),
            ("mail01-2026-11-22-030005", "mail01"),
            ("mail01-2026-11-22-0300", "mail01"),
            ("mail01.20261122", "mail01"),
            ("mail01_20261122T030005", "mail01"),
            ("20261122030005-mail01", "mail01"),
            ("2026-11-22-mail01", "mail01"),
            ("mail01-2026-11-22-etc", "mail01-etc"),
            ("mail01-2026-11", "mail01"),
            ("mail01-2026-W47", "mail01"),
            ("mail01-1795489205", "mail01"),
            ("büro-2026-11-22", "büro"),
            ("2026-11-22", ""),
            ("", ""),
        ] {
            assert_eq!(series(archive), expected, "{archive}");
        }
    }

    #[test]
    fn other_numbers_are() {
        for name in [
            "home",
            "db-1",
            "db-0001",
            "srv2026",
            "web-2026",
            "192.168.10.12",
            "ip-10-0-11-22",
            "disk-1920",
            "job-12345678901",
            "2026-13-45",
        ] {
            assert_eq!(series(name), name);
        }
    }
}
