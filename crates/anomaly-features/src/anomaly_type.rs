//! NetBackup's types of anomalies.

use std::fmt;

use anomaly_model::{AnomalyKind, Verdict};

/// What names of files tell.
const NAMES: &[&str] = &["suspicious_extension_files", "ransom_note_files"];
/// What the bytes of files tell.
const BYTES: &[&str] = &[
    "mean_entropy_bits",
    "entropy_delta_bits_changed",
    "random_files",
    "random_share",
    "entropy_rise_share",
    "entropy_fall_share",
];
/// What kinds of files there are tells.
const KINDS: &[&str] = &[
    "attribute_divergence_bits",
    "unseen_extension_files",
    "unseen_kinds_share",
    "extension_shift",
    "renamed_files",
    "emptied_files",
];

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
        Some(strongest.map_or(Self::JobBased, |finding| {
            Self::of_evidence(finding.feature.as_str())
        }))
    }

    /// The type of an anomaly that rests on the feature or share of this name.
    ///
    /// ```
    /// use anomaly_features::AnomalyType;
    /// assert_eq!(AnomalyType::of_evidence("random_files"), AnomalyType::FileEntropy);
    /// assert_eq!(AnomalyType::of_evidence("image_bytes"), AnomalyType::JobBased);
    /// ```
    #[must_use]
    pub fn of_evidence(name: &str) -> Self {
        let types = [
            (Self::SuspiciousFileExtension, NAMES),
            (Self::FileEntropy, BYTES),
            (Self::FileBased, KINDS),
        ];
        let of_its_own = types.into_iter().find(|(_, names)| names.contains(&name));
        of_its_own.map_or(Self::JobBased, |(its_type, _)| its_type)
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

#[cfg(test)]
mod tests {
    use super::{BYTES, KINDS, NAMES};

    #[test]
    fn what_a_type_goes_by_can_be_found() {
        for name in [NAMES, BYTES, KINDS].concat() {
            assert!(crate::label(name).is_some(), "{name}");
        }
    }
}
