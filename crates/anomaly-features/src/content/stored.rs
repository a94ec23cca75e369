//! The statistics of a file in three bytes.

use super::nature::{Nature, Undecided};
use super::statistics::FileStatistics;

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
pub struct StoredStatistics {
    /// Entropy, 0 to 2047 for 0 to 8 bits.
    entropy: u16,
    /// 1 to 8, see [`code`].
    nature: u8,
    /// Share of random blocks, 0 to 15.
    random_share: u8,
    head_random: bool,
    encoded_parts: bool,
    /// 0 to 7.
    fingerprint: u8,
}

impl StoredStatistics {
    /// Changes when the meaning of the bytes changes: what was kept under another one says nothing.
    pub const VERSION: u8 = 1;

    pub(super) fn of(found: &FileStatistics) -> Self {
        Self {
            entropy: (found.entropy_bits / 8.0 * 2047.0).round() as u16,
            nature: code(found.nature),
            random_share: (found.random_block_share.unwrap_or(0.0) * 15.0).ceil() as u8,
            head_random: found.head_random == Some(true),
            encoded_parts: found.has_encoded_parts(),
            fingerprint: (found.fingerprint >> 61) as u8,
        }
    }

    /// Three bytes, never all zero: zeros can stand for "nothing is known".
    #[must_use]
    pub fn to_bytes(self) -> [u8; 3] {
        let bits = u32::from(self.entropy)
            | u32::from(self.nature) << 11
            | u32::from(self.random_share) << 15
            | u32::from(self.head_random) << 19
            | u32::from(self.encoded_parts) << 20
            | u32::from(self.fingerprint) << 21;
        let [low, middle, high, _] = bits.to_le_bytes();
        [low, middle, high]
    }

    /// What [`to_bytes`](Self::to_bytes) gave; `None` for what it never gives, such as zeros.
    #[must_use]
    pub fn from_bytes([low, middle, high]: [u8; 3]) -> Option<Self> {
        let bits = u32::from_le_bytes([low, middle, high, 0]);
        let field = |from: u32, width: u32| (bits >> from) & ((1 << width) - 1);
        let nature = field(11, 4) as u8;
        (1..=8).contains(&nature).then_some(Self {
            entropy: field(0, 11) as u16,
            nature,
            random_share: field(15, 4) as u8,
            head_random: field(19, 1) == 1,
            encoded_parts: field(20, 1) == 1,
            fingerprint: field(21, 3) as u8,
        })
    }

    /// Entropy of the examined bytes, 0 to 8 bits, to the nearest 1/256.
    #[must_use]
    pub fn entropy_bits(self) -> f64 {
        f64::from(self.entropy) * 8.0 / 2047.0
    }

    /// Whether the file held bytes of which the nature is known.
    pub(super) fn is_known(self) -> bool {
        !matches!(self.nature, NOT_EXAMINED | EMPTY)
    }

    /// Whether the file was random, in whatever symbols, or random in parts.
    pub(super) fn was_random(self) -> bool {
        matches!(self.nature, RANDOM | ENCODED | PARTLY_RANDOM)
    }

    pub(super) fn was_encoded(self) -> bool {
        self.nature == ENCODED
    }

    pub(super) fn had_encoded_parts(self) -> bool {
        self.encoded_parts || self.nature == ENCODED
    }

    pub(super) fn was_compressed(self) -> bool {
        self.nature == COMPRESSED
    }

    /// Whether the file was far from random.
    pub(super) fn was_plain(self) -> bool {
        self.nature == PLAIN
    }
}

const EMPTY: u8 = 1;
const PLAIN: u8 = 2;
const COMPRESSED: u8 = 3;
const RANDOM: u8 = 4;
const ENCODED: u8 = 5;
const PARTLY_RANDOM: u8 = 6;
const NOT_EXAMINED: u8 = 7;
const TOO_FEW_BYTES: u8 = 8;

fn code(nature: Nature) -> u8 {
    match nature {
        Nature::Empty => EMPTY,
        Nature::Plain => PLAIN,
        Nature::Compressed => COMPRESSED,
        Nature::Random => RANDOM,
        Nature::Encoded(_) => ENCODED,
        Nature::PartlyRandom => PARTLY_RANDOM,
        Nature::Undecided(Undecided::NotExamined) => NOT_EXAMINED,
        Nature::Undecided(Undecided::TooFewBytes) => TOO_FEW_BYTES,
    }
}
