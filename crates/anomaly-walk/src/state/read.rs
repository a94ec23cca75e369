//! Reading a state.

use std::fs::{File, OpenOptions};
use std::hash::Hasher as _;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anomaly_features::content::StoredStatistics;
use rustix::fs::OFlags;

use crate::WalkError;
use crate::state::entry::{Entry, read_entries, read_head};
use crate::state::key::Key;
use crate::state::{
    DIRECTORY_BYTES, FOOT_BYTES, FORMAT, HEAD_BYTES, MAGIC, MOST_ROOT_BYTES, OFFSET_BYTES,
    StatePaths, Summary, checksum,
};

/// What is read of a block at first: all of most directories, in one call.
const FIRST_READ_BYTES: usize = 1 << 12;

/// The state that the walk before left.
#[derive(Debug)]
pub(crate) struct OldState {
    file: File,
    paths: StatePaths,
    pub(crate) key: Key,
    pub(crate) summary: Summary,
    /// By path.
    directories: Vec<Directory>,
    /// Where the blocks end.
    blocks_end: u64,
}

#[derive(Debug)]
struct Directory {
    path: u64,
    /// The number of the parent; the root's own for the root.
    parent: u32,
    taken: AtomicBool,
    offset: u64,
}

impl OldState {
    /// Opens the state of `root`, having read all of it once: what is damaged is not used at all.
    /// `None` if there is no file yet.
    pub(crate) fn open(paths: &StatePaths, root: &Path) -> Result<Option<Self>, WalkError> {
        // Not to wait for the other end of a pipe.
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&paths.state);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(paths.failed(error)),
        };
        Reading { file, paths, root }.state().map(Some)
    }

    /// The files of a directory as they were; `None` if there was no such directory. It counts as
    /// taken from then on.
    pub(crate) fn take(&self, path: u64) -> Result<Option<Vec<Entry>>, WalkError> {
        let found = self
            .directories
            .binary_search_by_key(&path, |directory| directory.path);
        let Some(directory) = found.ok().and_then(|place| self.directories.get(place)) else {
            return Ok(None);
        };
        directory.taken.store(true, Ordering::Relaxed);
        self.entries(directory).map(Some)
    }

    /// Every directory that nobody took. `is_unlisted` says of paths whether nobody knows what is
    /// below them now.
    pub(crate) fn untaken(
        &self,
        is_unlisted: impl Fn(u64) -> bool,
        mut visit: impl FnMut(Untaken) -> Result<(), WalkError>,
    ) -> Result<(), WalkError> {
        for directory in self.directories.iter().filter(|one| !one.is_taken()) {
            visit(Untaken {
                path: directory.path,
                parent: self
                    .parent(directory)
                    .map_or(directory.path, |parent| parent.path),
                entries: self.entries(directory)?,
                is_kept: self.is_kept(directory, &is_unlisted),
            })?;
        }
        Ok(())
    }

    /// Whether a directory, or one that it was below, is unlisted. It is not if the walk came to a
    /// directory on the way up.
    fn is_kept(&self, directory: &Directory, is_unlisted: impl Fn(u64) -> bool) -> bool {
        let mut next = Some(directory);
        // A way up is no longer than the list, whatever the file says.
        for _ in 0..self.directories.len() {
            match next {
                Some(at) if is_unlisted(at.path) => return true,
                Some(at) if !at.is_taken() => next = self.parent(at),
                _ => break,
            }
        }
        false
    }

    /// `None` for the root.
    fn parent(&self, directory: &Directory) -> Option<&Directory> {
        let parent = self
            .directories
            .get(usize::try_from(directory.parent).ok()?)?;
        (parent.path != directory.path).then_some(parent)
    }

    fn entries(&self, directory: &Directory) -> Result<Vec<Entry>, WalkError> {
        let left = self.blocks_end.saturating_sub(directory.offset);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let mut block = vec![0; left.min(FIRST_READ_BYTES)];
        let read = |block: &mut [u8], at| {
            self.file
                .read_exact_at(block, at)
                .map_err(|source| self.paths.failed(source))
        };
        read(&mut block, directory.offset)?;
        let damaged = || damaged(&self.paths, "the files of a directory");
        let head = read_head(&block).ok_or_else(damaged)?;
        let end = head.start.checked_add(head.bytes).ok_or_else(damaged)?;
        if end > left {
            return Err(damaged());
        }
        let have = block.len();
        block.resize(end, 0);
        if end > have {
            read(&mut block[have..], directory.offset + have as u64)?;
        }
        let mut entries = read_entries(head, &block[head.start..]).ok_or_else(damaged)?;
        if self.summary.statistics_version != StoredStatistics::VERSION {
            for entry in &mut entries {
                *entry = entry.forgotten();
            }
        }
        Ok(entries)
    }
}

impl Directory {
    fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }
}

/// A directory that the walk did not come to.
#[derive(Debug)]
pub(crate) struct Untaken {
    pub(crate) path: u64,
    pub(crate) parent: u64,
    pub(crate) entries: Vec<Entry>,
    /// It is below one that could not be read, so nobody knows whether it is gone.
    pub(crate) is_kept: bool,
}

fn damaged(paths: &StatePaths, what: &'static str) -> WalkError {
    WalkError::DamagedState {
        path: paths.state.clone(),
        what,
    }
}

/// A file that is being made an [`OldState`].
struct Reading<'a> {
    file: File,
    paths: &'a StatePaths,
    root: &'a Path,
}

