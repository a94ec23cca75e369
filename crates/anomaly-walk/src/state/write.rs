//! Writing a state, beside the old one.

use std::fs::{self, File, OpenOptions};
use std::hash::Hasher as _;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use siphasher::sip::SipHasher13;

use crate::WalkError;
use crate::state::entry::{Entry, write_block};
use crate::state::key::Key;
use crate::state::{FORMAT, MAGIC, OFFSET_BYTES, StateLock, StatePaths, Summary, checksum};

/// A state that is being written. It takes the place of the old one by [`PendingState::commit`]
/// alone.
#[derive(Debug)]
pub(crate) struct NewState {
    out: BufWriter<File>,
    file: NewFile,
    written: u64,
    checksum: SipHasher13,
    directories: Vec<Directory>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Directory {
    path: u64,
    offset: u64,
    parent: u64,
}

impl NewState {
    /// Begins a state of the directory `root`. Only its user may read it: it says how large files
    /// are and when they changed.
    pub(crate) fn create(
        lock: StateLock,
        paths: StatePaths,
        root: &Path,
        key: &Key,
    ) -> Result<Self, WalkError> {
        let failed = |source| paths.failed(source);
        // One that a killed walk left. Nobody else writes it: this walk has the lock.
        match fs::remove_file(&paths.new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&paths.new);
        let out = BufWriter::with_capacity(1 << 16, opened.map_err(failed)?);
        let mut state = Self {
            out,
            file: NewFile {
                paths,
                _lock: lock,
                is_committed: false,
            },
            written: 0,
            checksum: checksum(),
            directories: Vec::new(),
        };
        let root = root.as_os_str().as_bytes();
        let root_bytes = u32::try_from(root.len()).unwrap_or(u32::MAX);
        state.write(&MAGIC)?;
        state.write(&FORMAT.to_le_bytes())?;
        state.write(key)?;
        state.write(&root_bytes.to_le_bytes())?;
        state.write(root)?;
        Ok(state)
    }

    /// Appends the files of a directory.
    pub(crate) fn add(
        &mut self,
        path: u64,
        parent: u64,
        entries: &[Entry],
    ) -> Result<(), WalkError> {
        let mut block = Vec::new();
        write_block(entries, &mut block);
        self.directories.push(Directory {
            path,
            offset: self.written,
            parent,
        });
        self.write(&block)
    }

    /// Appends the list of directories and what there is to say about the whole.
    pub(crate) fn finish(mut self, summary: &Summary) -> Result<PendingState, WalkError> {
        let list = self.written;
        let mut directories = std::mem::take(&mut self.directories);
        directories.sort_unstable();
        let number = |path: u64| {
            let found = directories.binary_search_by_key(&path, |directory| directory.path);
            u32::try_from(found.unwrap_or_else(|place| place)).unwrap_or(u32::MAX)
        };
        for directory in &directories {
            let mut bytes = [0; crate::state::DIRECTORY_BYTES];
            let (path, rest) = bytes.split_at_mut(8);
            let (offset, parent) = rest.split_at_mut(OFFSET_BYTES);
            path.copy_from_slice(&directory.path.to_le_bytes());
            offset.copy_from_slice(&directory.offset.to_le_bytes()[..OFFSET_BYTES]);
            parent.copy_from_slice(&number(directory.parent).to_le_bytes());
            self.write(&bytes)?;
        }
        let text = postcard::to_stdvec(summary)
            .map_err(|error| self.file.paths.failed(io::Error::other(error)))?;
        self.write(&text)?;
        self.write(&list.to_le_bytes())?;
        self.write(&(directories.len() as u64).to_le_bytes())?;
        let checksum = self.checksum.finish();
        self.write(&checksum.to_le_bytes())?;
        match self.out.into_inner() {
            Ok(out) => Ok(PendingState {
                out,
                file: self.file,
            }),
            Err(error) => Err(self.file.paths.failed(error.into_error())),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WalkError> {
        self.checksum.write(bytes);
        self.written += bytes.len() as u64;
        self.out
            .write_all(bytes)
            .map_err(|source| self.file.paths.failed(source))
    }
}

/// A state that is written and has not taken its place. If it never does, it is removed.
#[derive(Debug)]
pub(crate) struct PendingState {
    out: File,
    file: NewFile,
}

impl PendingState {
    /// Puts it in the place of the old one, at once and for good: whoever looks, at whatever moment
    /// the power fails, finds the old state or this one, whole.
    pub(crate) fn commit(mut self) -> Result<(), WalkError> {
        let paths = &self.file.paths;
        let put = || {
            self.out.sync_all()?;
            fs::rename(&paths.new, &paths.state)?;
            match paths.state.parent() {
                Some(directory) => File::open(directory)?.sync_all(),
                None => Ok(()),
            }
        };
        put().map_err(|source| paths.failed(source))?;
        self.file.is_committed = true;
        Ok(())
    }
}

/// The file that goes away unless it takes the place of the state.
#[derive(Debug)]
struct NewFile {
    paths: StatePaths,
    _lock: StateLock,
    is_committed: bool,
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_committed {
            // What cannot be removed now is removed by the next walk.
            _ = fs::remove_file(&self.paths.new);
        }
    }
}
