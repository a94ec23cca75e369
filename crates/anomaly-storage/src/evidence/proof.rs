//! Proofs that a leaf is in the log, and that a log went on from an earlier one.

use std::ops::Range;

use super::tree::parent;
use super::{Hash, LogLeaf, Tree};
use crate::{Read, StoreError};

/// Hashes of leaves that are read at once.
const PAGE: usize = 4_096;

/// Shows that a leaf is in the log of some size, to whoever has that log's root.
///
/// What is read are the hashes of all leaves, not their records: more than half a second for a
/// million, a page of them in memory at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InclusionProof {
    /// The leaf. RFC 6962 counts from 0: its index is one less than its number.
    pub leaf: LogLeaf,
    /// The size of the log that it is shown to be in.
    pub size: u64,
    /// The root of that log.
    pub root: Hash,
    /// The audit path (RFC 6962, section 2.1.1), from the leaf up.
    pub path: Vec<Hash>,
}

/// Shows that a log holds all of an earlier one, in its order, to whoever has both roots.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsistencyProof {
    /// The size of the earlier log.
    pub first: u64,
    /// The size of the later one.
    pub second: u64,
    /// The root of the later log. That of the earlier one is for whoever asks to know.
    pub root: Hash,
    /// The nodes of RFC 6962, section 2.1.2, in its order.
    pub path: Vec<Hash>,
}

impl InclusionProof {
    /// Proves the leaf with this number, from 1, to be in the log as it was at a size. `None` when
    /// the log was never so large, or had no such leaf then.
    ///
    /// ```
    /// use anomaly_storage::{AuditEntry, InclusionProof, MemoryStore, Read, Store};
    ///
    /// let mut store = MemoryStore::default();
    /// let mut transaction = store.transaction()?;
    /// let at = "2026-11-01T22:00:00Z".parse()?;
    /// let number = transaction.audit(&AuditEntry::new(at, "ann", "exclude", "mail01"))?;
    /// transaction.commit()?;
    /// let proof = InclusionProof::of(&store, number, 1)?.ok_or("there is the leaf")?;
    /// assert_eq!((proof.root, proof.path.len()), (store.log_head()?.root, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the leaf's record is not what was recorded, or the store cannot be read.
    pub fn of(
        log: &(impl Read + ?Sized),
        leaf: u64,
        size: u64,
    ) -> Result<Option<Self>, StoreError> {
        if leaf == 0 || leaf > size || size > log.log_head()?.size {
            return Ok(None);
        }
        let Some(leaf) = log.leaf(leaf)? else {
            return Ok(None);
        };
        let mut path = Vec::new();
        let mut root = leaf.hash;
        for beside in siblings(leaf.number - 1, 0..size) {
            let is_left = beside.start < leaf.number;
            let hash = hash_of(log, beside)?;
            root = if is_left {
                parent(&hash, &root)
            } else {
                parent(&root, &hash)
            };
            path.push(hash);
        }
        Ok(Some(Self {
            leaf,
            size,
            root,
            path,
        }))
    }
}

impl ConsistencyProof {
    /// Proves the log at the size `second` to have gone on from what it was at the size `first`.
    /// `None` when it was never so large, `first` is larger, or 0, which any log goes on from.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(
        log: &(impl Read + ?Sized),
        first: u64,
        second: u64,
    ) -> Result<Option<Self>, StoreError> {
        let head = log.log_head()?;
        if first == 0 || first > second || second > head.size {
            return Ok(None);
        }
        let nodes = nodes(first, 0..second, true).into_iter();
        let path = nodes.map(|node| hash_of(log, node));
        let path = path.collect::<Result<_, _>>()?;
        let root = if second == head.size {
            head.root
        } else {
            hash_of(log, 0..second)?
        };
        Ok(Some(Self {
            first,
            second,
            root,
            path,
        }))
    }
}

/// Where the left half of these leaves ends: the largest power of two below their number.
fn middle(leaves: &Range<u64>) -> u64 {
    let count = leaves.end - leaves.start;
    leaves.start + count.next_power_of_two() / 2
}

/// The leaves below each node of the audit path of a leaf, from the leaf up: `PATH` of RFC 6962.
fn siblings(leaf: u64, mut leaves: Range<u64>) -> Vec<Range<u64>> {
    let mut siblings = Vec::new();
    while leaves.end - leaves.start > 1 {
        let middle = middle(&leaves);
        let (left, right) = (leaves.start..middle, middle..leaves.end);
        let (inside, beside) = if left.contains(&leaf) {
            (left, right)
        } else {
            (right, left)
        };
        siblings.push(beside);
        leaves = inside;
    }
    siblings.reverse();
    siblings
}

/// The leaves below each node of the proof that the first `size` of them are an earlier log:
/// `SUBPROOF` of RFC 6962. `is_known` says that the earlier root is that of all of them.
fn nodes(size: u64, leaves: Range<u64>, is_known: bool) -> Vec<Range<u64>> {
    if size == leaves.end {
        return if is_known { Vec::new() } else { vec![leaves] };
    }
    let middle = middle(&leaves);
    let (left, right) = (leaves.start..middle, middle..leaves.end);
    let (mut nodes, last) = if size <= middle {
        (nodes(size, left, is_known), right)
    } else {
        (nodes(size, right, false), left)
    };
    nodes.push(last);
    nodes
}

/// The Merkle tree hash of these leaves alone.
fn hash_of(log: &(impl Read + ?Sized), leaves: Range<u64>) -> Result<Hash, StoreError> {
    let mut tree = Tree::default();
    while leaves.start + tree.size() < leaves.end {
        let after = leaves.start + tree.size();
        let left = usize::try_from(leaves.end - after).unwrap_or(PAGE);
        let page = log.leaf_hashes(after, left.min(PAGE))?;
        if page.is_empty() {
            // A log that says it is larger than it is; `verify` tells where it ends.
            return Err(StoreError::NoSuchRecord {
                what: "leaf",
                number: after + 1,
            });
        }
        for leaf in page {
            tree.push(leaf);
        }
    }
    Ok(tree.head().root)
}
