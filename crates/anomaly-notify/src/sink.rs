//! One who is told.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};

use crate::command::CommandSink;
use crate::email::EmailSink;
use crate::file::FileSink;
use crate::syslog::SyslogSink;
use crate::webhook::WebhookSink;
use crate::{
    Channel, Event, Format, IncidentChange, NotifyError, SinkOptions, Topic, What, body, quiet,
};

/// One who is told: made from [`SinkOptions`], with its secrets read.
///
/// It keeps no state: what was told, and when to try again, is the outbox's matter. A caller does,
/// with the events that are due to a sink,
///
/// 1. forget those that it does not [want](Self::wants);
/// 2. put off those that are [held](Self::held_until);
/// 3. deliver each of the [groups](Self::groups) of the rest, and put off by
///    [`Backoff`](crate::Backoff) what failed.
#[derive(Debug)]
pub struct Sink {
    options: SinkOptions,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Webhook(WebhookSink),
    Email(EmailSink),
    Syslog(SyslogSink),
    File(FileSink),
    Command(CommandSink),
}

impl Sink {
    /// Reads the secrets and certificates that the options name. Nothing is called.
    ///
    /// # Errors
    /// [`NotifyError`] when one of them cannot be read or used.
    pub fn open(options: SinkOptions) -> Result<Self, NotifyError> {
        let way = match &options.channel {
            Channel::Webhook(webhook) => Way::Webhook(WebhookSink::open(webhook)?),
            Channel::Email(email) => Way::Email(EmailSink::open(email, &options.name)?),
            Channel::Syslog(syslog) => Way::Syslog(SyslogSink::open(syslog)?),
            Channel::File(file) => Way::File(FileSink::open(file)),
            Channel::Command(command) => Way::Command(CommandSink::open(command)),
        };
        Ok(Self { options, way })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// What it was made from. Nothing in it is a secret, but for a webhook's address that should have been
    /// in a `url_file`; what is shown of it by `Debug` has none at all.
    #[must_use]
    pub fn options(&self) -> &SinkOptions {
        &self.options
    }

    /// What is told, without a secret: `https://siem.example`, `ops@example.org`.
    #[must_use]
    pub fn target(&self) -> String {
        match &self.way {
            Way::Webhook(sink) => sink.target(),
            Way::Email(sink) => sink.target(),
            Way::Syslog(sink) => sink.target(),
            Way::File(sink) => sink.target(),
            Way::Command(sink) => sink.target(),
        }
    }

    /// Whether it is to be told of this event at all. A test it always wants.
    ///
    /// A mail about an incident has its anomalies in it: none of them is a mail of its own.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        if event.topic() == Topic::Test {
            return true;
        }
        let is_in_digest = matches!(self.way, Way::Email(_))
            && event.topic() == Topic::Anomaly
            && event.incident().is_some()
            && self.options.events.contains(&Topic::Incident);
        self.options.events.contains(&event.topic())
            && event.severity() >= self.options.min_severity
            && self.options.scope.covers(event)
            && !is_in_digest
    }

    /// Until when it is silent for what matters least, if it is at `now`.
    #[must_use]
    pub fn quiet_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        quiet::until(&self.options.quiet, now, anomaly_model::Severity::Low)
    }

    /// Until when this event has to wait, if it has to at `now`: for quiet hours to end, or for what
    /// else there will be to tell of the same incident.
    ///
    /// What comes after the first mail of an incident, reviews included, waits until the clock shows a
    /// multiple of `digest_minutes` since 1970: so that all of it becomes due at once, before and after a
    /// restart.
    #[must_use]
    pub fn held_until(&self, event: &Event, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if event.topic() == Topic::Test {
            return None;
        }
        let collected = self.collected_at(event).filter(|at| *at > now);
        let speaks_at = collected.unwrap_or(now);
        quiet::until(&self.options.quiet, speaks_at, event.severity()).or(collected)
    }

    /// When all that is told together with an event has come.
    fn collected_at(&self, event: &Event) -> Option<DateTime<Utc>> {
        let Channel::Email(email) = &self.options.channel else {
            return None;
        };
        match &event.what {
            What::Incident(news) if news.change != IncidentChange::Opened => {}
            What::Review(news) if news.incident.is_some() => {}
            _ => return None,
        }
        let window = TimeDelta::minutes(email.digest_minutes.into()).num_milliseconds();
        if window == 0 {
            return None;
        }
        let begun = event.at.timestamp_millis().div_euclid(window);
        DateTime::from_timestamp_millis(begun.checked_add(1)?.checked_mul(window)?)
    }

    /// Which of `events` are told together, each group by its positions: for e-mail those of one
    /// incident, for others each event alone. Groups and events stay in order.
    #[must_use]
    pub fn groups(&self, events: &[Event]) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (position, event) in events.iter().enumerate() {
            let together = groups.iter_mut().find(|group| {
                let first = group.first().and_then(|first| events.get(*first));
                matches!(self.way, Way::Email(_))
                    && event.incident().is_some()
                    && first.is_some_and(|first| {
                        first.incident() == event.incident() && first.instance == event.instance
                    })
            });
            match together {
                Some(group) => group.push(position),
                None => groups.push(vec![position]),
            }
        }
        groups
    }

    /// What [`deliver`](Self::deliver) would send, without sending it: a mail, or for each event the
    /// body of a request, a message, or a line.
    ///
    /// # Errors
    /// [`NotifyError::Body`] when it cannot be written.
    pub fn preview(
        &self,
        events: &[&Event],
        now: DateTime<Utc>,
    ) -> Result<Vec<Vec<u8>>, NotifyError> {
        let lines = |format| {
            let lines = events.iter().map(|event| body::line(event, format));
            lines.map(|line| line.map(String::into_bytes)).collect()
        };
        match (&self.way, &self.options.channel) {
            (Way::Email(sink), _) => Ok(vec![sink.mail(events, now)?.formatted()]),
            (Way::Syslog(sink), _) => sink.messages(events),
            (_, Channel::Webhook(options)) => lines(options.format),
            (_, Channel::File(options)) => lines(options.format),
            _ => lines(Format::CloudEvents),
        }
    }

    /// Tells `events`, one of the [groups](Self::groups), at the time `now`. It takes no longer than
    /// the sink's time limit for each event, and is safe to be dropped.
    ///
    /// # Errors
    /// [`NotifyError`] when not all of it was taken. What was is told again with the next try.
    pub async fn deliver(&self, events: &[&Event], now: DateTime<Utc>) -> Result<(), NotifyError> {
        match &self.way {
            Way::Webhook(sink) => {
                for event in events {
                    sink.deliver(event, now).await?;
                }
            }
            Way::Email(sink) => sink.deliver(events, now).await?,
            Way::Syslog(sink) => sink.deliver(events).await?,
            Way::File(sink) => sink.deliver(events).await?,
            Way::Command(sink) => {
                for event in events {
                    sink.deliver(event).await?;
                }
            }
        }
        tracing::debug!(sink = self.name(), events = events.len(), "told");
        Ok(())
    }
}
