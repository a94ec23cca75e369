//! A short name for a job.

use sha2::{Digest, Sha256};

/// Sixteen bytes that stand for a job: a prefix of a SHA-256. That two jobs have the same is not to
/// be feared, and cannot be arranged.
pub(crate) type ShortKey = [u8; 16];

pub(crate) fn job_key(source: &str, job_id: &str) -> ShortKey {
    let mut hasher = Sha256::new();
    hasher.update((source.len() as u64).to_be_bytes());
    hasher.update(source);
    hasher.update(job_id);
    let hash: [u8; 32] = hasher.finalize().into();
    let (short, _) = hash.split_first_chunk().unwrap_or((&[0; 16], &[]));
    *short
}
