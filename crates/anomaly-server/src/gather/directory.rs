//! A directory into which others put files: each is read once it is whole, and again when it has grown.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anomaly_sources::{CsvMapping, ReadOptions, SourceError, read, recognise};

use super::error::GatherError;
use super::mark::{Files, Print, SeenFile, Unsettled};
use super::options::DirectoryOptions;
use super::out::{Out, Tally};

/// More files are not looked at each time.
const MOST_FILES: usize = 20_000;
/// A format is recognised by so much.
const HEAD_BYTES: usize = 64 << 10;
/// What nobody means to be read: it is being written, or was left over.
const UNFINISHED: [&str; 3] = [".tmp", ".part", "~"];

/// What is to be read of a directory.
struct Candidate {
    name: String,
    path: PathBuf,
    print: Print,
}

/// Reads what is new in a directory. `read_before` are the files that need not be read again, and
/// `unsettled` those that were being written the last time, and then those that are this time.
pub(super) fn gather(
    options: &DirectoryOptions,
    read_before: &Files,
    unsettled: &mut Vec<Unsettled>,
    out: &mut Out,
) -> Result<(), GatherError> {
    let reading = Reading::new(options)?;
    let mut files = Files::new();
    let seen_before = std::mem::take(unsettled);
    for candidate in candidates(options)? {
        if out.is_stopped() {
            return Err(GatherError::Stopped);
        }
        let Candidate { name, path, print } = candidate;
        if let Some(seen) = read_before.get(&name).filter(|seen| seen.print == print) {
            files.insert(name, seen.clone());
            continue;
        }
        let now = now();
        let is_this = |seen: &&Unsettled| seen.name == name && seen.print == print;
        let since = seen_before.iter().find(is_this).map(|seen| seen.since);
        // Or by the clock of this machine, where that of whoever writes is ahead.
        let is_settled = is_past(options, now, print.newest())
            || since.is_some_and(|at| is_past(options, now, at));
        if !is_settled {
            let since = since.unwrap_or(now);
            unsettled.push(Unsettled { name, print, since });
            continue;
        }
        let mut tally = Tally::default();
        match reading.read(&path, print, &mut tally, out) {
            // It was written meanwhile: what it holds by now is read the next time.
            Ok(None) => {
                let since = now;
                unsettled.push(Unsettled { name, print, since });
            }
            Ok(Some(refused)) => {
                if let Some(reason) = &refused {
                    tally.refuse(reason);
                }
                out.tally.add(tally, &name);
                files.insert(name, SeenFile { print, refused });
            }
            Err(GatherError::Stopped) => return Err(GatherError::Stopped),
            // It may be readable the next time.
            Err(error) => {
                tally.refuse(&error.in_one_line());
                out.tally.add(tally, &name);
            }
        }
    }
    out.tally.unsettled = unsettled.len() as u64;
    if files == *read_before {
        out.flush()
    } else {
        out.done(files)
    }
}

/// What there is to read, the oldest first: histories come in their order.
fn candidates(options: &DirectoryOptions) -> Result<Vec<Candidate>, GatherError> {
    let failed = |source| GatherError::File {
        path: options.path.clone(),
        source,
    };
    let mut candidates = Vec::new();
    for entry in fs::read_dir(&options.path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A name that is no text is a backup's of nobody.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let is_unfinished = UNFINISHED.iter().any(|suffix| name.ends_with(suffix));
        let suffix = options.suffix.as_deref().unwrap_or_default();
        if name.starts_with('.') || is_unfinished || !name.ends_with(suffix) {
            continue;
        }
        // Not of what a link leads to. What is gone by now is gone.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.is_dir() {
            continue;
        }
        if candidates.len() == MOST_FILES {
            return Err(GatherError::ManyFiles { most: MOST_FILES });
        }
        candidates.push(Candidate {
            path: entry.path(),
            print: print(&metadata),
            name,
        });
    }
    candidates.sort_by(|a, b| (a.print.modified, &a.name).cmp(&(b.print.modified, &b.name)));
    Ok(candidates)
}

