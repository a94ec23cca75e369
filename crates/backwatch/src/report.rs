//! Showing what was found.

mod files;
pub(crate) mod json;
mod summary;
mod table;
pub(crate) mod text;

use std::io;

use crate::cli::Output;
use crate::exit::Failure;
use crate::scan::Found;

pub(crate) fn print(output: Output, found: &Found) -> Result<(), Failure> {
    match output {
        Output::Text => text::print(&mut anstream::stdout().lock(), found)?,
        Output::Table => table::print(&mut anstream::stdout().lock(), found)?,
        // Programs get what was meant, to the byte.
        Output::Json => json::document(io::stdout().lock(), found)?,
        Output::Ndjson => json::verdicts(io::stdout().lock(), &found.verdicts)?,
    }
    Ok(())
}
