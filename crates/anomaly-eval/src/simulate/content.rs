//! What the bytes of a file look like.

use super::random::Random;

/// What the bytes of a file look like, as far as content statistics see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Content {
    /// Shannon entropy, 0 to 8.
    pub(super) entropy_bits: f64,
    /// Share of the bytes that are printable.
    pub(super) printable_share: f64,
    /// What compression leaves.
    pub(super) stored_share: f64,
    /// Whether the bytes pass a test for randomness, 0 or 1; between for a part of a file.
    pub(super) random_share: f64,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileClass {
    /// Source code, configuration, notes.
    Text,
    /// Programs, libraries, indexes.
    Binary,
    /// Office documents, pictures, archives: compressed already.
    Packed,
    /// A database or a dump of one.
    Database,
    /// A log.
    Log,
}

impl FileClass {
    /// Median size, and the standard deviation of its logarithm.
    pub(super) fn size(self) -> (f64, f64) {
        match self {
            Self::Text => (6_000.0, 1.3),
            Self::Binary => (60_000.0, 1.5),
            Self::Packed => (180_000.0, 1.2),
            Self::Database => (40_000_000.0, 0.8),
            Self::Log => (400_000.0, 0.9),
        }
    }

    /// The extensions of such files.
    pub(super) fn extension(self, random: &mut Random) -> u32 {
        let (first, count) = match self {
            Self::Text => (0, 12),
            Self::Binary => (20, 6),
            Self::Packed => (40, 8),
            Self::Database => (60, 1),
            Self::Log => (70, 2),
        };
        // The first ones are the common ones.
        let place = random.below(count).min(random.below(count));
        first + u32::try_from(place).unwrap_or(0)
    }

    pub(super) fn content(self, random: &mut Random) -> Content {
        let (entropy, sd, printable_share, stored_share) = match self {
            Self::Text => (4.7, 0.5, 0.99, 0.3),
            Self::Binary => (5.9, 0.7, 0.35, 0.5),
            Self::Packed => (7.93, 0.04, 0.37, 0.98),
            Self::Database => (4.4, 0.4, 0.7, 0.25),
            Self::Log => (4.9, 0.2, 1.0, 0.12),
        };
        let looks_random = self == Self::Packed && random.chance(0.02);
        Content {
            entropy_bits: (entropy + sd * random.normal()).clamp(0.5, 7.99),
            printable_share,
            stored_share,
            random_share: f64::from(u8::from(looks_random)),
        }
    }
}

impl Content {
    /// What is encrypted: all bytes equally often, and nothing left to compress.
    pub(super) const CIPHER: Self = Self {
        entropy_bits: 7.995,
        printable_share: 0.37,
        stored_share: 1.0,
        random_share: 1.0,
    };
    /// Ciphertext in base64: 6 bits in a byte.
    pub(super) const BASE64: Self = Self {
        entropy_bits: 6.0,
        printable_share: 1.0,
        stored_share: 0.76,
        random_share: 0.0,
    };
    /// What is overwritten with zeros.
    pub(super) const ZERO: Self = Self {
        entropy_bits: 0.0,
        printable_share: 0.0,
        stored_share: 0.01,
        random_share: 0.0,
    };
    /// A compressed archive.
    pub(super) const ARCHIVE: Self = Self {
        entropy_bits: 7.99,
        printable_share: 0.37,
        stored_share: 1.0,
        random_share: 0.0,
    };

    /// This content with `share` of it replaced by `other`. The entropy of a mixture is at least
    /// the mean of the entropies, which is taken.
    pub(super) fn with(self, other: Self, share: f64) -> Self {
        let mixed = |a: f64, b: f64| a + (b - a) * share.clamp(0.0, 1.0);
        Self {
            entropy_bits: mixed(self.entropy_bits, other.entropy_bits),
            printable_share: mixed(self.printable_share, other.printable_share),
            stored_share: mixed(self.stored_share, other.stored_share),
            random_share: mixed(self.random_share, other.random_share),
        }
    }

    pub(super) fn is_random(self) -> bool {
        self.random_share >= 0.9
    }

    pub(super) fn is_high_entropy(self) -> bool {
        self.entropy_bits > 7.9
    }
}
