//! Who is watched, and how well.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{FeatureName, JobRef, LevelShift, StreamKey};

/// Whether a stream's jobs are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[non_exhaustive]
pub enum Watch {
    /// Each on the history of its stream.
    Judged,
    /// Only by what needs no history, so far.
    WarmingUp {
        /// Usual jobs until they are judged in full.
        jobs_left: u32,
    },
    /// Not, though detection is on.
    NotScored {
        /// Why not.
        reason: String,
    },
    /// Not, because a scope of the settings switches detection off.
    Excluded {
        /// What the scope names: `client mail01`.
        by: String,
        /// Until when; `None` for no end.
        until: Option<DateTime<Utc>>,
    },
    /// Not, because detection is switched off for the whole fleet.
    Off,
}

/// A job that was due did not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Silence {
    /// Start of the last job.
    pub since: DateTime<Utc>,
    /// By when the next one should have started, by the stream's own cadence with its longest usual
    /// gaps.
    pub due_at: DateTime<Utc>,
}

impl Silence {
    /// Nothing since `since`, though something was due by `due_at`.
    #[must_use]
    pub fn new(since: DateTime<Utc>, due_at: DateTime<Utc>) -> Self {
        Self { since, due_at }
    }
}

/// Who is watched, and how well: one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamCoverage {
    /// Which stream.
    pub stream: StreamKey,
    /// Whether its jobs are judged.
    pub watch: Watch,
    /// What its last job was not judged on because the tool does not report it.
    pub blind: Vec<FeatureName>,
    /// Detectors, features and rules that judge by default, and that the settings switch off for it.
    pub switched_off: Vec<String>,
    /// Whether a job that was due did not come.
    pub silence: Option<Silence>,
    /// By when the next job has to start; `None` while too few jobs say how often they come.
    pub due_at: Option<DateTime<Utc>>,
    /// Whether its jobs say that they start in the future, or long before they come: their clock is
    /// wrong, and a job that does not come may go unnoticed.
    pub wrong_clock: bool,
    /// A change that has lasted, and is proposed as the new normal.
    pub proposal: Option<LevelShift>,
    /// The last job that came.
    pub last_job: JobRef,
    /// How many jobs came.
    pub jobs: u64,
}

impl StreamCoverage {
    /// A stream of which one job came.
    #[must_use]
    pub fn new(stream: StreamKey, watch: Watch, last_job: JobRef) -> Self {
        Self {
            stream,
            watch,
            blind: Vec::new(),
            switched_off: Vec::new(),
            silence: None,
            due_at: None,
            wrong_clock: false,
            proposal: None,
            last_job,
            jobs: 1,
        }
    }
}

/// Who is watched, and how well: how many streams of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetCoverage {
    /// All that ever had a job.
    pub streams: u64,
    /// Judged, each job on the history of its stream.
    pub judged: u64,
    /// Judged only by what needs no history, so far.
    pub warming_up: u64,
    /// Not judged, though detection is on.
    pub not_scored: u64,
    /// Not judged, because a scope switches detection off.
    pub excluded: u64,
    /// Not judged, because detection is switched off for the whole fleet.
    pub off: u64,
    /// Of those judged or warming up: not judged on something, because the tool does not report it.
    pub blind: u64,
    /// Which features those are, and of how many streams.
    pub blind_features: BTreeMap<FeatureName, u64>,
    /// Of those judged or warming up: not judged by something, because the settings switch it off.
    pub partly_off: u64,
    /// Which detectors, features and rules those are, and for how many streams.
    pub switched_off: BTreeMap<String, u64>,
    /// A job that was due did not come.
    pub silent: u64,
    /// Too few jobs to know when the next is due: that it does not come is not noticed.
    pub cadence_unknown: u64,
    /// The clock of the jobs is wrong.
    pub wrong_clock: u64,
    /// With a change that has lasted, and waits for a person.
    pub proposals: u64,
}

impl FleetCoverage {
    /// Counts one more stream.
    pub fn count(&mut self, stream: &StreamCoverage) {
        self.streams += 1;
        let watched = match stream.watch {
            Watch::Judged => &mut self.judged,
            Watch::WarmingUp { .. } => &mut self.warming_up,
            Watch::NotScored { .. } => &mut self.not_scored,
            Watch::Excluded { .. } => &mut self.excluded,
            Watch::Off => &mut self.off,
        };
        *watched += 1;
        if matches!(stream.watch, Watch::Judged | Watch::WarmingUp { .. }) {
            self.blind += u64::from(!stream.blind.is_empty());
            for feature in &stream.blind {
                *self.blind_features.entry(feature.clone()).or_default() += 1;
            }
            self.partly_off += u64::from(!stream.switched_off.is_empty());
            for name in &stream.switched_off {
                *self.switched_off.entry(name.clone()).or_default() += 1;
            }
        }
        self.silent += u64::from(stream.silence.is_some());
        self.cadence_unknown += u64::from(stream.due_at.is_none());
        self.wrong_clock += u64::from(stream.wrong_clock);
        self.proposals += u64::from(stream.proposal.is_some());
    }
}
