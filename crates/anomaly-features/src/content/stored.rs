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
    entropy: u32,
    /// 1 to 8, see [`code`].
    nature: u32,
    /// Share of random blocks, 0 to 15, see [`level`].
    random_level: u32,
    head_random: bool,
    tail_random: bool,
    encoded_parts: bool,
    /// 0 to 3.
    fingerprint: u32,
}

impl StoredStatistics {
    /// Changes when the meaning of the bytes changes, or that of an
    /// [`ExtensionMix`](super::ExtensionMix): what was kept under another one says nothing.
    pub const VERSION: u8 = 2;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 2047"
    )]
    pub(super) fn of(found: &FileStatistics) -> Self {
        Self {
            entropy: (found.entropy_bits / 8.0 * 2047.0).round() as u32,
            nature: code(found.nature),
            random_level: level(found.random_block_share.unwrap_or(0.0)),
            head_random: found.head_random == Some(true),
            tail_random: found.tail_random == Some(true),
            encoded_parts: found.has_encoded_parts(),
            fingerprint: u32::from(found.fingerprint.to_le_bytes()[7]) >> 6,
        }
    }

    /// Three bytes, never all zero: zeros can stand for "nothing is known".
    #[must_use]
    pub fn to_bytes(self) -> [u8; 3] {
        let bits = self.entropy
            | self.nature << 11
            | self.random_level << 15
            | u32::from(self.head_random) << 19
            | u32::from(self.tail_random) << 20
            | u32::from(self.encoded_parts) << 21
            | self.fingerprint << 22;
        let [low, middle, high, _] = bits.to_le_bytes();
        [low, middle, high]
    }

    /// What [`to_bytes`](Self::to_bytes) gave; `None` for what it never gives, such as zeros.
    #[must_use]
    pub fn from_bytes([low, middle, high]: [u8; 3]) -> Option<Self> {
        let bits = u32::from_le_bytes([low, middle, high, 0]);
        let field = |from: u32, width: u32| (bits >> from) & ((1 << width) - 1);
        let nature = field(11, 4);
        (1..=8).contains(&nature).then_some(Self {
            entropy: field(0, 11),
            nature,
            random_level: field(15, 4),
            head_random: field(19, 1) == 1,
            tail_random: field(20, 1) == 1,
            encoded_parts: field(21, 1) == 1,
            fingerprint: field(22, 2),
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

    /// Whether these are statistics of the same nature.
    pub(super) fn is_like(self, other: Self) -> bool {
        self.nature == other.nature
    }

    /// Whether parts of the file are random that were not before: a hundredth of it at least, and
    /// twice as many blocks as before, or its beginning or end.
    pub(super) fn has_new_random_parts(self, before: Self) -> bool {
        self.head_random && !before.head_random
            || self.tail_random && !before.tail_random
            || self.random_level >= LEAST_LEVEL && self.random_level > before.random_level + 1
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

/// The level of a hundredth.
const LEAST_LEVEL: u32 = 9;

/// A share by its order of magnitude: 15 for more than a half, one less for each halving, 1 for the
/// smallest, 0 for none.
fn level(share: f64) -> u32 {
    if share <= 0.0 {
        return 0;
    }
    (1..15)
        .find(|level| share <= 0.5_f64.powi(15 - level))
        .map_or(15, i32::unsigned_abs)
}

const EMPTY: u32 = 1;
const PLAIN: u32 = 2;
const COMPRESSED: u32 = 3;
const RANDOM: u32 = 4;
const ENCODED: u32 = 5;
const PARTLY_RANDOM: u32 = 6;
const NOT_EXAMINED: u32 = 7;
const TOO_FEW_BYTES: u32 = 8;

fn code(nature: Nature) -> u32 {
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
