//! Records by their numbers.

use std::collections::BTreeMap;

use crate::Stored;

/// Records by their numbers.
#[derive(Debug)]
pub(super) struct Numbered<T>(BTreeMap<u64, T>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> Numbered<T> {
    /// The number after the last.
    pub(super) fn next(&self) -> u64 {
        self.0.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    /// Keeps a record, in place of the one with this number, which it returns.
    pub(super) fn put(&mut self, number: u64, record: T) -> Option<T> {
        self.0.insert(number, record)
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        self.0.remove(&number)
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        self.0.get(&number)
    }

    /// All records with their numbers.
    pub(super) fn stored(&self) -> impl DoubleEndedIterator<Item = Stored<T>> {
        self.0.iter().map(|(&number, record)| Stored {
            number,
            record: record.clone(),
        })
    }
}
