//! What has just happened, for pages that stay open.

use anomaly_model::{JobKey, Severity, Verdict};
use serde::Serialize;
use tokio::sync::broadcast;

/// Events that a slow reader may be behind; it is told that it missed some.
const BEHIND: usize = 256;

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
    sender: broadcast::Sender<Happened>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(BEHIND),
        }
    }
}

impl Live {
    pub(crate) fn tell(&self, happened: Happened) {
        // Nobody may be listening.
        _ = self.sender.send(happened);
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Happened> {
        self.sender.subscribe()
    }
}
