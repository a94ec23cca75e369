//! Reading a file: what the sampling asks for, and nothing else.

use std::ffi::CStr;
use std::ops::Range;
use std::path::Path;

use anomaly_features::content::{BlockStatistics, FileStatistics, Sampling};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::{Errno, pread};

use crate::metadata::Metadata;
use crate::throttle::Throttle;

/// What is read in one call.
const READ_BYTES: usize = 1 << 17;

/// Reads files, one after the other.
#[derive(Debug)]
pub(crate) struct Examiner<'a> {
    sampling: Sampling,
    throttle: Option<&'a Throttle>,
    statistics: BlockStatistics,
    buffer: Vec<u8>,
    /// All bytes that were read.
    pub(crate) read_bytes: u64,
}

/// What came of reading a file.
#[derive(Debug)]
pub(crate) enum Examined {
    /// It stood still.
    Steady(FileStatistics),
    /// It changed while it was read: the statistics are of a mixture, or of nothing if something else
    /// took its place.
    Unsteady(Option<FileStatistics>),
    /// It is gone.
    Vanished,
    /// It could not be read.
    Unreadable(Errno),
}

impl<'a> Examiner<'a> {
    pub(crate) fn new(sampling: Sampling, throttle: Option<&'a Throttle>) -> Self {
        Self {
            sampling,
            throttle,
            statistics: BlockStatistics::new(sampling, None),
            buffer: vec![0; READ_BYTES],
            read_bytes: 0,
        }
    }

    /// Reads the file `name` of a directory, of which `listed` was said when the directory was
    /// listed. A file that grows is read up to the size that it had then.
    pub(crate) fn examine(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        listed: &Metadata,
    ) -> Examined {
        if listed.size_bytes == 0 {
            self.statistics.restart(Some(0));
            return Examined::Steady(self.statistics.finish());
        }
        // Not to wait for the other end of a pipe that took the file's place.
        let file = match open(directory, name, OFlags::NONBLOCK | OFlags::NOCTTY) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Examined::Vanished,
            // A link took its place.
            Err(Errno::LOOP) => return Examined::Unsteady(None),
            Err(error) => return Examined::Unreadable(error),
        };
        match self.read(&file, listed) {
            Ok(examined) => examined,
            Err(error) => Examined::Unreadable(error),
        }
    }

    fn read(&mut self, file: &OwnedFd, listed: &Metadata) -> Result<Examined, Errno> {
        if !Metadata::of(&fstat(file)?).is_file {
            return Ok(Examined::Unsteady(None));
        }
        self.statistics.restart(Some(listed.size_bytes));
        self.read_ranges(file, listed)?;
        let found = self.statistics.finish();
        let after = Metadata::of(&fstat(file)?);
        Ok(if listed.is_still(&after) {
            Examined::Steady(found)
        } else {
            Examined::Unsteady(Some(found))
        })
    }

    fn read_ranges(&mut self, file: &OwnedFd, listed: &Metadata) -> Result<(), Errno> {
        let size = listed.size_bytes;
        let mut data = if listed.allocated_bytes < size {
            Some(Data::of(file))
        } else {
            None
        };
        if matches!(self.sampling, Sampling::Strided { .. }) && size > Sampling::STRETCH_BYTES {
            advise_random(file);
        }
        let mut at = 0;
        for mut range in self.sampling.ranges(size) {
            while !range.is_empty() {
                let part = match &mut data {
                    None => range.clone(),
                    Some(data) => match data.within(&range)? {
                        Some(part) => part,
                        None => break,
                    },
                };
                self.statistics.skip(part.start - at);
                at = self.read_part(file, part.clone())?;
                if at < part.end {
                    // It is shorter than it was.
                    return Ok(());
                }
                range.start = at;
            }
        }
        self.statistics.skip(size.saturating_sub(at));
        Ok(())
    }

    /// Reads a part, and says where the bytes ended.
    fn read_part(&mut self, file: &OwnedFd, part: Range<u64>) -> Result<u64, Errno> {
        let mut at = part.start;
        while at < part.end {
            let left = usize::try_from(part.end - at).unwrap_or(READ_BYTES);
            let wanted = left.min(READ_BYTES);
            if let Some(throttle) = self.throttle {
                throttle.wait(wanted);
            }
            let read = match pread(file, &mut self.buffer[..wanted], at) {
                Ok(0) => break,
                Ok(read) => read,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error),
            };
            self.statistics.update(&self.buffer[..read]);
            self.read_bytes += read as u64;
            at += read as u64;
        }
        Ok(at)
    }
}

