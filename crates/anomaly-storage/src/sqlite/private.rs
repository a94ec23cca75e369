//! Files that only their owner reads: they hold whose backups run when, and hashes of passwords.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes an empty file where there is none. `SQLite` gives what it puts beside it the same mode.
pub(super) fn make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
