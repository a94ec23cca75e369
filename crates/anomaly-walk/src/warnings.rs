//! What a person should know about a walk that was done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Something that a person should know about a walk that was done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct WalkWarning {
    /// What it is.
    pub kind: WalkWarningKind,
    /// The file or directory.
    pub path: PathBuf,
    /// What the system said, where it said something.
    pub reason: Option<String>,
}

/// What a person should know about a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WalkWarningKind {
    /// It could not be read.
    Unreadable,
    /// It vanished, or changed while it was read.
    Unsteady,
    /// The directory is on another file system, and was not walked.
    OtherFileSystem,
    /// The directory is one that it is in, mounted there once more, and was not walked again.
    MountLoop,
}

impl WalkWarningKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Unreadable,
        Self::Unsteady,
        Self::OtherFileSystem,
        Self::MountLoop,
    ];
}

impl std::fmt::Display for WalkWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.kind {
            WalkWarningKind::Unreadable => "could not be read",
            WalkWarningKind::Unsteady => "vanished, or changed while it was read",
            WalkWarningKind::OtherFileSystem => "is on another file system, and was not walked",
            WalkWarningKind::MountLoop => {
                "is a mount of a directory that it is in, and was not walked"
            }
        };
        write!(f, "{} {what}", self.path.display())?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// More of one kind than this help nobody.
pub(crate) const MOST_OF_A_KIND: usize = 20;

/// The first warnings of each kind, by path: which ones are kept does not depend on the threads.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    kept: [BTreeSet<WalkWarning>; WalkWarningKind::ALL.len()],
}

impl Warnings {
    pub(crate) fn add(&mut self, kind: WalkWarningKind, path: &Path, reason: Option<String>) {
        let Some(kept) = self.kept.get_mut(kind as usize) else {
            return;
        };
        kept.insert(WalkWarning {
            kind,
            path: path.to_owned(),
            reason,
        });
        if kept.len() > MOST_OF_A_KIND {
            kept.pop_last();
        }
    }

    pub(crate) fn into_vec(self) -> Vec<WalkWarning> {
        self.kept.into_iter().flatten().collect()
    }
}
