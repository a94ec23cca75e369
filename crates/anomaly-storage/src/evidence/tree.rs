//! The hash of all leaves, kept so that one more costs little.

use sha2::{Digest, Sha256};

use super::{Hash, LogHead};

/// The right edge of a Merkle tree (RFC 6962, section 2.1): enough to add a leaf, and to hash all.
///
/// The leaves fall into perfect trees, the largest first, one for each 1 in the binary number of
/// leaves. Only their roots are kept: 64 at most.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// The tree of `size` leaves with these peaks, one behind the other; `None` when they are not
    /// as many as such a tree has.
    pub(crate) fn from_peaks(size: u64, peaks: &[u8]) -> Option<Self> {
        let (peaks, rest) = peaks.as_chunks();
        let fits = rest.is_empty() && peaks.len() == size.count_ones() as usize;
        fits.then(|| Self {
            size,
            peaks: peaks.to_vec(),
        })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, one behind the other.
    pub(crate) fn peaks(&self) -> &[u8] {
        self.peaks.as_flattened()
    }

    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each 1 at the end of the old size is a perfect tree as large as the one that grew.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = parent(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    pub(crate) fn head(&self) -> LogHead {
        let mut peaks = self.peaks.iter().rev();
        let root = match peaks.next() {
            Some(&last) => peaks.fold(last, |right, left| parent(left, &right)),
            None => Sha256::digest([]).into(),
        };
        LogHead {
            size: self.size,
            root,
        }
    }
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}
