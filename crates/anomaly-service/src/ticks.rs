//! What a tick has to know of those before it.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_storage::Read;
use serde::{Deserialize, Serialize};

use crate::ServiceError;

/// The note that ticks keep in the store.
pub(crate) const NOTE: &str = "tick";

/// What a tick has to know of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Ticks {
    pub(crate) last: Option<DateTime<Utc>>,
    /// Whether the last one found most streams overdue.
    #[serde(default)]
    pub(crate) fleet_seemed_silent: bool,
    /// Whether that was reported, of streams that have not come since.
    #[serde(default)]
    pub(crate) fleet_is_silent: bool,
    /// When it was: of streams that were due by then.
    #[serde(default)]
    pub(crate) silent_until: Option<DateTime<Utc>>,
}

impl Ticks {
    /// As the last tick left it; nothing if there was none, or if it cannot be read.
    pub(crate) fn read(store: &(impl Read + ?Sized)) -> Result<Self, ServiceError> {
        let note = store.note(NOTE)?;
        let ticks = note.and_then(|text| serde_json::from_str(&text).ok());
        Ok(ticks.unwrap_or_default())
    }

    /// By when streams were due that were reported together. An earlier version noted no time: what
    /// was due at its last tick is what it had reported.
    pub(crate) fn silent_until(&self) -> Option<DateTime<Utc>> {
        let reported = self.last.filter(|_| self.fleet_is_silent);
        self.silent_until.or(reported)
    }
}
