//! What becomes of a change that makes Backwatch see less.

use crate::section::section;
use crate::{GuardDays, LongestGuardDays};

section! {
    /// What becomes of a loosening: a change of the settings of a database by which less is seen, or
    /// less is heeded.
    ///
    /// Those that hold are the ones that stood before the change: a change cannot excuse itself.
    pub struct GuardSettings, pub(crate) overrides GuardOverrides, prefix "guard." {
        /// Whether a loosening needs a second person.
        ///
        /// On, what is loosened is judged as before until someone else than who asked approves of it.
        /// Off, because many an installation has one administrator; what is loosened is told in any
        /// case. NetBackup's counterpart is multi-person authorization.
        second_person: bool = false,

        /// Days for which a loosening holds when nobody says until when.
        ///
        /// Then what stood before holds again by itself. 30 days are longer than most reasons: a
        /// migration, a tool that reports wrongly until it is updated. NetBackup has no counterpart:
        /// what is excluded there stays so.
        expires_after_days: GuardDays = GuardDays::default(),

        /// The most days for which a loosening may hold.
        ///
        /// 366, because an end that nobody will see is none.
        longest_days: LongestGuardDays = LongestGuardDays::default(),

        /// Whether a loosening may hold without an end, and does when nobody says until when.
        ///
        /// Off, because what is switched off for ever is forgotten for ever. What the first settings
        /// of a database loosen is no change, and needs no end.
        endless: bool = false,
    }
}
