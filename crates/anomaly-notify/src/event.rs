//! What there is to tell.

mod anomaly;
mod incident;
mod review;
mod system;

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use anomaly::{AnomalyLine, AnomalyNews};
pub use incident::{IncidentChange, IncidentNews, RecoveryLine};
pub use review::ReviewNews;
pub use system::{SystemKind, SystemNews};

/// Something to tell, as the outbox keeps it and as a webhook's `data` has it.
///
/// ```
/// use anomaly_notify::{Event, What};
/// # let now = anomaly_model::chrono::DateTime::UNIX_EPOCH;
/// let event = Event::new("6f1c2a8e-0000-4000-8000-000000000001", now, What::Test);
/// // The same thing told again has the same id.
/// assert_eq!(event.id, Event::new(event.instance.clone(), now, What::Test).id);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// A UUID by which a receiver knows one that it was told before. It follows from the rest.
    pub id: String,
    /// When it happened, or was found.
    pub at: DateTime<Utc>,
    /// The installation that tells, by its UUID.
    pub instance: String,
    /// The address of the page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A job is anomalous.
    Anomaly(Box<AnomalyNews>),
    /// Anomalies that belong together were opened, grew, were closed, or were opened again.
    Incident(Box<IncidentNews>),
    /// A person decided about an anomaly.
    Review(Box<ReviewNews>),
    /// Something happened to the watching itself.
    System(SystemNews),
    /// Nothing: someone wants to see whether a sink works.
    Test,
}

/// The kinds of events that a sink can choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Topic {
    /// Single anomalous jobs.
    Anomaly,
    /// Incidents: anomalies that belong together.
    Incident,
    /// Decisions of people.
    Review,
    /// The watching itself.
    System,
    /// Tests of a sink, which it cannot choose not to get.
    Test,
}

impl Topic {
    /// The word that stands for it: that of [`What`] too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anomaly => "anomaly",
            Self::Incident => "incident",
            Self::Review => "review",
            Self::System => "system",
            Self::Test => "test",
        }
    }
}

/// Where a finding stands, in OCSF's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Created,
    Updated,
    Closed,
}

impl Activity {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Closed => "closed",
        }
    }
}

impl Event {
    /// Something that happened at `at`, told by the installation `instance`, without a link.
    #[must_use]
    pub fn new(instance: impl Into<String>, at: DateTime<Utc>, what: What) -> Self {
        let instance = instance.into();
        let subject = what.subject();
        let mut parts: Vec<&str> = vec!["event", &instance, what.topic().as_str()];
        parts.extend(subject.iter().map(String::as_str));
        let at_micros = at.timestamp_micros().to_string();
        let change = match &what {
            // An update as well, but not the one by which it may have grown then.
            What::Incident(news) if news.change == IncidentChange::Reopened => "reopened",
            what => what.activity().as_str(),
        };
        parts.extend([change, &at_micros]);
        Self {
            id: uuid(&parts),
            at,
            instance,
            link: None,
            what,
        }
    }

    /// The same, with the address of the page about it.
    #[must_use]
    pub fn with_link(mut self, link: impl Into<String>) -> Self {
        self.link = Some(link.into());
        self
    }

    /// How much it matters; `low` for a test.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match &self.what {
            What::Anomaly(news) => news.anomaly.verdict.severity().unwrap_or(Severity::Low),
            What::Incident(news) => news.incident.severity(),
            What::Review(news) => news.severity,
            What::System(news) => news.severity,
            What::Test => Severity::Low,
        }
    }

    /// What kind of event it is.
    #[must_use]
    pub fn topic(&self) -> Topic {
        self.what.topic()
    }

    /// The incident that it belongs to, by its number.
    #[must_use]
    pub fn incident(&self) -> Option<u64> {
        match &self.what {
            What::Anomaly(news) => news.incident,
            What::Incident(news) => Some(news.number),
            What::Review(news) => news.incident,
            What::System(_) | What::Test => None,
        }
    }

    /// A UUID of what it is about: an anomaly and the reviews of it have the same, and so have the
    /// opening, the growth and the end of an incident.
    #[must_use]
    pub fn finding_uid(&self) -> String {
        let subject = self.what.subject();
        let about = match &self.what {
            What::Review(_) => Topic::Anomaly,
            what => what.topic(),
        };
        let mut parts: Vec<&str> = vec!["finding", &self.instance, about.as_str()];
        parts.extend(subject.iter().map(String::as_str));
        let at_micros = self.at.timestamp_micros().to_string();
        // Each of these is a matter of its own.
        if matches!(self.what, What::System(_) | What::Test) {
            parts.push(&at_micros);
        }
        uuid(&parts)
    }

    /// A UUID of what its mails are about: those of one incident are a thread.
    pub(crate) fn thread_uid(&self) -> String {
        match self.incident() {
            Some(number) => uuid(&[
                "finding",
                &self.instance,
                Topic::Incident.as_str(),
                &number.to_string(),
            ]),
            None => self.finding_uid(),
        }
    }
}

/// A UUID of several events told at once.
pub(crate) fn uid_of_all(events: &[&Event]) -> String {
    let ids = events.iter().map(|event| event.id.as_str());
    uuid(&std::iter::once("events").chain(ids).collect::<Vec<_>>())
}

impl What {
    /// What kind of event it is.
    #[must_use]
    pub fn topic(&self) -> Topic {
        match self {
            Self::Anomaly(_) => Topic::Anomaly,
            Self::Incident(_) => Topic::Incident,
            Self::Review(_) => Topic::Review,
            Self::System(_) => Topic::System,
            Self::Test => Topic::Test,
        }
    }

    pub(crate) fn activity(&self) -> Activity {
        match self {
            Self::Anomaly(_) | Self::System(_) | Self::Test => Activity::Created,
            Self::Incident(news) => match news.change {
                IncidentChange::Opened => Activity::Created,
                IncidentChange::Grown | IncidentChange::Reopened => Activity::Updated,
                IncidentChange::Closed => Activity::Closed,
            },
            Self::Review(news) if news.closes() => Activity::Closed,
            Self::Review(_) => Activity::Updated,
        }
    }

    /// What tells its subject from others of the same kind in the same installation.
    fn subject(&self) -> Vec<String> {
        let of_job =
            |key: &anomaly_model::JobKey| vec![key.source.to_string(), key.job_id.to_string()];
        match self {
            Self::Anomaly(news) => of_job(&news.anomaly.verdict.key()),
            Self::Review(news) => of_job(&news.job),
            Self::Incident(news) => vec![news.number.to_string()],
            Self::System(news) => vec![news.kind.as_str().to_owned(), news.subject.clone()],
            Self::Test => Vec::new(),
        }
    }
}

/// A UUID (version 8, RFC 9562) that follows from `parts`.
fn uuid(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // With its length, so that no part can pass for two.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | (0x8 << 76);
    number = number & !(0x3 << 62) | (0x2 << 62);
    let hex = format!("{number:032x}");
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}
