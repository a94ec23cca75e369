//! What a person's decision is worth, and for how long.

use crate::section::section;
use crate::{DefaultCeiling, ExpiryDays, LongestExpiryDays};

section! {
    /// What a false positive covers when the reviewer does not say, and what it may cover at most.
    pub struct ReviewSettings, pub(crate) overrides ReviewOverrides, prefix "review." {
        /// How far beyond the reviewed job a false positive covers later ones, as a factor.
        ///
        /// 1 covers what is no more than the reviewed job. 1.1, a tenth more, is what a stream that
        /// grows by 3 % a month gains in 90 days; more than that is another event. Larger hides more
        /// of an attack that looks like the reviewed job. Of high severity nothing is covered that
        /// is more than the reviewed job, whatever this says. NetBackup has no counterpart: there, what is
        /// similar is not shown again.
        ceiling: DefaultCeiling = DefaultCeiling::default(),

        /// Days for which a false positive covers later jobs.
        ///
        /// From the review on, by the start of the jobs. 90 days hold a quarter's end; what still
        /// happens then deserves another look. NetBackup has no counterpart: its false positives
        /// last for ever.
        expires_after_days: ExpiryDays = ExpiryDays::default(),

        /// The most days for which a reviewer may let a false positive cover later jobs.
        ///
        /// 366, because an end that nobody will see is none, and what happens once a year has to fit.
        longest_days: LongestExpiryDays = LongestExpiryDays::default(),

        /// Whether a false positive may cover later jobs without an end.
        ///
        /// Off, because what is covered for ever is forgotten for ever. Also without an end it covers
        /// nothing any more once the reviewed job is deleted, after `storage.retention_days`.
        endless: bool = false,
    }
}
