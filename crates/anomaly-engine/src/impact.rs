//! How much of the data a job affected.

use anomaly_features::{FeatureVector, Share};
use anomaly_model::BackupJob;

use crate::judge::Seen;

/// How much of the data a job affected, as shares from 0 to 1; 0 where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Impact {
    /// Data that was there before and was written again.
    pub(crate) rewritten: f64,
    /// Files that changed or were replaced under another name.
    pub(crate) touched_files: f64,
    /// Files that were replaced under another name.
    pub(crate) replaced_files: f64,
    /// Data that is gone.
    pub(crate) lost_bytes: f64,
    /// Files that are gone.
    pub(crate) lost_files: f64,
    /// The image's growth, as a share of the image now.
    pub(crate) grown: f64,
    /// Files whose new content looks random.
    pub(crate) random_files: f64,
    /// Whether most of what was written looks like ciphertext; `None` when nobody looked.
    pub(crate) looks_encrypted: Option<bool>,
}

/// Fewer files than this may be an archive that someone made.
const FEW_FILES: u64 = 5;
/// Entropy of changed files that rose by this much, in bits, is not editing.
const ENTROPY_RISE_BITS: f64 = 0.2;

impl Impact {
    /// What `job` affected, by what its tool reports.
    pub(crate) fn of(job: &BackupJob, features: &FeatureVector) -> Self {
        if job.schedule().holds_changes_only() {
            // Against another set of changes there is nothing to have been rewritten or lost.
            return Self::default();
        }
        let share = |name| {
            let part = features
                .get(name)
                .map(|reading| reading.value / reading.reference);
            part.filter(|part| part.is_finite())
                .unwrap_or(0.0)
                .clamp(0.0, 1.0)
        };
        // Of two levels, which share of the larger one is the difference?
        let change = |name| match features.get(name) {
            Some(reading) => {
                let (now, before) = (reading.value, reading.reference);
                ((now - before) / now.max(before).max(1.0)).clamp(-1.0, 1.0)
            }
            None => 0.0,
        };
        let replaced_files = share("replaced_share");
        Self {
            rewritten: share("rewritten_share"),
            touched_files: (share("files_changed") + replaced_files).min(1.0),
            replaced_files,
            lost_bytes: (-change("image_bytes")).max(0.0),
            lost_files: (-change("file_count")).max(0.0),
            grown: change("image_bytes").max(0.0),
            random_files: share("random_files"),
            looks_encrypted: looks_encrypted(job),
        }
    }

    /// What `job` affected, by its shares too: they tell of files that were replaced where the tool
    /// does not say how many are gone.
    pub(crate) fn seen(job: &BackupJob, seen: &Seen) -> Self {
        let mut impact = Self::of(job, &seen.features);
        let all_files = seen.features.get("files_changed");
        let files = job.image().file_count;
        if seen.features.get("replaced_share").is_none()
            && let (Some(share), Some(files), Some(all)) =
                (seen.shares.get(Share::Replaced), files, all_files)
        {
            // A part of this image's files, as a part of the files of both images.
            impact.replaced_files = share * files as f64 / all.reference;
            impact.touched_files = (impact.touched_files + impact.replaced_files).min(1.0);
        }
        impact
    }

    /// The share of the data that may have been encrypted.
    pub(crate) fn overwritten(&self) -> f64 {
        self.rewritten
            .max(self.touched_files)
            .max(self.random_files)
    }

    /// The share of the data or of the files that is gone.
    pub(crate) fn lost(&self) -> f64 {
        self.lost_bytes.max(self.lost_files)
    }
}

/// Whether most of what was written looks like ciphertext; `None` when too little is known.
fn looks_encrypted(job: &BackupJob) -> Option<bool> {
    let image = job.image();
    let content = image.content.as_ref()?;
    let written = image.files_new.zip(image.files_changed);
    let written = written
        .map(|(new, changed)| new.saturating_add(changed))
        .or(image.file_count);
    let random = content
        .random_files
        .zip(written)
        .map(|(random, written)| random >= FEW_FILES && random >= written.div_ceil(2));
    let changed = image
        .files_changed
        .is_none_or(|changed| changed >= FEW_FILES);
    let rose = content
        .entropy_delta_bits_changed
        .map(|rise| changed && rise >= ENTROPY_RISE_BITS);
    match (random, rose) {
        (None, None) => None,
        (random, rose) => Some(random == Some(true) || rose == Some(true)),
    }
}
