//! What is remembered of one stream.

use std::collections::VecDeque;

use anomaly_features::{FEATURES, Previous};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupJob, JobKey, JobStatus};
use serde::{Deserialize, Serialize};

use crate::EngineError;
use crate::history::{Accepted, History, Learnt, Row, push_bounded, rearranged};
use crate::incident::Incident;
use crate::memory::Memory;
use crate::slow_loss::SlowLoss;
use crate::timing::{Timing, is_before};
use crate::written_files::WrittenFiles;

mod version_1;

/// The newest format of a stored model.
const FORMAT: u8 = 3;
/// Gaps between jobs that are remembered, to know when one was missed.
const GAPS: usize = 30;
/// Gaps that are remembered because they were reported.
const ODD_GAPS: usize = 8;
/// Anomalous jobs that wait for a person before they may be learnt.
const HELD: usize = 32;

/// What is remembered of one stream: all that a verdict depends on beside the job and the
/// settings.
///
/// It is bounded (about 100 bytes a job of the history, and 32 anomalies that wait for a person), and
/// serialises exactly: a model that is stored and read back gives the same verdicts, byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamModel {
    /// The names of the columns below, so that a later version finds them again.
    features: Vec<String>,
    pub(crate) history: History,
    held: VecDeque<Held>,
    previous: Option<Previous>,
    odd_image: Option<Previous>,
    latest_start_micros: Option<i64>,
    odd_start_micros: Option<i64>,
    gap_seconds: VecDeque<u32>,
    /// Gaps that were reported as missed backups.
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

/// An anomalous job, kept out of all that is usual until a person accepts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Held {
    job: JobKey,
    lesson: Lesson,
    /// Its number in the memory, if it left an image to remember.
    number: Option<u64>,
}

/// What an anomalous job would teach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Lesson {
    /// That such numbers, after such a gap, are usual.
    Numbers {
        start_micros: i64,
        row: Row,
        gap_seconds: Option<u32>,
    },
    /// That the stream's image is now empty.
    Empty { image: Previous },
}

impl Default for StreamModel {
    fn default() -> Self {
        Self {
            features: FEATURES
                .iter()
                .map(|feature| feature.name.to_owned())
                .collect(),
            history: History::default(),
            held: VecDeque::new(),
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
        self.history.len()
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

    /// The longest gap that is known: of late, or, of those that were reported, all but the longest.
    /// One long gap says nothing; one more is how this stream is, and was told twice.
    pub(crate) fn longest_gap(&self) -> Option<TimeDelta> {
        let of_late = self.gap_seconds.iter().copied();
        let mut odd: Vec<u32> = self.odd_gap_seconds.iter().copied().collect();
        odd.sort_unstable();
        odd.pop();
        let longest = of_late.chain(odd).max()?;
        Some(TimeDelta::seconds(i64::from(longest)))
    }

    pub(crate) fn last_was_partial(&self) -> bool {
        self.last_was_partial
    }

    /// Notes when and how `job` ran.
    pub(crate) fn note_run(&mut self, job: &BackupJob, timing: Timing) {
        let start = job.started_at().timestamp_micros();
        if let Timing::Usual { gap } = timing {
            self.note_gap(seconds(gap));
            // A little out of turn does not turn back the time; an odd time that is confirmed does.
            let latest = self
                .latest_start()
                .filter(|latest| !is_before(job.started_at(), *latest));
            let latest = latest.map_or(start, |latest| latest.timestamp_micros().max(start));
            self.latest_start_micros = Some(latest);
            self.odd_start_micros = None;
        } else {
            if let Timing::Late { gap, .. } = timing
                && let Some(gap_seconds) = seconds(gap)
            {
                push_bounded(&mut self.odd_gap_seconds, gap_seconds, ODD_GAPS);
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
    pub(crate) fn learn(&mut self, job: &BackupJob, row: Row, capacity: usize) {
        let start_micros = job.started_at().timestamp_micros();
        self.history.push(
            Learnt {
                start_micros,
                accepted: None,
                row,
            },
            capacity,
        );
    }

    /// Keeps an anomalous job's numbers until a person decides. It is the next to be remembered.
    pub(crate) fn hold_numbers(&mut self, job: &BackupJob, row: Row, timing: Timing) {
        let start_micros = job.started_at().timestamp_micros();
        let gap_seconds = match timing {
            Timing::Late { gap, .. } => seconds(gap),
            _ => None,
        };
        self.hold(
            job.key(),
            Lesson::Numbers {
                start_micros,
                row,
                gap_seconds,
            },
            Some(self.memory.count()),
        );
    }

    /// Keeps an empty image until a person decides.
    pub(crate) fn hold_empty(&mut self, job: &BackupJob) {
        self.hold(
            job.key(),
            Lesson::Empty {
                image: Previous::of(job),
            },
            None,
        );
    }

    fn hold(&mut self, job: JobKey, lesson: Lesson, number: Option<u64>) {
        let held = Held {
            job,
            lesson,
            number,
        };
        push_bounded(&mut self.held, held, HELD);
    }

    /// Learns an anomalous job after all, because a person says that it was a usual one; keeps at
    /// most `capacity` learnt jobs. An empty image that is accepted is what the next one is
    /// compared with.
    ///
    /// Says whether it did: a job that is not held (never anomalous, accepted before, or older
    /// than the 32 newest anomalies) changes nothing.
    pub fn accept(&mut self, job: &JobKey, capacity: usize) -> bool {
        let index = self.held.iter().position(|held| held.job == *job);
        let Some(held) = index.and_then(|index| self.held.remove(index)) else {
            return false;
        };
        self.mark(held.number, false);
        self.written_files.accept(job);
        match held.lesson {
            Lesson::Numbers {
                start_micros,
                row,
                gap_seconds,
            } => {
                self.note_gap(gap_seconds);
                let accepted = Some(Accepted {
                    job: held.job,
                    number: held.number,
                });
                self.history.push(
                    Learnt {
                        start_micros,
                        accepted,
                        row,
                    },
                    capacity,
                );
            }
            Lesson::Empty { image } => self.previous = Some(image),
        }
        true
    }

    /// Takes an [`accept`](Self::accept) back: the job's numbers are no longer usual. It may be
    /// accepted again.
    ///
    /// Says whether there was something to take back. A gap or an empty image that was accepted
    /// stays until the stream's own jobs replace it.
    pub fn retract(&mut self, job: &JobKey) -> bool {
        let Some(learnt) = self.history.remove_accepted(job) else {
            return false;
        };
        self.written_files.retract(job);
        let Learnt {
            start_micros,
            row,
            accepted,
        } = learnt;
        let number = accepted.and_then(|accepted| accepted.number);
        self.mark(number, true);
        let lesson = Lesson::Numbers {
            start_micros,
            row,
            gap_seconds: None,
        };
        self.hold(job.clone(), lesson, number);
        true
    }

    /// Marks a remembered job as one that does not teach, or does.
    fn mark(&mut self, number: Option<u64>, held: bool) {
        if let Some(job) = number.and_then(|number| self.memory.job_mut(number)) {
            job.held = held;
        }
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
            // Nobody looked into files before the third format.
            2 => read(state)?,
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
        for held in &mut self.held {
            if let Lesson::Numbers { row, .. } = &mut held.lesson {
                *row = rearranged(row, &self.features);
            }
        }
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
    u32::try_from(gap.num_seconds()).ok()
}
