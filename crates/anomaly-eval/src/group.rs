//! How a judge did on a group of events.

use std::collections::BTreeMap;

use anomaly_model::{AnomalyKind, Severity};
use serde::Serialize;

use crate::{Answer, Event, Share};

/// How a judge did on a group of events.
///
/// *First* is the first job that the event touched, *any* is some job that it touched. At an exact
/// budget, the alarm is raised by the score alone, above the threshold that gives exactly that many
/// false alarms on the normal jobs; an alarm without a score counts as above it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// Alarm on the first affected job.
    pub first: Share,
    /// Alarm on any affected job.
    pub any: Share,
    /// On the first, at exactly one false alarm per 90 normal jobs.
    pub first_at_90: Share,
    /// On any, at exactly one false alarm per 90 normal jobs.
    pub any_at_90: Share,
    /// On the first, at exactly one false alarm per 365 normal jobs.
    pub first_at_365: Share,
    /// On any, at exactly one false alarm per 365 normal jobs.
    pub any_at_365: Share,
    /// Of the events with an alarm: those that the first alarm names rightly; see
    /// [`naming`](crate::naming).
    pub named: Share,
    /// Of all events: an alarm on the first affected job that names it rightly.
    pub first_and_named: Share,
    /// Of all events: an alarm of high severity on any affected job.
    pub high: Share,
    /// What the first alarm called the events.
    pub called: BTreeMap<AnomalyKind, usize>,
}

impl Group {
    pub(crate) fn count(events: &[&Event], above_90: f64, above_365: f64) -> Self {
        let all = || events.iter().copied();
        let is_alarm = |answer: Option<&Answer>| answer.is_some_and(Answer::is_alarm);
        let is_above = |answer: Option<&Answer>, threshold: f64| {
            answer.map_or(f64::NEG_INFINITY, Answer::level) > threshold
        };
        let first_above = |threshold| Share::of(all(), |event| is_above(event.first(), threshold));
        let any_above = |threshold| {
            Share::of(all(), |event| {
                event
                    .answers
                    .iter()
                    .any(|answer| is_above(answer.as_ref(), threshold))
            })
        };
        let is_high = |answer: &Option<Answer>| {
            answer
                .as_ref()
                .is_some_and(|answer| answer.is_alarm() && answer.severity == Some(Severity::High))
        };
        let mut called = BTreeMap::new();
        for kind in all().filter_map(|event| event.first_alarm()?.1.kind) {
            *called.entry(kind).or_default() += 1;
        }
        Self {
            first: Share::of(all(), |event| is_alarm(event.first())),
            any: Share::of(all(), |event| event.first_alarm().is_some()),
            first_at_90: first_above(above_90),
            any_at_90: any_above(above_90),
            first_at_365: first_above(above_365),
            any_at_365: any_above(above_365),
            named: Share::of(all().filter_map(Event::is_named), |named| named),
            first_and_named: Share::of(all(), |event| {
                is_alarm(event.first()) && event.is_named() == Some(true)
            }),
            high: Share::of(all(), |event| event.answers.iter().any(is_high)),
            called,
        }
    }
}
