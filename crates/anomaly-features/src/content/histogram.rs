//! Counting bytes, block by block.

use std::ops::RangeInclusive;

use super::sketch::mixed;
use super::uniformity::{
    MIXED_BLOCK_SQUARES, PLAIN_BLOCK_SQUARES, RANDOM_BLOCK_SQUARES, is_uniform,
};

/// The bytes of a block.
pub(super) const BLOCK: usize = 4_096;
/// The bytes at the start of each block whose neighbours are correlated.
const LEAD: usize = 512;
/// Two equal bytes in a row must not wait for each other's count, so neighbours go to different
/// tables. With eight, one count is done before the next to the same place comes.
const TABLES: usize = 8;
/// White space and padding, which encodings strew in.
pub(super) const SEPARATORS: [u8; 5] = *b"\t\n\r =";
/// How many symbols an encoding has: from digits to what text can be made of.
pub(super) const SYMBOLS: RangeInclusive<usize> = 10..=100;

/// How often each byte was seen, and what its blocks looked like.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    tables: [[u16; 256]; TABLES],
    /// Bytes in the tables: those of the current block.
    filled: usize,
    lead: [u8; LEAD],
    pub(super) blocks: Blocks,
    pub(super) all: Sums,
    /// Of the blocks that look random by themselves.
    pub(super) random: Sums,
    /// A hash of the blocks in their order.
    pub(super) chain: u64,
}

/// What the blocks looked like that were seen whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Blocks {
    pub(super) whole: u64,
    /// Uniform over all bytes.
    pub(super) random: u64,
    /// Uniform over fewer symbols.
    pub(super) encoded: u64,
    /// Not uniform, but nearly: what is compressed.
    pub(super) dense: u64,
    /// Far from uniform.
    pub(super) plain: u64,
    /// Whether the first of them is neither random nor dense.
    first_is_other: bool,
    /// Whether the last of them so far is neither random nor dense.
    last_is_other: bool,
}

/// What is added up over blocks.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub(super) counts: [u64; 256],
    /// Blocks that were seen whole.
    pub(super) blocks: u64,
    /// Sum over these of the sum of squared counts.
    pub(super) block_squares: u64,
    pub(super) pairs: Pairs,
}

/// Sums over pairs of neighbouring bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pairs {
    count: u64,
    first: u64,
    second: u64,
    first_squares: u64,
    second_squares: u64,
    products: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            tables: [[0; 256]; TABLES],
            filled: 0,
            lead: [0; LEAD],
            blocks: Blocks::default(),
            all: Sums::new(),
            random: Sums::new(),
            chain: 0,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        if self.filled > 0 {
            self.tables = [[0; 256]; TABLES];
            self.filled = 0;
        }
        self.blocks = Blocks::default();
        self.all = Sums::new();
        self.random = Sums::new();
        self.chain = 0;
    }

    /// Counts bytes of one range; blocks begin where the range does.
    pub(super) fn count(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            bytes = rest;
            if self.filled < LEAD {
                let lead = piece.len().min(LEAD - self.filled);
                self.lead[self.filled..self.filled + lead].copy_from_slice(&piece[..lead]);
            }
            count(piece, &mut self.tables);
            self.filled += piece.len();
            if self.filled == BLOCK {
                self.end_block();
            }
        }
    }

    /// Ends the range: what comes next does not follow on what came last.
    pub(super) fn end_range(&mut self) {
        if self.filled > 0 {
            self.end_block();
        }
    }

    /// Adds the tables to the sums, and empties them.
    fn end_block(&mut self) {
        let mut counts = [0; 256];
        for table in &mut self.tables {
            for (sum, count) in counts.iter_mut().zip(table.iter()) {
                *sum += count;
            }
            *table = [0; 256];
        }
        let mut squares = 0;
        for count in counts {
            squares += u32::from(count) * u32::from(count);
        }
        let pairs = Pairs::of(&self.lead[..self.filled.min(LEAD)]);
        let whole = self.filled == BLOCK;
        self.filled = 0;
        self.chain = mixed(self.chain ^ pairs.products ^ (u64::from(squares) << 32));
        self.all.add(&counts, whole, squares, pairs);
        if whole && self.blocks.add(&counts, squares) {
            self.random.add(&counts, whole, squares, pairs);
        }
    }
}

impl Sums {
    fn new() -> Self {
        Self {
            counts: [0; 256],
            blocks: 0,
            block_squares: 0,
            pairs: Pairs::default(),
        }
    }

