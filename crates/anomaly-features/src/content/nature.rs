//! What kind of data a file holds.

use super::encoding::{Alphabet, encoding};
use super::histogram::{BLOCK, Histogram, Sums};
use super::kind::FileKind;
use super::statistics::FileStatistics;
use super::uniformity::{
    MOST_Z, could_be_random, is_enough, is_mixed, is_printable, is_uniform, normal_score,
    uniformity_z,
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
/// Files that have no block, or one, apart from their beginning and end.
const SMALL_BYTES: u64 = 2 * BLOCK as u64;
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

pub(super) fn nature(
    found: &FileStatistics,
    histogram: &Histogram,
    head: &[u8],
    tail: &[u8],
) -> Nature {
    let n = found.examined_bytes;
    if found.size_bytes == 0 {
        return Nature::Empty;
    }
    if n == 0 {
        return Nature::Undecided(Undecided::NotExamined);
    }
    let dense_format = found.kind.is_some_and(FileKind::is_dense) && !found.lacks_its_end;
    let is_random = is_random(&histogram.all)
        || is_random_within(histogram)
        || n <= SMALL_BYTES && is_random_mostly(n, head, tail);
    if is_random {
        return if dense_format {
            Nature::Compressed
        } else {
            Nature::Random
        };
    }
    if !is_enough(n, 256) && could_be_random(found.squares, n, found.printable_bytes) {
        return if dense_format {
            Nature::Compressed
        } else {
            Nature::Undecided(Undecided::TooFewBytes)
        };
    }
    if let Some(alphabet) = encoding(&histogram.all.counts) {
        return Nature::Encoded(alphabet);
    }
    if dense_format && found.entropy_bits >= COMPRESSED_FORMAT_BITS {
        return Nature::Compressed;
    }
    let blocks = histogram.blocks;
    let random_part =
        blocks.random > 0 || found.head_random == Some(true) || found.tail_random == Some(true);
    if random_part && blocks.plain > 0 || is_text_with_random_bytes(n, &histogram.all.counts) {
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
fn is_random(sums: &Sums) -> bool {
    let block_z = || {
        let (blocks, bytes) = (sums.blocks as f64, BLOCK as f64);
        let chi_square = sums.block_squares as f64 * 256.0 / bytes - blocks * bytes;
        normal_score(chi_square, blocks * 255.0)
    };
    let n = sums.bytes();
    is_enough(n, 256)
        && uniformity_z(sums.squares(), n, 256).abs() <= MOST_Z
        && (sums.blocks == 0 || block_z().abs() <= MOST_Z)
        && sums.pairs.correlation_z().is_none_or(|z| z.abs() <= MOST_Z)
}

/// Whether it is random but for what was put before or behind: a mark, a key, a note. The first block
/// and the last may have something else in them; the others are random, together too.
fn is_random_within(histogram: &Histogram) -> bool {
    let blocks = histogram.blocks;
    // A random block is not quite uniform by chance one time in 15,000.
    let by_chance = blocks.whole / 2_500;
    blocks.random > 0
        && blocks.dense <= by_chance
        && 2 * blocks.random >= blocks.whole
        && blocks.others_are_at_the_ends()
        && is_random(&histogram.random)
}

/// The same of a file that is too small for that: as many bytes as are at hand of its first or its last
/// three quarters are random, and the other quarter has something else in it.
fn is_random_mostly(n: u64, head: &[u8], tail: &[u8]) -> bool {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let (core, rest) = ((3 * (n / 4)).min(BLOCK), n / 4);
    let is_core = |core: &[u8], rest: &[u8]| {
        part_is_random(core) == Some(true) && is_mixed(squares_of(rest), rest.len() as u64)
    };
    head.len().min(tail.len()) >= core
        && (is_core(&head[..core], &tail[tail.len() - rest..])
            || is_core(&tail[tail.len() - core..], &head[..rest]))
}

/// Whether it is text with random bytes strewn in, more finely than blocks show: bytes that text
/// never has are there, equally frequent, and what is more frequent than they are is text.
fn is_text_with_random_bytes(n: u64, counts: &[u64; 256]) -> bool {
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
    is_enough(n, 256).then(|| is_uniform(squares_of(bytes), n, 256))
}

/// The sum of the squared counts of bytes.
fn squares_of(bytes: &[u8]) -> u128 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    counts.iter().map(|count| u128::from(*count).pow(2)).sum()
}
