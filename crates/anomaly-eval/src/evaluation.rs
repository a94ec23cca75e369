//! Letting a judge loose on histories.

use anomaly_model::BackupJob;

use crate::normal::{CleanJob, clean_jobs};
use crate::{EvalError, Event, History, Judge, Scores, Track};

/// What a judge said to every job that counts, and the figures.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The figures.
    pub scores: Scores,
    /// The clean jobs.
    pub clean: Vec<CleanJob>,
    /// The branches.
    pub events: Vec<Event>,
}

/// Evaluates a judge that has seen nothing yet on one track.
///
/// Each history is judged by a clone of its own: its clean jobs in order, and each branch by a
/// clone that has seen the clean jobs before it.
///
/// # Errors
/// [`EvalError::Model`] never, for histories that could be read.
pub fn evaluate<J: Judge>(
    judge: &J,
    histories: &[History],
    track: Track,
) -> Result<Evaluation, EvalError> {
    let (mut clean, mut events) = (Vec::new(), Vec::new());
    for history in histories {
        let mut judge = judge.clone();
        let mut jobs = clean_jobs(history);
        // Where the branches leave, and after the last job.
        let mut branches: Vec<_> = history.branches.iter().collect();
        branches.sort_by_key(|branch| branch.prefix_jobs);
        let mut branches = branches.into_iter().peekable();
        for place in 0..=history.jobs.len() {
            while let Some(branch) = branches.next_if(|branch| branch.prefix_jobs == place) {
                let answers = judge_all(&mut judge.clone(), &branch.jobs, track)?;
                let affected = branch.affected().map(|job| answers[job].clone()).collect();
                events.push(Event::new(&history.name, branch, affected));
            }
            if let Some(job) = history.jobs.get(place) {
                jobs[place].answer = judge.observe(&track.view(job)?);
            }
        }
        clean.extend(jobs);
    }
    events.sort_by(|a, b| (&a.history, a.branch).cmp(&(&b.history, b.branch)));
    Ok(Evaluation::new(track, clean, events))
}

impl Evaluation {
    pub(crate) fn new(track: Track, clean: Vec<CleanJob>, events: Vec<Event>) -> Self {
        Self {
            scores: Scores::count(track, &clean, &events),
            clean,
            events,
        }
    }
}

/// The answers of `judge` to these jobs.
pub(crate) fn judge_all<J: Judge>(
    judge: &mut J,
    jobs: &[BackupJob],
    track: Track,
) -> Result<Vec<Option<crate::Answer>>, EvalError> {
    let answers = jobs.iter().map(|job| Ok(judge.observe(&track.view(job)?)));
    answers.collect()
}
