//! How the database is kept.

use std::time::Duration;

use anomaly_model::chrono::TimeDelta;

use crate::section::section;
use crate::{RetentionDays, WaitSeconds};

section! {
    /// How the database is kept.
    pub struct StorageSettings, pub(crate) overrides StorageOverrides, prefix "storage." {
        /// Days after its start for which a job is kept with its verdict and reviews; 0 for good.
        ///
        /// A year shows every season once. Kept longer: anomalies that a person has confirmed,
        /// those of open incidents, the audit log, and the hashes of everything, which prove that
        /// nothing else was changed. What was learnt of a stream is kept until it has had no job
        /// for 400 days, or for this long if that is longer.
        retention_days: RetentionDays = RetentionDays::default(),
        /// Seconds for which a program waits while another one writes to the database.
        ///
        /// Then it says which one that is. Short, for a hook at the end of a backup: what it could not store, the next one stores.
        /// Nobody writes for longer than about a second at a time, except to make the database
        /// smaller or to bring an older one up to date.
        wait_seconds: WaitSeconds = WaitSeconds::default(),
    }
}

impl StorageSettings {
    /// For how long a job is kept; `None` for good.
    #[must_use]
    pub fn retention(&self) -> Option<TimeDelta> {
        let days = self.retention_days.get();
        (days > 0).then(|| TimeDelta::days(days.into()))
    }

    /// For how long to wait for another program that writes.
    #[must_use]
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds.get().into())
    }
}
