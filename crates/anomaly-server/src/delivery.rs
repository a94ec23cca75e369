//! What is in the outbox, told to each sink.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_notify::{Backoff, Event, NotifyError, Sink, Topic};
use anomaly_service::AnomalyService;
use anomaly_settings::Role;
use anomaly_storage::{Delivery, Message, StoreError, Stored};

use crate::app::{App, now};
use crate::duties::Duty;
use crate::outage::Outage;
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
    let mut courier = Courier {
        app,
        sink,
        outage: Outage::default(),
        done: Vec::new(),
    };
    loop {
        interval.tick().await;
        loop {
            let round = courier.round().await;
            let duties = &courier.app.duties;
            duties.note(Duty::Deliver, courier.sink.name(), &round);
            if !matches!(round, Ok(true)) {
                break;
            }
        }
    }
}

/// Who goes to one sink.
struct Courier {
    app: App,
    sink: Arc<Sink>,
    outage: Outage,
    /// What became of messages, and is not written down yet.
    done: Vec<(u64, Delivery)>,
}

/// What is to be told now, each event with how far it has come.
#[derive(Default)]
struct Load {
    events: Vec<Event>,
    deliveries: Vec<(u64, Delivery)>,
}

impl Courier {
    /// Tells what is due, and says whether there was more of it.
    async fn round(&mut self) -> Result<bool, Problem> {
        // What was told and could not be written down would be told again and again.
        self.write().await?;
        // Somebody has tried it, and it works.
        if self.outage.is_on() && self.app.sink_states.of(self.sink.name()).failing.is_none() {
            self.outage = Outage::default();
        }
        let most = if self.outage.is_left_alone() { 0 } else { PAGE };
        let due = self.due(most).await?;
        let is_more = most > 0 && due.len() == most;
        let load = self.sort(due);
        let is_taken = self.tell(load).await?;
        self.write().await?;
        Ok(is_more && is_taken)
    }

    /// At most so many of the messages that are due, the oldest first.
    async fn due(&self, most: usize) -> Result<Vec<(Stored<Message>, Delivery)>, Problem> {
        let asked = self.sink.name().to_owned();
        let read = self.app.readers.read(move |service| {
            let records = service.records();
            let waiting = records.waiting(&asked)?;
            let due = records.due_messages(&asked, now(), most)?;
            let mut with_attempts = Vec::with_capacity(due.len());
            for message in due {
                let deliveries = records.deliveries(message.number)?;
                let own = deliveries
                    .into_iter()
                    .find(|delivery| delivery.sink == asked);
                with_attempts.extend(own.map(|own| (message, own)));
            }
            Ok((with_attempts, waiting))
        });
        let (due, waiting) = read.await?;
        let change = |state: &mut SinkState| state.waiting = waiting.messages;
        self.app.sink_states.change(self.sink.name(), change);
        Ok(due)
    }

    /// Finds out what the sink is to be told now; the rest is done, or waits.
    fn sort(&mut self, due: Vec<(Stored<Message>, Delivery)>) -> Load {
        let begun = now();
        let is_alerting = self.app.readers.settings().is_on(Role::Alert);
        let mut load = Load::default();
        for (Stored { number, record }, delivery) in due {
            match read(record) {
                Err(why) => self.done.push((number, given_up(delivery, why))),
                Ok(event) if !self.sink.wants(&event) => {
                    self.done.push((number, taken(delivery, begun)));
                }
                Ok(event) => {
                    // What happens to the watching itself is told whatever is switched off.
                    let is_held = !is_alerting && event.topic() != Topic::System;
                    let held_until = is_held.then(|| begun + HELD);
                    if let Some(later) = held_until.or_else(|| self.sink.held_until(&event, begun))
                    {
                        self.done.push((number, at(delivery, later)));
                    } else {
                        load.events.push(event);
                        load.deliveries.push((number, delivery));
                    }
                }
            }
        }
        load
    }

    /// Tells it, until the sink fails; says whether all of it was taken.
    async fn tell(&mut self, load: Load) -> Result<bool, Problem> {
        let Load { events, deliveries } = load;
        let mut groups = self.sink.groups(&events);
        let numbers = |group: &[usize]| group.iter().map(|&place| deliveries[place].0).collect();
        if self.outage.is_on() && !groups.is_empty() {
            let all: Vec<Vec<u64>> = groups.iter().map(|group| numbers(group)).collect();
            let first = groups.remove(self.outage.first_to_try(&all));
            groups.insert(0, first);
        }
        for group in groups {
            let together: Vec<&Event> = group.iter().map(|&place| &events[place]).collect();
            let told = self.sink.deliver(&together, now()).await;
            let name = self.sink.name();
            self.app.sink_states.note(name, &told);
            self.app.meters.told(name, told.is_ok(), group.len() as u64);
            let ended = now();
            let failure = told.as_ref().err().filter(|error| !error.is_permanent());
            // A sink that has just worked fails at this message, as far as anybody knows. One that
            // fails again and again fails: that is not counted against a message.
            if failure.is_none() || !self.outage.is_on() {
                for &place in &group {
                    let (number, delivery) = deliveries[place].clone();
                    self.done
                        .push((number, after(delivery, &told, ended, number)));
                }
            }
            if let Some(error) = failure {
                if self.outage.is_on() {
                    self.give_up(&deliveries, error, ended);
                }
                let least = error.retry_after().unwrap_or_default();
                self.outage.failed(numbers(&group), least);
                return Ok(false);
            }
            self.outage = Outage::default();
            if self.done.len() >= WRITTEN {
                self.write().await?;
            }
        }
        Ok(true)
    }

    /// Gives up what could have been told for as long as messages are tried, while the sink failed for
    /// as long.
    fn give_up(&mut self, due: &[(u64, Delivery)], error: &NotifyError, now: DateTime<Utc>) {
        let long_ago = now - Backoff::default().give_up_after;
        let failing = self.app.sink_states.of(self.sink.name()).failing;
        if failing.is_none_or(|(since, _)| since > long_ago) {
            return;
        }
        for (number, delivery) in due {
            if delivery.next_attempt_at.is_some_and(|at| at <= long_ago) {
                let given_up = given_up(delivery.clone(), error.in_one_line());
                self.done.push((*number, given_up));
            }
        }
    }

    /// Writes down what became of messages.
    async fn write(&mut self) -> Result<(), Problem> {
        if self.done.is_empty() {
            return Ok(());
        }
        let done = self.done.clone();
        let write = move |service: &mut AnomalyService| {
            let mut transaction = service.transaction()?;
            for (number, delivery) in &done {
                match transaction.put_delivery(*number, delivery) {
                    // It is gone: nobody asks any more.
                    Ok(()) | Err(StoreError::NoSuchRecord { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(transaction.commit()?)
        };
        self.app.writer.run_patiently(write).await?;
        self.done.clear();
        Ok(())
    }
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
