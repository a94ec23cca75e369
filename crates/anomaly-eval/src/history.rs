//! A client's labelled history, and reading it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anomaly_model::BackupJob;
use anomaly_sources::{Format, ReadOptions, Record};

use crate::{EvalError, Label};

/// A client's clean jobs, and the branches in which something else happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The name of its directory: the client's.
    pub name: String,
    /// The clean jobs, in their order.
    pub jobs: Vec<BackupJob>,
    /// The label of each clean job.
    pub labels: Vec<Label>,
    /// What happened instead, by number.
    pub branches: Vec<Branch>,
}

/// What happened instead of the clean history, from a step on.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Branch {
    /// Its number among the branches of the history.
    pub number: u32,
    /// How many clean jobs come before it.
    pub prefix_jobs: usize,
    /// The jobs, in their order.
    pub jobs: Vec<BackupJob>,
    /// The label of each job.
    pub labels: Vec<Label>,
}

impl Branch {
    /// What happened, such as `enc_full_inplace`.
    #[must_use]
    pub fn kind(&self) -> &str {
        let kind = self
            .labels
            .first()
            .and_then(|label| label.attack_kind.as_deref());
        kind.unwrap_or_default()
    }

    /// Its family, such as `ransomware`.
    #[must_use]
    pub fn family(&self) -> &str {
        let family = self
            .labels
            .first()
            .and_then(|label| label.attack_family.as_deref());
        family.unwrap_or_default()
    }

    /// The places of the jobs that the event touched.
    pub fn affected(&self) -> impl Iterator<Item = usize> {
        let affected = |label: &Label| label.attack_phase.is_some_and(crate::Phase::is_affected);
        (0..self.labels.len()).filter(move |&place| affected(&self.labels[place]))
    }

    /// The share of the files that the first affected job has touched; 0 where it is not known.
    #[must_use]
    pub fn share_touched(&self) -> f64 {
        let first = self
            .affected()
            .next()
            .and_then(|place| self.labels[place].severity.as_ref());
        first.and_then(|size| size.frac_touched).unwrap_or(0.0)
    }
}

/// The text of one file, and the name that messages call it by.
pub(crate) struct Text<'a> {
    pub(crate) file: String,
    pub(crate) content: &'a str,
}

impl History {
    /// Puts a history together from the files of its directory.
    pub(crate) fn parse(
        name: &str,
        jobs: &Text<'_>,
        labels: &Text<'_>,
        branches: &[(u32, Text<'_>)],
    ) -> Result<Self, EvalError> {
        let all = read_labels(labels)?;
        let (clean, others): (Vec<Label>, Vec<Label>) =
            all.into_iter().partition(|label| label.branch.is_none());
        let (jobs, labels) = aligned(name, read_jobs(jobs)?, clean)?;
        let mut history = Self {
            name: name.to_owned(),
            jobs,
            labels,
            branches: Vec::with_capacity(branches.len()),
        };
        for (number, text) in branches {
            let own = others.iter().filter(|label| label.branch == Some(*number));
            let branch = history.branch(*number, read_jobs(text)?, own.cloned().collect())?;
            history.branches.push(branch);
        }
        history.branches.sort_by_key(|branch| branch.number);
        let missing = others
            .iter()
            .filter_map(|label| label.branch)
            .find(|number| {
                !history
                    .branches
                    .iter()
                    .any(|branch| branch.number == *number)
            });
        if let Some(number) = missing {
            return Err(history.inconsistent(format!("branch {number} has labels and no jobs")));
        }
        Ok(history)
    }

    /// Makes the branch of these jobs and labels, whose base step is in the labels.
    pub(crate) fn branch(
        &self,
        number: u32,
        jobs: Vec<BackupJob>,
        labels: Vec<Label>,
    ) -> Result<Branch, EvalError> {
        let (jobs, labels) = aligned(&self.name, jobs, labels)?;
        let Some(base_step) = labels.first().and_then(|label| label.base_step) else {
            return Err(self.inconsistent(format!("branch {number} has no base step")));
        };
        let branch = Branch {
            number,
            prefix_jobs: self.labels.partition_point(|label| label.step < base_step),
            jobs,
            labels,
        };
        if branch.affected().next().is_none() {
            return Err(self.inconsistent(format!("branch {number} has no affected job")));
        }
        Ok(branch)
    }

    fn inconsistent(&self, reason: String) -> EvalError {
        EvalError::Inconsistent {
            history: self.name.clone(),
            reason,
        }
    }
}

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

fn read_jobs(text: &Text<'_>) -> Result<Vec<BackupJob>, EvalError> {
    let failed = |source| EvalError::Jobs {
        file: text.file.clone(),
        source,
    };
    let options = ReadOptions::default();
    let records = anomaly_sources::read(text.content.as_bytes(), Format::Ndjson, &options);
    let mut jobs = Vec::new();
    for record in records.map_err(failed)? {
        match record.map_err(failed)? {
            Record::Job(job) => jobs.push(job.value),
            Record::Bad(source) => {
                return Err(EvalError::Job {
                    file: text.file.clone(),
                    source,
                });
            }
            _ => {}
        }
    }
    Ok(jobs)
}

fn read_labels(text: &Text<'_>) -> Result<Vec<Label>, EvalError> {
    let lines = text.content.lines().enumerate();
    let filled = lines.filter(|(_, line)| !line.trim().is_empty());
    filled
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|source| EvalError::Label {
                file: text.file.clone(),
                line: number + 1,
                source,
            })
        })
        .collect()
}

/// Checks that there is one label per job, in the same order, with rising steps.
fn aligned(
    history: &str,
    jobs: Vec<BackupJob>,
    labels: Vec<Label>,
) -> Result<(Vec<BackupJob>, Vec<Label>), EvalError> {
    let inconsistent = |reason: String| {
        Err(EvalError::Inconsistent {
            history: history.to_owned(),
            reason,
        })
    };
    if jobs.is_empty() || jobs.len() != labels.len() {
        return inconsistent(format!("{} jobs have {} labels", jobs.len(), labels.len()));
    }
    for (job, label) in jobs.iter().zip(&labels) {
        if job.job_id().as_str() != label.job_id {
            let (job, label) = (job.job_id(), &label.job_id);
            return inconsistent(format!("job {job} stands where the label of {label} does"));
        }
    }
    if let Some(pair) = labels.windows(2).find(|pair| pair[0].step >= pair[1].step) {
        let (before, after) = (pair[0].step, pair[1].step);
        return inconsistent(format!("step {after} comes after step {before}"));
    }
    Ok((jobs, labels))
}

impl History {
    /// Writes the history to a directory of its name below `directory`, in the format that
    /// [`read_histories`] reads. Files that are there are replaced.
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
