//! What is in the outbox, told to each sink.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_notify::{Backoff, Event, NotifyError, Sink, Topic};
use anomaly_settings::Role;
use anomaly_storage::{Delivery, Message, Stored};

use crate::app::{App, now};
use crate::problem::Problem;

/// How often each sink's outbox is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How long a message waits before it is looked at again while alerting is switched off.
const HELD: TimeDelta = TimeDelta::seconds(5);
/// Messages that are looked at in one go.
const PAGE: usize = 500;
/// Messages that may be told before it is written down that they were: so many are told again when
/// the service is stopped in between.
const WRITTEN: usize = 20;

/// How a sink does.
#[derive(Debug, Clone, Default)]
pub(crate) struct SinkState {
    /// When it last took something.
    pub(crate) delivered_at: Option<DateTime<Utc>>,
    /// Why it did not, since when.
    pub(crate) failing: Option<(DateTime<Utc>, String)>,
    /// Messages that wait for it.
    pub(crate) waiting: u64,
}

/// How all sinks do, by name.
#[derive(Debug, Default)]
pub(crate) struct SinkStates {
    states: Mutex<BTreeMap<String, SinkState>>,
}

impl SinkStates {
    pub(crate) fn of(&self, sink: &str) -> SinkState {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(sink).cloned().unwrap_or_default()
    }

    fn change(&self, sink: &str, change: impl FnOnce(&mut SinkState)) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        change(states.entry(sink.to_owned()).or_default());
    }

    pub(crate) fn note(&self, sink: &str, told: &Result<(), NotifyError>) {
        self.change(sink, |state| match told {
            Ok(()) => {
                state.delivered_at = Some(now());
                if state.failing.take().is_some() {
                    tracing::info!(sink, "the sink works again");
                }
            }
            Err(error) => {
                if state.failing.is_none() {
                    tracing::warn!(sink, error = error.in_one_line(), "the sink fails");
                }
                let since = state.failing.take().map_or_else(now, |(since, _)| since);
                state.failing = Some((since, error.in_one_line()));
            }
        });
    }
}

/// Tells one sink what waits for it, until the service ends. Another one that is slow does not matter.
pub(crate) async fn deliver(app: App, sink: Arc<Sink>) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(problem) = round(&app, &sink).await {
            let (sink, detail) = (sink.name(), problem.detail());
            tracing::warn!(sink, detail, "cannot look into the outbox");
        }
    }
}

async fn round(app: &App, sink: &Sink) -> Result<(), Problem> {
    let name = sink.name().to_owned();
    let asked = name.clone();
    let (due, waiting) = app
        .readers
        .read(move |service| {
            let records = service.records();
            let due = records.due_messages(&asked, now(), PAGE)?;
            let waiting = records.waiting(&asked)?;
            let mut with_attempts = Vec::with_capacity(due.len());
            for message in due {
                let deliveries = records.deliveries(message.number)?;
                let own = deliveries
                    .into_iter()
                    .find(|delivery| delivery.sink == asked);
                with_attempts.extend(own.map(|own| (message, own)));
            }
            Ok((with_attempts, waiting))
        })
        .await?;
    app.sink_states
        .change(&name, |state| state.waiting = waiting.messages);
    let begun = now();
    let is_alerting = app.readers.settings().is_on(Role::Alert);
    let mut events = Vec::new();
    let mut deliveries = Vec::new();
    let mut done = Vec::new();
    for (Stored { number, record }, delivery) in due {
        match read(record) {
            Err(why) => done.push((number, given_up(delivery, why))),
            Ok(event) if !sink.wants(&event) => done.push((number, taken(delivery, begun))),
            Ok(event) => {
                // What happens to the watching itself is told whatever is switched off.
                let is_held = !is_alerting && event.topic() != Topic::System;
                let held_until = is_held.then(|| begun + HELD);
                if let Some(later) = held_until.or_else(|| sink.held_until(&event, begun)) {
                    done.push((number, at(delivery, later)));
                } else {
                    events.push(event);
                    deliveries.push((number, delivery));
                }
            }
        }
    }
    for group in sink.groups(&events) {
        let together: Vec<&Event> = group.iter().map(|&place| &events[place]).collect();
        let begun = now();
        let told = sink.deliver(&together, begun).await;
        app.sink_states.note(&name, &told);
        app.meters.told(&name, told.is_ok(), group.len() as u64);
        let ended = now();
        for place in group {
            let (number, delivery) = deliveries[place].clone();
            done.push((number, after(delivery, &told, ended, number)));
        }
        // What comes after it would most likely fail too, each after its time: it waits for the
        // next round.
        if told.is_err_and(|error| !error.is_permanent()) {
            break;
        }
        if done.len() >= WRITTEN {
            write(app, std::mem::take(&mut done)).await?;
        }
    }
    write(app, done).await
}

/// Writes down what became of messages.
async fn write(app: &App, done: Vec<(u64, Delivery)>) -> Result<(), Problem> {
    if done.is_empty() {
        return Ok(());
    }
    app.writer
        .run(move |service| {
            let mut transaction = service.transaction()?;
            for (number, delivery) in &done {
                transaction.put_delivery(*number, delivery)?;
            }
            Ok(transaction.commit()?)
        })
        .await
}

fn read(message: Message) -> Result<Event, String> {
    serde_json::from_value(message.body)
        .map_err(|error| format!("the message cannot be read: {error}"))
}

fn taken(delivery: Delivery, now: DateTime<Utc>) -> Delivery {
    Delivery {
        next_attempt_at: None,
        delivered_at: Some(now),
        error: None,
        ..delivery
    }
}

fn at(delivery: Delivery, later: DateTime<Utc>) -> Delivery {
    Delivery {
        next_attempt_at: Some(later),
        ..delivery
    }
}

fn given_up(delivery: Delivery, error: String) -> Delivery {
    Delivery {
        next_attempt_at: None,
        error: Some(error),
        ..delivery
    }
}

fn after(
    delivery: Delivery,
    told: &Result<(), NotifyError>,
    now: DateTime<Utc>,
    seed: u64,
) -> Delivery {
    let attempts = delivery.attempts + 1;
    let delivery = Delivery {
        attempts,
        ..delivery
    };
    match told {
        Ok(()) => taken(delivery, now),
        Err(error) if error.is_permanent() => given_up(delivery, error.in_one_line()),
        Err(error) => {
            let wait = error
                .retry_after()
                .and_then(|wait| TimeDelta::from_std(wait).ok());
            let least = wait.map(|wait| now + wait);
            let next = Backoff::default().next(attempts, now, seed);
            Delivery {
                next_attempt_at: next.map(|next| least.map_or(next, |least| next.max(least))),
                error: Some(error.in_one_line()),
                ..delivery
            }
        }
    }
}
