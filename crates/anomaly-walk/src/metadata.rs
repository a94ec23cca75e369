//! What the file system says of a file.

use rustix::fs::{FileType, Stat};

use crate::state::key::Time;

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) is_file: bool,
    pub(crate) size_bytes: u64,
    pub(crate) allocated_bytes: u64,
    pub(crate) permissions: u32,
    pub(crate) accessed_seconds: i64,
    pub(crate) modified: Time,
    pub(crate) changed: Time,
}

impl Metadata {
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the types of the fields differ between systems; sizes and nanoseconds are never negative"
    )]
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            is_file: FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile,
            size_bytes: stat.st_size as u64,
            allocated_bytes: (stat.st_blocks as u64).saturating_mul(512),
            permissions: u32::from(stat.st_mode) & 0o7777,
            accessed_seconds: stat.st_atime as i64,
            modified: Time {
                seconds: stat.st_mtime as i64,
                nanoseconds: stat.st_mtime_nsec as u32,
            },
            changed: Time {
                seconds: stat.st_ctime as i64,
                nanoseconds: stat.st_ctime_nsec as u32,
            },
        }
    }

    /// Whether nobody wrote to the file between `self` and `later`.
    pub(crate) fn is_still(&self, later: &Self) -> bool {
        self.size_bytes == later.size_bytes
            && self.modified == later.modified
            && self.changed == later.changed
    }
}
