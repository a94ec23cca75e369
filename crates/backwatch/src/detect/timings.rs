//! What `--timings` says.

use std::fs;
use std::io::{self, Write as _};

use serde::Serialize;

/// How long it took, on how much, in how much memory.
#[derive(Debug, Serialize)]
pub(super) struct Timings {
    fit_seconds: f64,
    score_seconds: f64,
    rows: usize,
    columns: usize,
    /// The most memory that the program ever held; unknown except on Linux.
    peak_bytes: Option<u64>,
}

impl Timings {
    pub(super) fn new(fit_seconds: f64, score_seconds: f64, shape: (usize, usize)) -> Self {
        Self {
            fit_seconds,
            score_seconds,
            rows: shape.0,
            columns: shape.1,
            peak_bytes: peak_bytes(),
        }
    }

    /// Writes one line of JSON to standard error.
    pub(super) fn write(&self) -> Result<(), serde_json::Error> {
        let line = serde_json::to_string(self)?;
        // When standard error is closed, there is nobody left to tell.
        _ = writeln!(io::stderr(), "{line}");
        Ok(())
    }
}

/// The peak resident memory of this process, as Linux tells it: `VmHWM:     1234 kB`.
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
