//! Reading files of backup jobs.

mod arrivals;
mod job_file;
mod server;
mod warnings;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, JobKey, StreamKey, StreamPart};

use crate::cli::InputOptions;
use crate::exit::Failure;

pub(crate) use arrivals::Arrivals;
pub(crate) use job_file::{JobFile, file_name, open};
pub(crate) use warnings::Warnings;

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
}

impl Input {
    /// Reads every file named on the command line. A bad record is reported and skipped.
    pub(crate) fn read(
        files: &[PathBuf],
        arguments: &InputOptions,
        key: &[StreamPart],
    ) -> Result<Self, Failure> {
        let mut input = Self::default();
        let (mut arrivals, mut seen) = (Arrivals::default(), HashSet::new());
        for path in files {
            input.read_file(path, arguments, key, &mut arrivals, &mut seen)?;
        }
        input.jobs = arrivals.arranged(arguments.sort, key);
        Ok(input)
    }

    fn read_file(
        &mut self,
        path: &Path,
        arguments: &InputOptions,
        key: &[StreamPart],
        arrivals: &mut Arrivals,
        seen: &mut HashSet<JobKey>,
    ) -> Result<(), Failure> {
        let mut file = JobFile::open(path, arguments)?;
        let mut summary = FileSummary::new(file.name().to_string());
        let mut twice = Warnings::default();
        while let Some(job) = file.next()? {
            if seen.insert(job.value.key()) {
                summary.add(&job.value, key);
                arrivals.push(file.name(), job);
            } else {
                let (name, place, id) = (file.name(), job.place, job.value.job_id());
                twice.add(|| format!("{name}: {place}: job {id} was there before; taken once"));
            }
        }
        self.bad_records += file.finish();
        self.duplicates += twice.finish(&summary.name, "jobs that were there before");
        self.files.push(summary);
        Ok(())
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
