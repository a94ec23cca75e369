//! restic, as it prints with `--json`.

mod backup;
mod policy;
mod snapshots;
mod summary;

pub(crate) use backup::Backup;
pub(crate) use snapshots::Snapshots;

/// The source of every job that restic ran.
const SOURCE: &str = "restic";
