//! What the service does by itself, and since when it fails at it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::ServiceError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::now;
use crate::problem::Problem;

/// Something that the service does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Duty {
    /// It looks for what was stored, and tells of it.
    Tell,
    /// It puts the last days together when it starts.
    Remember,
    /// It asks which jobs did not come.
    Tick,
    /// It deletes what is kept no longer.
    Purge,
    /// It looks for changes of the settings.
    Settle,
    /// It looks for what waits to be told to a sink.
    Deliver,
    /// All that it read was what had been stored: once something was not, it fails until the service is
    /// started anew.
    Read,
}

impl Duty {
    pub(crate) const ALL: [Self; 7] = [
        Self::Tell,
        Self::Remember,
        Self::Tick,
        Self::Purge,
        Self::Settle,
        Self::Deliver,
        Self::Read,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tell => "tell",
            Self::Remember => "remember",
            Self::Tick => "tick",
            Self::Purge => "purge",
            Self::Settle => "settle",
            Self::Deliver => "deliver",
            Self::Read => "read",
        }
    }

    /// That it fails, in words that a time follows.
    pub(crate) fn failure_in_words(self) -> &'static str {
        match self {
            Self::Tell => "Nobody can be told of what is found, since",
            Self::Remember => "The last 90 days cannot be read, since",
            Self::Tick => "It cannot be asked which jobs did not come, since",
            Self::Purge => "What is old cannot be deleted, since",
            Self::Settle => "Changes of the settings cannot be looked for, since",
            Self::Deliver => "What waits for sinks cannot be read, since",
            Self::Read => "Something that is stored is damaged and was passed over, seen",
        }
    }
}

/// What the service fails at; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Duties {
    failing: Arc<Mutex<BTreeMap<(Duty, String), Failure>>>,
}

#[derive(Debug)]
struct Failure {
    since: DateTime<Utc>,
    detail: String,
}

impl Duties {
    /// Takes down how something went; `of` is the sink that it was for, or nothing.
    pub(crate) fn note<T>(&self, duty: Duty, of: &str, done: &Result<T, Problem>) {
        match done {
            Ok(_) => self.succeeded(duty, of),
            Err(problem) => self.failed(duty, of, problem.detail()),
        }
    }

    fn succeeded(&self, duty: Duty, of: &str) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if failing.remove(&(duty, of.to_owned())).is_some() {
            tracing::info!(duty = duty.as_str(), of, "it works again");
        }
    }

    /// The same reason is logged once, however often it is tried again.
    fn failed(&self, duty: Duty, of: &str, detail: &str) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = failing.entry((duty, of.to_owned()));
        let failure = failure.or_insert_with(|| Failure {
            since: now(),
            detail: String::new(),
        });
        if failure.detail != detail {
            tracing::warn!(duty = duty.as_str(), of, detail, "it fails");
            detail.clone_into(&mut failure.detail);
        }
    }

    /// Takes down that something was passed over, since it is damaged.
    pub(crate) fn passed_over(&self, damage: &dyn std::error::Error) {
        self.failed(Duty::Read, "", &damage.to_string());
    }

    /// What was read; nothing where it is damaged: the rest goes on without it.
    pub(crate) fn unless_damaged<T: Default>(
        &self,
        read: Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        match read {
            Err(error) if error.is_damaged() => {
                self.passed_over(&error);
                Ok(T::default())
            }
            read => read,
        }
    }

    /// What fails, and since when.
    pub(crate) fn failing(&self) -> BTreeMap<Duty, DateTime<Utc>> {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut since = BTreeMap::new();
        for ((duty, _), failure) in &*failing {
            let first = since.entry(*duty).or_insert(failure.since);
            *first = failure.since.min(*first);
        }
        since
    }
}
