//! NetBackup's types of anomalies.

use std::fmt;

use anomaly_model::{AnomalyKind, Verdict};

/// What kind of evidence an anomaly rests on, by the names that NetBackup has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AnomalyType {
    /// Numbers of the job: sizes, counts, times, its status.
    JobBased,
    /// What kinds of files were written: extensions, names, attributes.
    FileBased,
    /// Extensions that ransomware gives, or names that its notes have.
    SuspiciousFileExtension,
    /// A job did not come when it was due.
    ClientOfflineBased,
    /// What the written bytes look like.
    FileEntropy,
}

impl AnomalyType {
    /// The type of an anomaly, by its kind and its strongest finding; `None` for a verdict that is
    /// not anomalous.
    ///
    /// ```
    /// use anomaly_features::AnomalyType;
    /// use anomaly_model::chrono::DateTime;
    /// use anomaly_model::{AnomalyKind, BackupJob, Judgement, Severity, Verdict};
    ///
    /// let job = BackupJob::builder("borg", "1", "mail01", "daily", DateTime::UNIX_EPOCH).build()?;
    /// let (severity, kind) = (Severity::Low, AnomalyKind::MissedBackup);
    /// let verdict = Verdict::new(&job, Judgement::Anomalous { severity, kind }, "No job for 3 days.");
    /// assert_eq!(AnomalyType::of(&verdict), Some(AnomalyType::ClientOfflineBased));
    /// # Ok::<(), anomaly_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn of(verdict: &Verdict) -> Option<Self> {
        if verdict.kind()? == AnomalyKind::MissedBackup {
            return Some(Self::ClientOfflineBased);
        }
        let strongest = verdict.findings.first();
        Some(match strongest.map(|finding| finding.feature.as_str()) {
            Some("suspicious_extension_files" | "ransom_note_files") => {
                Self::SuspiciousFileExtension
            }
            Some(
                "mean_entropy_bits"
                | "entropy_delta_bits_changed"
                | "random_files"
                | "random_share"
                | "entropy_rise_share"
                | "entropy_fall_share",
            ) => Self::FileEntropy,
            Some(
                "attribute_divergence_bits"
                | "unseen_extension_files"
                | "unseen_kinds_share"
                | "extension_shift"
                | "renamed_files"
                | "emptied_files",
            ) => Self::FileBased,
            _ => Self::JobBased,
        })
    }

    /// The name that NetBackup's API gives it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JobBased => "JOB_BASED",
            Self::FileBased => "FILE_BASED",
            Self::SuspiciousFileExtension => "SUSPICIOUS_FILE_EXTENSION",
            Self::ClientOfflineBased => "CLIENT_OFFLINE_BASED",
            Self::FileEntropy => "FILE_ENTROPY",
        }
    }
}

impl fmt::Display for AnomalyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
