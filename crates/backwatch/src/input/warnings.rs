//! Warnings of one kind, of which there may be many.

use crate::terminal::warning;

/// More warnings of one kind than this help nobody.
const SHOWN_WARNINGS: u64 = 10;

/// Warnings of one kind: the first ones whole, then a count.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    count: u64,
}

impl Warnings {
    pub(crate) fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.count <= SHOWN_WARNINGS {
            warning(&text());
        }
    }

    /// Tells how many more there were, and returns how many there were in all.
    pub(crate) fn finish(self, name: &str, what: &str) -> u64 {
        if let Some(more @ 1..) = self.count.checked_sub(SHOWN_WARNINGS) {
            warning(&format!("{name}: {more} more {what}"));
        }
        self.count
    }
}
