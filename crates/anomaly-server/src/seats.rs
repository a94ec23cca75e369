//! Places of which nobody has more than his share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many places in all, of which each name has so many.
#[derive(Debug)]
pub(crate) struct Seats<Name: Ord> {
    most: usize,
    most_each: usize,
    taken: Arc<Taken<Name>>,
}

/// How many places each name has.
#[derive(Debug)]
struct Taken<Name: Ord>(Mutex<BTreeMap<Name, usize>>);

impl<Name: Ord> Taken<Name> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat<Name: Ord> {
    name: Name,
    taken: Arc<Taken<Name>>,
}

impl<Name: Ord + Clone> Seats<Name> {
    pub(crate) fn new(most: usize, most_each: usize) -> Self {
        Self {
            most,
            most_each,
            taken: Arc::new(Taken(Mutex::default())),
        }
    }

    /// `None` when this name has as many as it may, or all are taken.
    pub(crate) fn take(&self, name: Name) -> Option<Seat<Name>> {
        let mut taken = self.taken.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&name).copied().unwrap_or_default();
        if all >= self.most || own >= self.most_each {
            return None;
        }
        taken.insert(name.clone(), own + 1);
        let taken = Arc::clone(&self.taken);
        Some(Seat { name, taken })
    }
}

impl<Name: Ord> Drop for Seat<Name> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(own) = taken.get_mut(&self.name) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.name);
            }
        }
    }
}
