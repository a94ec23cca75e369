//! What the reader is told, because the input does not say it.

use std::fmt;

use anomaly_model::chrono::{DateTime, Utc};

use crate::{CsvMapping, Since, Timezone};

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
    /// The exit status of the tool whose output is read, where that is the output of one run.
    pub exit_code: Option<i64>,
    /// The zone of times that are printed without one. A tool that does so cannot be read without.
    pub timezone: Option<Timezone>,
    /// Of which parts to make the policy of a tool that has no policies; all of
    /// [`Source::policy_parts`](crate::Source::policy_parts) unless set.
    pub policy_parts: Option<Vec<String>>,
    /// What was read before, and is passed over.
    pub since: Option<Since>,
    /// Which column of a CSV file is which field. Without it, columns are named like the fields.
    pub csv_mapping: Option<CsvMapping>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            max_record_bytes: 1 << 20,
            client: None,
            policy: None,
            started_at: None,
            exit_code: None,
            timezone: None,
            policy_parts: None,
            since: None,
            csv_mapping: None,
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

    /// Sets the zone of times that are printed without one.
    #[must_use]
    pub fn timezone(mut self, timezone: impl Into<Option<Timezone>>) -> Self {
        self.timezone = timezone.into();
        self
    }

    /// Sets of which parts to make the policy of a tool that has no policies.
    #[must_use]
    pub fn policy_parts(mut self, parts: impl Into<Option<Vec<String>>>) -> Self {
        self.policy_parts = parts.into();
        self
    }

    /// Sets what was read before, and is passed over.
    #[must_use]
    pub fn since(mut self, since: impl Into<Option<Since>>) -> Self {
        self.since = since.into();
        self
    }

    /// Sets which column of a CSV file is which field.
    #[must_use]
    pub fn csv_mapping(mut self, mapping: impl Into<Option<CsvMapping>>) -> Self {
        self.csv_mapping = mapping.into();
        self
    }

    /// Whether the policy is to be made of this part, too.
    pub(crate) fn has_policy_part(&self, part: &str) -> bool {
        let parts = self.policy_parts.as_ref();
        parts.is_none_or(|parts| parts.iter().any(|asked| asked == part))
    }
}

/// A read option that makes a difference to some formats only, see
/// [`Source::options`](crate::Source::options).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReadOption {
    /// [`ReadOptions::client`].
    Client,
    /// [`ReadOptions::policy`].
    Policy,
    /// [`ReadOptions::started_at`].
    StartedAt,
    /// [`ReadOptions::exit_code`].
    ExitCode,
    /// [`ReadOptions::timezone`].
    Timezone,
    /// [`ReadOptions::policy_parts`].
    PolicyParts,
    /// [`ReadOptions::csv_mapping`].
    CsvMapping,
}

impl ReadOption {
    /// The name of the option: that of the field of [`ReadOptions`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Policy => "policy",
            Self::StartedAt => "started_at",
            Self::ExitCode => "exit_code",
            Self::Timezone => "timezone",
            Self::PolicyParts => "policy_parts",
            Self::CsvMapping => "csv_mapping",
        }
    }
}

impl fmt::Display for ReadOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
