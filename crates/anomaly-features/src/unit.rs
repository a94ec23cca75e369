//! Units, and how people read them.

/// What a feature's number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes; shown in decimal multiples.
    Bytes,
    /// Whole files, shown as a count.
    Files,
    /// Directories, shown as a count.
    Directories,
    /// Seconds; shown in minutes and hours where that reads better.
    Seconds,
    /// Bits of entropy per byte.
    Bits,
    /// A part of a whole, 0 to 1; shown in percent.
    Share,
}

/// A count with its noun, which is a regular one.
///
/// ```
/// use anomaly_features::counted;
/// assert_eq!(counted(1, "file"), "1 file");
/// assert_eq!(counted(2, "day"), "2 days");
/// assert_eq!(counted(0, "anomaly"), "0 anomalies");
/// ```
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    let stem = noun.strip_suffix('y');
    match stem.filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        _ if count == 1 => format!("1 {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

impl Unit {
    /// The value with its unit, rounded for reading.
    ///
    /// ```
    /// use anomaly_features::Unit;
    /// assert_eq!(Unit::Bytes.format(37_700_000.0), "37.7 MB");
    /// assert_eq!(Unit::Share.format(0.52), "52 %");
    /// assert_eq!(Unit::Files.format(382.0), "382 files");
    /// assert_eq!(Unit::Seconds.format(5400.0), "1.5 h");
    /// ```
    #[must_use]
    pub fn format(self, value: f64) -> String {
        let (divisor, symbol) = self.scale(value);
        let number = self.number(value, divisor);
        match symbol {
            "files" if number == "1" => "1 file".to_owned(),
            "directories" if number == "1" => "1 directory".to_owned(),
            _ => format!("{number} {symbol}"),
        }
    }

    /// The range with its unit, both ends in the same multiple.
    ///
    /// ```
    /// use anomaly_features::Unit;
    /// assert_eq!(Unit::Bytes.format_range(0.0, 1_900_000.0), "0 to 1.9 MB");
    /// assert_eq!(Unit::Bits.format_range(4.2, 5.0), "4.20 to 5.00 bits");
    /// ```
    #[must_use]
    pub fn format_range(self, low: f64, high: f64) -> String {
        let (divisor, _) = self.scale(low.abs().max(high.abs()));
        let (low_text, high_text) = (self.number(low, divisor), self.format(high));
        if high_text.split(' ').next() == Some(low_text.as_str()) {
            high_text
        } else {
            format!("{low_text} to {high_text}")
        }
    }

    /// By what to divide a value of this size, and the symbol that then follows it.
    fn scale(self, value: f64) -> (f64, &'static str) {
        let steps: &[(f64, &'static str)] = match self {
            Self::Bytes => &[
                (1e15, "PB"),
                (1e12, "TB"),
                (1e9, "GB"),
                (1e6, "MB"),
                (1e3, "kB"),
                (1.0, "B"),
            ],
            Self::Seconds => &[(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")],
            Self::Files => &[(1.0, "files")],
            Self::Directories => &[(1.0, "directories")],
            Self::Bits => &[(1.0, "bits")],
            Self::Share => &[(0.01, "%")],
        };
        let smallest = (1.0, "");
        let fits = |step: &&(f64, &str)| value.abs() >= step.0;
        *steps
            .iter()
            .find(fits)
            .or(steps.last())
            .unwrap_or(&smallest)
    }

    fn number(self, value: f64, divisor: f64) -> String {
        let scaled = value / divisor;
        let decimals = match self {
            _ if scaled == 0.0 => 0,
            Self::Files | Self::Directories => 0,
            Self::Bytes if divisor < 1e3 => 0,
            Self::Bits => 2,
            Self::Share if scaled.abs() >= 9.95 => 0,
            Self::Bytes | Self::Seconds if scaled.abs() >= 99.95 => 0,
            Self::Bytes | Self::Seconds | Self::Share => 1,
        };
        let text = format!("{scaled:.decimals$}");
        // "0.0 %" and "-0" say no more than "0".
        if text
            .trim_start_matches('-')
            .chars()
            .all(|c| c == '0' || c == '.')
        {
            "0".to_owned()
        } else if self == Self::Share && text == "100" && scaled < 100.0 {
            "99.9".to_owned()
        } else if self == Self::Share {
            text.trim_end_matches(".0").to_owned()
        } else {
            text
        }
    }
}
