//! What can be wrong with a table of numbers or a detector's parameters.

use std::io;
use std::path::{Path, PathBuf};

use anomaly_detectors::DetectorError;

use crate::exit::Exit;

/// Why a table could not be read or judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DetectError {
    #[error("{detector} has no parameter `{key}`: it has {parameters}")]
    UnknownParameter {
        detector: &'static str,
        key: String,
        parameters: String,
    },
    #[error("{detector}: {reason}")]
    WrongParameter {
        detector: &'static str,
        reason: String,
    },
    #[error("the seed is given twice: leave out --seed, or the `seed` of --set")]
    SeedTwice,
    #[error("cannot tell what {} holds: its name must end in .csv, .npy or .npz", path.display())]
    UnknownKind { path: PathBuf },
    #[error("{}: no column `{label}` for --label: it has {columns}", path.display())]
    NoLabel {
        path: PathBuf,
        label: String,
        columns: String,
    },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {reason}", path.display())]
    Content { path: PathBuf, reason: String },
    #[error(transparent)]
    Detector(DetectorError),
    #[error("cannot start the threads")]
    Threads(#[source] rayon::ThreadPoolBuildError),
}

impl DetectError {
    pub(super) fn content(path: &Path, reason: impl Into<String>) -> Self {
        Self::Content {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// The error, with the name of the file where it is about its rows.
    pub(super) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Detector(source) => Self::content(path, source.to_string()),
            other => other,
        }
    }

    /// The status to end with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::UnknownParameter { .. }
            | Self::WrongParameter { .. }
            | Self::SeedTwice
            | Self::UnknownKind { .. }
            | Self::NoLabel { .. } => Exit::Usage,
            _ => Exit::Failure,
        }
    }
}
