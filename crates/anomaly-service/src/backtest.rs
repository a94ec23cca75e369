//! What other settings would have said of the past.

mod replay;
mod report;

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anomaly_engine::{Engine, Population};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{AnomalyKind, JobKey, ReviewStatus, Severity, StreamKey};
use anomaly_settings::Settings;
use anomaly_storage::{Origin, Read, Recorded, StoreError, Stored, StoredObservation};
#[cfg(feature = "rayon")]
use rayon::prelude::*;

use self::replay::{Outcome, Replay};
use self::report::Compared;
pub use self::report::{
    Alarms, BacktestReport, ChangedAnomaly, Changes, StoredDifference, StreamChange,
};
use crate::ServiceError;

/// Streams that are replayed before what was found is added up.
const CHUNK_STREAMS: usize = 1_024;
/// Records that are read at once.
const PAGE: usize = 256;

/// Replays the stored history under other settings, and says what would be found that was not, and
/// missed that was found.
///
/// Both sides are replayed, under the settings of today and under the others: so a difference is
/// one of the settings, whatever version judged when the jobs came. Reviews and what was taken back
/// take part in both in the order in which they were made; what a person decided about an anomaly
/// that a replay does not raise still covers later jobs. Nothing is written.
///
/// ```
/// use anomaly_service::settings::{AlarmBudget, Settings};
/// use anomaly_service::{AnomalyService, Backtest};
///
/// let service = AnomalyService::in_memory(Settings::default());
/// let mut other = Settings::default();
/// other.detection.alarm_budget = AlarmBudget::new(4.0)?;
/// let report = service.backtest(&Backtest::new(service.settings().clone(), other))?;
/// assert_eq!((report.gained.count, report.confirmed_lost.count), (0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Backtest {
    before: Engine,
    after: Engine,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

/// How far a backtest has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BacktestProgress {
    /// Records that were replayed.
    pub done: u64,
    /// Records in the log, of which some are no jobs or reviews, or were deleted.
    pub of_at_most: u64,
}

impl Backtest {
    /// Compares `other` settings with those of today.
    #[must_use]
    pub fn new(today: Settings, other: Settings) -> Self {
        Self {
            before: Engine::new(today),
            after: Engine::new(other),
            since: None,
            until: None,
        }
    }

    /// Judges by what this population shows of streams in general, instead of the shipped one.
    #[must_use]
    pub fn with_population(mut self, population: Arc<Population>) -> Self {
        self.before = self.before.with_population(population.clone());
        self.after = self.after.with_population(population);
        self
    }

    /// Counts only jobs that started at this time or later. Those before are replayed too: what is
    /// usual was learnt from them.
    #[must_use]
    pub fn since(mut self, since: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.since = since.into();
        self
    }

    /// Counts only jobs that started before this time.
    #[must_use]
    pub fn until(mut self, until: impl Into<Option<DateTime<Utc>>>) -> Self {
        self.until = until.into();
        self
    }

    /// Replays what is stored, with the feature `rayon` several streams at a time on its threads; the
    /// answer is the same for any number of them.
    ///
    /// `open` opens the store for one thread to read. What is recorded after the beginning has no
    /// part in it, and no lock is held: others go on writing. What they delete meanwhile may be
    /// missing. `progress` is called after each stream, from any thread, and may break off.
    ///
    /// Memory grows with the anomalies that change, not with the jobs; when `streams.key` differs,
    /// also with the streams, by some ten kilobytes each, and one thread replays all in turn.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be opened or read, and
    /// [`ServiceError::BrokenOff`] when `progress` said so.
    pub fn run<R: Read + Send>(
        &self,
        open: impl Fn() -> Result<R, StoreError> + Sync,
        progress: impl Fn(BacktestProgress) -> ControlFlow<()> + Sync,
    ) -> Result<BacktestReport, ServiceError> {
        let reader = open()?;
        let run = Run::begin(self, &reader, &progress)?;
        if !self.are_streams_as_stored(&reader)? {
            return run.in_turn(&reader);
        }
        let readers = Mutex::new(vec![reader]);
        let take = || readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let give = |reader| {
            let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
            readers.push(reader);
        };
        let with_reader = |key: &StreamKey| {
            let reader = take().map_or_else(&open, Ok)?;
            let found = run.stream(&reader, key);
            give(reader);
            found
        };
        let chunks = chunks(|after| {
            let reader = take().map_or_else(&open, Ok)?;
            let page = reader.streams(after, CHUNK_STREAMS);
            give(reader);
            page
        });
        let mut report = BacktestReport::default();
        for keys in chunks {
            let keys = keys?;
            #[cfg(feature = "rayon")]
            let streams = keys.par_iter();
            #[cfg(not(feature = "rayon"))]
            let streams = keys.iter();
            let found: Vec<StreamFound> = streams.map(with_reader).collect::<Result<_, _>>()?;
            for (key, found) in keys.iter().zip(found) {
                found.add_to(key, &mut report);
            }
        }
        Ok(run.finished(report))
    }

