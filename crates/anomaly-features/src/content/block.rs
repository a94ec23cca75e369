//! The statistics of one file, from its bytes as they come.

use std::ops::Range;

use super::histogram::{BLOCK, Histogram};
use super::sampling::{Ranges, Sampling, start_of_block};
use super::statistics::FileStatistics;

/// Takes the bytes of one file, in slices of any size, and gives its [`FileStatistics`].
///
/// Bytes that [`Sampling`] does not look at may be handed over or skipped: the result is the same.
/// Slices may be cut anywhere: the result is the same. Nothing is allocated after
/// [`new`](Self::new); [`restart`](Self::restart) makes it ready for the next file.
///
/// ```
/// use anomaly_features::content::{BlockStatistics, Nature, Sampling};
///
/// let text = b"To be, or not to be, that is the question: ".repeat(100);
/// let mut statistics = BlockStatistics::new(Sampling::Full, None);
/// for slice in text.chunks(1000) {
///     statistics.update(slice);
/// }
/// let found = statistics.finish();
/// assert_eq!(found.nature, Nature::Plain);
/// assert_eq!(found.printable_share, 1.0);
/// ```
///
/// A reader that jumps reads only what counts:
///
/// ```
/// use anomaly_features::content::{BlockStatistics, Sampling};
///
/// let file = vec![7; 1 << 20];
/// let sampling = Sampling::Strided { seed: 1 };
/// let mut statistics = BlockStatistics::new(sampling, Some(file.len() as u64));
/// let mut at = 0;
/// for range in sampling.ranges(file.len() as u64) {
///     statistics.skip(range.start - at);
///     statistics.update(&file[range.start as usize..range.end as usize]);
///     at = range.end;
/// }
/// statistics.skip(file.len() as u64 - at);
/// assert_eq!(statistics.finish().examined_bytes, (1 << 20) / 16);
/// ```
#[derive(Debug, Clone)]
pub struct BlockStatistics {
    plan: Plan,
    position: u64,
    histogram: Histogram,
    head: Vec<u8>,
    tail: Tail,
}

impl BlockStatistics {
    /// Ready for the first byte of a file of this size, if it is known.
    ///
    /// Without a size, [`Sampling::Strided`] keeps the last block that it was handed, so that the
    /// tail is looked at all the same; all bytes must be handed over then, and stretches are of
    /// [`Sampling::STRETCH_BYTES`] however many there are. With a size that turns out to be wrong, bytes beyond it are counted, and looked at unless the sampling is strided.
    #[must_use]
    pub fn new(sampling: Sampling, size_bytes: Option<u64>) -> Self {
        Self {
            plan: Plan::new(sampling, size_bytes),
            position: 0,
            histogram: Histogram::new(),
            head: Vec::with_capacity(BLOCK),
            tail: Tail::new(size_bytes),
        }
    }

    /// Forgets the file and is ready for the next one.
    pub fn restart(&mut self, size_bytes: Option<u64>) {
        self.plan = Plan::new(self.plan.sampling, size_bytes);
        self.position = 0;
        self.histogram.clear();
        self.head.clear();
        self.tail.restart(size_bytes);
    }

    /// Takes the next bytes of the file.
    pub fn update(&mut self, mut bytes: &[u8]) {
        // Positions end with the numbers; no file does.
        let most = usize::try_from(u64::MAX - self.position).unwrap_or(usize::MAX);
        bytes = &bytes[..bytes.len().min(most)];
        if self.position == self.head.len() as u64 {
            let more = bytes.len().min(BLOCK - self.head.len());
            self.head.extend_from_slice(&bytes[..more]);
        }
        if !matches!(self.plan.sampling, Sampling::Head) {
            self.tail.update(self.position, bytes);
        }
        while !bytes.is_empty() {
            if self.position >= self.plan.range.end {
                self.histogram.end_range();
                self.plan.advance();
            }
            let range = &self.plan.range;
            let until = if self.position < range.start {
                range.start
            } else {
                range.end
            };
            let most = until - self.position;
            let length = usize::try_from(most).map_or(bytes.len(), |most| most.min(bytes.len()));
            let (piece, rest) = bytes.split_at(length);
            if self.position >= range.start {
                self.histogram.count(piece);
            }
            self.position += length as u64;
            bytes = rest;
        }
    }

    /// Passes over the next bytes of the file without seeing them. Bytes that
    /// [`Sampling::ranges`] names and that are skipped count as not examined.
    pub fn skip(&mut self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.histogram.end_range();
        self.position = self.position.saturating_add(bytes);
        self.tail.clear();
        self.plan.advance_to(self.position);
    }

