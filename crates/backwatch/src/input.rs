//! Reading the files of a scan.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, JobKey, StreamKey, StreamPart};
use anomaly_sources::{Format, Located, Place, ReadOption, ReadOptions, Record, recognise};

use crate::cli::{FormatChoice, InputOptions};
use crate::exit::Failure;
use crate::terminal::warning;

/// More warnings of one kind than this help nobody.
const SHOWN_WARNINGS: u64 = 10;

/// One record in so many may be late, or have a clock that was set back. If more start before the
/// record above them, the input is in another order than that of arrival.
const LATE: usize = 10;

/// What one file held.
#[derive(Debug)]
pub(crate) struct FileSummary {
    pub(crate) name: String,
    pub(crate) jobs: u64,
    pub(crate) clients: BTreeSet<String>,
    pub(crate) streams: BTreeSet<StreamKey>,
    pub(crate) first_start: Option<DateTime<Utc>>,
    pub(crate) last_start: Option<DateTime<Utc>>,
}

/// All that the files of a scan held.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) files: Vec<FileSummary>,
    /// In the order in which they are to be judged.
    pub(crate) jobs: Vec<BackupJob>,
    pub(crate) bad_records: u64,
    pub(crate) duplicates: u64,
    /// Where each of the jobs was found: the file's place in `files`, and the record's in it.
    places: Vec<(usize, Place)>,
    seen: HashSet<JobKey>,
}

impl Input {
    /// Reads every file named on the command line. A bad record is reported and skipped.
    pub(crate) fn read(
        files: &[PathBuf],
        arguments: &InputOptions,
        key: &[StreamPart],
    ) -> Result<Self, Failure> {
        let mut input = Self::default();
        for path in files {
            input.read_file(path, arguments, key)?;
        }
        input.arrange(arguments.sort, key);
        Ok(input)
    }

    fn read_file(
        &mut self,
        path: &Path,
        arguments: &InputOptions,
        key: &[StreamPart],
    ) -> Result<(), Failure> {
        let name = file_name(path);
        let failed = |source| Failure::of_source(&name, source);
        let mut content = open(path)?;
        let format = if let FormatChoice::Named(format) = arguments.format {
            format
        } else {
            let unreadable = |source| Failure::Open {
                path: path.to_owned(),
                source,
            };
            recognise(content.fill_buf().map_err(unreadable)?)
                .map_err(failed)?
                .format
        };
        warn_of_unused(arguments, &name, format);
        let options = ReadOptions::default()
            .client(arguments.client.clone())
            .policy(arguments.policy.clone())
            .started_at(arguments.started_at)
            .exit_code(arguments.exit_code)
            .timezone(arguments.timezone)
            .policy_parts(arguments.policy_parts.clone());

        let mut summary = FileSummary::new(name.clone());
        let (mut bad, mut skipped, mut twice) = (
            Warnings::default(),
            Warnings::default(),
            Warnings::default(),
        );
        for record in anomaly_sources::read(content, format, &options).map_err(failed)? {
            match record.map_err(failed)? {
                Record::Job(Located {
                    place, value: job, ..
                }) => {
                    if self.seen.insert(job.key()) {
                        summary.add(&job, key);
                        self.places.push((self.files.len(), place));
                        self.jobs.push(job);
                    } else {
                        let id = job.job_id();
                        twice.add(|| {
                            format!("{name}: {place}: job {id} was there before; taken once")
                        });
                    }
                }
                Record::Skipped(Located {
                    place, value: why, ..
                }) => {
                    skipped.add(|| format!("{name}: {place}: {why}; skipped"));
                }
                Record::Bad(error) => bad.add(|| format!("{name}: {error}; skipped")),
                _ => bad.add(|| format!("{name}: a record of an unknown kind; skipped")),
            }
        }
        skipped.finish(&name, "records that are no finished backups");
        self.bad_records += bad.finish(&name, "records that could not be read");
        self.duplicates += twice.finish(&name, "jobs that were there before");
        self.files.push(summary);
        Ok(())
    }

