//! Showing what was found.

mod json;
mod summary;
mod table;
mod text;

use std::io::Write;

use crate::cli::Output;
use crate::exit::Failure;
use crate::scan::Found;

pub(crate) fn print(output: Output, found: &Found) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match output {
        Output::Text => text::print(&mut out, found)?,
        Output::Table => table::print(&mut out, found)?,
        Output::Json => json::document(&mut out, found)?,
        Output::Ndjson => json::verdicts(&mut out, &found.verdicts)?,
    }
    Ok(out.flush()?)
}
