//! The formats that can be read.

use std::fmt;
use std::str::FromStr;

use crate::{Source, SourceError, bareos, borg, csv, kopia, ndjson, netbackup, pbs, restic};

/// The one table of formats: a new one is its own module, and a line here.
macro_rules! formats {
    ($($(#[$doc:meta])* $Name:ident => $source:expr;)*) => {
        /// What a tool writes, and this crate reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[$doc])* $Name,)*
        }

        impl Format {
            /// Every format.
            pub const ALL: &[Self] = &[$(Self::$Name),*];

            /// How it is known and read, and what it can say.
            #[must_use]
            pub fn source(self) -> &'static dyn Source {
                match self {
                    $(Self::$Name => &$source,)*
                }
            }
        }
    };
}

formats! {
    /// Backwatch's own job records, one JSON object per line.
    Ndjson => ndjson::Ndjson;
    /// The list that `restic snapshots --json` prints. Only restic 0.17 and newer write numbers
    /// (`summary`) into their snapshots.
    ResticSnapshots => restic::Snapshots;
    /// The messages that `restic backup --json` prints, of which the summary tells of the job.
    ///
    /// They name neither client nor policy, and before restic 0.17 no time: [`ReadOptions`] must.
    ///
    /// [`ReadOptions`]: crate::ReadOptions
    ResticBackup => restic::Backup;
    /// The list, or the groups, that `rustic snapshots --json` prints.
    RusticSnapshots => restic::RusticSnapshots;
    /// The snapshots that `rustic backup --json` prints, one for each source.
    RusticBackup => restic::RusticBackup;
    /// The document that `borg create --json` prints, of borg 1 and 2.
    ///
    /// It does not name the host, and borg 1 prints times without a zone: [`ReadOptions`] must.
    ///
    /// [`ReadOptions`]: crate::ReadOptions
    BorgCreate => borg::Create;
    /// The archives that `borg info --json` prints, with their sizes.
    BorgInfo => borg::Info;
    /// The archives that `borg list --json` or borg 2's `borg repo-list --json` prints: when they
    /// were made, and no numbers.
    BorgList => borg::List;
    /// The manifests that `kopia snapshot list --json` prints.
    KopiaList => kopia::List;
    /// The manifest that `kopia snapshot create --json` prints.
    KopiaCreate => kopia::Create;
    /// Lists of Proxmox Backup Server: its tasks, the manifests of snapshots, and the snapshots,
    /// in this order and in one input.
    Pbs => pbs::Pbs;
    /// Rows of the catalogue of Bareos or Bacula as CSV, with a first line that names the columns:
    /// the tables `Job` and `JobHisto` with a column `client`, or with the table `Client` before
    /// them.
    BareosCatalogue => bareos::Catalogue;
    /// The list that Bareos' `llist jobs` prints after `.api 2`. It does not say how much was read.
    BareosJson => bareos::Json;
    /// The text that `llist jobs` prints in the console of Bareos or Bacula.
    BareosLlist => bareos::Llist;
    /// The jobs database of NetBackup, as `bpdbjobs -report` prints it with `-all_columns` or
    /// `-most_columns`.
    NetBackupBpdbjobs => netbackup::Bpdbjobs;
    /// The images in NetBackup's catalog, as `bpimagelist -l` prints them.
    NetBackupBpimagelist => netbackup::Bpimagelist;
    /// The same as `bpimagelist -json` and `-json_compact` print them.
    NetBackupBpimagelistJson => netbackup::BpimagelistJson;
    /// Pages of `/admin/jobs` and `/catalog/images` of NetBackup's REST interface, one after
    /// another, in a list, or one alone.
    NetBackupRest => netbackup::Rest;
    /// Any CSV file: [`CsvMapping`] says which column is which field. Without one, the columns are
    /// named like the fields of the job format.
    ///
    /// [`CsvMapping`]: crate::CsvMapping
    Csv => csv::Csv;
}

impl Format {
    /// The name that stands for it on a command line and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.source().name()
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
