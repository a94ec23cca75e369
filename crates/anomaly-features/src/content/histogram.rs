//! Counting bytes, block by block.

use std::ops::RangeInclusive;

use super::sketch::mixed;
use super::uniformity::{PLAIN_BLOCK_SQUARES, RANDOM_BLOCK_SQUARES, is_uniform};

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
    pub(super) counts: [u64; 256],
    pub(super) blocks: Blocks,
    pub(super) pairs: Pairs,
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
    /// Far from uniform.
    pub(super) plain: u64,
    /// Sum over blocks of the sum of squared counts.
    pub(super) squares: u64,
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
            counts: [0; 256],
            blocks: Blocks::default(),
            pairs: Pairs::default(),
            chain: 0,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        if self.filled > 0 {
            self.tables = [[0; 256]; TABLES];
            self.filled = 0;
        }
        self.counts = [0; 256];
        self.blocks = Blocks::default();
        self.pairs = Pairs::default();
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
                let (block, squares) = self.drain();
                self.blocks.add(&block, squares);
            }
        }
    }

    /// Ends the range: what comes next does not follow on what came last.
    pub(super) fn end_range(&mut self) {
        if self.filled > 0 {
            self.drain();
        }
    }

    /// Empties the tables into the counts; the counts of the block and the sum of their squares.
    fn drain(&mut self) -> ([u16; 256], u32) {
        self.pairs.add(&self.lead[..self.filled.min(LEAD)]);
        let mut block = [0; 256];
        for table in &mut self.tables {
            for (sum, count) in block.iter_mut().zip(table.iter()) {
                *sum += count;
            }
            *table = [0; 256];
        }
        for (total, count) in self.counts.iter_mut().zip(block) {
            *total += u64::from(count);
        }
        self.filled = 0;
        let mut squares = 0;
        for count in block {
            squares += u32::from(count) * u32::from(count);
        }
        self.chain = mixed(self.chain ^ self.pairs.products ^ (u64::from(squares) << 32));
        (block, squares)
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
    fn add(&mut self, counts: &[u16; 256], squares: u32) {
        self.whole += 1;
        self.squares += u64::from(squares);
        if RANDOM_BLOCK_SQUARES.contains(&squares) {
            self.random += 1;
        } else if squares >= PLAIN_BLOCK_SQUARES {
            self.plain += 1;
            if is_encoded(counts, squares) {
                self.encoded += 1;
            }
        }
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
    fn add(&mut self, bytes: &[u8]) {
        let Some((first, after)) = bytes.split_first() else {
            return;
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
        self.count += after.len() as u64;
        self.first += u64::from(sum);
        self.second += u64::from(sum + last - first);
        self.first_squares += u64::from(squares);
        self.second_squares += u64::from(squares + last * last - first * first);
        self.products += u64::from(products);
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
