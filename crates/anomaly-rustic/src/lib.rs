#![doc = include_str!("../README.md")]

mod error;
mod inspected;
mod job;

pub use error::RusticJobError;
pub use inspected::{Before, FilesBefore, InspectedSource};
pub use job::{backup_job, with_inspection};

/// Statistics of content.
pub use anomaly_features::content;
/// The vocabulary of jobs and verdicts.
pub use anomaly_model as model;
