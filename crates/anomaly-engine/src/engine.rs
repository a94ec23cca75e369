//! The judge of all streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use anomaly_model::{BackupJob, StreamKey, Verdict};
use anomaly_settings::Settings;

use crate::judge::judge;
use crate::{Population, Said, StreamModel};

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
    /// `None` for the one that is shipped.
    population: Option<Arc<Population>>,
    models: BTreeMap<StreamKey, StreamModel>,
}

impl Engine {
    /// An engine that knows no stream yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            population: None,
            models: BTreeMap::new(),
        }
    }

    /// Judges by what this population shows of streams in general, instead of the shipped one.
    #[must_use]
    pub fn with_population(mut self, population: Arc<Population>) -> Self {
        self.population = Some(population);
        self
    }

    /// Judges by these settings from now on. Models stay as they are.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
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

    /// Judges a job and learns from it, keeping the stream's model.
    ///
    /// Jobs are expected once each, in the order in which they arrived. A job that is handed over
    /// twice is learnt twice; whoever stores jobs knows which ones it has seen.
    pub fn observe(&mut self, job: &BackupJob) -> Verdict {
        let model = self.models.entry(self.stream_of(job)).or_default();
        judge(
            &self.settings.detection_for(job),
            chosen(self.population.as_deref()),
            &Said::default(),
            job,
            model,
        )
    }

    /// Judges a job against a model that the caller keeps, and learns from it: that of the job's
    /// stream, or a new one if the stream has none.
    #[must_use]
    pub fn judge(&self, job: &BackupJob, model: &mut StreamModel) -> Verdict {
        self.judge_knowing(&Said::default(), job, model)
    }

    /// [`judge`](Self::judge), knowing what was said of the stream beside its jobs.
    #[must_use]
    pub fn judge_knowing(&self, said: &Said, job: &BackupJob, model: &mut StreamModel) -> Verdict {
        judge(
            &self.settings.detection_for(job),
            chosen(self.population.as_deref()),
            said,
            job,
            model,
        )
    }

    /// Learns an anomalous job after all, because a person says that it was a usual one; see
    /// [`StreamModel::accept`], which is for callers that keep the models.
    pub fn accept(&mut self, job: &BackupJob) -> bool {
        let model = self.models.get_mut(&self.stream_of(job));
        model.is_some_and(|model| model.accept(&job.key()))
    }
}

fn chosen(population: Option<&Population>) -> &Population {
    population.unwrap_or_else(|| Population::shipped())
}
