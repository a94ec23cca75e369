//! What is remembered of one stream.

use std::collections::VecDeque;

use anomaly_features::{FEATURES, Previous};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupJob, JobStatus, LevelShift};
use serde::{Deserialize, Serialize};

use crate::EngineError;
use crate::held::{Held, HeldJobs, Lesson};
use crate::history::{History, Lessons, Row, push_bounded};
use crate::incident::Incident;
use crate::memory::Memory;
use crate::slow_loss::SlowLoss;
use crate::timing::{Timing, is_before};
use crate::written_files::WrittenFiles;

mod decisions;
mod version_1;
mod version_2;

/// The newest format of a stored model.
const FORMAT: u8 = 3;
/// Gaps between jobs that are remembered, to know when one was missed.
const GAPS: usize = 30;
/// Gaps that are remembered because they were reported.
const ODD_GAPS: usize = 8;
/// Marks a reported gap that a person confirmed. No gap is as long, 68 years.
const CONFIRMED_GAP: u32 = 1 << 31;

/// What is remembered of one stream: all that a verdict depends on beside the job and the
/// settings.
///
/// It is bounded (about 100 bytes a job of the history, and 32 anomalies that wait for a person), and
/// serialises exactly: a model that is stored and read back gives the same verdicts, byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamModel {
    /// The names of the columns below, so that a later version finds them again.
    features: Vec<String>,
    history: History,
    held: HeldJobs,
    previous: Option<Previous>,
    odd_image: Option<Previous>,
    latest_start_micros: Option<i64>,
    odd_start_micros: Option<i64>,
    gap_seconds: VecDeque<u32>,
    /// Gaps that were reported as missed backups, with a mark where that was confirmed.
    odd_gap_seconds: VecDeque<u32>,
    last_was_partial: bool,
    pub(crate) memory: Memory,
    pub(crate) incident: Option<Incident>,
    /// The part of the data that was gone when a slow loss was last reported; 0 if none is.
    pub(crate) reported_loss: f32,
    /// Written behind the rest, where there is any.
    #[serde(skip)]
    pub(crate) written_files: WrittenFiles,
}

impl Default for StreamModel {
    fn default() -> Self {
        Self {
            features: FEATURES
                .iter()
                .map(|feature| feature.name.to_owned())
                .collect(),
            history: History::default(),
            held: HeldJobs::default(),
            previous: None,
            odd_image: None,
            latest_start_micros: None,
            odd_start_micros: None,
            gap_seconds: VecDeque::new(),
            odd_gap_seconds: VecDeque::new(),
            last_was_partial: false,
            memory: Memory::default(),
            incident: None,
            reported_loss: 0.0,
            written_files: WrittenFiles::default(),
        }
    }
}

impl StreamModel {
    /// Jobs that the model has learnt from and still remembers.
    #[must_use]
    pub fn learnt_jobs(&self) -> usize {
        self.history.len() + self.accepted_rows().count()
    }