    fn add(&mut self, counts: &[u16; 256], whole: bool, squares: u32, pairs: Pairs) {
        for (total, count) in self.counts.iter_mut().zip(counts) {
            *total += u64::from(*count);
        }
        if whole {
            self.blocks += 1;
            self.block_squares += u64::from(squares);
        }
        self.pairs.add(pairs);
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of the squared counts.
    pub(super) fn squares(&self) -> u128 {
        self.counts
            .iter()
            .map(|count| u128::from(*count).pow(2))
            .sum()
    }
}

/// Adds bytes to the tables. Eight are read at once: one byte a cycle is the limit, set by the
/// counts' way through memory.
fn count(bytes: &[u8], tables: &mut [[u16; 256]; TABLES]) {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        for (place, table) in tables.iter_mut().enumerate() {
            // Blocks are far shorter than a count is high.
            let count = &mut table[usize::from((word >> (8 * place)).to_le_bytes()[0])];
            *count = count.wrapping_add(1);
        }
    }
    for (byte, table) in rest.iter().zip(tables) {
        table[usize::from(*byte)] += 1;
    }
}

impl Blocks {
    /// Adds a block; whether it looks random.
    fn add(&mut self, counts: &[u16; 256], squares: u32) -> bool {
        let random = RANDOM_BLOCK_SQUARES.contains(&squares);
        let other = squares >= MIXED_BLOCK_SQUARES;
        if random {
            self.random += 1;
        } else if !other {
            self.dense += 1;
        }
        if squares >= PLAIN_BLOCK_SQUARES {
            self.plain += 1;
            self.encoded += u64::from(is_encoded(counts, squares));
        }
        self.first_is_other = if self.whole == 0 {
            other
        } else {
            self.first_is_other
        };
        self.last_is_other = other;
        self.whole += 1;
        random
    }

    /// Whether blocks that are neither random nor dense are the first or the last at most.
    pub(super) fn others_are_at_the_ends(&self) -> bool {
        let others = self.whole - self.random - self.dense;
        let at_the_ends = u64::from(self.first_is_other) + u64::from(self.last_is_other);
        others <= at_the_ends.min(self.whole)
    }
}

/// Whether a block is uniform over the symbols that it has, beside separators.
fn is_encoded(counts: &[u16; 256], squares: u32) -> bool {
    let mut symbols = counts.iter().filter(|count| **count > 0).count();
    let mut bytes = BLOCK as u64;
    let mut squares = u128::from(squares);
    for separator in SEPARATORS {
        let count = u64::from(counts[usize::from(separator)]);
        symbols -= usize::from(count > 0);
        bytes -= count;
        squares -= u128::from(count * count);
    }
    SYMBOLS.contains(&symbols) && bytes >= BLOCK as u64 / 2 && is_uniform(squares, bytes, symbols)
}

impl Pairs {
    fn of(bytes: &[u8]) -> Self {
        let Some((first, after)) = bytes.split_first() else {
            return Self::default();
        };
        let before = &bytes[..after.len()];
        // A lead of 512 bytes cannot overflow.
        let (mut sum, mut squares, mut products) = (0_u32, 0_u32, 0_u32);
        for (one, next) in before.iter().zip(after) {
            let (one, next) = (u32::from(*one), u32::from(*next));
            sum += one;
            squares += one * one;
            products += one * next;
        }
        let (first, last) = (u32::from(*first), u32::from(*after.last().unwrap_or(first)));
        Self {
            count: after.len() as u64,
            first: u64::from(sum),
            second: u64::from(sum + last - first),
            first_squares: u64::from(squares),
            second_squares: u64::from(squares + last * last - first * first),
            products: u64::from(products),
        }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.first += other.first;
        self.second += other.second;
        self.first_squares += other.first_squares;
        self.second_squares += other.second_squares;
        self.products += other.products;
    }

    /// Pearson's correlation of a byte with the next one; `None` where one of them is constant.
    pub(super) fn correlation(&self) -> Option<f64> {
        let n = self.count as f64;
        let (first, second) = (self.first as f64 / n, self.second as f64 / n);
        let variance = (self.first_squares as f64 / n - first * first)
            * (self.second_squares as f64 / n - second * second);
        let covariance = self.products as f64 / n - first * second;
        (self.count > 0 && variance > 0.0).then(|| (covariance / variance.sqrt()).clamp(-1.0, 1.0))
    }

    /// The correlation in standard deviations of what independent bytes show.
    pub(super) fn correlation_z(&self) -> Option<f64> {
        Some(self.correlation()? * (self.count as f64).sqrt())
    }
}
