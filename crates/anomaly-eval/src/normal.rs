//! Which clean jobs count as normal.

use std::collections::HashMap;

use anomaly_model::{StreamKey, StreamPart};
use serde::Serialize;

use crate::median::median;
use crate::{Answer, History};

/// A job with at least so many jobs of its stream before it counts as normal.
pub const WARM_JOBS: usize = 14;

/// Churn above this, and above twice the client's median, makes a day busy.
const BUSY_CHURN: f64 = 0.3;

/// A job of a clean history, and what the judge said.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CleanJob {
    /// The history it is in.
    pub history: String,
    /// The tool's id.
    pub job_id: String,
    /// Its stream, by client, policy and schedule type.
    pub stream: StreamKey,
    /// How many jobs of the stream come before it.
    pub jobs_before: usize,
    /// How it counts.
    pub class: DayClass,
    /// What the judge said; `None` if nothing.
    pub answer: Option<Answer>,
}

impl CleanJob {
    /// Whether the judge raised an alarm.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.answer.as_ref().is_some_and(Answer::is_alarm)
    }

    /// The score by which jobs are put in order; below all others if there is no answer.
    pub(crate) fn level(&self) -> f64 {
        self.answer
            .as_ref()
            .map_or(f64::NEG_INFINITY, Answer::level)
    }
}

/// How a clean job counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayClass {
    /// One of the first [`WARM_JOBS`] jobs of its stream.
    Early,
    /// Nothing happened: an alarm on it is false.
    Normal,
    /// Much changed, legitimately: an alarm on it is a nuisance, counted apart.
    Busy,
    /// Not counted: an early busy day, or without the history that was asked for.
    Uncounted,
}

/// The clean jobs of a history, without answers.
pub(crate) fn clean_jobs(history: &History) -> Vec<CleanJob> {
    let busy_above =
        BUSY_CHURN.max(2.0 * median(history.labels.iter().map(|label| label.churn_frac)));
    let mut seen: HashMap<StreamKey, usize> = HashMap::new();
    let jobs = history.jobs.iter().zip(&history.labels);
    jobs.map(|(job, label)| {
        let stream = StreamKey::of(job, &StreamPart::DEFAULT);
        let count = seen.entry(stream.clone()).or_default();
        let jobs_before = *count;
        *count += 1;
        let busy = label.churn_frac > busy_above;
        let class = match (jobs_before >= WARM_JOBS, label.initial, busy) {
            (true, false, false) => DayClass::Normal,
            (true, false, true) => DayClass::Busy,
            (false, true, _) | (false, false, false) => DayClass::Early,
            _ => DayClass::Uncounted,
        };
        CleanJob {
            history: history.name.clone(),
            job_id: label.job_id.clone(),
            stream,
            jobs_before,
            class,
            answer: None,
        }
    })
    .collect()
}
