//! A directory to walk, and a place for its state.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_walk::{Walk, WalkError, WalkOptions, Walked};
use tempfile::TempDir;

/// A directory to walk, and a place for its state, both gone with the test.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) scratch: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) state: PathBuf,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        let path = scratch.path().canonicalize().unwrap();
        let root = path.join("root");
        fs::create_dir(&root).unwrap();
        Self {
            scratch,
            root,
            state: path.join("state"),
        }
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Writes a file, with a time of modification of its own; makes the directories above it.
    pub(crate) fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>, modified: u64) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        set_modified(&path, modified);
    }

    pub(crate) fn options(&self) -> WalkOptions {
        WalkOptions::new(&self.root, &self.state, later())
    }

    /// Walks with the defaults, and keeps the state.
    pub(crate) fn walk(&self) -> Seen {
        walk(self.options())
    }
}

/// Walks, and keeps the state.
pub(crate) fn walk(options: WalkOptions) -> Seen {
    let walked = run(options).unwrap();
    let seen = Seen::of(&walked);
    walked.commit().unwrap();
    seen
}

pub(crate) fn run(options: WalkOptions) -> Result<Walked, WalkError> {
    Walk::new(options)?.run()
}

/// An hour from now: what the test writes has long been at rest when the walk starts.
pub(crate) fn later() -> DateTime<Utc> {
    DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::hours(1)
}

pub(crate) fn set_modified(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + seconds);
    File::open(path).unwrap().set_modified(time).unwrap();
}

/// Does something to a file until its time of change is another: clocks of file systems go in steps.
pub(crate) fn until_changed(path: &Path, mut deed: impl FnMut()) {
    let time = || {
        let metadata = fs::symlink_metadata(path).unwrap();
        (metadata.ctime(), metadata.ctime_nsec())
    };
    let before = time();
    deed();
    while time() == before {
        deed();
    }
}

/// What a walk saw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) files: u64,
    pub(crate) new: u64,
    pub(crate) changed: u64,
    pub(crate) unmodified: u64,
    pub(crate) deleted: u64,
    pub(crate) image_bytes: u64,
    pub(crate) directories: u64,
    pub(crate) unreadable: u64,
    pub(crate) unsteady: u64,
    pub(crate) read_bytes: u64,
}

impl Seen {
    pub(crate) fn of(walked: &Walked) -> Self {
        let image = walked.image();
        Self {
            files: image.file_count.unwrap(),
            new: image.files_new.unwrap(),
            changed: image.files_changed.unwrap(),
            unmodified: image.files_unmodified.unwrap(),
            deleted: image.files_deleted.unwrap(),
            image_bytes: image.image_bytes.unwrap(),
            directories: image.directory_count.unwrap(),
            unreadable: walked.inspection().unreadable_files.unwrap(),
            unsteady: walked.inspection().unsteady_files.unwrap(),
            read_bytes: walked.read_bytes(),
        }
    }

    /// New, changed, unmodified and deleted files.
    pub(crate) fn changes(&self) -> (u64, u64, u64, u64) {
        (self.new, self.changed, self.unmodified, self.deleted)
    }
}
