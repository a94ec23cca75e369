//! Why a snapshot gives no job.

/// Why a snapshot gives no job. Never a reason to fail a backup.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RusticJobError {
    /// The snapshot cannot be written as JSON.
    #[error("the snapshot cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// What the snapshot says is no job.
    #[error("the snapshot is no backup job: {reason}")]
    NoJob {
        /// What is missing or wrong.
        reason: String,
    },
    /// The snapshot cannot be read as rustic prints it.
    #[error(transparent)]
    Unreadable(#[from] anomaly_sources::SourceError),
    /// What was seen of the files breaks a rule of the job format.
    #[error("what was seen of the files is no part of a job: {0}")]
    Inspection(#[from] anomaly_model::ModelError),
}
