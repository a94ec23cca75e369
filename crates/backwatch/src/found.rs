//! What came out of judging.

use std::collections::BTreeMap;

use anomaly_model::{Anomaly, JobRef, StreamKey, Verdict};
use anomaly_service::{AnomalyService, Observed};
use anomaly_settings::Role;

use crate::exit::{Exit, Failure};
use crate::input::{FileSummary, Warnings};
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
    not_kept: Warnings,
}

/// An anomaly, and the stream that it is in.
#[derive(Debug)]
pub(crate) struct FoundAnomaly {
    pub(crate) anomaly: Anomaly,
    pub(crate) stream: StreamKey,
    /// The last normal job of the stream before the first sign of the whole incident: what came
    /// after that, however normal in itself, may hold what the attack left.
    pub(crate) last_clean: Option<JobRef>,
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
            not_kept: Warnings::default(),
        }
    }

    /// Takes in one verdict.
    pub(crate) fn add(&mut self, observed: Observed) {
        if let Some(why) = &observed.not_kept {
            let (id, client) = (&observed.verdict.job_id, &observed.verdict.client);
            self.tally.not_kept += 1;
            self.not_kept
                .add(|| format!("job {id} of {client} is not judged: {why}"));
            return;
        }
        self.tally.count(&observed);
        if self.keeps_verdicts {
            self.verdicts.push(observed.verdict.clone());
        }
        if observed.verdict.is_anomalous() {
            self.anomalies.push(FoundAnomaly {
                anomaly: Anomaly::new(observed.verdict),
                stream: observed.stream,
                last_clean: None,
            });
        }
    }

    /// Puts all in time order, and looks up the last clean job before each anomaly.
    pub(crate) fn finish(&mut self, service: &AnomalyService) -> Result<(), Failure> {
        std::mem::take(&mut self.not_kept).finish("the input", "jobs that are not judged");
        self.verdicts.sort_by_key(|verdict| verdict.started_at);
        self.anomalies
            .sort_by_key(|found| found.anomaly.verdict.started_at);
        let mut known = BTreeMap::new();
        for found in &mut self.anomalies {
            let job = found.anomaly.verdict.key();
            found.anomaly.last_normal = service.last_normal(&job)?;
            let incident = service.incident_of(&job)?;
            let place = (found.stream.clone(), incident);
            found.last_clean = match known.get(&place) {
                Some(last_clean) => Option::clone(last_clean),
                None => service.last_clean(&found.anomaly.verdict)?,
            };
            known.insert(place, found.last_clean.clone());
        }
        Ok(())
    }

    pub(crate) fn exit(&self) -> Exit {
        let tally = &self.tally;
        let lost = tally.bad_records + tally.not_kept;
        // Where all that was no news could be read, the rest was done.
        let is_nothing_new = tally.jobs == 0 && (lost == 0 || tally.already_known > 0);
        if tally.not_scored == tally.jobs && !is_nothing_new {
            warning("not one job could be judged: this says nothing about the backups");
            Exit::Failure
        } else if lost > 0 {
            Exit::BadRecords
        } else if tally.anomalous > 0 {
            Exit::Anomalies
        } else {
            self.off.exit(Exit::Quiet, &[Role::Detect])
        }
    }
}
