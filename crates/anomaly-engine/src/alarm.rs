//! One reason to call a job anomalous.

use anomaly_model::{AnomalyKind, Finding, Severity};

use crate::cover::Measured;

/// One reason to call a job anomalous, from a rule or from the detectors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) severity: Severity,
    pub(crate) kind: AnomalyKind,
    pub(crate) summary: String,
    pub(crate) findings: Vec<Finding>,
    /// What it rests on, if that is not what its findings say.
    pub(crate) rests_on: Vec<Measured>,
    /// Whether the same was reported before, so that it is said but no alarm.
    pub(crate) is_known: bool,
}

impl Alarm {
    pub(crate) fn new(severity: Severity, kind: AnomalyKind, summary: impl Into<String>) -> Self {
        Self {
            severity,
            kind,
            summary: summary.into(),
            findings: Vec::new(),
            rests_on: Vec::new(),
            is_known: false,
        }
    }
}

impl Alarm {
    /// The numbers that it rests on; none where it does not rest on any.
    pub(crate) fn evidence(&self) -> Vec<Measured> {
        if !self.rests_on.is_empty() {
            return self.rests_on.clone();
        }
        self.findings.iter().map(Measured::of).collect()
    }

    /// How much of what is seen the alarm explains, when others are as severe: an empty image or a
    /// failed job is the cause of odd numbers, odd numbers say more than an odd time.
    pub(crate) fn rank(&self) -> (Severity, u8) {
        let explains = match self.kind {
            AnomalyKind::EmptyBackup | AnomalyKind::Failure => 2,
            _ if !self.findings.is_empty() => 1,
            _ => 0,
        };
        (self.severity, explains)
    }
}
