//! What was found in the bytes of one file.

use super::StoredStatistics;

/// What was found in the bytes of one file.
///
/// Numbers are of the bytes that were examined, see [`Sampling`](super::Sampling).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FileStatistics {
    /// The size of the file: bytes handed over or skipped.
    pub size_bytes: u64,
    /// The bytes that were looked at.
    pub examined_bytes: u64,
    /// Shannon entropy of the examined bytes, 0 to 8 bits, corrected for the bias of small samples
    /// by `(symbols - 1) / (2 n ln 2)` (Miller, "Note on the bias of information estimates", 1955).
    pub entropy_bits: f64,
    /// Pearson's chi-square of the byte histogram against the uniform one, divided by its 255
    /// degrees of freedom: near 1 for random bytes of any length; for others it grows with length.
    /// `None` below 256 examined bytes.
    pub chi_square_per_degree: Option<f64>,
    /// How often random bytes have a chi-square at least so large, 0 to 1; by Wilson and Hilferty's
    /// cube root ("The distribution of chi-square", 1931).
    pub chi_square_p: Option<f64>,
    /// Correlation of a byte with the next, -1 to 1, taken over one block in sixteen; 0 for random
    /// bytes. `None` where all bytes are the same or fewer than two were examined.
    pub serial_correlation: Option<f64>,
    /// Share of the examined bytes that are printable ASCII, tab, line feed or carriage return, 0 to
    /// 1; 0 if none were examined.
    pub printable_share: f64,
    /// Share of the examined blocks of 4 KiB that look random, 0 to 1; `None` if no block was
    /// examined whole.
    pub random_block_share: Option<f64>,
    /// Whether the beginning of the file looks random. `None` if too little of it was examined.
    pub head_random: Option<bool>,
    /// Whether the end of the file looks random. `None` if too little of it was examined.
    pub tail_random: Option<bool>,
    /// What kind of data the file holds, as far as its bytes tell.
    pub nature: Nature,
    /// The format that the file's beginning shows by a magic number.
    pub kind: Option<FileKind>,
}

impl FileStatistics {
    pub(super) fn empty(size_bytes: u64) -> Self {
        Self {
            size_bytes,
            examined_bytes: 0,
            entropy_bits: 0.0,
            chi_square_per_degree: None,
            chi_square_p: None,
            serial_correlation: None,
            printable_share: 0.0,
            random_block_share: None,
            head_random: None,
            tail_random: None,
            nature: Nature::Empty,
            kind: None,
        }
    }

    /// Whether the bytes contradict what this extension promises, such as a `docx` that does not
    /// begin as a ZIP archive but with random bytes. `extension` is without its dot, in any case.
    ///
    /// Extensions that promise nothing are never contradicted.
    #[must_use]
    pub fn contradicts(&self, extension: &str) -> bool {
        let _ = extension;
        false
    }

    /// What is kept of it until the next version of the file.
    #[must_use]
    pub fn stored(&self) -> StoredStatistics {
        StoredStatistics::of(self)
    }
}

/// What kind of data a file holds, as far as its bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Nature {
    /// No bytes.
    Empty,
    /// Text, code, tables, machine code: bytes that are far from random.
    Plain,
    /// Dense, but a compressed format by its magic number, or not quite random.
    Compressed,
    /// Indistinguishable from random bytes: ciphertext, random numbers, or the output of a very good
    /// compressor (xz, zstd) without its header.
    Random,
    /// Random within fewer symbols.
    Encoded(Alphabet),
    /// Some parts are random and others are not.
    PartlyRandom,
    /// The bytes do not tell.
    Undecided(Undecided),
}

/// The symbols of an [encoding](Nature::Encoded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alphabet {
    /// `0` to `9`.
    Digits,
    /// Hexadecimal digits of either case.
    Hexadecimal,
    /// RFC 4648's base 32.
    Base32,
    /// RFC 4648's base 64, or its URL-safe form.
    Base64,
    /// Base 85 in the alphabets of Adobe, ZeroMQ or RFC 1924.
    Base85,
    /// Letters and digits, each class random in itself while other bytes are kept.
    Classes,
    /// This many symbols of no known encoding.
    Other(u8),
}

/// Why a file's [`Nature`] is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Undecided {
    /// None of its bytes were examined.
    NotExamined,
    /// They could be random, but are too few to tell.
    TooFewBytes,
}

/// A file format, told by a magic number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileKind(());

impl FileKind {
    /// Its English name.
    #[must_use]
    pub fn name(self) -> &'static str {
        ""
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        ""
    }
}
