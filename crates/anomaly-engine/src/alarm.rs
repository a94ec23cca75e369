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
        Self { severity, kind, summary: summary.into(), findings: Vec::new() }
    }
}
