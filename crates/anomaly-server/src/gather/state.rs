//! How each source does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anomaly_model::chrono::{DateTime, Utc};
use tokio::sync::Notify;

/// How a source does.
#[derive(Debug, Clone)]
pub(crate) struct SourceState {
    /// What is read: `restic`.
    pub(crate) kind: &'static str,
    /// Where it is, for people.
    pub(crate) target: String,
    /// Seconds between two readings.
    pub(crate) every_seconds: u32,
    /// Whether it can be read.
    pub(crate) condition: Condition,
    /// Whether it is being read.
    pub(crate) is_reading: bool,
    /// When it was last read to its end.
    pub(crate) succeeded_at: Option<DateTime<Utc>>,
    /// The end of the newest job.
    pub(crate) latest: Option<DateTime<Utc>>,
    /// When it is read next.
    pub(crate) next_at: Option<DateTime<Utc>>,
    /// Jobs that were new, since the service runs.
    pub(crate) new_jobs: u64,
    /// Of the last reading: jobs that were known, ...
    pub(crate) known: u64,
    /// ... records that are no finished backups, ...
    pub(crate) skipped: u64,
    /// ... and records and files that cannot be used, with why.
    pub(crate) refused: u64,
    pub(crate) reasons: Vec<String>,
    /// Files that are being written.
    pub(crate) unsettled: u64,
}

/// Whether a source can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nobody knows yet.
    New,
    /// It could be, the last time.
    Working,
    /// It cannot be, since when and why.
    Degraded {
        since: DateTime<Utc>,
        why: String,
        failures: u32,
    },
}

impl SourceState {
    pub(super) fn new(kind: &'static str, target: String, every_seconds: u32) -> Self {
        Self {
            kind,
            target,
            every_seconds,
            condition: Condition::New,
            is_reading: false,
            succeeded_at: None,
            latest: None,
            next_at: None,
            new_jobs: 0,
            known: 0,
            skipped: 0,
            refused: 0,
            reasons: Vec::new(),
            unsettled: 0,
        }
    }

    /// Whether it cannot be read.
    pub(crate) fn is_degraded(&self) -> bool {
        matches!(self.condition, Condition::Degraded { .. })
    }
}

/// How all sources do, by name.
#[derive(Debug, Default)]
pub(crate) struct SourceStates {
    states: Mutex<BTreeMap<String, (SourceState, Arc<Notify>)>>,
}

impl SourceStates {
    /// All of them, in the order of their names.
    pub(crate) fn all(&self) -> Vec<(String, SourceState)> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let all = states.iter();
        all.map(|(name, (state, _))| (name.clone(), state.clone()))
            .collect()
    }

    /// How many cannot be read.
    pub(crate) fn degraded(&self) -> usize {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let degraded = states.values().filter(|(state, _)| state.is_degraded());
        degraded.count()
    }

    /// Has a source read now; says whether there is one of this name.
    pub(crate) fn read_now(&self, name: &str) -> bool {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let known = states.get(name);
        known.inspect(|(_, asked)| asked.notify_one()).is_some()
    }

    pub(crate) fn add(&self, source: &super::GatherOptions) {
        let state = SourceState::new(
            source.kind.as_str(),
            source.kind.target(),
            source.every_seconds,
        );
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.insert(source.name.clone(), (state, Arc::default()));
    }

    /// What wakes the source when somebody wants it read.
    pub(super) fn asked(&self, name: &str) -> Arc<Notify> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let known = states.get(name).map(|(_, asked)| Arc::clone(asked));
        known.unwrap_or_default()
    }

    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut SourceState)) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((state, _)) = states.get_mut(name) {
            change(state);
        }
    }
}