    /// What was found in the bytes so far.
    #[must_use]
    pub fn finish(&self) -> FileStatistics {
        let mut histogram = self.histogram.clone();
        histogram.end_range();
        let tail = self.tail.bytes(self.position);
        if self.plan.looks_at_tail_at_end() {
            // What the last range left of it.
            let tail_start = self.position - tail.len() as u64;
            let examined = self.plan.examined_until(self.position).max(tail_start);
            let rest = usize::try_from(self.position - examined).unwrap_or(0);
            histogram.count(&tail[tail.len() - rest..]);
            histogram.end_range();
        }
        FileStatistics::of(self.position, &histogram, &self.head, tail)
    }
}

/// The ranges of a file that are looked at, one after the other.
#[derive(Debug, Clone)]
struct Plan {
    sampling: Sampling,
    /// Of a file whose size is known.
    ranges: Option<Ranges>,
    /// The range that is looked at now, or next; at the end of numbers when there is none.
    range: Range<u64>,
    /// The end of the range before.
    end_before: u64,
    /// Number of the range.
    number: u64,
}

const NO_MORE: Range<u64> = u64::MAX..u64::MAX;

impl Plan {
    fn new(sampling: Sampling, size_bytes: Option<u64>) -> Self {
        let mut ranges = match sampling {
            Sampling::Strided { .. } => size_bytes.map(|size| sampling.ranges(size)),
            _ => None,
        };
        let range = match (sampling, &mut ranges) {
            (Sampling::Full, _) => 0..u64::MAX,
            (Sampling::Head, _) => 0..Sampling::HEAD_BYTES,
            (Sampling::Strided { .. }, None) => 0..Sampling::BLOCK_BYTES,
            (Sampling::Strided { .. }, Some(ranges)) => ranges.next().unwrap_or(NO_MORE),
        };
        Self {
            sampling,
            ranges,
            range,
            end_before: 0,
            number: 0,
        }
    }

    fn advance(&mut self) {
        self.end_before = self.range.end;
        self.number += 1;
        self.range = match (self.sampling, &mut self.ranges) {
            (_, Some(ranges)) => ranges.next().unwrap_or(NO_MORE),
            (Sampling::Strided { seed }, None) => {
                let start = start_of_block(seed, self.number);
                start..start.saturating_add(Sampling::BLOCK_BYTES)
            }
            _ => NO_MORE,
        };
    }

    /// Goes on to the first range that does not end before `position`.
    fn advance_to(&mut self, position: u64) {
        if self.looks_at_tail_at_end() && position >= self.range.end {
            let before = (position / Sampling::STRETCH_BYTES).saturating_sub(1);
            self.number = self.number.max(before);
        }
        while position >= self.range.end && self.range.end != u64::MAX {
            self.advance();
        }
    }

    /// Whether the last block is looked at when the end of the file shows where it is.
    fn looks_at_tail_at_end(&self) -> bool {
        matches!(self.sampling, Sampling::Strided { .. }) && self.ranges.is_none()
    }

    /// Up to where ranges reach that were looked at when `position` is reached.
    fn examined_until(&self, position: u64) -> u64 {
        if position > self.range.start {
            position.min(self.range.end)
        } else {
            self.end_before
        }
    }
}

/// So many of the last bytes are kept, so that they are moved once in a few blocks.
const MOST_LAST: usize = 4 * BLOCK;

/// The last block of a file.
#[derive(Debug, Clone)]
struct Tail {
    /// Where the last block begins, if the size is known.
    start: Option<u64>,
    /// The last bytes, at least a block of them if there were so many.
    last: Vec<u8>,
}

impl Tail {
    fn new(size_bytes: Option<u64>) -> Self {
        Self {
            start: size_bytes.map(|size| size.saturating_sub(BLOCK as u64)),
            last: Vec::with_capacity(MOST_LAST),
        }
    }

    fn restart(&mut self, size_bytes: Option<u64>) {
        self.start = size_bytes.map(|size| size.saturating_sub(BLOCK as u64));
        self.last.clear();
    }

    fn clear(&mut self) {
        self.last.clear();
    }

    fn update(&mut self, position: u64, mut bytes: &[u8]) {
        if let Some(start) = self.start {
            if position + bytes.len() as u64 <= start {
                return;
            }
            bytes = &bytes[usize::try_from(start.saturating_sub(position)).unwrap_or(0)..];
        }
        if bytes.len() >= BLOCK {
            self.last.clear();
            bytes = &bytes[bytes.len() - BLOCK..];
        } else if self.last.len() + bytes.len() > MOST_LAST {
            self.last.drain(..self.last.len() - BLOCK);
        }
        self.last.extend_from_slice(bytes);
    }

    /// The last block, of a file that ends at `position`; empty if it was not seen to its end, or
    /// not whole.
    fn bytes(&self, position: u64) -> &[u8] {
        let block = &self.last[self.last.len().saturating_sub(BLOCK)..];
        let whole = block.len() as u64 == position.min(BLOCK as u64);
        if whole { block } else { &[] }
    }
}
