//! Jobs that take far longer than there is to do.

use anomaly_model::BackupJob;

use crate::memory::{Memory, Remembered};

/// Jobs of late that are compared.
const OF_LATE: usize = 30;
/// Fewer say nothing about how long jobs take.
const FEWEST: usize = 10;
/// Longer than the longest of late by this factor,
const LONGER_THAN_LONGEST: f64 = 1.5;
/// and than the middle one by this factor, is slow.
const LONGER_THAN_MIDDLE: f64 = 2.5;

/// A job that took far longer than those of late, and sent no more than they did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slowdown {
    pub(crate) seconds: f64,
    pub(crate) usual_seconds: (f64, f64),
    /// Whether jobs that took as long were reported twice before.
    pub(crate) is_known: bool,
}

impl Slowdown {
    /// `None` if the job was not slow, or nobody can tell.
    pub(crate) fn of(memory: &Memory, job: &BackupJob) -> Option<Self> {
        let seconds = job.duration_seconds()?;
        let sent = job.image().transferred_bytes?;
        let of_late = || memory.jobs().rev().take(OF_LATE);
        let usual = || of_late().filter(|job| !job.held);
        let most_sent = usual().filter_map(|job| job.transferred_bytes).max()?;
        let usual: Vec<f64> = usual().filter_map(duration).collect();
        // One strange job says nothing; the same again is how long jobs take now, and was told.
        let mut strange: Vec<f64> = of_late()
            .filter(|job| job.held && !job.is_confirmed())
            .filter_map(duration)
            .collect();
        strange.sort_by(f64::total_cmp);
        strange.pop();
        let told = usual.iter().copied().chain(strange).collect();
        let beyond_usual = beyond(seconds, usual);
        let beyond_told = beyond(seconds, told);
        let usual_seconds = beyond_usual.or(beyond_told).filter(|_| sent <= most_sent)?;
        Some(Self {
            seconds,
            usual_seconds,
            is_known: beyond_told.is_none(),
        })
    }
}

/// The shortest and the longest of some durations, if there are enough and `seconds` is far beyond.
fn beyond(seconds: f64, mut durations: Vec<f64>) -> Option<(f64, f64)> {
    durations.sort_by(f64::total_cmp);
    let (shortest, longest) = (*durations.first()?, *durations.last()?);
    let middle = durations[durations.len() / 2];
    let slow = durations.len() >= FEWEST
        && seconds > LONGER_THAN_LONGEST * longest
        && seconds > LONGER_THAN_MIDDLE * middle;
    slow.then_some((shortest, longest))
}

fn duration(job: &Remembered) -> Option<f64> {
    job.duration_seconds.map(f64::from)
}
