//! Shares with their interval.

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

/// `hits` out of `all`, with the interval in which the true share lies.
///
/// ```
/// use anomaly_eval::Share;
///
/// let share = Share::new(22, 23);
/// assert_eq!(share.to_string(), "96 % (22/23; 79-99)");
/// assert_eq!(Share::new(0, 0).to_string(), "none");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many did.
    pub hits: usize,
    /// How many there were.
    pub all: usize,
}

impl Share {
    /// `hits` out of `all`.
    #[must_use]
    pub fn new(hits: usize, all: usize) -> Self {
        Self { hits, all }
    }

    /// How many of the items fulfil the condition.
    pub(crate) fn of<T>(items: impl IntoIterator<Item = T>, is_hit: impl Fn(T) -> bool) -> Self {
        let mut share = Self::default();
        for item in items {
            share.all += 1;
            share.hits += usize::from(is_hit(item));
        }
        share
    }

    /// The share, 0 to 1; `None` of nothing.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.all > 0).then(|| self.hits as f64 / self.all as f64)
    }

    /// The 95 % score interval, 0 to 1: Wilson, "Probable Inference, the Law of Succession, and
    /// Statistical Inference", Journal of the American Statistical Association 22 (1927), 209-212.
    ///
    /// `None` of nothing.
    #[must_use]
    pub fn wilson_interval(self) -> Option<(f64, f64)> {
        const Z: f64 = 1.96;
        let (n, p) = (self.all as f64, self.value()?);
        let centre = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Some((
            ((centre - half) / scale).max(0.0),
            ((centre + half) / scale).min(1.0),
        ))
    }
}

/// `96 % (22/23; 79-99)`: percent, counts, and the 95 % interval in percent.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(value), Some((low, high))) = (self.value(), self.wilson_interval()) else {
            return f.pad("none");
        };
        let (hits, all) = (self.hits, self.all);
        let (value, low, high) = (100.0 * value, 100.0 * low, 100.0 * high);
        f.pad(&format!("{value:.0} % ({hits}/{all}; {low:.0}-{high:.0})"))
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let interval = self.wilson_interval();
        let mut record = serializer.serialize_struct("Share", 5)?;
        record.serialize_field("hits", &self.hits)?;
        record.serialize_field("all", &self.all)?;
        record.serialize_field("share", &self.value())?;
        record.serialize_field("low", &interval.map(|(low, _)| low))?;
        record.serialize_field("high", &interval.map(|(_, high)| high))?;
        record.end()
    }
}
