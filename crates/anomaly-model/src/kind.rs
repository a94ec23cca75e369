//! What an anomaly looks like.

use crate::words::words;

words! {
    /// What an anomaly looks like.
    pub enum AnomalyKind, "kind" {
        /// Many files were replaced by what looks like ciphertext.
        MassEncryption = "mass_encryption",
        /// Many files are gone.
        MassDeletion = "mass_deletion",
        /// Many files changed, without a sign of encryption.
        MassChange = "mass_change",
        /// The image grew far more than it usually does.
        Growth = "growth",
        /// The image shrank far more than it usually does.
        Shrinkage = "shrinkage",
        /// The image holds nothing.
        EmptyBackup = "empty_backup",
        /// Each job is a little strange, in the same direction, for a long time.
        SlowDrift = "slow_drift",
        /// The job took far longer than it usually does.
        Slowdown = "slowdown",
        /// The job did not complete.
        Failure = "failure",
        /// A job did not come when it was due.
        MissedBackup = "missed_backup",
        /// What was written differs from what is usually written.
        ContentShift = "content_shift",
        /// Strange, but like none of the above.
        Unclassified = "unclassified",
    }
}
