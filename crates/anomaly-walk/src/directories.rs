//! Finding the directories of a tree.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use anomaly_features::content::FilesSeen;
use walkdir::WalkDir;

use crate::shared::Shared;
use crate::warnings::WalkWarningKind;

/// Open directories on the way down. Of those above, what is left is held in memory.
const MOST_OPEN: usize = 64;

/// What tells a directory from every other one, as long as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// Sends every directory of the tree to be listed, until all are sent or nobody takes them. Counts
/// directories, and those that cannot be entered.
///
/// It holds no more than the way down to one directory, however many there are.
pub(crate) fn find(shared: &Shared<'_>, out: &SyncSender<PathBuf>) -> FilesSeen {
    let exclude = &shared.walk.exclude;
    let mut seen = FilesSeen::new(shared.inspection.clone());
    let mut way = Way::default();
    let mut tree = WalkDir::new(&shared.walk.root)
        .max_open(MOST_OPEN)
        .into_iter()
        .filter_entry(|entry| {
            entry.file_type().is_dir()
                && (entry.depth() == 0 || !exclude.matched(entry.path(), true).is_ignore())
        });
    while let Some(entry) = tree.next() {
        if shared.is_stopped() {
            break;
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().or_else(|| way.above(error.depth()));
                let path = path.unwrap_or(&shared.walk.root).to_owned();
                unlisted(shared, &mut seen, &path, error);
                continue;
            }
        };
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) => {
                unlisted(shared, &mut seen, entry.path(), error);
                tree.skip_current_dir();
                continue;
            }
        };
        let identity = Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        seen.observe_directory();
        let (depth, path) = (entry.depth(), entry.into_path());
        if let Some(kind) = way.refuses(depth, identity, shared.walk.options.cross_file_systems) {
            shared.warn(kind, &path, None);
            tree.skip_current_dir();
            continue;
        }
        way.enter(depth, path.clone(), identity);
        if out.send(path).is_err() {
            break;
        }
    }
    seen
}

fn unlisted(shared: &Shared<'_>, seen: &mut FilesSeen, path: &Path, error: walkdir::Error) {
    // What the system said alone: the path stands in the warning.
    let Some(error) = error.into_io_error() else {
        return;
    };
    shared.note_unlisted(seen, path, &error);
}

/// The directories from the root down to one.
#[derive(Debug, Default)]
struct Way {
    directories: Vec<(PathBuf, Identity)>,
}

impl Way {
    /// Why a directory at this depth is not walked, if it is not.
    ///
    /// A directory that has itself above it can only be a mount: bind mounts are on the same device
    /// as what they show.
    fn refuses(
        &self,
        depth: usize,
        identity: Identity,
        cross_file_systems: bool,
    ) -> Option<WalkWarningKind> {
        let above = self.directories.get(..depth)?;
        let (_, root) = above.first()?;
        if !cross_file_systems && identity.device != root.device {
            Some(WalkWarningKind::OtherFileSystem)
        } else if above.iter().any(|(_, other)| *other == identity) {
            Some(WalkWarningKind::MountLoop)
        } else {
            None
        }
    }

    fn enter(&mut self, depth: usize, path: PathBuf, identity: Identity) {
        self.directories.truncate(depth);
        self.directories.push((path, identity));
    }

    /// The directory that something at this depth is in.
    fn above(&self, depth: usize) -> Option<&Path> {
        let (path, _) = self.directories.get(depth.checked_sub(1)?)?;
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(device: u64, inode: u64) -> Identity {
        Identity { device, inode }
    }

    #[test]
    fn loops_and_other_file_systems_are_refused() {
        let mut way = Way::default();
        assert_eq!(way.refuses(0, at(1, 10), false), None);
        way.enter(0, "/a".into(), at(1, 10));
        way.enter(1, "/a/b".into(), at(1, 11));
        assert_eq!(way.refuses(2, at(1, 12), false), None);
        assert_eq!(
            way.refuses(2, at(1, 10), false),
            Some(WalkWarningKind::MountLoop)
        );
        assert_eq!(
            way.refuses(2, at(1, 11), true),
            Some(WalkWarningKind::MountLoop)
        );
        assert_eq!(
            way.refuses(2, at(2, 12), false),
            Some(WalkWarningKind::OtherFileSystem)
        );
        // With all file systems walked, the same inode number on another device is no loop.
        assert_eq!(way.refuses(2, at(2, 10), true), None);
        // What was left on the way up is above no longer.
        way.enter(1, "/a/c".into(), at(1, 13));
        assert_eq!(way.refuses(2, at(1, 11), false), None);
        assert_eq!(way.above(2), Some(Path::new("/a/c")));
    }
}
