//! Jobs as they come out of their files, and the order in which they are judged.

use std::collections::HashMap;
use std::rc::Rc;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, StreamKey, StreamPart};
use anomaly_sources::{Located, Place};

use crate::input::warnings::Warnings;
use crate::terminal::warning;

/// One record in so many may be late, or have a clock that was set back. If more start before the
/// record above them, the input is in another order than that of arrival.
const LATE: usize = 10;

/// Jobs in the order in which they were found, and where.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    jobs: Vec<BackupJob>,
    /// The name of the file, and the record's place in it, of each job.
    places: Vec<(Rc<str>, Place)>,
}

/// A job that starts before one above it of the same stream.
struct Early {
    index: usize,
    start: DateTime<Utc>,
    /// The latest start above it.
    before: DateTime<Utc>,
}

impl Arrivals {
    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn push(&mut self, file: &Rc<str>, job: Located<BackupJob>) {
        self.places.push((Rc::clone(file), job.place));
        self.jobs.push(job.value);
    }

    /// Whether the jobs are in another order than that of their arrival.
    pub(crate) fn are_disordered(&self, key: &[StreamPart]) -> bool {
        self.is_disorder(&self.early(key))
    }

    /// The jobs in the order in which they are judged: that of their arrival, which the files are
    /// in unless too many jobs start before one above them, or the user says so.
    pub(crate) fn arranged(mut self, sort: bool, key: &[StreamPart]) -> Vec<BackupJob> {
        let early = self.early(key);
        let disorder = self.is_disorder(&early);
        if !sort
            && disorder
            && let Some(first) = early.first()
        {
            warning(&format!(
                "{} of {} jobs start before a job above them, the first at {}: judged in order of \
                 their start, in which a clock that was set back cannot be seen",
                early.len(),
                self.jobs.len(),
                self.place(first.index)
            ));
        } else if !sort {
            let mut warnings = Warnings::default();
            for early in early {
                warnings.add(|| {
                    let (start, before) = (early.start.to_rfc3339(), early.before.to_rfc3339());
                    let place = self.place(early.index);
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
        self.jobs
    }

    fn early(&self, key: &[StreamPart]) -> Vec<Early> {
        let mut latest: HashMap<StreamKey, DateTime<Utc>> = HashMap::new();
        let mut early = Vec::new();
        for (index, job) in self.jobs.iter().enumerate() {
            let start = job.started_at();
            let before = latest.entry(StreamKey::of(job, key)).or_insert(start);
            if start < *before {
                early.push(Early {
                    index,
                    start,
                    before: *before,
                });
            }
            *before = start.max(*before);
        }
        early
    }

    fn is_disorder(&self, early: &[Early]) -> bool {
        early.len() * LATE > self.jobs.len()
    }

    fn place(&self, job: usize) -> String {
        let place = self.places.get(job);
        place
            .map(|(file, place)| format!("{file}: {place}"))
            .unwrap_or_default()
    }
}
