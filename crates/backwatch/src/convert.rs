//! `backwatch convert`: the jobs of any format as Backwatch's own records.

mod anonymiser;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anomaly_model::BackupJob;

use crate::cli::ConvertArguments;
use crate::convert::anonymiser::Anonymiser;
use crate::exit::{Exit, Failure};
use crate::input::JobFile;
use crate::report::json;
use crate::terminal::{information, warning};

pub(crate) fn run(arguments: &ConvertArguments) -> Result<Exit, Failure> {
    match convert(arguments) {
        // Whoever reads our output has seen enough.
        Err(failure) if failure.is_closed_pipe() => Ok(Exit::Quiet),
        done => done,
    }
}

fn convert(arguments: &ConvertArguments) -> Result<Exit, Failure> {
    let mut anonymiser = match (arguments.anonymise, &arguments.key_file) {
        (false, _) => None,
        (true, None) => Some(Anonymiser::with_random_key()?),
        (true, Some(path)) => Some(Anonymiser::with_key_of(path)?),
    };
    let mut out = open(arguments)?;
    let mut held = Vec::new();
    let mut bad_records = 0;
    for path in &arguments.files {
        let mut file = JobFile::open(path, &arguments.input)?;
        while let Some(found) = file.next()? {
            let mut job = found.value;
            if let Some(anonymiser) = &mut anonymiser {
                job = match anonymiser.job(&job) {
                    Ok(job) => job,
                    Err(error) => {
                        let (name, place) = (file.name(), found.place);
                        warning(&format!(
                            "{name}: {place}: cannot be moved in time: {error}; left out"
                        ));
                        bad_records += 1;
                        continue;
                    }
                };
            }
            if arguments.input.sort {
                held.push(job);
            } else {
                json::line(&mut out, &job)?;
            }
        }
        bad_records += file.finish();
    }
    held.sort_by_key(BackupJob::started_at);
    for job in &held {
        json::line(&mut out, job)?;
    }
    out.flush()?;
    if let Some(anonymiser) = anonymiser {
        information(&anonymiser.summary());
    }
    Ok(if bad_records > 0 {
        Exit::BadRecords
    } else {
        Exit::Quiet
    })
}

/// Where the records go. A file that is read is not written to: opening it would empty it.
fn open(arguments: &ConvertArguments) -> Result<BufWriter<Box<dyn Write>>, Failure> {
    let Some(path) = &arguments.out else {
        return Ok(BufWriter::new(Box::new(io::stdout().lock())));
    };
    let failed = |source| Failure::Create {
        path: path.clone(),
        source,
    };
    if arguments.files.iter().any(|input| is_same(input, path)) {
        return Err(failed(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is one of the files to read",
        )));
    }
    Ok(BufWriter::new(Box::new(
        File::create(path).map_err(failed)?,
    )))
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other && one.is_file(),
        _ => false,
    }
}
