//! Reading histories from a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{History, Text};
use crate::EvalError;

/// Reads every history below a directory, in the order of their names.
///
/// # Errors
/// [`EvalError`] when a file cannot be read, a job or label is not valid, jobs and labels do not
/// fit each other, or there is no history at all.
pub fn read_histories(directory: &Path) -> Result<Vec<History>, EvalError> {
    let mut found: Vec<PathBuf> = entries(directory)?
        .into_iter()
        .filter(|path| path.join("jobs.ndjson").is_file())
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(EvalError::NoHistory {
            path: directory.to_owned(),
        });
    }
    found.iter().map(|path| read_history(path)).collect()
}

fn read_history(directory: &Path) -> Result<History, EvalError> {
    let (jobs, labels) = (
        directory.join("jobs.ndjson"),
        directory.join("labels.ndjson"),
    );
    let mut branches = Vec::new();
    let below = directory.join("branches");
    if below.is_dir() {
        for path in entries(&below)? {
            if let Some(number) = branch_number(&path) {
                branches.push((number, read(&path)?, path));
            }
        }
    }
    let (jobs_text, labels_text) = (read(&jobs)?, read(&labels)?);
    let branches: Vec<(u32, Text<'_>)> = branches
        .iter()
        .map(|(number, content, path)| (*number, text(path, content)))
        .collect();
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    History::parse(
        &name,
        &text(&jobs, &jobs_text),
        &text(&labels, &labels_text),
        &branches,
    )
}

/// The number of a branch from the name of its file, `07.ndjson`; `None` for another file.
pub(crate) fn branch_number(path: &Path) -> Option<u32> {
    let is_jobs = path
        .extension()
        .is_some_and(|extension| extension == "ndjson");
    path.file_stem()?.to_str()?.parse().ok().filter(|_| is_jobs)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, EvalError> {
    let failed = |source: io::Error| EvalError::Read {
        path: directory.to_owned(),
        source,
    };
    let entries = fs::read_dir(directory).map_err(failed)?;
    entries
        .map(|entry| Ok(entry.map_err(failed)?.path()))
        .collect()
}

fn read(path: &Path) -> Result<String, EvalError> {
    fs::read_to_string(path).map_err(|source| EvalError::Read {
        path: path.to_owned(),
        source,
    })
}

fn text<'a>(path: &Path, content: &'a str) -> Text<'a> {
    Text {
        file: path.display().to_string(),
        content,
    }
}
