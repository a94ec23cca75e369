//! What has just happened, for pages that stay open.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anomaly_model::{JobKey, Severity, Verdict};
use serde::Serialize;
use tokio::sync::broadcast;

use crate::seats::{Seat, Seats};

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
    /// Whoever has a page open, by name.
    listeners: Seats<String>,
}

/// One who is told what happens, until the service ends or it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) happened: broadcast::Receiver<Happened>,
    pub(crate) seat: Seat<String>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            sender: Mutex::new(Some(broadcast::Sender::new(BEHIND))),
            listeners: Seats::new(SEATS, OWN_SEATS),
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
        let seat = self.listeners.take(name.to_owned())?;
        let happened = self.sender().as_ref()?.subscribe();
        Some(Listener { happened, seat })
    }

    /// Nothing happens any more: whoever listens has heard all.
    pub(crate) fn end(&self) {
        *self.sender() = None;
    }

    fn sender(&self) -> MutexGuard<'_, Option<broadcast::Sender<Happened>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
