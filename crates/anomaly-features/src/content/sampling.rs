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
    /// One block of [`BLOCK_BYTES`](Self::BLOCK_BYTES) in each stretch of
    /// [`STRETCH_BYTES`](Self::STRETCH_BYTES), among them the first and the last of the file, and
    /// one from its middle. Files of at most three blocks are read whole.
    ///
    /// Stretches are longer in files of which that would be more than
    /// [`MOST_BLOCKS`](Self::MOST_BLOCKS), so that of no file more than 64 MiB are read.
    Strided {
        /// Decides which block of a stretch is looked at. The same seed, size and bytes give the
        /// same statistics. A seed that an attacker does not know keeps him from sparing just the
        /// blocks that are looked at; one that changes makes versions of a file less comparable.
        seed: u64,
    },
}

impl Sampling {
    /// The bytes of a block.
    pub const BLOCK_BYTES: u64 = 4_096;
    /// The bytes that [`Head`](Self::Head) looks at.
    pub const HEAD_BYTES: u64 = 65_536;
    /// The length of a stretch of [`Strided`](Self::Strided), unless the file is very large.
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
    /// Where the range before ended.
    end: u64,
}

impl Ranges {
    fn new(sampling: Sampling, size_bytes: u64) -> Self {
        Self {
            sampling,
            size_bytes,
            next: 0,
            end: 0,
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
        self.end = range.end;
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
        let stretch = stretch_bytes(size);
        let stretches = size.div_ceil(stretch);
        let blocks = stretches.max(3);
        if self.next + 1 >= blocks {
            return (self.end.max(size - BLOCK)..size, true);
        }
        let start = match self.next {
            0 => 0,
            _ if stretches < 3 => size / 2 / BLOCK * BLOCK,
            number => number * stretch + offset_in_stretch(seed, number, stretch),
        };
        (start..start + BLOCK, false)
    }
}

/// The length of a stretch of a file of this size, a multiple of the block's.
pub(super) fn stretch_bytes(size_bytes: u64) -> u64 {
    size_bytes
        .div_ceil(Sampling::MOST_BLOCKS)
        .next_multiple_of(Sampling::BLOCK_BYTES)
        .max(Sampling::STRETCH_BYTES)
}

/// Where in its stretch the block begins.
pub(super) fn offset_in_stretch(seed: u64, number: u64, stretch_bytes: u64) -> u64 {
    // No period of an attacker's keeps step with it.
    let bits = mixed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits % (stretch_bytes / Sampling::BLOCK_BYTES) * Sampling::BLOCK_BYTES
}
