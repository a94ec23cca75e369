//! A column of what a command prints, and the values in it.

use std::fmt;

use anomaly_model::chrono::{DateTime, Utc};

/// NetBackup's "KB" and "kilobytes" are 1,024 bytes.
const KB: u64 = 1024;

/// The most KB whose bytes can be counted.
pub(super) const MAX_KILOBYTES: u64 = u64::MAX / KB;

/// A column, and what the manual calls it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its place, from 0.
    pub(super) index: usize,
    pub(super) name: &'static str,
}

impl Column {
    pub(super) const fn new(index: usize, name: &'static str) -> Self {
        Self { index, name }
    }

    /// The number that is written in it.
    pub(super) fn number(self, text: &str) -> Result<u64, String> {
        text.parse().map_err(|_| {
            let shown: String = text.chars().take(40).collect();
            let most = u64::MAX;
            format!("{self} is {shown:?}: must be a whole number from 0 to {most}")
        })
    }

    /// The time of so many seconds.
    pub(super) fn time(self, seconds: u64) -> Result<DateTime<Utc>, String> {
        let time = i64::try_from(seconds).ok();
        time.and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or_else(|| format!("{self} is {seconds}: must be seconds since 1970"))
    }

    /// The bytes of so many KB.
    pub(super) fn bytes(self, kilobytes: u64) -> Result<u64, String> {
        bytes(kilobytes)
            .ok_or_else(|| format!("{self} is {kilobytes} KB: must be at most {MAX_KILOBYTES}"))
    }
}

/// `` `kbytes` (column 15)``, as the manual counts them.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (column {})", self.name, self.index + 1)
    }
}

/// The bytes of so many KB; `None` if 64 bits cannot count them.
pub(super) fn bytes(kilobytes: u64) -> Option<u64> {
    kilobytes.checked_mul(KB)
}

/// Whether a record of so many columns can be whole: behind one of `before`, or by those that the `known`
/// versions print, the newest of them last. Newer ones print more.
pub(super) fn is_whole(columns: usize, known: &[usize], before: Option<usize>) -> bool {
    let is_newer = known.last().is_none_or(|&newest| columns > newest);
    before.map_or(is_newer || known.contains(&columns), |before| {
        columns >= before
    })
}

/// `client_1637000000`: what every image has as its name.
pub(super) fn is_backup_id(text: &str) -> bool {
    let Some((client, seconds)) = text.trim().rsplit_once('_') else {
        return false;
    };
    let is_name = !client.is_empty() && !client.contains(char::is_whitespace);
    let is_time = (9..=11).contains(&seconds.len());
    is_name && is_time && seconds.bytes().all(|byte| byte.is_ascii_digit())
}
