//! One entry of the log, and the bytes that its hash is of.

use sha2::{Digest, Sha256};

use super::Hash;

/// What sort of record a leaf stands for. The numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafKind {
    /// A job, its stream and the verdict on it, as databases of schema 2 recorded it: once it is
    /// purged, nothing tells how old it was.
    OldObservation = 1,
    /// A decision about an anomaly.
    Review = 2,
    /// Settings that were accepted.
    Settings = 3,
    /// An entry of the audit log.
    Audit = 4,
    /// What was purged.
    Purge = 5,
    /// A job, its stream and the verdict on it; with when the job started, which can still be told
    /// once the rest is purged.
    Observation = 6,
}

impl LeafKind {
    pub(crate) const ALL: [Self; 6] = [
        Self::OldObservation,
        Self::Review,
        Self::Settings,
        Self::Audit,
        Self::Purge,
        Self::Observation,
    ];

    /// The one with this number; `None` when there is none.
    pub(crate) fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i64 == number)
    }
}

/// A leaf of the log, as a proof needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLeaf {
    /// Its number in the log, from 1.
    pub number: u64,
    /// Its hash: SHA-256 of a byte 0 and the data (RFC 6962, section 2.1).
    pub hash: Hash,
    /// Its data, as docs/evidence.md has them; `None` when the record was purged.
    pub data: Option<Vec<u8>>,
}

/// One entry of the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf<'a> {
    /// Its number in the log, from 1. Part of the hash, so that two leaves that were exchanged are
    /// found where they stand.
    pub(crate) number: u64,
    pub(crate) kind: LeafKind,
    /// Microseconds since 1970, UTC; `None` when the caller did not say.
    pub(crate) recorded_at_micros: Option<i64>,
    /// What was recorded, byte for byte as it is stored. The last part of an observation is when its
    /// job started, in microseconds since 1970.
    pub(crate) parts: &'a [&'a str],
}

impl Leaf<'_> {
    /// The leaf hash of RFC 6962, section 2.1: of a byte 0 and the leaf's data.
    ///
    /// The data is the kind (1 byte), the number (8 bytes, big endian), the time (8 bytes, big
    /// endian; the least number for none), and each part behind its length (8 bytes, big endian).
    /// An observation has two parts: when its job started, and the [`digest`] of all that goes when
    /// it is purged. No two different leaves have the same data.
    pub(crate) fn hash(&self) -> Hash {
        let mut hasher = Sha256::new_with_prefix([0]);
        self.each(|bytes| hasher.update(bytes));
        hasher.finalize().into()
    }

    /// The hash of an observation of which no more is left than when its job started and a
    /// [`digest`] of the rest.
    pub(crate) fn hash_of_purged(&self, started_at_micros: &str, digest: &Hash) -> Hash {
        let mut hasher = Sha256::new_with_prefix([0]);
        let parts = [started_at_micros.as_bytes(), digest];
        self.each_of(parts.into_iter(), |bytes| hasher.update(bytes));
        hasher.finalize().into()
    }

    /// The leaf's data.
    pub(crate) fn data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        self.each(|bytes| data.extend_from_slice(bytes));
        data
    }

    /// The leaf's data, piece by piece.
    fn each(&self, take: impl FnMut(&[u8])) {
        match (self.kind, self.parts) {
            (LeafKind::Observation, [record @ .., started_at_micros]) => {
                let parts: [&[u8]; 2] = [started_at_micros.as_bytes(), &digest(record)];
                self.each_of(parts.into_iter(), take);
            }
            (LeafKind::OldObservation, [parts @ .., _]) | (_, parts) => {
                self.each_of(parts.iter().map(|part| part.as_bytes()), take);
            }
        }
    }

    fn each_of<'p>(&self, parts: impl Iterator<Item = &'p [u8]>, mut take: impl FnMut(&[u8])) {
        take(&[self.kind as u8]);
        take(&self.number.to_be_bytes());
        take(&self.recorded_at_micros.unwrap_or(i64::MIN).to_be_bytes());
        behind_lengths(parts, take);
    }
}

/// A SHA-256 of some parts, each behind its length.
pub(crate) fn digest(parts: &[impl AsRef<str>]) -> Hash {
    let mut hasher = Sha256::new();
    let parts = parts.iter().map(|part| part.as_ref().as_bytes());
    behind_lengths(parts, |bytes| hasher.update(bytes));
    hasher.finalize().into()
}

/// Takes each part behind its length (8 bytes, big endian).
fn behind_lengths<'p>(parts: impl Iterator<Item = &'p [u8]>, mut take: impl FnMut(&[u8])) {
    for part in parts {
        take(&(part.len() as u64).to_be_bytes());
        take(part);
    }
}
