//! `backwatch eval learn`: how streams in general behave.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use anomaly_engine::{PastStream, Population};
use anomaly_eval::{EvalError, learn};
use anomaly_model::{BackupJob, StreamKey, StreamPart};

use super::arguments::LearnArguments;
use crate::exit::{Exit, Failure};
use crate::input::Input;

pub(super) fn run(arguments: &LearnArguments) -> Result<Exit, Failure> {
    let (population, exit) = if arguments.files.is_empty() {
        let histories = super::histories(arguments.histories.as_deref())?;
        (learn(&histories)?, Exit::Quiet)
    } else {
        let input = Input::read(&arguments.files, &arguments.input, &StreamPart::DEFAULT)?;
        let exit = if input.bad_records > 0 {
            Exit::BadRecords
        } else {
            Exit::Quiet
        };
        (learn_jobs(&input.jobs)?, exit)
    };
    let text = population.to_json();
    match &arguments.out {
        Some(path) => fs::write(path, text).map_err(|source| Failure::Create {
            path: path.clone(),
            source,
        })?,
        None => anstream::stdout().write_all(text.as_bytes())?,
    }
    Ok(exit)
}

/// From jobs of which nothing else is known.
fn learn_jobs(jobs: &[BackupJob]) -> Result<Population, EvalError> {
    let mut streams: BTreeMap<StreamKey, PastStream<'_>> = BTreeMap::new();
    for job in jobs {
        let stream = StreamKey::of(job, &StreamPart::DEFAULT);
        streams.entry(stream).or_default().push(job, true);
    }
    let streams: Vec<PastStream<'_>> = streams.into_values().collect();
    Ok(Population::learn(&streams)?)
}
