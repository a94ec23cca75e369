//! How a judge does that has seen little.

use std::collections::HashMap;

use anomaly_model::{BackupJob, StreamKey};

use crate::evaluation::judge_all;
use crate::normal::{CleanJob, DayClass, clean_jobs};
use crate::{EvalError, Evaluation, Event, History, Judge, Track};

/// Evaluates a judge as [`evaluate`](crate::evaluate) does, but every job and every branch is
/// judged by a clone that has seen only the last `history_jobs` jobs of each stream before it.
///
/// Clean jobs with a shorter history are not counted. The judge judges each clean job anew, so this
/// takes about `history_jobs` times as long.
///
/// # Errors
/// As [`evaluate`](crate::evaluate).
pub fn evaluate_short<J: Judge>(
    judge: &J,
    histories: &[History],
    track: Track,
    history_jobs: usize,
) -> Result<Evaluation, EvalError> {
    let (mut clean, mut events) = (Vec::new(), Vec::new());
    for history in histories {
        let views = history.jobs.iter().map(|job| track.view(job));
        let views: Vec<BackupJob> = views.collect::<Result<_, _>>()?;
        let mut jobs = clean_jobs(history);
        for place in 0..jobs.len() {
            jobs[place].answer = if jobs[place].jobs_before < history_jobs {
                jobs[place].class = DayClass::Uncounted;
                None
            } else if matches!(jobs[place].class, DayClass::Normal | DayClass::Busy) {
                let mut judge = judge.clone();
                let same = |before: &usize| jobs[*before].stream == jobs[place].stream;
                let mut window: Vec<usize> =
                    (0..place).rev().filter(same).take(history_jobs).collect();
                window.reverse();
                for before in window {
                    judge.observe(&views[before]);
                }
                judge.observe(&views[place])
            } else {
                None
            };
        }
        for branch in &history.branches {
            let mut judge = judge.clone();
            for place in last_of_each_stream(&jobs[..branch.prefix_jobs], history_jobs) {
                judge.observe(&views[place]);
            }
            let answers = judge_all(&mut judge, &branch.jobs, track)?;
            let affected = branch.affected().map(|job| answers[job].clone()).collect();
            events.push(Event::new(&history.name, branch, affected));
        }
        clean.extend(jobs);
    }
    Ok(Evaluation::new(track, clean, events))
}

/// The places of the last so many jobs of each stream, in their order.
fn last_of_each_stream(jobs: &[CleanJob], count: usize) -> Vec<usize> {
    let mut taken: HashMap<&StreamKey, usize> = HashMap::new();
    let mut places: Vec<usize> = (0..jobs.len())
        .rev()
        .filter(|&place| {
            let taken = taken.entry(&jobs[place].stream).or_default();
            *taken += 1;
            *taken <= count
        })
        .collect();
    places.reverse();
    places
}
