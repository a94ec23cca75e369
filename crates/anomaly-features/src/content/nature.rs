//! What kind of data a file holds.

use super::encoding::{Alphabet, encoding};
use super::kind::FileKind;
use super::statistics::FileStatistics;
use super::uniformity::{
    MOST_Z, could_be_random, is_enough, is_printable, is_uniform, normal_score, uniformity_z,
};

/// What kind of data a file holds, as far as its bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Nature {
    /// No bytes.
    Empty,
    /// Text, code, tables, machine code: bytes that are far from random.
    Plain,
    /// Dense, but a compressed format by its magic number, or not quite random: compressed data, and
    /// noisy measurements such as sound.
    Compressed,
    /// Indistinguishable from random bytes: ciphertext, random numbers, or the output of a very good
    /// compressor without its magic number.
    Random,
    /// Random within fewer symbols.
    Encoded(Alphabet),
    /// Some parts are random and others are far from it.
    PartlyRandom,
    /// The bytes do not tell.
    Undecided(Undecided),
}

impl Nature {
    /// Whether it is random, in whatever symbols, or random in parts.
    pub(super) fn is_random(self) -> bool {
        matches!(self, Self::Random | Self::Encoded(_) | Self::PartlyRandom)
    }
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

/// From this entropy on, in bits, bytes count as dense: text and code stay below, compressed data
/// and noise are above.
const DENSE_BITS: f64 = 7.5;
/// Files in a format that is compressed are so from this entropy on; below it is mostly structure.
const COMPRESSED_FORMAT_BITS: f64 = 7.0;
/// With more random bytes than this, what else there is cannot be seen.
const MOST_STREWN_SHARE: f64 = 0.98;
/// The least share of what is not random that must be printable: text in ASCII is, and so is most of
/// that in UTF-8.
const LEAST_TEXT: f64 = 0.9;
/// Bytes that text in ASCII or UTF-8 never has, beside 0, which other texts have.
const NEVER_IN_TEXT: [std::ops::RangeInclusive<usize>; 6] = [
    1..=8,
    0x0e..=0x1a,
    0x1c..=0x1f,
    0x7f..=0x7f,
    0xc0..=0xc1,
    0xf5..=0xff,
];

/// What the nature is decided on, beside the statistics themselves.
pub(super) struct Evidence<'a> {
    pub(super) counts: &'a [u64; 256],
    pub(super) squares: u128,
    pub(super) blocks: super::histogram::Blocks,
    pub(super) correlation_z: Option<f64>,
}

pub(super) fn nature(found: &FileStatistics, evidence: &Evidence<'_>) -> Nature {
    let n = found.examined_bytes;
    if found.size_bytes == 0 {
        return Nature::Empty;
    }
    if n == 0 {
        return Nature::Undecided(Undecided::NotExamined);
    }
    let dense_format = found.kind.is_some_and(FileKind::is_dense) && !found.lacks_its_end;
    if is_random(n, evidence) {
        return if dense_format {
            Nature::Compressed
        } else {
            Nature::Random
        };
    }
    if !is_enough(n, 256) && could_be_random(evidence.squares, n, found.printable_bytes) {
        return if dense_format {
            Nature::Compressed
        } else {
            Nature::Undecided(Undecided::TooFewBytes)
        };
    }
    if let Some(alphabet) = encoding(evidence.counts) {
        return Nature::Encoded(alphabet);
    }
    if dense_format && found.entropy_bits >= COMPRESSED_FORMAT_BITS {
        return Nature::Compressed;
    }
    let random_part = evidence.blocks.random > 0
        || found.head_random == Some(true)
        || found.tail_random == Some(true);
    if random_part && evidence.blocks.plain > 0 || is_text_with_random_bytes(n, evidence) {
        return Nature::PartlyRandom;
    }
    if found.entropy_bits >= DENSE_BITS {
        Nature::Compressed
    } else {
        Nature::Plain
    }
}

/// Whether all tests let the bytes pass as random: their histogram, the histograms of their blocks
/// (a compressor's codes change on the way), and the correlation of neighbours.
fn is_random(n: u64, evidence: &Evidence<'_>) -> bool {
    let blocks = evidence.blocks;
    let block_z = || {
        let bytes = super::histogram::BLOCK as f64;
        let chi_square = blocks.squares as f64 * 256.0 / bytes - blocks.whole as f64 * bytes;
        normal_score(chi_square, blocks.whole as f64 * 255.0)
    };
    is_enough(n, 256)
        && uniformity_z(evidence.squares, n, 256).abs() <= MOST_Z
        && (blocks.whole == 0 || block_z().abs() <= MOST_Z)
        && evidence.correlation_z.is_none_or(|z| z.abs() <= MOST_Z)
}

/// Whether it is text with random bytes strewn in, more finely than blocks show: bytes that text
/// never has are there, equally frequent, and what is more frequent than they are is text.
fn is_text_with_random_bytes(n: u64, evidence: &Evidence<'_>) -> bool {
    let counts = evidence.counts;
    let never: Vec<u64> = NEVER_IN_TEXT
        .into_iter()
        .flatten()
        .map(|byte| counts[byte])
        .collect();
    let seen: u64 = never.iter().sum();
    let squares = never.iter().map(|count| u128::from(*count).pow(2)).sum();
    if !is_enough(seen, never.len()) || !is_uniform(squares, seen, never.len()) {
        return false;
    }
    let floor = seen as f64 / never.len() as f64;
    let above = |byte: u8| (counts[usize::from(byte)] as f64 - floor).max(0.0);
    let all: f64 = (0..=u8::MAX).map(above).sum();
    let mut letters: Vec<f64> = (0..=u8::MAX)
        .filter(|byte| is_printable(*byte) && *byte != b' ')
        .map(above)
        .collect();
    letters.sort_by(f64::total_cmp);
    let without_spaces: f64 = letters.iter().sum();
    let text = without_spaces + above(b' ');
    // The exponents of numbers are few; their other bytes are random.
    let frequent: f64 = letters.iter().rev().take(3).sum();
    let random_share = 256.0 * floor / n as f64;
    random_share < MOST_STREWN_SHARE && text >= LEAST_TEXT * all && frequent <= without_spaces / 2.0
}

/// Whether these bytes of one part of a file look random; `None` if they are too few.
pub(super) fn part_is_random(bytes: &[u8]) -> Option<bool> {
    let n = bytes.len() as u64;
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let squares = counts.iter().map(|count| u128::from(*count).pow(2)).sum();
    is_enough(n, 256).then(|| is_uniform(squares, n, 256))
}
