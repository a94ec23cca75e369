//! restic and rustic, as they print with `--json`: rustic writes restic's repositories, and prints
//! snapshots as restic does, with more numbers.

mod backup;
mod rustic_backup;
mod snapshot;
mod snapshots;
mod summary;

pub(crate) use backup::Backup;
pub(crate) use rustic_backup::RusticBackup;
pub(crate) use snapshots::{RusticSnapshots, Snapshots};

/// The source of every job that restic ran.
const RESTIC: &str = "restic";
/// The source of every job that rustic ran.
const RUSTIC: &str = "rustic";