/// Opens a directory by its whole path, of which no part may be a link: one that took a directory's
/// place since that was found would lead out of the tree.
///
/// Linux before 5.6, and other systems, look at the last part alone.
pub(crate) fn open_directory(path: &Path) -> Result<OwnedFd, Errno> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for flags in [flags | OFlags::NOATIME, flags] {
            match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
                // Not its owner; or the call is unknown, or kept from containers.
                Err(Errno::PERM | Errno::NOSYS) => {}
                opened => return opened,
            }
        }
    }
    open(CWD, path, OFlags::DIRECTORY)
}

/// Opens for reading, without following a link, and without a trace in the time of last access where
/// the system allows that: to owners.
fn open(
    directory: BorrowedFd<'_>,
    name: impl rustix::path::Arg + Copy,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    match openat(directory, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => {}
        opened => return opened,
    }
    openat(directory, name, flags, Mode::empty())
}

/// What will be read is far apart: to read on behind each block would be in vain.
///
/// Pages are not given back after reading. The backup and others use the same ones.
fn advise_random(file: &OwnedFd) {
    #[cfg(target_os = "linux")]
    // Only a hint: whether it is taken changes nothing but time.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Random);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// The parts of a sparse file that hold data. The others read as zeros that nobody wrote.
struct Data<'a> {
    file: BorrowedFd<'a>,
    /// The part that was found last.
    part: Range<u64>,
    /// There is none behind it.
    is_last: bool,
}

impl<'a> Data<'a> {
    fn of(file: &'a OwnedFd) -> Self {
        Self {
            file: file.as_fd(),
            part: 0..0,
            is_last: false,
        }
    }

    /// The first data in `range`, where ranges come in ascending order.
    fn within(&mut self, range: &Range<u64>) -> Result<Option<Range<u64>>, Errno> {
        while range.start >= self.part.end && !self.is_last {
            match next_data(self.file, range.start)? {
                Some(part) => self.part = part,
                None => self.is_last = true,
            }
        }
        let part = self.part.start.max(range.start)..self.part.end.min(range.end);
        Ok((!part.is_empty()).then_some(part))
    }
}

