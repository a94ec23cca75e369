//! Attacks on copies of streams.

use anomaly_engine::{Said, StreamModel};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupJob, StreamKey, Verdict};
use anomaly_storage::{JudgedAs, ObservationQuery, Origin, StoredObservation};

use super::AnomalyService;
use crate::ServiceError;
use crate::session::Stream;

/// Gaps between so many jobs say when the next one comes.
const LATE_JOBS: usize = 12;

/// A copy of a stream, to do things to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StreamCopy {
    /// The stream.
    pub stream: StreamKey,
    /// Its newest job that was judged normal, or its newest successful one.
    pub usual: BackupJob,
    /// When its next job would start.
    pub next_start: DateTime<Utc>,
    /// How long after each other its jobs start.
    pub gap: TimeDelta,
    model: StreamModel,
    said: Said,
}

impl AnomalyService {
    /// A copy of a stream: its model, what people said of it, and its newest usual job. `None` if no
    /// job of it left an image.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read, [`ServiceError::Model`] when the stored
    /// model cannot be used.
    pub fn copy_of_stream(&self, stream: &StreamKey) -> Result<Option<StreamCopy>, ServiceError> {
        let query = ObservationQuery::default().stream(stream.clone());
        let late = self.store.observations(&query.clone().limit(LATE_JOBS))?;
        let late: Vec<StoredObservation> = late
            .into_iter()
            .filter(|stored| stored.origin == Origin::Tool)
            .collect();
        let normal = query.judged_as(JudgedAs::Normal).limit(1);
        let normal = self.store.observations(&normal)?.pop();
        let has_image = |stored: &&StoredObservation| {
            let (status, image) = (stored.job.status(), stored.job.image());
            status.has_image() && image.image_bytes != Some(0) && image.file_count != Some(0)
        };
        let Some(usual) = normal.or_else(|| late.iter().find(has_image).cloned()) else {
            return Ok(None);
        };
        let mut gaps: Vec<TimeDelta> = late
            .windows(2)
            .map(|pair| pair[0].job.started_at() - pair[1].job.started_at())
            .filter(|gap| *gap > TimeDelta::zero())
            .collect();
        gaps.sort_unstable();
        let gap = gaps.get(gaps.len() / 2).copied();
        let gap = gap.unwrap_or(TimeDelta::days(1));
        let newest = late
            .first()
            .map_or(usual.job.started_at(), |last| last.job.started_at());
        let mut stored = Stream::read(stream, &*self.store)?;
        let said = stored.take_said();
        let model = stored.model.map_err(|source| ServiceError::Model {
            stream: stream.to_string(),
            source,
        })?;
        Ok(Some(StreamCopy {
            stream: stream.clone(),
            usual: usual.job,
            next_start: newest + gap,
            gap,
            model,
            said,
        }))
    }

    /// Judges jobs that never were as if they came next in a stream: the copy learns from each, and
    /// the stream itself, its history and its incidents know nothing of it. Nothing is written.
    #[must_use]
    pub fn rehearse(&self, copy: &StreamCopy, jobs: &[BackupJob]) -> Vec<Verdict> {
        let mut model = copy.model.clone();
        let judge = |job| self.engine.judge_knowing(&copy.said, job, &mut model);
        jobs.iter().map(judge).collect()
    }
}
