//! `backwatch scan`: files in, verdicts out.

use crate::cli::{Output, ScanArguments};
use crate::exit::{Exit, Failure};
use crate::found::Found;
use crate::input::Input;
use crate::judge::Judge;
use crate::progress::Progress;
use crate::report;

pub(crate) fn run(arguments: &ScanArguments) -> Result<Exit, Failure> {
    let Judge {
        mut service,
        key,
        off,
    } = Judge::open("backwatch scan", arguments.db.as_deref(), &arguments.judge)?;
    let input = Input::read(&arguments.files, &arguments.input, &key)?;
    let mut found = Found::new(off, arguments.output == Output::Ndjson);
    found.tally.bad_records = input.bad_records;
    found.tally.duplicates = input.duplicates;
    found.files = input.files;
    let mut progress = Progress::new(input.jobs.len());
    service.observe_all(input.jobs, |observed| {
        progress.advance();
        found.add(observed);
    })?;
    drop(progress);
    found.finish(&service)?;
    match report::print(arguments.output, &found) {
        // Whoever reads our output has seen enough; the status still says what was found.
        Err(failure) if failure.is_closed_pipe() => {}
        printed => printed?,
    }
    Ok(found.exit())
}
