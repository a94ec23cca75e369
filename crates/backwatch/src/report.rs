//! Showing what was found.

pub(crate) mod files;
pub(crate) mod json;
mod summary;
pub(crate) mod table;
pub(crate) mod text;

use std::io;

use anomaly_model::Verdict;

use crate::cli::Output;
use crate::exit::Failure;
use crate::found::Found;

pub(crate) fn print(output: Output, found: &Found) -> Result<(), Failure> {
    match output {
        Output::Text => text::print(&mut anstream::stdout().lock(), found)?,
        Output::Table => table::print(&mut anstream::stdout().lock(), found)?,
        // Programs get what was meant, to the byte.
        Output::Json => json::document(io::stdout().lock(), found)?,
        Output::Ndjson => verdicts(&found.verdicts)?,
    }
    Ok(())
}

/// What is said of new jobs: little, as long as none is anomalous. Their verdict records were
/// printed as they were judged.
pub(crate) fn news(output: Output, found: &Found) -> Result<(), Failure> {
    match output {
        Output::Text => Ok(text::news(&mut anstream::stdout().lock(), found)?),
        Output::Ndjson => Ok(()),
        Output::Table | Output::Json => print(output, found),
    }
}

/// One verdict record a line.
pub(crate) fn verdicts(verdicts: &[Verdict]) -> Result<(), Failure> {
    json::lines(io::stdout().lock(), verdicts)
}