    /// Puts the jobs in the order in which they are judged: that of their arrival, which the files
    /// are in unless too many jobs start before one above them, or the user says so.
    fn arrange(&mut self, sort: bool, key: &[StreamPart]) {
        let mut latest: HashMap<StreamKey, DateTime<Utc>> = HashMap::new();
        let mut early = Vec::new();
        for (index, job) in self.jobs.iter().enumerate() {
            let start = job.started_at();
            let before = latest.entry(StreamKey::of(job, key)).or_insert(start);
            if start < *before {
                early.push((index, start, *before));
            }
            *before = start.max(*before);
        }
        let disorder = early.len() * LATE > self.jobs.len();
        if !sort
            && disorder
            && let Some(&(first, ..)) = early.first()
        {
            warning(&format!(
                "{} of {} jobs start before a job above them, the first at {}: judged in order of \
                 their start, in which a clock that was set back cannot be seen",
                early.len(),
                self.jobs.len(),
                self.place(first)
            ));
        } else if !sort {
            let mut warnings = Warnings::default();
            for (index, start, before) in early {
                warnings.add(|| {
                    let (start, before) = (start.to_rfc3339(), before.to_rfc3339());
                    let place = self.place(index);
                    format!(
                        "{place}: starts at {start}, before a job above it ({before}); if it \
                             only arrived late, use --sort"
                    )
                });
            }
            warnings.finish("the input", "jobs that start before a job above them");
        }
        if sort || disorder {
            self.jobs.sort_by_key(BackupJob::started_at);
        }
    }

    fn place(&self, job: usize) -> String {
        let found = self
            .places
            .get(job)
            .and_then(|(file, place)| Some((self.files.get(*file)?, place)));
        found
            .map(|(file, place)| format!("{}: {place}", file.name))
            .unwrap_or_default()
    }
}

impl FileSummary {
    fn new(name: String) -> Self {
        Self {
            name,
            jobs: 0,
            clients: BTreeSet::new(),
            streams: BTreeSet::new(),
            first_start: None,
            last_start: None,
        }
    }

    fn add(&mut self, job: &BackupJob, key: &[StreamPart]) {
        let start = job.started_at();
        self.jobs += 1;
        self.clients.insert(job.client().name.to_string());
        self.streams.insert(StreamKey::of(job, key));
        self.first_start = Some(self.first_start.map_or(start, |first| first.min(start)));
        self.last_start = Some(self.last_start.map_or(start, |last| last.max(start)));
    }
}

/// An option that changes nothing is a misunderstanding.
fn warn_of_unused(arguments: &InputOptions, name: &str, format: Format) {
    let used = format.source().options();
    let given = [
        (ReadOption::Client, arguments.client.is_some()),
        (ReadOption::Policy, arguments.policy.is_some()),
        (ReadOption::PolicyParts, arguments.policy_parts.is_some()),
        (ReadOption::StartedAt, arguments.started_at.is_some()),
        (ReadOption::ExitCode, arguments.exit_code.is_some()),
        (ReadOption::Timezone, arguments.timezone.is_some()),
    ];
    for (option, is_given) in given {
        if is_given && !used.contains(&option) {
            let option = option.as_str().replace('_', "-");
            warning(&format!(
                "{name}: --{option} is not used: {format} has no need of it"
            ));
        }
    }
}

/// Warnings of one kind: the first ones whole, then a count.
#[derive(Default)]
struct Warnings {
    count: u64,
}

impl Warnings {
    fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.count <= SHOWN_WARNINGS {
            warning(&text());
        }
    }

    fn finish(self, name: &str, what: &str) -> u64 {
        if let Some(more @ 1..) = self.count.checked_sub(SHOWN_WARNINGS) {
            warning(&format!("{name}: {more} more {what}"));
        }
        self.count
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let failed = |source| Failure::Open {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
}

fn file_name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}
