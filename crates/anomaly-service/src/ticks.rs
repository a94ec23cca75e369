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
    /// Whether that was reported.
    #[serde(default)]
    pub(crate) fleet_is_silent: bool,
}

impl Ticks {
    /// As the last tick left it; nothing if there was none, or if it cannot be read.
    pub(crate) fn read(store: &(impl Read + ?Sized)) -> Result<Self, ServiceError> {
        let note = store.note(NOTE)?;
        let ticks = note.and_then(|text| serde_json::from_str(&text).ok());
        Ok(ticks.unwrap_or_default())
    }
}
