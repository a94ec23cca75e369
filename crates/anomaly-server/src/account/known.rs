//! Users and keys as they were last read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Accounts;

/// They are read anew after this long: a user who was taken away on the command line is out.
const FRESH: Duration = Duration::from_secs(1);

/// Users and keys as they were last read, until they are old or were changed.
#[derive(Debug, Default)]
pub(crate) struct Known {
    read: Option<(Instant, Arc<Accounts>)>,
    changes: u64,
}

impl Known {
    /// What was read no more than a second ago.
    pub(crate) fn fresh(&self) -> Option<Arc<Accounts>> {
        let fresh = self.read.as_ref().filter(|(at, _)| at.elapsed() < FRESH);
        fresh.map(|(_, accounts)| Arc::clone(accounts))
    }

    /// How often they were changed: whoever reads them asks before.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Keeps what was read after so many changes, unless there was one meanwhile.
    pub(crate) fn keep(&mut self, accounts: &Arc<Accounts>, changes: u64) {
        if changes == self.changes {
            self.read = Some((Instant::now(), Arc::clone(accounts)));
        }
    }

    /// They were changed.
    pub(crate) fn forget(&mut self) {
        self.changes += 1;
        self.read = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was read before a change is not what holds after it, whichever is done first.
    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let accounts = Arc::new(Accounts::default());
        let mut known = Known::default();
        let before = known.changes();
        known.keep(&accounts, before);
        assert!(known.fresh().is_some());
        known.forget();
        assert!(known.fresh().is_none());
        known.keep(&accounts, before);
        assert!(known.fresh().is_none());
        known.keep(&accounts, known.changes());
        assert!(known.fresh().is_some());
    }
}
