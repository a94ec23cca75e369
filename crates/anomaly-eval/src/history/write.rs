//! Writing a history to a directory.

use std::fs;
use std::io;
use std::path::Path;

use super::History;
use crate::{EvalError, Label};

impl History {
    /// Writes the history to a directory of its name below `directory`, in the format that
    /// [`read_histories`](crate::read_histories) reads. Files that are there are replaced.
    ///
    /// # Errors
    /// [`EvalError::Write`] when a directory or file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), EvalError> {
        let own = directory.join(&self.name);
        let below = own.join("branches");
        fs::create_dir_all(&below).map_err(|source| EvalError::Write {
            path: below.clone(),
            source,
        })?;
        write_lines(&own.join("jobs.ndjson"), &self.jobs)?;
        let branches = self.branches.iter().flat_map(|branch| &branch.labels);
        let labels: Vec<&Label> = self.labels.iter().chain(branches).collect();
        write_lines(&own.join("labels.ndjson"), &labels)?;
        for branch in &self.branches {
            write_lines(
                &below.join(format!("{:02}.ndjson", branch.number)),
                &branch.jobs,
            )?;
        }
        Ok(())
    }
}

fn write_lines<T: serde::Serialize>(path: &Path, items: &[T]) -> Result<(), EvalError> {
    let failed = |source: io::Error| EvalError::Write {
        path: path.to_owned(),
        source,
    };
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, item).map_err(|error| failed(error.into()))?;
        lines.push(b'\n');
    }
    fs::write(path, lines).map_err(failed)
}
