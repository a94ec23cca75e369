//! The state file: what a walk remembers of the one before.
//!
//! ```text
//! magic (8 bytes), format (2), key (16), length of the root's path (4), the root's path
//! for each directory: how many files, how many bytes, and for each file, by name
//!     name (6), time of modification (2), of change (2), content (2), statistics (3), size (1 to 10)
//! for each directory, by path: path (8), where its files are (5), number of its parent (4)
//! about the whole walk: postcard
//! where the list of directories is (8), how many (8), checksum of all before (8)
//! ```
//!
//! All numbers are little-endian. Names, paths and times are hashes under the key.

pub(crate) mod entry;
pub(crate) mod key;
mod lock;
mod read;
mod write;

use std::path::{Path, PathBuf};

use anomaly_features::content::ExtensionMix;
#[cfg(doc)]
use anomaly_features::content::StoredStatistics;
use anomaly_model::chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

pub(crate) use lock::StateLock;
pub(crate) use read::OldState;
pub(crate) use write::{NewState, PendingState};

use crate::WalkError;

/// What every state begins with. The first byte is in no text.
const MAGIC: [u8; 8] = *b"\x93BWWALK\n";
/// The format that is written, and the newest that is read.
const FORMAT: u16 = 1;
/// Magic, format, key, and the length of the root's path.
const HEAD_BYTES: usize = 8 + 2 + 16 + 4;
/// A directory in the list of directories.
const DIRECTORY_BYTES: usize = 8 + OFFSET_BYTES + 4;
/// Where a block is: up to a terabyte.
const OFFSET_BYTES: usize = 5;
/// Place and length of the list of directories, and the checksum.
const FOOT_BYTES: usize = 8 + 8 + 8;
/// Longer paths than this are no paths.
const MOST_ROOT_BYTES: usize = 1 << 16;

/// What is remembered of the whole walk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// When the walk started.
    pub(crate) started_at: DateTime<Utc>,
    /// What the statistics and the extensions mean; see [`StoredStatistics::VERSION`]. Those of
    /// others are forgotten.
    pub(crate) statistics_version: u8,
    /// How many files it saw.
    pub(crate) file_count: u64,
    /// The extensions of their names, and those of all walks before.
    pub(crate) extensions: ExtensionMix,
}

/// The checksum of a state. It finds accidents; it keeps nobody from writing another state.
fn checksum() -> SipHasher13 {
    SipHasher13::new()
}

/// The state file and its neighbours.
#[derive(Debug, Clone)]
pub(crate) struct StatePaths {
    /// The state itself, in a directory whose path has no links.
    pub(crate) state: PathBuf,
    /// The next state, while it is written.
    pub(crate) new: PathBuf,
    /// What is locked while a walk uses the state. It stays, empty.
    pub(crate) lock: PathBuf,
}

impl StatePaths {
    pub(crate) fn of(path: &Path) -> Result<Self, WalkError> {
        let unusable = || WalkError::StatePath {
            path: path.to_owned(),
        };
        let name = path.file_name().ok_or_else(unusable)?;
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let parent = parent.canonicalize().map_err(|source| WalkError::State {
            path: path.to_owned(),
            source,
        })?;
        let beside = |suffix: &str| {
            let mut name = name.to_owned();
            name.push(suffix);
            parent.join(name)
        };
        Ok(Self {
            state: parent.join(name),
            new: beside(".new"),
            lock: beside(".lock"),
        })
    }

    /// Whether a file of this path belongs to the state.
    pub(crate) fn include(&self, path: &Path) -> bool {
        [&self.state, &self.new, &self.lock].contains(&&path.to_owned())
    }

    fn failed(&self, source: std::io::Error) -> WalkError {
        WalkError::State {
            path: self.state.clone(),
            source,
        }
    }
}
