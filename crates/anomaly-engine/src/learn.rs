//! Learning a population from the past of many streams.

use anomaly_features::{AffectedShares, Previous};
use anomaly_model::BackupJob;

use crate::level::{Level, StoredLevel, smallest_in_windows};
use crate::memory::{Memory, Remembered, Strange};
use crate::population::{Calibration, Population, Survival};
use crate::statistic::{STATISTICS, Statistic, View};
use crate::surprise::evidence;

/// A stream with fewer values of a statistic than this teaches nothing about it.
const FEWEST_JOBS: usize = 10;
/// Fewer streams than this are no population.
const FEWEST_STREAMS: usize = 5;
/// The first jobs of a stream are judged by others more than by its own, and do not calibrate.
const SETTLING_JOBS: usize = 14;
/// Jobs that a stream remembers while it teaches.
const REMEMBERED: usize = 120;
/// Jobs rarer than this do not teach, as in a stream that is watched.
const STRANGE: f64 = 1.0 / 365.0;
/// So many streams, evenly spaced, calibrate at most: each is judged by all others.
const MOST_CALIBRATING: usize = 100;
/// Rounds of calibration: the first has no strange jobs to leave out yet.
const ROUNDS: usize = 2;

/// The past jobs of one stream, in order.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PastStream<'a> {
    jobs: Vec<(&'a BackupJob, bool)>,
}

impl<'a> PastStream<'a> {
    /// Adds the next job. An alarm for an `ordinary` one would have been false; one that is known to
    /// have been an upheaval is learnt from, but does not say how loud usual jobs are.
    pub fn push(&mut self, job: &'a BackupJob, ordinary: bool) {
        self.jobs.push((job, ordinary));
    }
}

/// Why nothing could be learnt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// Too few streams.
    #[error(
        "streams with at least {FEWEST_JOBS} images after their first: {found}, and a population takes {FEWEST_STREAMS}"
    )]
    TooFewStreams {
        /// How many there were.
        found: usize,
    },
    /// Too few ordinary jobs to say how loud usual jobs are.
    #[error(
        "too few ordinary jobs after the first {SETTLING_JOBS} of each stream: 100 are needed that report alike"
    )]
    TooFewJobs,
}

/// What one stream shows.
struct Shown {
    /// By [`STATISTICS`]; `None` where too few jobs had it.
    survivals: Vec<Option<Survival>>,
    jobs: u64,
}

impl Population {
    /// Learns how streams in general behave from the past of some.
    ///
    /// Evidence is calibrated on each stream, a hundred at most, as a stranger: by what the other
    /// streams show. Twenty
    /// streams of sixty jobs are a good start; fewer than five are refused.
    ///
    /// # Errors
    /// [`LearnError`] if the streams or their jobs are too few.
    pub fn learn(streams: &[PastStream<'_>]) -> Result<Self, LearnError> {
        let shown: Vec<Shown> = streams.iter().map(show).collect();
        let found = shown
            .iter()
            .filter(|shown| shown.survivals.iter().any(Option::is_some))
            .count();
        if found < FEWEST_STREAMS {
            return Err(LearnError::TooFewStreams { found });
        }
        let mut population = of(&shown, None);
        let views: Vec<View> = View::all().collect();
        let mut calibrations = vec![None; views.len()];
        let step = streams.len().div_ceil(MOST_CALIBRATING);
        for _ in 0..ROUNDS {
            let mut loudness = vec![Vec::new(); views.len()];
            for (index, stream) in streams.iter().enumerate().step_by(step) {
                let others = of(&shown, Some(index));
                for ((view, calibration), loudness) in
                    views.iter().zip(&calibrations).zip(&mut loudness)
                {
                    loudness.extend(loudness_of(stream, &others, *view, calibration.as_ref()));
                }
            }
            calibrations = loudness.into_iter().map(Calibration::of).collect();
        }
        let calibrated = calibrations.iter().any(Option::is_some);
        for (view, calibration) in views.into_iter().zip(calibrations) {
            if let Some(calibration) = calibration {
                population.set_calibration(view, calibration);
            }
        }
        if calibrated {
            Ok(population)
        } else {
            Err(LearnError::TooFewJobs)
        }
    }
}

/// What the streams show, all or all but one.
fn of(shown: &[Shown], without: Option<usize>) -> Population {
    let others = || {
        shown
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != without)
            .map(|(_, shown)| shown)
    };
    let tables = (0..STATISTICS.len())
        .map(|statistic| {
            others()
                .filter_map(|shown| shown.survivals[statistic].clone())
                .collect()
        })
        .collect();
    // The floor of what can be known is that of the whole population.
    let jobs = shown.iter().map(|shown| shown.jobs).sum();
    Population::new(jobs, tables)
}

/// Walks through the images of a stream: their shares, beside what is remembered before each.
fn walk(
    stream: &PastStream<'_>,
    capacity: usize,
    mut visit: impl FnMut(usize, bool, &AffectedShares, &Memory) -> bool,
) -> Memory {
    let mut memory = Memory::default();
    let mut previous: Option<Previous> = None;
    for (index, &(job, ordinary)) in stream.jobs.iter().enumerate() {
        if !job.status().has_image() || Previous::of(job).is_empty() {
            continue;
        }
        let shares = AffectedShares::of(job, previous.as_ref(), &memory.usual());
        if !shares.is_empty() {
            let held = visit(index, ordinary, &shares, &memory);
            let mut remembered = Remembered::of(job, &shares, held);
            if held {
                remembered.strange = Strange::Ordinary;
            }
            memory.push(remembered, capacity);
        }
        previous = Some(Previous::of(job).or(previous.as_ref()));
    }
    memory
}

fn show(stream: &PastStream<'_>) -> Shown {
    let memory = walk(stream, usize::MAX, |_, _, _, _| false);
    let survivals = STATISTICS
        .iter()
        .map(|&statistic| {
            let levels = levels(&memory, statistic);
            (levels.len() >= FEWEST_JOBS).then(|| Survival::of(&levels))
        })
        .collect();
    Shown {
        survivals,
        jobs: memory.jobs().len() as u64,
    }
}

/// Every value of a statistic in a stream.
fn levels(memory: &Memory, statistic: Statistic) -> Vec<Level> {
    let levels = memory
        .jobs()
        .map(|job| job.stored_level(statistic.share))
        .collect();
    smallest_in_windows(levels, statistic.window)
        .into_iter()
        .filter_map(StoredLevel::get)
        .collect()
}

/// The evidence of the ordinary jobs of a stream, judged as one that reports what `view` has.
fn loudness_of(
    stream: &PastStream<'_>,
    population: &Population,
    view: View,
    calibration: Option<&Calibration>,
) -> Vec<f64> {
    let mut loudness = Vec::new();
    walk(stream, REMEMBERED, |index, ordinary, shares, memory| {
        let Some((strength, _)) = evidence(population, view, memory, shares) else {
            return false;
        };
        if ordinary && index >= SETTLING_JOBS {
            loudness.push(strength);
        }
        calibration.is_some_and(|calibration| calibration.p_value(strength) < STRANGE)
    });
    loudness
}
