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

pub(super) fn parent(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::hex;

    /// The leaves of the reference implementation's tests (google/certificate-transparency).
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn leaf_hash(data: &[u8]) -> Hash {
        Sha256::digest([&[0], data].concat()).into()
    }

    #[test]
    fn roots_are_those_of_the_reference() {
        let mut tree = Tree::default();
        assert_eq!(hex(&tree.head().root), ROOTS[0]);
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            let data: Vec<u8> = (0..leaf.len() / 2)
                .map(|byte| u8::from_str_radix(&leaf[2 * byte..2 * byte + 2], 16).unwrap())
                .collect();
            tree.push(leaf_hash(&data));
            assert_eq!(hex(&tree.head().root), *root);
        }
    }

    proptest! {
        /// Against another implementation, and with the edge written and read back on the way.
        #[test]
        fn roots_are_those_of_another_implementation(
            leaves in proptest::collection::vec(any::<Vec<u8>>(), 0..200),
            kept_at in any::<prop::sample::Index>(),
        ) {
            let mut tree = Tree::default();
            let mut other = ct_merkle::mem_backed_tree::MemoryBackedTree::<Sha256, Vec<u8>>::new();
            let kept_at = kept_at.index(leaves.len() + 1);
            for (place, leaf) in leaves.iter().enumerate() {
                if place == kept_at {
                    tree = Tree::from_peaks(tree.size(), tree.peaks()).unwrap();
                }
                tree.push(leaf_hash(leaf));
                other.push(leaf.clone());
                let (root, expected) = (tree.head().root, other.root());
                prop_assert_eq!(root.as_slice(), expected.as_bytes().as_slice());
            }
            prop_assert_eq!(tree.size(), leaves.len() as u64);
        }
    }

    #[test]
    fn an_edge_that_is_none_is_refused() {
        assert!(Tree::from_peaks(3, &[0; 64]).is_some());
        for (size, bytes) in [(3, 32), (3, 63), (3, 96), (0, 32), (4, 0)] {
            assert!(Tree::from_peaks(size, &vec![0; bytes]).is_none());
        }
    }
}
