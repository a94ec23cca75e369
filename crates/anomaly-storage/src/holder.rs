//! Who holds the write lock.

use std::fmt;

use anomaly_model::chrono::{DateTime, SecondsFormat, Utc};

/// A process that holds the write lock of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its process id.
    pub process_id: u32,
    /// What it calls itself.
    pub program: String,
    /// Since when, by the clock of the file system.
    pub since: Option<DateTime<Utc>>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.program, self.process_id)?;
        match self.since {
            Some(since) => write!(
                f,
                " since {}",
                since.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            None => Ok(()),
        }
    }
}
