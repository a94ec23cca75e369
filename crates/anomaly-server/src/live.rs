//! What has just happened, for pages that stay open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anomaly_model::{JobKey, Severity, Verdict};
use serde::Serialize;
use tokio::sync::broadcast;

/// Events that a slow reader may be behind; it is told that it missed some.
const BEHIND: usize = 256;
/// Pages that listen at the same time; each holds a connection.
const SEATS: usize = 256;
/// Of which one person or key has so many.
const OWN_SEATS: usize = 16;

/// Something that has just happened.
#[derive(Debug, Clone)]
pub(crate) enum Happened {
    /// An anomaly was stored.
    Anomaly(AnomalyNews),
    /// There is something new for people to read.
    News,
}

/// An anomaly that has just been stored.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AnomalyNews {
    pub(crate) job: JobKey,
    pub(crate) severity: Severity,
    pub(crate) client: String,
    pub(crate) summary: String,
}

impl Happened {
    /// An anomaly; `None` for a job that is none.
    pub(crate) fn of(verdict: &Verdict) -> Option<Self> {
        Some(Self::Anomaly(AnomalyNews {
            job: verdict.key(),
            severity: verdict.severity()?,
            client: verdict.client.to_string(),
            summary: verdict.summary.clone(),
        }))
    }
}

/// Tells every page that listens.
#[derive(Debug)]
pub(crate) struct Live {
    /// `None` once the service ends.
    sender: Mutex<Option<broadcast::Sender<Happened>>>,
    /// How many pages each of them has open, by name.
    listeners: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// One who is told what happens, until the service ends or it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) happened: broadcast::Receiver<Happened>,
    pub(crate) seat: Seat,
}

/// A place among those who listen, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    name: String,
    listeners: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let listeners = self.listeners.lock();
        let mut listeners = listeners.unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = listeners.get_mut(&self.name) {
            *own -= 1;
            if *own == 0 {
                listeners.remove(&self.name);
            }
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self {
            sender: Mutex::new(Some(broadcast::Sender::new(BEHIND))),
            listeners: Arc::default(),
        }
    }
}

impl Live {
    pub(crate) fn tell(&self, happened: Happened) {
        if let Some(sender) = &*self.sender() {
            // Nobody may be listening.
            _ = sender.send(happened);
        }
    }

    /// `None` when there are too many of this name or in all, and when the service ends.
    pub(crate) fn listen(&self, name: &str) -> Option<Listener> {
        let seat = self.seat(name)?;
        let happened = self.sender().as_ref()?.subscribe();
        Some(Listener { happened, seat })
    }

    fn seat(&self, name: &str) -> Option<Seat> {
        let listeners = self.listeners.lock();
        let mut listeners = listeners.unwrap_or_else(PoisonError::into_inner);
        let all: usize = listeners.values().sum();
        let own = listeners.get(name).copied().unwrap_or_default();
        if all >= SEATS || own >= OWN_SEATS {
            return None;
        }
        listeners.insert(name.to_owned(), own + 1);
        Some(Seat {
            name: name.to_owned(),
            listeners: Arc::clone(&self.listeners),
        })
    }

    /// Nothing happens any more: whoever listens has heard all.
    pub(crate) fn end(&self) {
        *self.sender() = None;
    }

    fn sender(&self) -> MutexGuard<'_, Option<broadcast::Sender<Happened>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
