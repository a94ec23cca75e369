//! A directory into which others put files: each is read once it is whole, and again when it has grown.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anomaly_sources::{CsvMapping, Format, ReadOptions, SourceError, read, recognise};

use super::error::GatherError;
use super::mark::{Files, Print, SeenFile, Unsettled};
use super::options::DirectoryOptions;
use super::out::{Out, Tally};

/// More files are not looked at each time.
const MOST_FILES: usize = 20_000;
/// A format is recognised by so much.
const HEAD_BYTES: usize = 64 << 10;
/// A file whose last line may go on is left so many times longer than another: nothing shows that a
/// number is cut in two but that the rest of it comes.
const LEFT_LONGER: i64 = 60;
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
        let is_left = |times: i64| {
            is_past(options, now, print.newest(), times)
                || since.is_some_and(|at| is_past(options, now, at, times))
        };
        if !is_left(1) {
            let since = since.unwrap_or(now);
            unsettled.push(Unsettled { name, print, since });
            continue;
        }
        let mut tally = Tally::default();
        match reading.read(&path, print, is_left(LEFT_LONGER), &mut tally, out) {
            Ok(Outcome::MayGoOn) => {
                let since = since.unwrap_or(now);
                unsettled.push(Unsettled { name, print, since });
            }
            // What it holds by now is read the next time.
            Ok(Outcome::Changed) => {
                let since = now;
                unsettled.push(Unsettled { name, print, since });
            }
            Ok(Outcome::Read { refused }) => {
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

/// Whether a file that is as it is since `at` has not changed for so many times as long as is asked for.
fn is_past(options: &DirectoryOptions, now: i64, at: i64, times: i64) -> bool {
    let settle = nanoseconds(Duration::from_secs(options.settle_seconds.into()));
    at.saturating_add(settle.saturating_mul(times)) <= now
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

/// What came of reading a file.
enum Outcome {
    /// It was, or cannot be used for a reason.
    Read { refused: Option<String> },
    /// It was written meanwhile.
    Changed,
    /// Its last line has no end.
    MayGoOn,
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

    /// Reads a file, also one whose last line has no end where it `was_left` for long.
    fn read(
        &self,
        path: &Path,
        seen: Print,
        was_left: bool,
        tally: &mut Tally,
        out: &mut Out,
    ) -> Result<Outcome, GatherError> {
        let refused = |reason: String| {
            Ok(Outcome::Read {
                refused: Some(reason),
            })
        };
        if seen.bytes > self.options.most_file_bytes {
            let (bytes, most) = (seen.bytes, self.options.most_file_bytes);
            return refused(format!(
                "has {bytes} bytes, and no more than {most} are read"
            ));
        }
        let failed = |source| GatherError::File {
            path: path.to_owned(),
            source,
        };
        let Some(mut file) = open(path).map_err(failed)? else {
            return refused("is no ordinary file".to_owned());
        };
        let opened = print(&file.metadata().map_err(failed)?);
        if opened != seen {
            return Ok(Outcome::Changed);
        }
        let may_go_on = !was_left && !ends_its_line(&mut file, seen.bytes).map_err(failed)?;
        // What is appended meanwhile is left for the next time.
        let mut content = BufReader::with_capacity(HEAD_BYTES, file).take(seen.bytes);
        let format = match self.options.format() {
            Ok(Some(format)) => format,
            Err(reason) => return Err(GatherError::Options { reason }),
            Ok(None) => match recognise(content.fill_buf().map_err(failed)?) {
                Ok(found) => found.format,
                Err(SourceError::Empty { .. }) => return Ok(Outcome::Read { refused: None }),
                Err(error) => return refused(error.to_string()),
            },
        };
        if may_go_on && is_cut_unseen(format) {
            return Ok(Outcome::MayGoOn);
        }
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
            return Ok(Outcome::Changed);
        }
        Ok(Outcome::Read {
            refused: refused.map(|error| error.to_string()),
        })
    }
}

/// Whether a record of this format that is cut off may look like a whole one: not one of JSON.
fn is_cut_unseen(format: Format) -> bool {
    matches!(
        format,
        Format::Csv
            | Format::BareosCatalogue
            | Format::BareosLlist
            | Format::NetBackupBpdbjobs
            | Format::NetBackupBpimagelist
    )
}

/// Whether the last of the first `bytes` of a file ends a line. It is read from its start after that.
fn ends_its_line(file: &mut File, bytes: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if let Some(at) = bytes.checked_sub(1) {
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut last)?;
        file.rewind()?;
    }
    Ok(matches!(last, [b'\n' | b'\r']))
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::gather::out::Piece;

    const CSV: &str = "source,job_id,client,policy,started_at,status,image_bytes\n\
                       csv,1,mail01,daily,2026-09-01T03:00:00Z,succeeded,12";

    /// The sizes of the jobs in the file `name`, which is as it is for so many seconds, and how many
    /// files are being written.
    fn look(directory: &Path, name: &str, seconds: i64) -> (Vec<Option<u64>>, usize) {
        let text = format!("path = '{}'\nsettle_seconds = 60", directory.display());
        let mut options: DirectoryOptions = toml::from_str(&text).unwrap();
        options.suffix = Some(name.to_owned());
        let print = print(&fs::metadata(directory.join(name)).unwrap());
        let since = now() - seconds * 1_000_000_000;
        let mut unsettled = vec![Unsettled {
            name: name.to_owned(),
            print,
            since,
        }];
        let (mut out, mut pieces) = Out::new();
        let reading = thread::spawn(move || {
            gather(&options, &Files::new(), &mut unsettled, &mut out).unwrap();
            assert!(unsettled.iter().all(|seen| seen.since == since));
            unsettled.len()
        });
        let mut sizes = Vec::new();
        while let Some(piece) = pieces.blocking_recv() {
            if let Piece::Jobs(jobs) = piece {
                sizes.extend(jobs.iter().map(|job| job.image().image_bytes));
            }
        }
        (sizes, reading.join().unwrap())
    }

    /// Half a number is not judged while the other half may come; a file that nobody ends is read in
    /// the end, and one whose records say where they end, at once.
    #[test]
    fn a_last_line_without_an_end_is_left_for_longer() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        let look = |name: &str, seconds| look(directory.path(), name, seconds);
        put("a.csv", CSV);
        assert_eq!(look("a.csv", 61), (vec![], 1));
        put("a.csv", &format!("{CSV}3456789\n"));
        assert_eq!(look("a.csv", 61), (vec![Some(123_456_789)], 0));
        put("a.csv", CSV);
        assert_eq!(look("a.csv", 3_601), (vec![Some(12)], 0));
        let record = r#"{"source":"restic","job_id":"1","client":"mail01","policy":"daily",
            "started_at":"2026-09-01T03:00:00Z","status":"succeeded","image_bytes":12}"#;
        put("a.ndjson", &record.replace('\n', ""));
        assert_eq!(look("a.ndjson", 61), (vec![Some(12)], 0));
    }
}
