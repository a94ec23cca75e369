//! What came out of judging.

use anomaly_model::{Anomaly, JobRef, Severity, StreamKey, Verdict};
use anomaly_service::{AnomalyService, Observed};

use crate::exit::{Exit, Failure};
use crate::input::FileSummary;
use crate::switched_off::SwitchedOff;
use crate::tally::Tally;
use crate::terminal::warning;

/// All that was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// What each file held, where that is told.
    pub(crate) files: Vec<FileSummary>,
    pub(crate) tally: Tally,
    /// What the settings keep from judging.
    pub(crate) off: SwitchedOff,
    /// In time order.
    pub(crate) anomalies: Vec<FoundAnomaly>,
    /// Every verdict; empty unless the output needs them.
    pub(crate) verdicts: Vec<Verdict>,
    keeps_verdicts: bool,
}

/// An anomaly, and the stream that it is in.
#[derive(Debug)]
pub(crate) struct FoundAnomaly {
    pub(crate) anomaly: Anomaly,
    pub(crate) stream: StreamKey,
}

impl Found {
    /// Nothing yet. Verdicts that are not anomalous are kept only on request.
    pub(crate) fn new(off: SwitchedOff, keeps_verdicts: bool) -> Self {
        Self {
            files: Vec::new(),
            tally: Tally::default(),
            off,
            anomalies: Vec::new(),
            verdicts: Vec::new(),
            keeps_verdicts,
        }
    }

    /// Takes in one verdict.
    pub(crate) fn add(&mut self, observed: Observed) {
        self.tally.count(&observed);
        if self.keeps_verdicts {
            self.verdicts.push(observed.verdict.clone());
        }
        if observed.verdict.is_anomalous() {
            self.anomalies.push(FoundAnomaly {
                anomaly: Anomaly::new(observed.verdict),
                stream: observed.stream,
            });
        }
    }

    /// Puts all in time order, and looks up the last normal job before each anomaly.
    pub(crate) fn finish(&mut self, service: &AnomalyService) -> Result<(), Failure> {
        self.verdicts.sort_by_key(|verdict| verdict.started_at);
        self.anomalies
            .sort_by_key(|found| found.anomaly.verdict.started_at);
        for FoundAnomaly { anomaly, .. } in &mut self.anomalies {
            anomaly.last_normal = service.last_normal(&anomaly.verdict.key())?;
        }
        Ok(())
    }

    pub(crate) fn exit(&self) -> Exit {
        let tally = &self.tally;
        if tally.bad_records > 0 {
            Exit::BadRecords
        } else if tally.anomalous > 0 {
            Exit::Anomalies
        } else if tally.jobs > 0 && tally.not_scored == tally.jobs {
            warning("not one job could be judged: this says nothing about the backups");
            Exit::Failure
        } else {
            Exit::Quiet
        }
    }

    /// The last normal job of the stream before the first serious anomaly that was found: what came
    /// after that one, however normal in itself, may hold what the attack left.
    pub(crate) fn last_clean<'a>(&'a self, anomaly: &'a FoundAnomaly) -> Option<&'a JobRef> {
        let first = self.anomalies.iter().find(|other| {
            other.stream == anomaly.stream
                && other.anomaly.verdict.severity() == Some(Severity::High)
                && other.anomaly.verdict.started_at <= anomaly.anomaly.verdict.started_at
        });
        first.unwrap_or(anomaly).anomaly.last_normal.as_ref()
    }
}
