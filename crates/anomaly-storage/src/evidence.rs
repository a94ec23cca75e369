//! The append-only log of what was recorded, and what proves that it is still the same.

#[cfg(feature = "checkpoints")]
mod checkpoint;
#[cfg(feature = "checkpoints")]
mod key;
mod leaf;
#[cfg(feature = "checkpoints")]
mod note;
mod proof;
mod tree;
mod verification;

use std::fmt;

#[cfg(feature = "checkpoints")]
pub use checkpoint::{Checkpoint, CheckpointError};
#[cfg(feature = "checkpoints")]
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use leaf::LogLeaf;
pub(crate) use leaf::{Leaf, LeafKind, digest};
pub use proof::{ConsistencyProof, InclusionProof};
pub(crate) use tree::Tree;
pub use verification::{KeptFor, LatestPurge, Tampering, Verification};

/// A SHA-256 hash: of a leaf, or of all leaves.
pub type Hash = [u8; 32];

/// What stands for everything that was ever recorded, in the order in which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// How many leaves there are.
    pub size: u64,
    /// The Merkle tree hash of them all (RFC 6962, section 2.1).
    pub root: Hash,
}

impl fmt::Display for LogHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size {}, root {}", self.size, hex(&self.root))
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}
