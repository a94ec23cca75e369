//! The formats that can be read.

use std::fmt;
use std::str::FromStr;

use crate::SourceError;

/// What a tool writes, and this crate reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Backwatch's own job records, one JSON object per line.
    Ndjson,
    /// The list that `restic snapshots --json` prints. Only restic 0.17 and newer write numbers
    /// (`summary`) into their snapshots.
    ResticSnapshots,
    /// The messages that `restic backup --json` prints, of which the summary tells of the job.
    ///
    /// They name neither client nor policy, and before restic 0.17 no time: [`ReadOptions`] must.
    ///
    /// [`ReadOptions`]: crate::ReadOptions
    ResticBackup,
}

impl Format {
    /// Every format.
    pub const ALL: &[Self] = &[Self::Ndjson, Self::ResticSnapshots, Self::ResticBackup];

    /// The name that stands for it on a command line and in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::ResticSnapshots => "restic-snapshots",
            Self::ResticBackup => "restic-backup",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = SourceError;

    fn from_str(name: &str) -> Result<Self, SourceError> {
        let named = Self::ALL.iter().find(|format| format.as_str() == name);
        named.copied().ok_or_else(|| SourceError::UnknownFormat {
            name: name.to_owned(),
        })
    }
}

/// The names of `formats`, for a message.
pub(crate) fn names(formats: &[Format]) -> String {
    let names: Vec<&str> = formats.iter().map(|format| format.as_str()).collect();
    names.join(", ")
}
