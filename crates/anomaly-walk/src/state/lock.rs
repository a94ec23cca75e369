//! One walk at a time on one state.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::OFlags;

use crate::WalkError;
use crate::state::StatePaths;

/// Held as long as a walk uses a state. The system lets go of it when the process ends, however it
/// ends.
///
/// The lock is on a file of its own: the state itself is replaced, and a lock would go with the old
/// one.
#[derive(Debug)]
pub(crate) struct StateLock {
    _file: File,
}

impl StateLock {
    pub(crate) fn take(paths: &StatePaths) -> Result<Self, WalkError> {
        // Neither to make a file where a link leads, nor to wait for the other end of a pipe.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags.bits().cast_signed())
            .open(&paths.lock);
        let file = opened.map_err(|source| paths.failed(source))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(WalkError::StateInUse {
                path: paths.state.clone(),
            }),
            Err(TryLockError::Error(source)) => Err(paths.failed(source)),
        }
    }
}
