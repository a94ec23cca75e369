//! Records numbered from 1.

use crate::Stored;

/// Records numbered from 1, in the order in which they were kept.
#[derive(Debug)]
pub(super) struct Numbered<T>(Vec<T>);

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> Numbered<T> {
    /// Keeps a record, and returns its number.
    pub(super) fn push(&mut self, record: T) -> u64 {
        self.0.push(record);
        self.0.len() as u64
    }

    /// Forgets the last record.
    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        self.0.get(place(number)?)
    }

    /// Puts a record in the place of another, which it returns.
    pub(super) fn replace(&mut self, number: u64, record: T) -> Option<T> {
        let place = self.0.get_mut(place(number)?)?;
        Some(std::mem::replace(place, record))
    }

    /// All records with their numbers.
    pub(super) fn stored(&self) -> impl DoubleEndedIterator<Item = Stored<T>> {
        self.0.iter().enumerate().map(|(place, record)| Stored {
            number: place as u64 + 1,
            record: record.clone(),
        })
    }
}

fn place(number: u64) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}