/// Whether a file that is as it is since `at` has not changed for long enough.
fn is_past(options: &DirectoryOptions, now: i64, at: i64) -> bool {
    let settle = nanoseconds(Duration::from_secs(options.settle_seconds.into()));
    at.saturating_add(settle) <= now
}

/// Nanoseconds since 1970, by the clock of this machine.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, nanoseconds)
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn print(metadata: &Metadata) -> Print {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let at = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000) + nanos;
        Print {
            bytes: metadata.len(),
            modified: at(metadata.mtime(), metadata.mtime_nsec()),
            changed: at(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
    #[cfg(not(unix))]
    {
        let modified = metadata.modified().ok();
        let since = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let modified = since.map_or(0, nanoseconds);
        Print {
            bytes: metadata.len(),
            modified,
            changed: modified,
            inode: 0,
        }
    }
}

/// How files are read.
struct Reading<'a> {
    options: &'a DirectoryOptions,
    read: ReadOptions,
}

impl<'a> Reading<'a> {
    fn new(options: &'a DirectoryOptions) -> Result<Self, GatherError> {
        let read = options.read_options();
        let mut read = read.map_err(|reason| GatherError::Options { reason })?;
        if let Some(path) = &options.csv_mapping {
            let text = fs::read_to_string(path).map_err(|source| GatherError::File {
                path: path.clone(),
                source,
            })?;
            let mapping = CsvMapping::parse(&text).map_err(|error| GatherError::Content {
                path: path.clone(),
                reason: error.to_string(),
            })?;
            read = read.csv_mapping(mapping);
        }
        Ok(Self { options, read })
    }

    /// Reads a file; says why it cannot be used, if so, or `None` when it changed meanwhile.
    #[expect(
        clippy::option_option,
        reason = "changed, used, or refused for a reason"
    )]
    fn read(
        &self,
        path: &Path,
        seen: Print,
        tally: &mut Tally,
        out: &mut Out,
    ) -> Result<Option<Option<String>>, GatherError> {
        if seen.bytes > self.options.most_file_bytes {
            let (bytes, most) = (seen.bytes, self.options.most_file_bytes);
            let reason = format!("has {bytes} bytes, and no more than {most} are read");
            return Ok(Some(Some(reason)));
        }
        let failed = |source| GatherError::File {
            path: path.to_owned(),
            source,
        };
        let Some(file) = open(path).map_err(failed)? else {
            return Ok(Some(Some("is no ordinary file".to_owned())));
        };
        let opened = print(&file.metadata().map_err(failed)?);
        if opened != seen {
            return Ok(None);
        }
        // What is appended meanwhile is left for the next time.
        let mut content = BufReader::with_capacity(HEAD_BYTES, file).take(seen.bytes);
        let format = match self.options.format() {
            Ok(Some(format)) => format,
            Err(reason) => return Err(GatherError::Options { reason }),
            Ok(None) => match recognise(content.fill_buf().map_err(failed)?) {
                Ok(found) => found.format,
                Err(SourceError::Empty { .. }) => return Ok(Some(None)),
                Err(error) => return Ok(Some(Some(error.to_string()))),
            },
        };
        let refused = match read(&mut content, format, &self.read) {
            Ok(reader) => match out.take(reader, tally) {
                Ok(()) => None,
                Err(GatherError::Source(error)) => Some(error),
                Err(error) => return Err(error),
            },
            Err(SourceError::Empty { .. }) => None,
            Err(error) => Some(error),
        };
        if let Some(SourceError::Unreadable { line, source }) = refused {
            return Err(SourceError::Unreadable { line, source }.into());
        }
        let after = content.into_inner().into_inner().metadata();
        if print(&after.map_err(failed)?) != seen {
            // A record that was cut off is no bad one.
            *tally = Tally::default();
            return Ok(None);
        }
        Ok(Some(refused.map(|error| error.to_string())))
    }
}

/// Opens a file, if it is one: not what a link leads to, nor a pipe that nobody may ever write to.
fn open(path: &Path) -> io::Result<Option<File>> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;

        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    }
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let file = match options.open(path) {
        Ok(file) => file,
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(file.metadata()?.is_file().then_some(file))
}