    /// The same with one reader, on this thread.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_on(
        &self,
        reader: &(impl Read + ?Sized),
        progress: impl Fn(BacktestProgress) -> ControlFlow<()> + Sync,
    ) -> Result<BacktestReport, ServiceError> {
        let run = Run::begin(self, reader, &progress)?;
        if !self.are_streams_as_stored(reader)? {
            return run.in_turn(reader);
        }
        let mut report = BacktestReport::default();
        for keys in chunks(|after| reader.streams(after, CHUNK_STREAMS)) {
            for key in keys? {
                run.stream(reader, &key)?.add_to(&key, &mut report);
            }
        }
        Ok(run.finished(report))
    }

    /// Whether each stream of both sides is one that is stored.
    fn are_streams_as_stored(&self, reader: &(impl Read + ?Sized)) -> Result<bool, ServiceError> {
        let parts = self.before.settings().streams.key.parts();
        if parts != self.after.settings().streams.key.parts() {
            return Ok(false);
        }
        let is_so = |key: &StreamKey| key.parts().iter().map(|(part, _)| part).eq(parts);
        for keys in chunks(|after| reader.streams(after, CHUNK_STREAMS)) {
            if !keys?.iter().all(is_so) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_counted(&self, at: DateTime<Utc>) -> bool {
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// The streams that are stored, some at a time: `read` reads those after a number.
fn chunks(
    mut read: impl FnMut(u64) -> Result<Vec<Stored<(StreamKey, Option<String>)>>, StoreError>,
) -> impl Iterator<Item = Result<Vec<StreamKey>, ServiceError>> {
    let mut after = 0;
    std::iter::from_fn(move || match read(after) {
        Ok(page) => {
            after = page.last()?.number;
            Some(Ok(page.into_iter().map(|stored| stored.record.0).collect()))
        }
        Err(error) => Some(Err(error.into())),
    })
}

/// A backtest that has begun.
struct Run<'a, P> {
    backtest: &'a Backtest,
    progress: &'a P,
    /// Records after this one came later.
    last_number: u64,
    done: AtomicU64,
}

impl<'a, P: Fn(BacktestProgress) -> ControlFlow<()> + Sync> Run<'a, P> {
    fn begin(
        backtest: &'a Backtest,
        reader: &(impl Read + ?Sized),
        progress: &'a P,
    ) -> Result<Self, ServiceError> {
        Ok(Self {
            backtest,
            progress,
            last_number: reader.log_head()?.size,
            done: AtomicU64::new(0),
        })
    }

    fn finished(&self, mut report: BacktestReport) -> BacktestReport {
        let incidents = |engine: &'a Engine| &engine.settings().incidents;
        report.finish([
            incidents(&self.backtest.before),
            incidents(&self.backtest.after),
        ]);
        report
    }

    fn advance(&self, records: u64) -> Result<(), ServiceError> {
        let before = self.done.fetch_add(records, Ordering::Relaxed);
        let progress = BacktestProgress {
            done: before + records,
            of_at_most: self.last_number,
        };
        match (self.progress)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ServiceError::BrokenOff),
        }
    }

    /// Calls `visit` with each record of a stream, or of all.
    fn each(
        &self,
        reader: &(impl Read + ?Sized),
        stream: Option<&StreamKey>,
        mut visit: impl FnMut(Recorded),
    ) -> Result<(), ServiceError> {
        let mut after = 0;
        loop {
            let page = reader.recorded_after(stream, after, PAGE)?;
            let count = page.len();
            for recorded in page {
                after = recorded.number();
                if after > self.last_number {
                    return Ok(());
                }
                visit(recorded);
            }
            self.advance(count as u64)?;
            if count < PAGE {
                return Ok(());
            }
        }
    }

    /// Replays one stream.
    fn stream(
        &self,
        reader: &(impl Read + ?Sized),
        key: &StreamKey,
    ) -> Result<StreamFound, ServiceError> {
        let mut sides = [Replay::new(), Replay::new()];
        let mut found = StreamFound::default();
        self.each(reader, Some(key), |recorded| match recorded {
            Recorded::Observation(stored) => {
                let [before, after] = &mut sides;
                let said = [
                    before.observe(&self.backtest.before, &stored),
                    after.observe(&self.backtest.after, &stored),
                ];
                found.note(self.backtest, key, &stored, said);
            }
            Recorded::Review { job, review, .. } => {
                for side in &mut sides {
                    side.review(&job, &review);
                }
                found.reviewed.insert(job, review.status);
            }
        })?;
        Ok(found)
    }

    /// Replays all streams, one record after the other.
    fn in_turn(&self, reader: &(impl Read + ?Sized)) -> Result<BacktestReport, ServiceError> {
        let engines = [&self.backtest.before, &self.backtest.after];
        let mut replays: [BTreeMap<StreamKey, Replay>; 2] = Default::default();
        let mut streams_of: HashMap<JobKey, [StreamKey; 2]> = HashMap::new();
        let mut found: BTreeMap<StreamKey, StreamFound> = BTreeMap::new();
        let mut order: Vec<StreamKey> = Vec::new();
        self.each(reader, None, |recorded| match recorded {
            Recorded::Observation(stored) => {
                // A missed job has no more of a stream than it was stored with.
                let keys = engines.map(|engine| match stored.origin {
                    Origin::Tool => engine.stream_of(&stored.job),
                    Origin::Clock => stored.stream.clone(),
                });
                let mut said = [Outcome::Quiet; 2];
                for (place, key) in keys.iter().enumerate() {
                    let replay = replays[place].entry(key.clone());
                    let replay = replay.or_insert_with(Replay::new);
                    said[place] = replay.observe(engines[place], &stored);
                }
                let key = &keys[0];
                if !found.contains_key(key) {
                    order.push(key.clone());
                }
                let found = found.entry(key.clone()).or_default();
                found.note(self.backtest, key, &stored, said);
                if stored.verdict.is_anomalous() {
                    streams_of.insert(stored.job.key(), keys);
                }
            }
            Recorded::Review { job, review, .. } => {
                let Some(keys) = streams_of.get(&job) else {
                    return;
                };
                for (place, key) in keys.iter().enumerate() {
                    if let Some(replay) = replays[place].get_mut(key) {
                        replay.review(&job, &review);
                    }
                }
                if let Some(found) = found.get_mut(&keys[0]) {
                    found.reviewed.insert(job, review.status);
                }
            }
        })?;
        let mut report = BacktestReport::default();
        for key in &order {
            if let Some(found) = found.remove(key) {
                found.add_to(key, &mut report);
            }
        }
        Ok(self.finished(report))
    }
}

