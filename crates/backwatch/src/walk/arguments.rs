//! The command line of `backwatch walk`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_walk::{ReadMode, WalkOptions};
use bytesize::ByteSize;
use clap::{Args, ValueEnum};

use crate::cli::key_value;

/// Look at the directory that a backup was made of: what is new, changed and gone, and what was written.
///
/// For tools that do not tell. It compares with the walk before, which FILE remembers, reads what is
/// new or changed, and prints counts, the statistics of the written content, and the files that show
/// it. The first walk reads everything, and all files count as new. Best run beside the backup, or
/// right after it: what changes in between is seen by one of the two alone.
///
/// Files that cannot be read, vanish, or change while they are read are counted and no failure. Links
/// are not followed, ignore files in the directory not obeyed.
///
/// Exit status: 0 walked, 2 wrong usage, 4 failure.
#[derive(Debug, Args)]
pub(crate) struct WalkArguments {
    /// The directory.
    #[arg(id = "walk", value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// Remember this walk in this file, for the next one to compare with. Each directory needs one of
    /// its own, and the same one every time.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: PathBuf,

    #[command(flatten)]
    pub(crate) flags: WalkFlags,

    /// Compare and print, but leave the state as it is.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Read settings from this TOML file: which extensions are suspicious.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,

    /// Change one setting, such as `detection.exclude_extensions=["crypt"]`; wins over file and
    /// environment.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,

    /// How to show what was found.
    #[arg(long, value_enum, default_value_t = WalkOutput::Text)]
    pub(crate) output: WalkOutput,

    /// Print this job record instead, with what was found filled in: counts and sizes that it lacks,
    /// the counts of files where the walk saw more of them written, `content` and `inspection`; after a
    /// first walk, only what that can tell of the job. After a job that left no image the state stays
    /// as it is. A file with one JSON line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    pub(crate) merge: Option<PathBuf>,
}

/// How a directory is walked.
#[derive(Debug, Args)]
#[group(requires = "walk")]
pub(crate) struct WalkFlags {
    /// Leave out what matches this pattern, in the syntax of gitignore, relative to the directory; may
    /// be given several times. Leave out what the backup leaves out.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,

    /// Leave out what matches a pattern in this file, one a line; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) exclude_from: Vec<PathBuf>,

    /// Also walk what is mounted below the directory.
    #[arg(long)]
    pub(crate) cross_file_systems: bool,

    /// How much of each new or changed file is read.
    #[arg(long, value_enum, default_value_t = Sampling::Strided)]
    pub(crate) sampling: Sampling,

    /// Read no more than this in a second, such as `20MB/s` or `4MiB`; no limit when not given.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) max_read_rate: Option<NonZeroU64>,

    /// How many threads list directories and read files; one per processor, at most 8, when not
    /// given. Changes the time, never the result.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl WalkFlags {
    /// The same for the library.
    pub(crate) fn of(
        &self,
        directory: &Path,
        state: &Path,
        started_at: DateTime<Utc>,
    ) -> WalkOptions {
        let mut options = WalkOptions::new(directory, state, started_at)
            .cross_file_systems(self.cross_file_systems)
            .sampling(self.sampling.into())
            .max_read_bytes_per_second(self.max_read_rate)
            .threads(
                self.threads
                    .and_then(|threads| NonZeroUsize::new(threads.into())),
            );
        options.exclude.clone_from(&self.exclude);
        options.exclude_from.clone_from(&self.exclude_from);
        options
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sampling {
    /// All of it.
    Full,
    /// The first 64 KiB.
    Head,
    /// 4 KiB of each 64 KiB, beginning and end among them; at most 64 MiB.
    Strided,
}

impl From<Sampling> for ReadMode {
    fn from(sampling: Sampling) -> Self {
        match sampling {
            Sampling::Full => Self::Full,
            Sampling::Head => Self::Head,
            Sampling::Strided => Self::Strided,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WalkOutput {
    /// A summary, with the notable files and what could not be read.
    Text,
    /// One JSON document: the counts, `content` and `inspection` as in a job record.
    Json,
}

/// Bytes in a second, with or without `/s` behind it.
fn rate(text: &str) -> Result<NonZeroU64, String> {
    let bytes = text.strip_suffix("/s").unwrap_or(text).parse::<ByteSize>();
    let bytes = bytes.ok().and_then(|size| NonZeroU64::new(size.as_u64()));
    bytes.ok_or_else(|| "write it as 20MB/s or 4MiB/s, more than 0".to_owned())
}
