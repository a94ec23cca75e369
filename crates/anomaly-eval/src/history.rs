//! A client's labelled history, put together from the text of its files.

mod read;
mod write;

use anomaly_model::BackupJob;
use anomaly_sources::{Format, ReadOptions, Record};

pub(crate) use self::read::branch_number;
pub use self::read::read_histories;
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
