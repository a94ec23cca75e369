#![doc = include_str!("../README.md")]

mod anomaly;
mod builder;
mod client;
mod content;
mod coverage;
mod error;
mod finding;
mod image;
mod incident;
mod inspection;
mod job;
mod kind;
mod name;
mod numbers;
mod policy;
mod raw;
mod record;
mod recovery;
mod review;
mod schedule;
mod severity;
mod status;
mod stream;
mod verdict;
mod words;

pub use anomaly::{Anomaly, JobRef};
pub use builder::BackupJobBuilder;
pub use client::Client;
pub use content::ContentStatistics;
pub use coverage::{FleetCoverage, Silence, StreamCoverage, Watch};
pub use error::ModelError;
pub use finding::{Direction, Finding};
pub use image::BackupImage;
pub use incident::{Incident, Spread};
pub use inspection::{AttributeHistograms, FileChange, FileInspection, FileReason, NotableFile};
pub use job::{BackupJob, JobKey};
pub use kind::AnomalyKind;
pub use name::{ClientName, FeatureName, JobId, PolicyName, PolicyType, ScheduleName, SourceName};
pub use policy::Policy;
pub use recovery::{Confidence, RecoveryImage, RecoveryPoint, Suspect, SuspectReason};
pub use review::{Ceiling, Review, ReviewScope, ReviewStatus, Undo};
pub use schedule::{Schedule, ScheduleType};
pub use severity::Severity;
pub use status::JobStatus;
pub use stream::{StreamKey, StreamPart};
pub use verdict::{CoveredBy, Judgement, LevelShift, PValue, Verdict};

/// The date and time library of this crate's API.
pub use chrono;