/// What was found in one stream.
#[derive(Default)]
struct StreamFound {
    jobs: u64,
    not_scored: [u64; 2],
    /// Jobs that some side calls anomalous, or what is stored.
    compared: Vec<Compared>,
    reviewed: HashMap<JobKey, ReviewStatus>,
}

impl StreamFound {
    fn note(
        &mut self,
        backtest: &Backtest,
        key: &StreamKey,
        stored: &StoredObservation,
        said: [Outcome; 2],
    ) {
        let job = &stored.job;
        if !backtest.is_counted(job.started_at()) {
            return;
        }
        if stored.origin == Origin::Tool {
            self.jobs += 1;
        }
        for (count, said) in self.not_scored.iter_mut().zip(said) {
            *count += u64::from(said == Outcome::NotScored);
        }
        let [before, after] = said.map(Outcome::anomaly);
        let kept = Outcome::of(&stored.verdict).anomaly();
        if let Some((severity, kind)) = before.or(after).or(kept) {
            self.compared.push(Compared {
                anomaly: changed(key, stored, severity, kind),
                before,
                after,
                stored: kept.is_some(),
            });
        }
    }

    fn add_to(mut self, key: &StreamKey, report: &mut BacktestReport) {
        for one in &mut self.compared {
            if let Some(status) = self.reviewed.get(&one.anomaly.job) {
                one.anomaly.review_status = *status;
            }
        }
        let [before, after] = self.not_scored;
        report.before.not_scored_jobs += before;
        report.after.not_scored_jobs += after;
        report.add_stream(key, self.jobs, self.compared);
    }
}

fn changed(
    key: &StreamKey,
    stored: &StoredObservation,
    severity: Severity,
    kind: AnomalyKind,
) -> ChangedAnomaly {
    ChangedAnomaly {
        job: stored.job.key(),
        client: stored.job.client().name.clone(),
        stream: key.to_string(),
        started_at: stored.job.started_at(),
        severity,
        kind,
        review_status: ReviewStatus::NotReviewed,
    }
}
