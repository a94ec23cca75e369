//! The judge of all streams.

use std::collections::BTreeMap;

use anomaly_model::{BackupJob, JobKey, StreamKey, Verdict};
use anomaly_settings::Settings;

use crate::StreamModel;
use crate::judge::judge;

/// Judges jobs: each against the history of its stream.
///
/// Pure and deterministic: the same jobs in the same order under the same settings give the same
/// verdicts, whether the models stayed in memory or were stored in between.
///
/// ```
/// use anomaly_engine::Engine;
/// use anomaly_model::{BackupJob, JobStatus, chrono::DateTime};
///
/// let mut engine = Engine::default();
/// let job = BackupJob::builder("restic", "1", "mail01", "daily", DateTime::UNIX_EPOCH)
///     .status(JobStatus::Failed)
///     .build()?;
/// let verdict = engine.observe(&job);
/// assert!(verdict.is_anomalous());
/// assert_eq!(verdict.summary, "The job failed and left no usable image.");
/// # Ok::<(), anomaly_model::ModelError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Engine {
    settings: Settings,
    models: BTreeMap<StreamKey, StreamModel>,
}

impl Engine {
    /// An engine that knows no stream yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            models: BTreeMap::new(),
        }
    }

    /// The settings by which it judges.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The stream that a job belongs to.
    #[must_use]
    pub fn stream_of(&self, job: &BackupJob) -> StreamKey {
        StreamKey::of(job, self.settings.streams.key.parts())
    }

    /// Judges a job and learns from it.
    ///
    /// Jobs are expected once each, in the order in which they arrived. A job that is handed over
    /// twice is learnt twice; whoever stores jobs knows which ones it has seen.
    pub fn observe(&mut self, job: &BackupJob) -> Verdict {
        let detection = self.settings.detection_for(job);
        let model = self.models.entry(self.stream_of(job)).or_default();
        judge(&detection, job, model)
    }

    /// Learns an anomalous job after all, because a person says that it was a usual one; see
    /// [`StreamModel::accept`].
    pub fn accept(&mut self, job: &BackupJob) -> bool {
        let capacity = self.settings.detection_for(job).history_jobs.get() as usize;
        let key: JobKey = job.key();
        let stream = self.stream_of(job);
        self.models
            .get_mut(&stream)
            .is_some_and(|model| model.accept(&key, capacity))
    }

    /// The model of a stream, to store it.
    #[must_use]
    pub fn model(&self, stream: &StreamKey) -> Option<&StreamModel> {
        self.models.get(stream)
    }

    /// Puts a stored model back in place.
    pub fn set_model(&mut self, stream: StreamKey, model: StreamModel) {
        self.models.insert(stream, model);
    }

    /// Forgets the models of all streams, to read them anew from where they are stored.
    pub fn clear_models(&mut self) {
        self.models.clear();
    }
}
