//! Which bytes of a file are looked at.

use std::ops::Range;

use super::sketch::mixed;

/// Which bytes of a file are looked at.
///
/// ```
/// use anomaly_features::content::Sampling;
///
/// let mebibyte = 1 << 20;
/// let read = |sampling: Sampling| sampling.ranges(mebibyte).map(|range| range.end - range.start).sum::<u64>();
/// assert_eq!(read(Sampling::Full), mebibyte);
/// assert_eq!(read(Sampling::Head), 65_536);
/// assert_eq!(read(Sampling::Strided { seed: 0 }), mebibyte / 16);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sampling {
    /// All of them.
    Full,
    /// The first [`HEAD_BYTES`](Self::HEAD_BYTES).
    Head,
    /// The first and the last block of [`BLOCK_BYTES`](Self::BLOCK_BYTES), and between them one
    /// somewhere in each of equal stretches: as many blocks as the file has
    /// [`STRETCH_BYTES`](Self::STRETCH_BYTES), three at least. Files of at most three blocks are read
    /// whole.
    ///
    /// They are never more than [`MOST_BLOCKS`](Self::MOST_BLOCKS), so that of no file more than 64
    /// MiB are read.
    Strided {
        /// Decides which block of a stretch is looked at. The same seed, size and bytes give the same statistics. A seed that an attacker does not know keeps him from sparing just the
        /// blocks that are looked at; one that changes makes versions of a file less comparable.
        seed: u64,
    },
}

impl Sampling {
    /// The bytes of a block.
    pub const BLOCK_BYTES: u64 = 4_096;
    /// The bytes that [`Head`](Self::Head) looks at.
    pub const HEAD_BYTES: u64 = 65_536;
    /// How much of a file [`Strided`](Self::Strided) looks at one block for, unless the file is very
    /// small or very large.
    pub const STRETCH_BYTES: u64 = 65_536;
    /// The most blocks that [`Strided`](Self::Strided) looks at in one file of known size.
    pub const MOST_BLOCKS: u64 = 16_384;

    /// The ranges of a file of this size that are looked at, in ascending order, without overlap,
    /// none of them empty.
    #[must_use]
    pub fn ranges(self, size_bytes: u64) -> Ranges {
        Ranges::new(self, size_bytes)
    }
}

/// Ranges of bytes in ascending order; see [`Sampling::ranges`].
#[derive(Debug, Clone)]
pub struct Ranges {
    sampling: Sampling,
    size_bytes: u64,
    /// Number of the next range.
    next: u64,
}

impl Ranges {
    fn new(sampling: Sampling, size_bytes: u64) -> Self {
        Self {
            sampling,
            size_bytes,
            next: 0,
        }
    }
}

impl Iterator for Ranges {
    type Item = Range<u64>;

    fn next(&mut self) -> Option<Range<u64>> {
        if self.next == u64::MAX {
            return None;
        }
        let (range, last) = match self.sampling {
            Sampling::Full => (0..self.size_bytes, true),
            Sampling::Head => (0..self.size_bytes.min(Sampling::HEAD_BYTES), true),
            Sampling::Strided { seed } => self.block(seed),
        };
        if range.is_empty() {
            return None;
        }
        self.next = if last { u64::MAX } else { self.next + 1 };
        Some(range)
    }
}

impl Ranges {
    /// The next block of a strided reading, and whether it is the last.
    fn block(&self, seed: u64) -> (Range<u64>, bool) {
        const BLOCK: u64 = Sampling::BLOCK_BYTES;
        let size = self.size_bytes;
        if size <= 3 * BLOCK {
            return (0..size, true);
        }
        let blocks = size.div_ceil(bytes_for_a_block(size)).max(3);
        if self.next == 0 {
            return (0..BLOCK, false);
        }
        if self.next + 1 >= blocks {
            return (size - BLOCK..size, true);
        }
        // All that is between the first and the last, the end too that is no whole block.
        let (between, stretches) = (size.div_ceil(BLOCK) - 2, blocks - 2);
        // The stretch's share of the blocks between, without numbers larger than those.
        let start = |stretch: u64| {
            let (each, rest) = (between / stretches, between % stretches);
            stretch * each + stretch * rest / stretches
        };
        let (from, until) = (start(self.next - 1), start(self.next));
        let block = 1 + from + drawn(seed, self.next) % (until - from);
        let start = (block * BLOCK).min(size - 2 * BLOCK);
        (start..start + BLOCK, false)
    }
}

/// For how many bytes of a file of this size one block is looked at.
fn bytes_for_a_block(size_bytes: u64) -> u64 {
    size_bytes
        .div_ceil(Sampling::MOST_BLOCKS)
        .next_multiple_of(Sampling::BLOCK_BYTES)
        .max(Sampling::STRETCH_BYTES)
}

/// Where the block of this number begins, from 1, in a file of which nobody knows the size.
pub(super) fn start_of_block(seed: u64, number: u64) -> u64 {
    const BLOCKS: u64 = Sampling::STRETCH_BYTES / Sampling::BLOCK_BYTES;
    let offset = drawn(seed, number) % BLOCKS * Sampling::BLOCK_BYTES;
    (number - 1)
        .saturating_mul(Sampling::STRETCH_BYTES)
        .saturating_add(Sampling::BLOCK_BYTES + offset)
}

/// Random bits for the block of this number: no period of an attacker's keeps step with them.
fn drawn(seed: u64, number: u64) -> u64 {
    mixed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
