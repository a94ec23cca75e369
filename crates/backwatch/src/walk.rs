//! `backwatch walk`: what a backup wrote, seen beside it.

mod arguments;
mod bar;
mod beside;
mod report;

use std::borrow::Cow;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::SystemTime;

use anomaly_features::SuspiciousExtensions;
use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_settings::{DetectionSettings, Settings};
use anomaly_walk::{Walk, WalkError, WalkOptions, Walked};

use crate::exit::{Exit, Failure};
use crate::input::{file_name, open};
use crate::terminal::{harmless, warning};
use crate::walk::arguments::WalkOutput;
use crate::walk::bar::WalkBar;

pub(crate) use crate::walk::arguments::{WalkArguments, WalkFlags};
pub(crate) use crate::walk::beside::{Beside, keep};

/// The longest job record.
const MOST_RECORD_BYTES: u64 = 1 << 20;

pub(crate) fn run(arguments: &WalkArguments) -> Result<Exit, Failure> {
    let settings = Settings::load_here(arguments.settings.as_deref(), &arguments.set)?;
    // A record that is none must not cost a walk.
    let job = arguments.merge.as_deref().map(job).transpose()?;
    let detection = match &job {
        Some(job) => settings.detection_for(job),
        None => Cow::Borrowed(&settings.detection),
    };
    let suspicious = suspicious(&detection);
    let started_at = DateTime::<Utc>::from(SystemTime::now());
    let options = arguments
        .flags
        .of(&arguments.directory, &arguments.state, started_at)
        .suspicious_extensions(suspicious)
        // What a job that left no image did not save is news to the next one.
        .dry_run(arguments.dry_run || job.as_ref().is_some_and(|job| !job.status().has_image()));
    let walked = walked(options)?;
    print(arguments.output, job.as_ref(), &walked)?;
    // Only what was told need not be told again.
    walked.commit()?;
    Ok(Exit::Quiet)
}

/// Walks, with a progress bar on a terminal.
fn walked(options: WalkOptions) -> Result<Walked, WalkError> {
    let walk = Walk::new(options)?;
    let bar = WalkBar::new(walk.expected_files());
    walk.run_with(&|progress| bar.tell(progress))
}

/// The extensions that the settings call suspicious.
fn suspicious(detection: &DetectionSettings) -> SuspiciousExtensions {
    SuspiciousExtensions::new(
        detection.include_extensions.names(),
        detection.exclude_extensions.names(),
    )
}

fn print(output: WalkOutput, job: Option<&BackupJob>, walked: &Walked) -> Result<(), Failure> {
    if let Some(job) = job {
        warn_of(walked);
        return report::record(io::stdout().lock(), &walked.fill(job)?);
    }
    match output {
        WalkOutput::Text => Ok(report::text(&mut anstream::stdout().lock(), walked)?),
        WalkOutput::Json => report::document(io::stdout().lock(), walked),
    }
}

/// Says what a person should know about the walk. A name with line breaks in it is one line.
fn warn_of(walked: &Walked) {
    for what in walked.warnings() {
        warning(&harmless(&what.to_string()));
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