/// The first data at or behind `at`.
fn next_data(file: BorrowedFd<'_>, at: u64) -> Result<Option<Range<u64>>, Errno> {
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd"))]
    {
        use rustix::fs::{SeekFrom, seek};
        let start = match seek(file, SeekFrom::Data(at)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return Ok(None),
            // This file system does not tell.
            Err(Errno::INVAL | Errno::NOTSUP) => return Ok(Some(at..u64::MAX)),
            Err(error) => return Err(error),
        };
        match seek(file, SeekFrom::Hole(start)) {
            Ok(end) if end > start => Ok(Some(start..end)),
            // The file was cut while it was read.
            Ok(_) | Err(Errno::NXIO) => Ok(None),
            Err(error) => Err(error),
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "freebsd")))]
    {
        let _ = file;
        Ok(Some(at..u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::io::Write as _;
    use std::os::unix::fs::{FileExt as _, symlink};

    use rustix::fs::{AtFlags, mkfifoat, statat};
    use tempfile::TempDir;

    use super::*;

    const FULL: Sampling = Sampling::Full;
    const STRIDED: Sampling = Sampling::Strided { seed: 1 };

    /// Examines the file `name`, with something done between listing and reading.
    fn examined(
        sampling: Sampling,
        content: &[u8],
        between: impl FnOnce(&Path),
    ) -> (Examined, u64) {
        let scratch = TempDir::new().unwrap();
        let path = scratch.path().join("name");
        fs::write(&path, content).unwrap();
        examined_at(sampling, &path, between)
    }

    fn examined_at(
        sampling: Sampling,
        path: &Path,
        between: impl FnOnce(&Path),
    ) -> (Examined, u64) {
        let directory = File::open(path.parent().unwrap()).unwrap();
        let listed = Metadata::of(&statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).unwrap());
        between(path);
        let mut reader = Examiner::new(sampling, None);
        let examined = reader.examine(directory.as_fd(), c"name", &listed);
        (examined, reader.read_bytes)
    }

    #[test]
    fn what_the_sampling_asks_for_is_read() {
        let content = vec![b'x'; 1 << 20];
        for (sampling, bytes) in [
            (FULL, 1 << 20),
            (Sampling::Head, 1 << 16),
            (STRIDED, 1 << 16),
        ] {
            let (examined, read_bytes) = examined(sampling, &content, |_| ());
            let Examined::Steady(found) = examined else {
                panic!("{examined:?}");
            };
            assert_eq!((found.examined_bytes, read_bytes), (bytes, bytes));
            assert_eq!(found.size_bytes, 1 << 20);
        }
    }

    #[test]
    fn an_empty_file_is_not_opened() {
        let (examined, read_bytes) = examined(FULL, b"", |path| fs::remove_file(path).unwrap());
        assert!(matches!(examined, Examined::Steady(_)), "{examined:?}");
        assert_eq!(read_bytes, 0);
    }

    #[test]
    fn a_file_that_grows_is_read_up_to_where_it_was() {
        let (examined, read_bytes) = examined(FULL, &[b'x'; 5_000], |path| {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(&[b'y'; 5_000]).unwrap();
        });
        let Examined::Unsteady(Some(found)) = examined else {
            panic!("{examined:?}");
        };
        assert_eq!((found.examined_bytes, read_bytes), (5_000, 5_000));
    }

    #[test]
    fn a_file_that_shrinks_is_read_up_to_where_it_ends() {
        let cut = |path: &Path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(100).unwrap();
        };
        for sampling in [FULL, STRIDED] {
            let (examined, read_bytes) = examined(sampling, &vec![b'x'; 500_000], cut);
            assert!(
                matches!(examined, Examined::Unsteady(Some(_))),
                "{examined:?}"
            );
            assert_eq!(read_bytes, 100);
        }
    }

    #[test]
    fn what_takes_a_files_place_is_not_read() {
        let put: [fn(&Path); 3] = [
            |path| symlink("/etc/passwd", path).unwrap(),
            |path| mkfifoat(CWD, path, Mode::RWXU).unwrap(),
            |path| fs::create_dir(path).unwrap(),
        ];
        for put in put {
            let (examined, read_bytes) = examined(FULL, b"some text", |path| {
                fs::remove_file(path).unwrap();
                put(path);
            });
            assert!(matches!(examined, Examined::Unsteady(None)), "{examined:?}");
            assert_eq!(read_bytes, 0);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_part_of_a_directorys_path_may_be_a_link() {
        let scratch = TempDir::new().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("real/below")).unwrap();
        assert!(open_directory(&root.join("real/below")).is_ok());
        symlink("real", root.join("link")).unwrap();
        for path in ["link", "link/below"] {
            let opened = open_directory(&root.join(path));
            assert!(opened.is_err(), "{path}");
        }
        assert_eq!(open_directory(&root.join("gone")).err(), Some(Errno::NOENT));
    }

    #[test]
    fn a_file_that_vanishes_is_gone() {
        let (examined, _) = examined(FULL, b"some text", |path| fs::remove_file(path).unwrap());
        assert!(matches!(examined, Examined::Vanished), "{examined:?}");
    }

    /// A terabyte with two islands of data, of which one is in a block that nobody asks for.
    #[test]
    fn holes_are_not_read() {
        const SIZE: u64 = 1 << 40;
        let scratch = TempDir::new().unwrap();
        let path = scratch.path().join("name");
        let file = File::create(&path).unwrap();
        file.set_len(SIZE).unwrap();
        file.write_all_at(&[b'a'; 10_000], 0).unwrap();
        file.write_all_at(&[b'b'; 10_000], SIZE / 3).unwrap();
        drop(file);
        let (examined, read_bytes) = examined_at(FULL, &path, |_| ());
        let Examined::Steady(found) = examined else {
            panic!("{examined:?}");
        };
        // Islands end where the blocks of the file system do.
        assert!((20_000..200_000).contains(&read_bytes), "{read_bytes}");
        assert_eq!((found.size_bytes, found.examined_bytes), (SIZE, read_bytes));
        let (examined, read_bytes) = examined_at(STRIDED, &path, |_| ());
        assert!(matches!(examined, Examined::Steady(_)), "{examined:?}");
        assert!((4_096..20_000).contains(&read_bytes), "{read_bytes}");
    }
}
