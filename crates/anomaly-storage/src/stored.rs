//! A record with the number that the store gave it.

/// A record with the number that the store gave it when it was first kept: from 1, in the order of
/// keeping. No other record of its sort has it at the same time, and none ever, but for streams: that of
/// one that was purged may be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// Its number among the records of its sort.
    pub number: u64,
    /// The record.
    pub record: T,
}
