//! Records by their numbers.

use std::collections::BTreeMap;

use crate::Stored;

/// Records by their numbers.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    records: BTreeMap<u64, T>,
    /// The last number that was given.
    last: u64,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            records: BTreeMap::new(),
            last: 0,
        }
    }
}

impl<T: Clone> Numbered<T> {
    /// Keeps a record, and returns its number.
    pub(super) fn push(&mut self, record: T) -> u64 {
        self.last += 1;
        self.records.insert(self.last, record);
        self.last
    }

    /// Takes back the last push.
    pub(super) fn pop(&mut self) {
        self.records.remove(&self.last);
        self.last -= 1;
    }

    /// Keeps a record, in place of the one with this number, which it returns.
    pub(super) fn put(&mut self, number: u64, record: T) -> Option<T> {
        self.records.insert(number, record)
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        self.records.remove(&number)
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        self.records.get(&number)
    }

    /// All records with their numbers.
    pub(super) fn stored(&self) -> impl DoubleEndedIterator<Item = Stored<T>> {
        self.records.iter().map(|(&number, record)| Stored {
            number,
            record: record.clone(),
        })
    }
}