impl Reading<'_> {
    fn state(self) -> Result<OldState, WalkError> {
        let metadata = self.file.metadata().map_err(|error| self.failed(error))?;
        if !metadata.is_file() {
            return Err(self.foreign());
        }
        let length = metadata.len();
        let (key, of) = self.head(length)?;
        self.verify(length)?;
        // Only now: a damaged path is no path.
        let blocks_start = (HEAD_BYTES + of.len()) as u64;
        let of = Path::new(std::ffi::OsStr::from_bytes(&of));
        if of != self.root {
            return Err(WalkError::OtherDirectory {
                path: self.paths.state.clone(),
                of: of.to_owned(),
                asked: self.root.to_owned(),
            });
        }
        let (blocks_end, directories, summary) = self.list(length, blocks_start)?;
        Ok(OldState {
            file: self.file,
            paths: self.paths.clone(),
            key,
            summary,
            directories,
            blocks_end,
        })
    }

    /// The key, and the path of the root as it stands there.
    fn head(&self, length: u64) -> Result<(Key, Vec<u8>), WalkError> {
        let mut magic = [0; MAGIC.len()];
        if length < magic.len() as u64 {
            return Err(self.foreign());
        }
        self.read(&mut magic, 0)?;
        if magic != MAGIC {
            return Err(self.foreign());
        }
        let mut format = [0; 2];
        let short = || damaged(self.paths, "it is cut short");
        if length < (MAGIC.len() + format.len()) as u64 {
            return Err(short());
        }
        self.read(&mut format, MAGIC.len() as u64)?;
        let format = u16::from_le_bytes(format);
        if format > FORMAT {
            return Err(WalkError::NewerState {
                path: self.paths.state.clone(),
                found: format,
                known: FORMAT,
            });
        }
        if format < FORMAT {
            return Err(damaged(self.paths, "its format is none"));
        }
        let mut rest = [0; 20];
        if length < (HEAD_BYTES + FOOT_BYTES) as u64 {
            return Err(short());
        }
        self.read(&mut rest, (MAGIC.len() + 2) as u64)?;
        let [key @ .., a, b, c, d] = rest;
        let root_bytes = u32::from_le_bytes([a, b, c, d]) as usize;
        if root_bytes > MOST_ROOT_BYTES || length < (HEAD_BYTES + root_bytes + FOOT_BYTES) as u64 {
            return Err(short());
        }
        let mut root = vec![0; root_bytes];
        self.read(&mut root, HEAD_BYTES as u64)?;
        Ok((key, root))
    }

    /// Compares the checksum with all that stands before it.
    fn verify(&self, length: u64) -> Result<(), WalkError> {
        let mut sum = checksum();
        let mut left = length - 8;
        let mut buffer = vec![0; 1 << 17];
        let mut content = &self.file;
        while left > 0 {
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let part = &mut buffer[..wanted];
            content
                .read_exact(part)
                .map_err(|error| self.failed(error))?;
            sum.write(part);
            left -= wanted as u64;
        }
        let mut stored = [0; 8];
        content
            .read_exact(&mut stored)
            .map_err(|error| self.failed(error))?;
        if sum.finish() != u64::from_le_bytes(stored) {
            return Err(damaged(self.paths, "its checksum is another"));
        }
        Ok(())
    }

    /// Where the blocks end, the list of directories, and what is said about the whole.
    fn list(
        &self,
        length: u64,
        blocks_start: u64,
    ) -> Result<(u64, Vec<Directory>, Summary), WalkError> {
        let damaged = || damaged(self.paths, "its list of directories");
        let foot = length - FOOT_BYTES as u64;
        let mut place = [[0; 8]; 2];
        self.read(place.as_flattened_mut(), foot)?;
        let [start, count] = place.map(u64::from_le_bytes);
        let end = count
            .checked_mul(DIRECTORY_BYTES as u64)
            .and_then(|bytes| bytes.checked_add(start))
            .filter(|end| (blocks_start..=foot).contains(&start) && *end <= foot)
            .ok_or_else(damaged)?;
        let mut directories = Vec::with_capacity(usize::try_from(count).map_err(|_| damaged())?);
        // In parts, so that the list is not in memory twice.
        let mut part = vec![0; DIRECTORY_BYTES << 12];
        let mut at = start;
        while at < end {
            let wanted = usize::try_from(end - at)
                .unwrap_or(usize::MAX)
                .min(part.len());
            let part = &mut part[..wanted];
            self.read(part, at)?;
            directories.extend(part.as_chunks::<DIRECTORY_BYTES>().0.iter().map(directory));
            at += wanted as u64;
        }
        let in_order = directories.is_sorted_by(|a: &Directory, b: &Directory| a.path < b.path);
        let in_place = directories
            .iter()
            .all(|directory| (blocks_start..start).contains(&directory.offset));
        if !in_order || !in_place {
            return Err(damaged());
        }
        let mut summary = vec![0; usize::try_from(foot - end).map_err(|_| damaged())?];
        self.read(&mut summary, end)?;
        let summary = postcard::from_bytes(&summary).map_err(|_| damaged())?;
        Ok((start, directories, summary))
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), WalkError> {
        self.file
            .read_exact_at(bytes, at)
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> WalkError {
        self.paths.failed(source)
    }

    fn foreign(&self) -> WalkError {
        WalkError::NotAState {
            path: self.paths.state.clone(),
        }
    }
}

fn directory(bytes: &[u8; DIRECTORY_BYTES]) -> Directory {
    let mut path = [0; 8];
    let mut offset = [0; 8];
    let mut parent = [0; 4];
    path.copy_from_slice(&bytes[..8]);
    offset[..OFFSET_BYTES].copy_from_slice(&bytes[8..8 + OFFSET_BYTES]);
    parent.copy_from_slice(&bytes[8 + OFFSET_BYTES..]);
    Directory {
        path: u64::from_le_bytes(path),
        parent: u32::from_le_bytes(parent),
        taken: AtomicBool::new(false),
        offset: u64::from_le_bytes(offset),
    }
}
