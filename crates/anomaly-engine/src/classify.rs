//! What kind of anomaly it is, and how much it matters.

use anomaly_model::{AnomalyKind, Direction, Finding, Severity};

use crate::impact::Impact;

/// Fewer files lost than this, and it is shrinkage rather than deletion.
const MANY_FILES: f64 = 0.3;
/// More data lost than this, and it is deletion whatever the files say.
const MOST_DATA: f64 = 0.9;
/// Rewritten shares above this look like encryption even when nobody looked at the content.
const HALF: f64 = 0.5;
/// What affects this much of the data cannot wait, whatever it was.
const NEARLY_ALL: f64 = 0.85;
/// What affects this much of the data, and looks encrypted, cannot wait either.
const SOME: f64 = 0.15;
/// What affects less than this is not urgent.
const LITTLE: f64 = 0.2;

/// The kind that the strongest finding and the affected shares speak for.
pub(crate) fn kind(impact: &Impact, findings: &[Finding]) -> AnomalyKind {
    let Some(strongest) = findings.first() else {
        return AnomalyKind::Unclassified;
    };
    match (strongest.feature.as_str(), strongest.direction) {
        ("duration_seconds", _) => AnomalyKind::Slowdown,
        ("image_bytes" | "file_count" | "directory_count", Direction::Below) => loss(impact),
        ("files_deleted", _) if impact.replaced_files < impact.lost_files => loss(impact),
        ("emptied_files", _) if impact.lost_bytes >= HALF => AnomalyKind::MassDeletion,
        ("duplicated_share", _) => AnomalyKind::Growth,
        (_, _) if impact.grown > impact.overwritten() => AnomalyKind::Growth,
        ("unseen_extension_files" | "extension_shift" | "renamed_files" | "emptied_files", _)
            if impact.overwritten() < LITTLE =>
        {
            AnomalyKind::ContentShift
        }
        (_, _) if impact.looks_encrypted == Some(true) => AnomalyKind::MassEncryption,
        (_, _) if impact.looks_encrypted.is_none() && impact.rewritten >= HALF => {
            AnomalyKind::MassEncryption
        }
        ("mean_entropy_bits" | "entropy_delta_bits_changed" | "random_files", _) => {
            AnomalyKind::ContentShift
        }
        (
            "transferred_bytes" | "stored_bytes" | "dedup_ratio" | "rewritten_share"
            | "files_changed" | "files_new" | "files_deleted" | "replaced_share",
            _,
        ) => AnomalyKind::MassChange,
        _ => AnomalyKind::Unclassified,
    }
}

fn loss(impact: &Impact) -> AnomalyKind {
    if impact.lost_files >= MANY_FILES || impact.lost_bytes >= MOST_DATA {
        AnomalyKind::MassDeletion
    } else {
        AnomalyKind::Shrinkage
    }
}

/// How much an anomaly of this kind matters.
pub(crate) fn severity(kind: AnomalyKind, impact: &Impact) -> Severity {
    let (share, destructive) = match kind {
        AnomalyKind::MassEncryption => (impact.overwritten(), true),
        AnomalyKind::MassDeletion => (impact.lost(), true),
        AnomalyKind::Shrinkage => (impact.lost(), false),
        // What grew is still there.
        AnomalyKind::Growth => (impact.grown / 2.0, false),
        _ => (impact.overwritten(), false),
    };
    let encrypted = kind == AnomalyKind::MassEncryption && impact.looks_encrypted == Some(true);
    if destructive && share >= NEARLY_ALL || encrypted && share >= SOME {
        Severity::High
    } else if share >= LITTLE {
        Severity::Medium
    } else {
        Severity::Low
    }
}