    /// The jobs that say what is usual: usual ones, and those that a person said were.
    pub(crate) fn lessons(&self) -> Lessons<'_> {
        self.history.rows().chain(self.accepted_rows()).collect()
    }

    /// What a person accepted, for as long as a usual job would be remembered.
    fn accepted_rows(&self) -> impl Iterator<Item = &Row> {
        self.held.accepted().filter_map(|held| match &held.lesson {
            Lesson::Numbers { row, .. }
                if held
                    .number
                    .is_none_or(|number| self.memory.remembers(number)) =>
            {
                Some(row)
            }
            _ => None,
        })
    }

    /// The stream's last usual image.
    pub(crate) fn previous(&self) -> Option<&Previous> {
        self.previous.as_ref()
    }

    /// The image of the last job, if it was an anomaly.
    pub(crate) fn odd_image(&self) -> Option<&Previous> {
        self.odd_image.as_ref()
    }

    /// The latest start of a job that came when it was due.
    pub(crate) fn latest_start(&self) -> Option<DateTime<Utc>> {
        self.latest_start_micros
            .and_then(DateTime::from_timestamp_micros)
    }

    /// The start of the last job, if it came at an odd time.
    pub(crate) fn odd_start(&self) -> Option<DateTime<Utc>> {
        self.odd_start_micros
            .and_then(DateTime::from_timestamp_micros)
    }

    /// The remembered gaps between starts, oldest first.
    pub(crate) fn gaps(&self) -> impl ExactSizeIterator<Item = TimeDelta> {
        self.gap_seconds
            .iter()
            .map(|&seconds| TimeDelta::seconds(i64::from(seconds)))
    }

    /// The longest gap that a person accepted.
    pub(crate) fn longest_accepted_gap(&self) -> Option<TimeDelta> {
        let accepted = self.held.accepted().filter_map(|held| match held.lesson {
            Lesson::Numbers { gap_seconds, .. } => gap_seconds,
            Lesson::Empty { .. } => None,
        });
        Some(TimeDelta::seconds(i64::from(accepted.max()?)))
    }

    /// The longest gap but one of those that were reported. One long gap says nothing; one more is
    /// how this stream is, and was told twice.
    pub(crate) fn longest_told_gap(&self) -> Option<TimeDelta> {
        let told = self.odd_gap_seconds.iter().copied();
        let mut odd: Vec<u32> = told.filter(|gap| gap & CONFIRMED_GAP == 0).collect();
        for confirmed in self.confirmed_gaps() {
            if let Some(index) = odd.iter().position(|gap| *gap == confirmed) {
                odd.swap_remove(index);
            }
        }
        odd.sort_unstable();
        odd.pop();
        Some(TimeDelta::seconds(i64::from(odd.pop()?)))
    }

    /// The gaps before jobs that were confirmed as anomalies.
    fn confirmed_gaps(&self) -> impl Iterator<Item = u32> {
        let confirmed = self.held.iter();
        let confirmed = confirmed.filter(|held| self.memory.is_confirmed(held.number));
        confirmed.filter_map(|held| match held.lesson {
            Lesson::Numbers { gap_seconds, .. } => gap_seconds,
            Lesson::Empty { .. } => None,
        })
    }

    pub(crate) fn last_was_partial(&self) -> bool {
        self.last_was_partial
    }

    /// Notes when and how `job` ran.
    pub(crate) fn note_run(&mut self, job: &BackupJob, timing: Timing) {
        let start = job.started_at().timestamp_micros();
        // What was reported twice, and is said to have come again, is how this stream's time is.
        if let Timing::Usual { gap }
        | Timing::Late {
            gap,
            is_known: true,
            is_confirmed: false,
            ..
        } = timing
        {
            self.note_gap(seconds(gap));
            // A little out of turn does not turn back the time; an odd time that is confirmed does.
            let latest = self
                .latest_start()
                .filter(|latest| !is_before(job.started_at(), *latest));
            let latest = latest.map_or(start, |latest| latest.timestamp_micros().max(start));
            self.latest_start_micros = Some(latest);
            self.odd_start_micros = None;
        } else {
            if let Timing::Late {
                gap, is_confirmed, ..
            } = timing
                && let Some(gap_seconds) = seconds(gap)
            {
                let mark = if is_confirmed { CONFIRMED_GAP } else { 0 };
                push_bounded(&mut self.odd_gap_seconds, gap_seconds | mark, ODD_GAPS);
            }
            self.odd_start_micros = Some(start);
        }
        self.last_was_partial = job.status() == JobStatus::Partial;
    }

    /// Notes what image a usual job left, for the next one to be compared with.
    pub(crate) fn note_image(&mut self, job: &BackupJob) {
        self.previous = Some(Previous::of(job).or(self.previous.as_ref()));
        self.odd_image = None;
    }

    /// Notes what image an anomalous job left: what comes after may stay there, or go back.
    pub(crate) fn note_odd_image(&mut self, job: &BackupJob) {
        self.odd_image = Some(Previous::of(job).or(self.previous.as_ref()));
    }

    /// Notes how much is gone by and by.
    #[expect(clippy::cast_possible_truncation, reason = "a part of a whole")]
    pub(crate) fn note_loss(&mut self, loss: Option<SlowLoss>) {
        if let Some(loss) = loss {
            self.reported_loss = loss.reported(self.reported_loss.into()) as f32;
        }
    }

    fn note_gap(&mut self, gap_seconds: Option<u32>) {
        if let Some(gap_seconds @ 1..) = gap_seconds {
            push_bounded(&mut self.gap_seconds, gap_seconds, GAPS);
        }
    }

    /// Learns a usual job.
    pub(crate) fn learn(&mut self, row: Row, capacity: usize) {
        self.history.push(row, capacity);
    }

    /// Keeps a strange job's numbers until a person decides. It is the next to be remembered.
    pub(crate) fn hold_numbers(
        &mut self,
        job: &BackupJob,
        row: Row,
        timing: Timing,
        told: bool,
        capacity: usize,
    ) {
        let gap_seconds = match timing {
            Timing::Late { gap, .. } => seconds(gap),
            _ => None,
        };
        let held = Held {
            job: job.key(),
            lesson: Lesson::Numbers { row, gap_seconds },
            number: Some(self.memory.count()),
            told,
            accepted: None,
        };
        // It is not counted yet among the jobs since what goes on was reported.
        let began = self.began_before(self.memory.count());
        self.hold(held, began, capacity);
    }

    /// Keeps an empty image until a person decides.
    pub(crate) fn hold_empty(&mut self, job: &BackupJob, capacity: usize) {
        let lesson = Lesson::Empty {
            image: Previous::of(job),
            replaced: None,
        };
        let held = Held {
            job: job.key(),
            lesson,
            number: None,
            told: true,
            accepted: None,
        };
        self.hold(held, self.reported_number(), capacity);
    }

    /// Keeps one more; not for the one that what goes on now `began` with.
    fn hold(&mut self, held: Held, began: Option<u64>, capacity: usize) {
        let gone = self.held.push(held, began);
        // What a person accepted stays learnt, and can no more be taken back.
        if let Some(gone) = gone.filter(|gone| gone.accepted.is_some())
            && let Lesson::Numbers { row, gap_seconds } = gone.lesson
        {
            self.history.push(row, capacity);
            self.note_gap(gap_seconds);
        }
    }

    /// The number of the job with which what goes on now was last reported.
    fn reported_number(&self) -> Option<u64> {
        self.began_before(self.memory.count().checked_sub(1)?)
    }

    /// The same, where `last` is the number of the last job that the incident has seen.
    fn began_before(&self, last: u64) -> Option<u64> {
        last.checked_sub(self.incident?.age_jobs.into())
    }

    /// How long a change has lasted that was reported, has not become worse, and shows in most jobs
    /// since; `None` if there is none, or it does not show in the last job.
    pub(crate) fn level_shift(&self) -> Option<LevelShift> {
        let incident = self.incident.filter(Incident::shows)?;
        let since = incident.age_jobs as usize + 1;
        let jobs = self.memory.jobs().rev().take(since);
        let strange = jobs.filter(|job| job.held).count();
        if strange * 2 <= since {
            return None;
        }
        let number = self.reported_number();
        let began = self
            .held
            .iter()
            .find(|held| held.told && held.number == number);
        let began_with = began.map(|held| held.job.clone());
        Some(LevelShift::new(u32::try_from(strange).ok()?, began_with))
    }

    /// Marks the last job as confirmed if it goes on from one that was.
    pub(crate) fn go_on_confirmed(&mut self) {
        let shows = self.incident.as_ref().is_some_and(Incident::shows);
        if shows && self.memory.is_confirmed(self.reported_number()) {
            let count = self.memory.count();
            self.memory.confirm(count - 1..count, true);
        }
    }

    /// Whether something that was reported goes on, or may come again.
    pub(crate) fn goes_on(&self) -> bool {
        self.incident.is_some()
    }

    /// The model as bytes, for storage: one format byte and the state.
    ///
    /// # Errors
    /// [`EngineError::Encode`] when memory for the bytes cannot be had.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EngineError> {
        let bytes = postcard::to_extend(self, vec![FORMAT]).map_err(EngineError::Encode)?;
        if self.written_files.is_empty() {
            return Ok(bytes);
        }
        postcard::to_extend(&self.written_files, bytes).map_err(EngineError::Encode)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, in this or an earlier version.
    ///
    /// # Errors
    /// [`EngineError`] when the bytes are empty, damaged, or of a newer format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        let (&format, state) = bytes.split_first().ok_or(EngineError::EmptyState)?;
        if format > FORMAT {
            return Err(EngineError::NewerState {
                found: format,
                supported: FORMAT,
            });
        }
        let model = match format {
            1 => version_1::read(state)?,
            2 => version_2::read(state)?,
            FORMAT => read_with_files(state)?,
            // There never was a format before the first.
            _ => return Err(EngineError::DamagedState { source: None }),
        };
        if !model.memory.is_sound() {
            return Err(EngineError::DamagedState { source: None });
        }
        Ok(model.with_todays_features())
    }

    /// Puts the columns where today's features are; a feature that is new has no history yet.
    fn with_todays_features(mut self) -> Self {
        if self
            .features
            .iter()
            .eq(FEATURES.iter().map(|feature| feature.name))
        {
            return self;
        }
        self.history.rearrange(&self.features);
        self.held.rearrange(&self.features);
        self.features = Self::default().features;
        self
    }
}

/// A value that fills all of the bytes.
fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, EngineError> {
    let damaged = |source| EngineError::DamagedState { source };
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|source| damaged(Some(source)))?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(damaged(None))
    }
}

fn read_with_files(bytes: &[u8]) -> Result<StreamModel, EngineError> {
    let damaged = |source| EngineError::DamagedState {
        source: Some(source),
    };
    let (mut model, rest) = postcard::take_from_bytes::<StreamModel>(bytes).map_err(damaged)?;
    if !rest.is_empty() {
        model.written_files = read(rest)?;
    }
    Ok(model)
}

/// Whole seconds, where they are a gap.
fn seconds(gap: TimeDelta) -> Option<u32> {
    let seconds = u32::try_from(gap.num_seconds()).ok();
    seconds.filter(|seconds| *seconds < CONFIRMED_GAP)
}
