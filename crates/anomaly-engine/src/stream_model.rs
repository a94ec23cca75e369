//! What is remembered of one stream.

use std::collections::VecDeque;

use anomaly_features::{FEATURES, Previous};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupJob, JobKey, JobStatus};
use serde::{Deserialize, Serialize};

use crate::EngineError;
use crate::history::{History, Row, rearranged};

/// The newest format of a stored model.
const FORMAT: u8 = 1;
/// Gaps between jobs that are remembered, to know when one was missed.
const GAPS: usize = 30;
/// Anomalous jobs that wait for a person before they may be learnt.
const HELD: usize = 32;

/// What is remembered of one stream: all that a verdict depends on beside the job and the
/// settings.
///
/// It is small (a few kilobytes), bounded, and serialises exactly: a model that is stored and read
/// back gives the same verdicts, byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamModel {
    /// The names of the columns below, so that a later version finds them again.
    features: Vec<String>,
    pub(crate) history: History,
    held: VecDeque<Held>,
    previous: Option<Previous>,
    latest_start_micros: Option<i64>,
    gap_seconds: VecDeque<u32>,
    last_was_partial: bool,
    empty_is_usual: bool,
}

/// An anomalous job, kept out of the history until a person accepts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Held {
    job: JobKey,
    row: Row,
    empty: bool,
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
            latest_start_micros: None,
            gap_seconds: VecDeque::new(),
            last_was_partial: false,
            empty_is_usual: false,
        }
    }
}

impl StreamModel {
    /// Jobs that the model has learnt from and still remembers.
    #[must_use]
    pub fn learnt_jobs(&self) -> usize {
        self.history.len()
    }

    /// The stream's image before the next job.
    pub(crate) fn previous(&self) -> Option<&Previous> {
        self.previous.as_ref()
    }

    /// The latest start of a job of this stream.
    pub(crate) fn latest_start(&self) -> Option<DateTime<Utc>> {
        self.latest_start_micros
            .and_then(DateTime::from_timestamp_micros)
    }

    /// The remembered gaps between starts, oldest first.
    pub(crate) fn gaps(&self) -> impl ExactSizeIterator<Item = TimeDelta> {
        self.gap_seconds
            .iter()
            .map(|&seconds| TimeDelta::seconds(i64::from(seconds)))
    }

    pub(crate) fn last_was_partial(&self) -> bool {
        self.last_was_partial
    }

    pub(crate) fn empty_is_usual(&self) -> bool {
        self.empty_is_usual
    }

    /// Notes that `job` ran, whatever it was like.
    pub(crate) fn note(&mut self, job: &BackupJob, has_image: bool) {
        let start = job.started_at();
        if let Some(latest) = self.latest_start()
            && let Ok(gap @ 1..) = u32::try_from((start - latest).num_seconds())
        {
            self.gap_seconds.push_back(gap);
            if self.gap_seconds.len() > GAPS {
                self.gap_seconds.pop_front();
            }
        }
        let micros = start.timestamp_micros();
        self.latest_start_micros = Some(self.latest_start_micros.map_or(micros, |l| l.max(micros)));
        self.last_was_partial = job.status() == JobStatus::Partial;
        if has_image {
            self.previous = Some(Previous::of(job));
        }
    }

    /// Learns a usual job.
    pub(crate) fn learn(&mut self, row: Row, capacity: usize) {
        self.history.push(row, capacity);
    }

    /// Keeps an anomalous job until a person decides.
    pub(crate) fn hold(&mut self, job: JobKey, row: Row, empty: bool) {
        self.held.push_back(Held { job, row, empty });
        if self.held.len() > HELD {
            self.held.pop_front();
        }
    }

    /// Learns an anomalous job after all, because a person says that it was a usual one; keeps at
    /// most `capacity` learnt jobs.
    ///
    /// Says whether it did: a job that is not held (never anomalous, accepted before, or older
    /// than the 32 newest anomalies) changes nothing.
    pub fn accept(&mut self, job: &JobKey, capacity: usize) -> bool {
        let Some(index) = self.held.iter().position(|held| held.job == *job) else {
            return false;
        };
        if let Some(held) = self.held.remove(index) {
            if held.empty {
                self.empty_is_usual = true;
            } else {
                self.history.push(held.row, capacity);
            }
        }
        true
    }

    /// The model as bytes, for storage: one format byte and the state.
    ///
    /// # Errors
    /// [`EngineError::Encode`] when memory for the bytes cannot be had.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EngineError> {
        postcard::to_extend(self, vec![FORMAT]).map_err(EngineError::Encode)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, in this or an earlier version.
    ///
    /// # Errors
    /// [`EngineError`] when the bytes are empty, damaged, or of a newer format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        let (&format, state) = bytes.split_first().ok_or(EngineError::EmptyState)?;
        if format != FORMAT {
            return Err(EngineError::NewerState {
                found: format,
                supported: FORMAT,
            });
        }
        let model: Self = postcard::from_bytes(state).map_err(EngineError::DamagedState)?;
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
            held.row = rearranged(&held.row, &self.features);
        }
        self.features = Self::default().features;
        self
    }
}
