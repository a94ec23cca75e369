//! Settings that were accepted, and changes that wait for a second person.

use anomaly_model::chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Settings that were accepted, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsVersion {
    /// From when on they held.
    pub accepted_at: DateTime<Utc>,
    /// Who wanted them so.
    pub accepted_by: String,
    /// The second person, where one was asked.
    pub seconded_by: Option<String>,
    /// The settings.
    pub settings: Value,
}

/// A change that waits, or waited, for a second person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingChange {
    /// When it was proposed.
    pub proposed_at: DateTime<Utc>,
    /// By whom.
    pub proposed_by: String,
    /// What is to be done, in a word: `settings`, `exclude`.
    pub what: String,
    /// What it is to be done to, as people read it.
    pub subject: String,
    /// Why, in the proposer's words.
    pub reason: Option<String>,
    /// The change itself.
    pub change: Value,
    /// When the proposal lapses; `None` for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// How it ended; `None` while it waits.
    pub decision: Option<Decision>,
}

/// What a second person, or the clock, said to a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The person; `backwatch` where no person did.
    pub who: String,
    /// Whether the change was made.
    pub accepted: bool,
}
