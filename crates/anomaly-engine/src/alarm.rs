//! One reason to call a job anomalous.

use anomaly_model::{AnomalyKind, Finding, Severity};

/// One reason to call a job anomalous, from a rule or from the detectors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) severity: Severity,
    pub(crate) kind: AnomalyKind,
    pub(crate) summary: String,
    pub(crate) findings: Vec<Finding>,
}

impl Alarm {
    pub(crate) fn new(severity: Severity, kind: AnomalyKind, summary: impl Into<String>) -> Self {
        Self {
            severity,
            kind,
            summary: summary.into(),
            findings: Vec::new(),
        }
    }
}

impl Alarm {
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
