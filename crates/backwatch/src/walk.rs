//! `backwatch walk`: what a backup wrote, seen beside it.

use std::io::{self, Read as _};
use std::path::Path;
use std::time::SystemTime;

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_walk::{Walk, Walked};

use crate::cli::{WalkArguments, WalkOutput};
use crate::exit::{Exit, Failure};
use crate::input::{file_name, open};
use crate::progress::WalkBar;
use crate::report;
use crate::terminal::warning;

/// The longest job record.
const MOST_RECORD_BYTES: u64 = 1 << 20;

pub(crate) fn run(arguments: &WalkArguments) -> Result<Exit, Failure> {
    // A record that is none must not cost a walk.
    let job = arguments.merge.as_deref().map(job).transpose()?;
    let started_at = DateTime::<Utc>::from(SystemTime::now());
    let options = arguments
        .options
        .of(arguments.directory.clone(), started_at)
        .dry_run(arguments.dry_run);
    let walk = Walk::new(options)?;
    let bar = WalkBar::new(walk.expected_files());
    let walked = walk.run_with(&|progress| bar.tell(progress))?;
    drop(bar);
    print(arguments.output, job.as_ref(), &walked)?;
    // Only what was told need not be told again.
    walked.commit()?;
    Ok(Exit::Quiet)
}

fn print(output: WalkOutput, job: Option<&BackupJob>, walked: &Walked) -> Result<(), Failure> {
    if let Some(job) = job {
        for what in walked.warnings() {
            warning(&what.to_string());
        }
        return report::walk::record(io::stdout().lock(), &walked.fill(job)?);
    }
    match output {
        WalkOutput::Text => Ok(report::walk::text(&mut anstream::stdout().lock(), walked)?),
        WalkOutput::Json => report::walk::document(io::stdout().lock(), walked),
    }
}

/// Reads one job record.
fn job(path: &Path) -> Result<BackupJob, Failure> {
    let mut text = String::new();
    let read = open(path)?
        .take(MOST_RECORD_BYTES)
        .read_to_string(&mut text);
    read.map_err(|source| Failure::Open {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|source| Failure::Merge {
        name: file_name(path),
        source,
    })
}
