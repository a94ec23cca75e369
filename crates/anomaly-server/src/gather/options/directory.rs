//! A directory with files of others.

use std::path::PathBuf;

use anomaly_sources::{Format, ReadOptions};
use serde::Deserialize;

use super::checks::{in_range, parts, zone};

/// A directory into which others put files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DirectoryOptions {
    /// The directory. What is in directories in it is not read.
    pub path: PathBuf,
    /// The format of all files, as `ingest --format` has it; recognised from each unless set.
    pub format: Option<String>,
    /// The client of records that name none.
    pub client: Option<String>,
    /// The policy of records that name none.
    pub policy: Option<String>,
    /// Of which parts to make the policy; as `ingest --policy-parts` has it.
    pub policy_parts: Option<Vec<String>>,
    /// The zone of times that are printed without one.
    pub timezone: Option<String>,
    /// Which column of a CSV file is which field: a file of a mapping.
    pub csv_mapping: Option<PathBuf>,
    /// Only files whose names end so are read; all unless set. Those whose names begin with `.`, or
    /// end with `.tmp`, `.part` or `~`, never are.
    pub suffix: Option<String>,
    /// Seconds for which a file must not have changed before it is read, 0 to 3600; 10 unless set. One
    /// of text whose last line has no end must not have for sixty times as long.
    #[serde(default = "ten_seconds")]
    pub settle_seconds: u16,
    /// No larger file is read; 1 GiB unless set.
    #[serde(default = "a_gibibyte")]
    pub most_file_bytes: u64,
}

const fn ten_seconds() -> u16 {
    10
}

const fn a_gibibyte() -> u64 {
    1 << 30
}

impl DirectoryOptions {
    pub(super) fn check(&self) -> Result<(), String> {
        in_range("settle_seconds", self.settle_seconds.into(), 0, 3_600)?;
        zone(self.timezone.as_deref())?;
        let format = self.format()?;
        format.map_or(Ok(()), |format| parts(format, self.policy_parts.as_ref()))
    }

    /// The format of all files, if they have one.
    pub(crate) fn format(&self) -> Result<Option<Format>, String> {
        let named = self.format.as_deref().filter(|name| *name != "auto");
        let format = named.map(str::parse).transpose();
        format.map_err(|error: anomaly_sources::SourceError| error.to_string())
    }

    /// What the reader is told, without the mapping of columns.
    pub(crate) fn read_options(&self) -> Result<ReadOptions, String> {
        Ok(ReadOptions::default()
            .client(self.client.clone())
            .policy(self.policy.clone())
            .policy_parts(self.policy_parts.clone())
            .timezone(zone(self.timezone.as_deref())?))
    }
}
