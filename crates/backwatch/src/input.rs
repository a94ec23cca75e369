//! Reading the files of a scan.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, JobKey, StreamKey, StreamPart};
use anomaly_sources::{Located, ReadOptions, Record, recognise};

use crate::cli::ScanArguments;
use crate::exit::Failure;
use crate::terminal::warning;

/// More warnings of one kind than this help nobody.
const SHOWN_WARNINGS: u64 = 10;

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
    pub(crate) jobs: Vec<BackupJob>,
    pub(crate) bad_records: u64,
    pub(crate) duplicates: u64,
}

impl Input {
    /// Reads every file named on the command line. A bad record is reported and skipped.
    pub(crate) fn read(arguments: &ScanArguments, key: &[StreamPart]) -> Result<Self, Failure> {
        let mut input = Self::default();
        let mut seen = HashSet::new();
        for path in &arguments.files {
            input.read_file(path, arguments, key, &mut seen)?;
        }
        if arguments.sort {
            input.jobs.sort_by_key(BackupJob::started_at);
        }
        Ok(input)
    }

    fn read_file(
        &mut self,
        path: &Path,
        arguments: &ScanArguments,
        key: &[StreamPart],
        seen: &mut HashSet<JobKey>,
    ) -> Result<(), Failure> {
        let name = file_name(path);
        let failed = |source| Failure::Source {
            name: name.clone(),
            source,
        };
        let mut content = open(path)?;
        let format = if let Some(format) = arguments.format {
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
        let options = ReadOptions::default()
            .client(arguments.client.clone())
            .policy(arguments.policy.clone())
            .started_at(arguments.started_at)
            .exit_code(arguments.exit_code);

        let mut summary = FileSummary {
            name: name.clone(),
            jobs: 0,
            clients: BTreeSet::new(),
            streams: BTreeSet::new(),
            first_start: None,
            last_start: None,
        };
        let mut bad = Warnings::default();
        let mut skipped = Warnings::default();
        let mut twice = Warnings::default();
        let mut backwards = Warnings::default();
        let mut latest: HashMap<StreamKey, DateTime<Utc>> = HashMap::new();
        for record in anomaly_sources::read(content, format, &options).map_err(failed)? {
            let Located {
                place, value: job, ..
            } = match record.map_err(failed)? {
                Record::Job(located) => located,
                Record::Skipped(Located {
                    place, value: why, ..
                }) => {
                    skipped.add(|| format!("{name}: {place}: {why}; skipped"));
                    continue;
                }
                Record::Bad(error) => {
                    bad.add(|| format!("{name}: {error}; skipped"));
                    continue;
                }
                _ => {
                    bad.add(|| format!("{name}: a record of an unknown kind; skipped"));
                    continue;
                }
            };
            if !seen.insert(job.key()) {
                let id = job.job_id();
                twice.add(|| format!("{name}: {place}: job {id} was there before; judged once"));
                continue;
            }
            let start = job.started_at();
            let stream = StreamKey::of(&job, key);
            let before = latest.entry(stream.clone()).or_insert(start);
            if start < *before && !arguments.sort {
                backwards.add(|| {
                    let (start, before) = (start.to_rfc3339(), before.to_rfc3339());
                    format!(
                        "{name}: {place}: starts at {start}, before a job above it ({before}); if \
                         the file is not in order of arrival, use --sort"
                    )
                });
            }
            *before = start.max(*before);
            summary.jobs += 1;
            summary.clients.insert(job.client().name.to_string());
            summary.streams.insert(stream);
            summary.first_start = Some(summary.first_start.map_or(start, |s| s.min(start)));
            summary.last_start = Some(summary.last_start.map_or(start, |s| s.max(start)));
            self.jobs.push(job);
        }
        skipped.finish(&name, "records that are no finished backups");
        self.bad_records += bad.finish(&name, "records that could not be read");
        self.duplicates += twice.finish(&name, "jobs that were there before");
        backwards.finish(&name, "jobs that start before a job above them");
        self.files.push(summary);
        Ok(())
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
