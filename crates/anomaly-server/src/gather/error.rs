//! Why a source could not be read.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anomaly_remote::RemoteError;
use anomaly_sources::SourceError;

use crate::problem::Problem;

/// Why a source could not be read, or not to its end. No message has a secret in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatherError {
    #[error("cannot read {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(
        "{}: every user of this machine may use it: take that away (chmod o= FILE)",
        path.display()
    )]
    NotPrivate { path: PathBuf },
    #[error("{}: line {line} is not NAME=VALUE", path.display())]
    Environment { path: PathBuf, line: usize },
    #[error("{}: {reason}", path.display())]
    Content { path: PathBuf, reason: String },
    #[error("{reason}")]
    Options { reason: String },
    #[error("cannot run {program}")]
    Run { program: String, source: io::Error },
    #[error("{program} ended with {status}{}", said(message))]
    Status {
        program: String,
        status: String,
        message: String,
    },
    #[error("{program} had not ended after {limit:?} and was killed")]
    Slow { program: String, limit: Duration },
    #[error("what it gave {0}")]
    Source(#[from] SourceError),
    #[error("the server {0}")]
    Remote(#[from] RemoteError),
    #[error("holds more than {most} files: take away those that were read long ago")]
    ManyFiles { most: usize },
    #[error("no answer for {limit:?}")]
    NoAnswer { limit: Duration },
    #[error("the reading before has not ended yet")]
    StillReading,
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    #[error("what was read cannot be kept: {reason}")]
    Kept { reason: String },
    /// Nobody waits for it any more.
    #[error("the service ends")]
    Stopped,
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

impl From<Problem> for GatherError {
    fn from(problem: Problem) -> Self {
        let reason = problem.detail().to_owned();
        Self::Kept { reason }
    }
}

impl GatherError {
    /// It with all that is behind it, in a line of at most 500 characters.
    pub(crate) fn in_one_line(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            let more = error.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            source = error.source();
        }
        one_line(&text)
    }
}

/// Text of strangers in one line of at most 500 characters.
pub(crate) fn one_line(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(500).collect::<String>().trim().to_owned()
}
