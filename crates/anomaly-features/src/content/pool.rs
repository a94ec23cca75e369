//! Files that are too small to tell alone whether they are random.

use super::uniformity::MOST_Z;

/// Expected pairs of equal bytes from which a pool tells as much as a file that is long enough.
const FEWEST_PAIRS: f64 = 500.0;

/// Files that could each be random, judged together: in random ones two bytes of the same file are
/// equal as often as chance has it, one time in 256.
///
/// Each file was let in because it could be random by itself; ordinary ones among them still have
/// more equal bytes, which adds up. If the pool passes, all its files count as random; if it does not,
/// or is too small, none does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pool {
    files: u64,
    /// Pairs of bytes within a file.
    pairs: u128,
    /// Of those, pairs of equal bytes.
    equal: u128,
}

impl Pool {
    /// Adds a file of `n` bytes with this sum of squared counts.
    pub(super) fn add(&mut self, n: u64, squares: u128) {
        let n = u128::from(n);
        self.files += 1;
        self.pairs += n * n.saturating_sub(1) / 2;
        self.equal += squares.saturating_sub(n) / 2;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.files += other.files;
        self.pairs += other.pairs;
        self.equal += other.equal;
    }

    /// The files, if they are random together.
    pub(super) fn random_files(&self) -> u64 {
        if self.is_random() { self.files } else { 0 }
    }

    /// The files, if even together they are too few to tell.
    pub(super) fn undecided_files(&self) -> u64 {
        if self.expected() < FEWEST_PAIRS {
            self.files
        } else {
            0
        }
    }

    fn expected(&self) -> f64 {
        self.pairs as f64 / 256.0
    }

    fn is_random(&self) -> bool {
        let expected = self.expected();
        let deviation = (expected * (255.0 / 256.0)).sqrt();
        expected >= FEWEST_PAIRS && (self.equal as f64 - expected).abs() <= MOST_Z * deviation
    }
}
