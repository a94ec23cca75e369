//! What the reader is told, because the input does not say it.

use anomaly_model::chrono::{DateTime, Utc};

/// What the reader is told, because the input does not say it, and how much it may hold.
///
/// `client`, `policy`, `started_at` and `exit_code` fill gaps: what a record says itself wins.
///
/// ```
/// use anomaly_sources::ReadOptions;
///
/// let options = ReadOptions::default().client("mail01".to_owned()).exit_code(3);
/// assert_eq!(options.max_record_bytes, 1 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The longest record that is read, in bytes: 1 MiB unless set. A longer one is a bad record,
    /// and is never held in memory.
    pub max_record_bytes: usize,
    /// The client of records that name none.
    pub client: Option<String>,
    /// The policy of records that name none.
    pub policy: Option<String>,
    /// When the job of a record without a time started.
    pub started_at: Option<DateTime<Utc>>,
    /// The exit status of the tool whose output is read; only `restic-backup` asks for it.
    pub exit_code: Option<i64>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            max_record_bytes: 1 << 20,
            client: None,
            policy: None,
            started_at: None,
            exit_code: None,
        }
    }
}

impl ReadOptions {
    /// Sets the longest record that is read, in bytes.
    #[must_use]
    pub fn max_record_bytes(mut self, max_record_bytes: usize) -> Self {
        self.max_record_bytes = max_record_bytes;
        self
    }

    /// Sets the client of records that name none.
    #[must_use]
    pub fn client(mut self, client: impl Into<Option<String>>) -> Self {
        self.client = client.into();
        self
    }

    /// Sets the policy of records that name none.
    #[must_use]
    pub fn policy(mut self, policy: impl Into<Option<String>>) -> Self {
        self.policy = policy.into();
        self
    }

    /// Sets when the job of a record without a time started.
    #[must_use]
    pub fn started_at(mut self, started_at: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.started_at = started_at.into();
        self
    }

    /// Sets the exit status of the tool whose output is read.
    #[must_use]
    pub fn exit_code(mut self, exit_code: impl Into<Option<i64>>) -> Self {
        self.exit_code = exit_code.into();
        self
    }
}
