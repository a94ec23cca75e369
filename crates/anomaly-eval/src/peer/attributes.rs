//! The five attributes of a job.

use anomaly_model::BackupJob;

/// The five attributes of a job that `NetBackup` looks at; NaN where the job does not report one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes {
    pub(super) image_bytes: f64,
    pub(super) file_count: f64,
    pub(super) transferred_bytes: f64,
    pub(super) dedup_ratio: f64,
    pub(super) duration_seconds: f64,
}

impl Attributes {
    /// `None` for a job that left no image.
    pub(super) fn of(job: &BackupJob) -> Option<Self> {
        let image = job.image();
        let number = |value: Option<u64>| value.map_or(f64::NAN, |value| value as f64);
        Some(Self {
            image_bytes: image.image_bytes? as f64,
            file_count: number(image.file_count),
            transferred_bytes: number(image.transferred_bytes),
            dedup_ratio: image.dedup_ratio_or_derived().unwrap_or(f64::NAN),
            duration_seconds: job.duration_seconds().unwrap_or(f64::NAN),
        })
    }

    pub(super) fn row(&self) -> [f64; 5] {
        [
            self.image_bytes,
            self.file_count,
            self.transferred_bytes,
            self.dedup_ratio,
            self.duration_seconds,
        ]
    }
}
