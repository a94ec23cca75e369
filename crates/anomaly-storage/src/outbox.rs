//! What others are to be told.

use anomaly_model::chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What sinks (mail, webhook, syslog) are to be told. One that is posted in the transaction of what it
/// tells of is there whenever that is; whoever posts later has to find again what it has not posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// When it was written, to the microsecond.
    pub made_at: DateTime<Utc>,
    /// What it is about, in a word: `anomaly`, `incident`, `settings`.
    pub topic: String,
    /// What is told.
    pub body: Value,
}

/// How far a message has come on its way to one sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The sink, by its name in the settings.
    pub sink: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is to be tried next, to the microsecond; `None` when it was delivered or given up.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When the sink took it; `None` when it has not.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// What waits for one sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Waiting {
    /// Messages that it has not been told, and still is to be.
    pub messages: u64,
    /// When the oldest of them was written.
    pub oldest_at: Option<DateTime<Utc>>,
}

impl Delivery {
    /// Of a message that is to be told to `sink` at `at`, for the first time.
    pub(crate) fn first(sink: &str, at: DateTime<Utc>) -> Self {
        Self {
            sink: sink.to_owned(),
            attempts: 0,
            next_attempt_at: Some(at),
            delivered_at: None,
            error: None,
        }
    }
}
