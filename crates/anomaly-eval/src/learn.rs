//! Learning a population from labelled histories, and judging each as a stranger.

use std::collections::BTreeMap;
use std::sync::Arc;

use anomaly_engine::{Engine, PastStream, Population};
use anomaly_model::StreamKey;

use crate::evaluation::evaluate;
use crate::normal::{DayClass, clean_jobs};
use crate::{EvalError, Evaluation, History, Track};

/// Learns from the clean jobs of histories how streams in general behave.
///
/// # Errors
/// [`EvalError::Learn`] if they are too few.
pub fn learn<'a>(
    histories: impl IntoIterator<Item = &'a History>,
) -> Result<Population, EvalError> {
    let mut streams: BTreeMap<StreamKey, PastStream<'_>> = BTreeMap::new();
    for history in histories {
        for (job, clean) in history.jobs.iter().zip(clean_jobs(history)) {
            let ordinary = matches!(clean.class, DayClass::Normal | DayClass::Early);
            let stream = streams.entry(clean.stream).or_default();
            stream.push(job, ordinary);
        }
    }
    let streams: Vec<PastStream<'_>> = streams.into_values().collect();
    Ok(Population::learn(&streams)?)
}

/// Evaluates an engine on each history with a population learnt from the others: what is measured
/// is then how it does on clients that it has never seen.
///
/// # Errors
/// [`EvalError::Learn`] if the others are too few.
pub fn evaluate_left_out(
    engine: &Engine,
    histories: &[History],
    tracks: &[Track],
) -> Result<Vec<Evaluation>, EvalError> {
    let mut found = vec![(Vec::new(), Vec::new()); tracks.len()];
    for history in histories {
        let others = histories.iter().filter(|other| other.name != history.name);
        let engine = engine.clone().with_population(Arc::new(learn(others)?));
        for (track, (clean, events)) in tracks.iter().zip(&mut found) {
            let one = evaluate(&engine, std::slice::from_ref(history), *track)?;
            clean.extend(one.clean);
            events.extend(one.events);
        }
    }
    let evaluations = tracks.iter().zip(found);
    Ok(evaluations
        .map(|(track, (clean, events))| Evaluation::new(*track, clean, events))
        .collect())
}
