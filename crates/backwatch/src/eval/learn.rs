//! `backwatch eval learn`: how streams in general behave.

use std::fs;
use std::io::Write as _;

use anomaly_eval::learn;

use crate::cli::LearnArguments;
use crate::exit::{Exit, Failure};

pub(super) fn run(arguments: &LearnArguments) -> Result<Exit, Failure> {
    let histories = super::histories(arguments.histories.as_deref())?;
    let text = learn(&histories)?.to_json();
    match &arguments.out {
        Some(path) => fs::write(path, text).map_err(|source| Failure::Create {
            path: path.clone(),
            source,
        })?,
        None => anstream::stdout().write_all(text.as_bytes())?,
    }
    Ok(Exit::Quiet)
}
