//! What to walk, and how.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use anomaly_features::SuspiciousExtensions;
use anomaly_features::content::Sampling;
use anomaly_model::chrono::{DateTime, Utc};

/// What to walk, and how.
///
/// ```
/// use anomaly_model::chrono::DateTime;
/// use anomaly_walk::{ReadMode, WalkOptions};
///
/// let options = WalkOptions::new("/srv", "/var/lib/backwatch/srv.state", DateTime::UNIX_EPOCH)
///     .exclude("*.tmp")
///     .sampling(ReadMode::Full);
/// assert!(!options.cross_file_systems);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WalkOptions {
    /// The directory to walk.
    pub directory: PathBuf,
    /// The file that remembers the walk before, and will remember this one. Each directory has one
    /// of its own. `FILE.lock` and, during a walk, `FILE.new` stand beside it.
    pub state: PathBuf,
    /// When the walk starts. Ages of files are counted from there, and what changed after it is read
    /// again the next time.
    pub started_at: DateTime<Utc>,
    /// What is left out, in the syntax of gitignore, relative to the directory.
    pub exclude: Vec<String>,
    /// Files that list what is left out, one pattern a line.
    pub exclude_from: Vec<PathBuf>,
    /// Whether what is mounted below the directory is walked too.
    pub cross_file_systems: bool,
    /// How much of each new or changed file is read.
    pub sampling: ReadMode,
    /// How many threads list directories and read files; one per processor, at most 8, when `None`.
    pub threads: Option<NonZeroUsize>,
    /// The most bytes that are read in a second, by all threads together; no limit when `None`.
    pub max_read_bytes_per_second: Option<NonZeroU64>,
    /// Whether nothing is written: no state, and no lock.
    pub dry_run: bool,
    /// The extensions that ransomware gives to files.
    pub suspicious_extensions: SuspiciousExtensions,
}

impl WalkOptions {
    /// The defaults for this directory and this state file.
    #[must_use]
    pub fn new(
        directory: impl Into<PathBuf>,
        state: impl Into<PathBuf>,
        started_at: DateTime<Utc>,
    ) -> Self {
        Self {
            directory: directory.into(),
            state: state.into(),
            started_at,
            exclude: Vec::new(),
            exclude_from: Vec::new(),
            cross_file_systems: false,
            sampling: ReadMode::default(),
            threads: None,
            max_read_bytes_per_second: None,
            dry_run: false,
            suspicious_extensions: SuspiciousExtensions::default(),
        }
    }

    /// Adds a pattern of what is left out.
    #[must_use]
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.exclude.push(pattern.into());
        self
    }

    /// Adds a file that lists what is left out.
    #[must_use]
    pub fn exclude_from(mut self, file: impl Into<PathBuf>) -> Self {
        self.exclude_from.push(file.into());
        self
    }

    /// Sets whether what is mounted below the directory is walked too.
    #[must_use]
    pub fn cross_file_systems(mut self, cross_file_systems: bool) -> Self {
        self.cross_file_systems = cross_file_systems;
        self
    }

    /// Sets how much of each new or changed file is read.
    #[must_use]
    pub fn sampling(mut self, sampling: ReadMode) -> Self {
        self.sampling = sampling;
        self
    }

    /// Sets how many threads list directories and read files.
    #[must_use]
    pub fn threads(mut self, threads: impl Into<Option<NonZeroUsize>>) -> Self {
        self.threads = threads.into();
        self
    }

    /// Sets the most bytes that are read in a second.
    #[must_use]
    pub fn max_read_bytes_per_second(mut self, bytes: impl Into<Option<NonZeroU64>>) -> Self {
        self.max_read_bytes_per_second = bytes.into();
        self
    }

    /// Sets whether nothing is written.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sets the extensions that ransomware gives to files.
    #[must_use]
    pub fn suspicious_extensions(mut self, extensions: SuspiciousExtensions) -> Self {
        self.suspicious_extensions = extensions;
        self
    }
}

/// How much of each new or changed file is read.
///
/// Two walks compare the bytes of a file only if both read it in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadMode {
    /// All of it.
    Full,
    /// Its first 64 KiB: cheapest, and blind for what is done behind them.
    Head,
    /// 4 KiB of each 64 KiB, among them its beginning and end; at most 64 MiB.
    #[default]
    Strided,
}

impl ReadMode {
    /// Which bytes those are. `seed` decides between blocks of a stretch.
    pub(crate) fn with_seed(self, seed: u64) -> Sampling {
        match self {
            Self::Full => Sampling::Full,
            Self::Head => Sampling::Head,
            Self::Strided => Sampling::Strided { seed },
        }
    }

    /// The number that stands for it in a state.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Full => 1,
            Self::Head => 2,
            Self::Strided => 3,
        }
    }
}
