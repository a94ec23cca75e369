//! What was found in the bytes of one file.

use super::histogram::Histogram;
use super::kind::{FileKind, Promise};
use super::nature::{Nature, nature, part_is_random};
use super::sketch::mixed;
use super::stored::StoredStatistics;
use super::uniformity::{chi_square, is_printable, normal_score, upper_tail};

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
    /// `None` below 512 examined bytes.
    pub chi_square_per_degree: Option<f64>,
    /// How often random bytes have a chi-square at least so large, 0 to 1; by the cube root of
    /// Wilson and Hilferty ("The distribution of chi-square", 1931).
    pub chi_square_p: Option<f64>,
    /// Pearson's correlation of a byte with the next, -1 to 1, over the first 512 bytes of each
    /// block; near 0 for random bytes. `None` where bytes do not vary.
    pub serial_correlation: Option<f64>,
    /// Share of the examined bytes that are printable ASCII, tab, line feed or carriage return, 0 to
    /// 1; 0 if none were examined.
    pub printable_share: f64,
    /// Share of the examined blocks of 4 KiB that look random, 0 to 1; `None` if no block was
    /// examined whole.
    pub random_block_share: Option<f64>,
    /// Share of the examined blocks of 4 KiB that look like random data written in fewer symbols, 0
    /// to 1; `None` if no block was examined whole.
    pub encoded_block_share: Option<f64>,
    /// Whether the beginning of the file looks random: its first block, or the first KiB of it.
    /// `None` below 512 bytes.
    pub head_random: Option<bool>,
    /// Whether the last 4 KiB of the file look random. `None` if they were not examined, or are
    /// fewer than 512 bytes.
    pub tail_random: Option<bool>,
    /// What kind of data the file holds, as far as its bytes tell.
    pub nature: Nature,
    /// The format that the file's beginning shows by a magic number.
    pub kind: Option<FileKind>,
    pub(super) printable_bytes: u64,
    /// Sum of the squared counts of the bytes.
    pub(super) squares: u128,
    /// Whether it begins as a format whose end it does not have, but random bytes.
    pub(super) lacks_its_end: bool,
    /// A number that depends on the histogram, and on the order of blocks and of the first bytes in
    /// each: the same bytes, examined in the same way, have the same one, and others hardly ever,
    /// unless somebody means them to.
    pub fingerprint: u64,
}

impl FileStatistics {
    /// Of a histogram that was told the last range's end, the first bytes of the file, and its last
    /// ones; both empty if they were not examined.
    pub(super) fn of(size_bytes: u64, histogram: &Histogram, head: &[u8], tail: &[u8]) -> Self {
        let counts = &histogram.all.counts;
        let n = histogram.all.bytes();
        let squares = histogram.all.squares();
        let printable_bytes = (0..=u8::MAX)
            .filter(|byte| is_printable(*byte))
            .map(|byte| counts[usize::from(byte)])
            .sum();
        let chi_square = (n >= 512).then(|| chi_square(squares as f64, n as f64, 256.0));
        let blocks = histogram.blocks;
        let share = |count: u64| (blocks.whole > 0).then(|| count as f64 / blocks.whole as f64);
        let first_kib = part_is_random(&head[..head.len().min(1024)]);
        let tail_random = part_is_random(tail);
        let kind = FileKind::of(head);
        let mut found = Self {
            size_bytes,
            examined_bytes: n,
            entropy_bits: entropy_bits(counts, n),
            chi_square_per_degree: chi_square.map(|chi_square| chi_square / 255.0),
            chi_square_p: chi_square.map(|chi_square| upper_tail(normal_score(chi_square, 255.0))),
            serial_correlation: histogram.all.pairs.correlation(),
            printable_share: if n == 0 {
                0.0
            } else {
                printable_bytes as f64 / n as f64
            },
            random_block_share: share(blocks.random),
            encoded_block_share: share(blocks.encoded),
            head_random: first_kib.map(|random| random || part_is_random(head) == Some(true)),
            tail_random,
            nature: Nature::Empty,
            kind,
            printable_bytes,
            squares,
            lacks_its_end: tail_random == Some(true)
                && kind.is_some_and(|kind| kind.lacks_its_end(tail)),
            fingerprint: fingerprint(histogram),
        };
        found.nature = nature(&found, histogram, head, tail);
        found
    }

    /// Whether the bytes contradict what this extension promises, such as a `docx` that does not
    /// begin as a ZIP archive, or a `txt` that is random in parts; or what their own beginning
    /// promises, such as a ZIP archive that ends in random bytes. `extension` is without its dot, in
    /// any case.
    ///
    /// Extensions that promise nothing are never contradicted, nor are they by an empty file or by
    /// plain text, which stands for another file at times (a pointer of Git LFS, a placeholder).
    #[must_use]
    pub fn contradicts(&self, extension: &str) -> bool {
        if self.lacks_its_end {
            return true;
        }
        let random = self.nature.is_random() && !matches!(self.nature, Nature::Encoded(_));
        let begins_random = self.head_random == Some(true) || self.nature == Nature::Random;
        let is_text = self.nature == Nature::Plain && self.printable_share >= 0.9;
        if matches!(self.nature, Nature::Empty | Nature::Undecided(_)) {
            return false;
        }
        match Promise::of(&extension.to_ascii_lowercase()) {
            Promise::Magic(promised) => {
                !self.kind.is_some_and(|kind| kind.is(promised)) && !is_text
            }
            Promise::Text => random || self.nature == Nature::Compressed && self.kind.is_some(),
            Promise::Structure => self.kind.is_none() && begins_random,
            Promise::None => self.kind.is_some_and(FileKind::is_text) && random,
        }
    }

    /// Whether blocks look like random data written in fewer symbols, one in twenty at least.
    pub(super) fn has_encoded_parts(&self) -> bool {
        self.encoded_block_share.is_some_and(|share| share >= 0.05)
    }

    /// Whether it begins with random bytes, or is random for the most part, and no magic number says
    /// why.
    pub(super) fn is_random_without_a_type(&self) -> bool {
        let mostly = self.random_block_share.is_some_and(|share| share >= 0.9);
        self.kind.is_none() && (mostly || self.head_random == Some(true))
    }

    /// Whether it is a key, a certificate or a message that is always encoded, and no longer than
    /// those are.
    pub(super) fn is_armoured(&self) -> bool {
        self.size_bytes <= 65_536 && self.kind.is_some_and(FileKind::is_armour)
    }

    /// What is kept of it until the next version of the file.
    #[must_use]
    pub fn stored(&self) -> StoredStatistics {
        StoredStatistics::of(self)
    }
}

/// Shannon's entropy with Miller's correction; 0 for no bytes.
fn entropy_bits(counts: &[u64; 256], n: u64) -> f64 {
    let n = n as f64;
    let mut sum = 0.0;
    let mut symbols = 0.0;
    for count in counts.iter().filter(|count| **count > 0) {
        let count = *count as f64;
        sum += count * libm::log2(count);
        symbols += 1.0;
    }
    if symbols == 0.0 {
        return 0.0;
    }
    let bias = (symbols - 1.0) / (2.0 * n * std::f64::consts::LN_2);
    (libm::log2(n) - sum / n + bias).clamp(0.0, 8.0)
}

fn fingerprint(histogram: &Histogram) -> u64 {
    let sum = histogram
        .all
        .counts
        .iter()
        .fold(histogram.chain, |hash, count| {
            (hash.rotate_left(5) ^ count).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
    mixed(sum)
}
