//! What can be wrong with histories.

use std::io;
use std::path::PathBuf;

use anomaly_model::ModelError;
use anomaly_sources::{RecordError, SourceError};

/// Why histories could not be read, written or judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A file or directory cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file or directory cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The directory holds no history.
    #[error(
        "{} holds no history: each is a directory with jobs.ndjson, labels.ndjson and branches/NN.ndjson",
        path.display()
    )]
    NoHistory {
        /// The directory.
        path: PathBuf,
    },
    /// A file of jobs is not one.
    #[error("{file}")]
    Jobs {
        /// Name of the file.
        file: String,
        /// What is wrong with it.
        source: SourceError,
    },
    /// One job of a file is not valid. A history with a job missing would be another history.
    #[error("{file}")]
    Job {
        /// Name of the file.
        file: String,
        /// Where, and what is wrong.
        source: RecordError,
    },
    /// A label cannot be read.
    #[error("{file}: line {line}")]
    Label {
        /// Name of the file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Jobs and labels do not fit each other.
    #[error("history {history}: {reason}")]
    Inconsistent {
        /// The history's name.
        history: String,
        /// What does not fit.
        reason: String,
    },
    /// A job could not be made.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Nothing could be learnt from the histories.
    #[error(transparent)]
    Learn(#[from] anomaly_engine::LearnError),
}
