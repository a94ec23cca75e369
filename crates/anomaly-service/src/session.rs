//! One transaction: models read when they are needed, and written back before the commit.

use std::collections::BTreeMap;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::{BackupJob, JobKey, Judgement, Review, ReviewStatus, StreamKey, Verdict};
use anomaly_storage::{Observation, Origin, Store, StoreError, Transaction};

use crate::{ModelFault, Observed, Reviewed, ServiceError};

/// One transaction of a store, with the streams' models as they are in it.
///
/// Models are read anew in each: another process may have learnt since the last one.
pub(crate) struct Session<'a> {
    engine: &'a Engine,
    transaction: Box<dyn Transaction + 'a>,
    models: BTreeMap<StreamKey, StreamModel>,
}

impl<'a> Session<'a> {
    pub(crate) fn begin(
        engine: &'a Engine,
        store: &'a mut dyn Store,
    ) -> Result<Self, ServiceError> {
        Ok(Self {
            engine,
            transaction: store.transaction()?,
            models: BTreeMap::new(),
        })
    }

    /// Judges a job and keeps it, unless it is known.
    ///
    /// A stream whose stored model cannot be used does not stop the others: its jobs are kept
    /// unjudged, and its model is left as it is.
    pub(crate) fn observe(&mut self, job: &BackupJob) -> Result<Observed, ServiceError> {
        let stream = self.engine.stream_of(job);
        if let Some(verdict) = self.transaction.verdict(&job.key())? {
            return Ok(Observed {
                verdict,
                stream,
                already_known: true,
            });
        }
        let engine = self.engine;
        let verdict = match self.model(&stream) {
            Ok(model) => engine.judge(job, model),
            Err(ServiceError::Model { stream, source }) => {
                tracing::error!(%stream, error = %source, "the stored model cannot be used");
                let reason = format!("the stream's stored model cannot be used: {source}");
                let summary = format!("Not judged: {reason}.");
                Verdict::new(job, Judgement::NotScored { reason }, summary)
            }
            Err(error) => return Err(error),
        };
        self.transaction.insert(&Observation {
            job,
            stream: &stream,
            verdict: &verdict,
            origin: Origin::Tool,
        })?;
        Ok(Observed {
            verdict,
            stream,
            already_known: false,
        })
    }

    /// Takes down a decision about a job, and learns the job if it was a usual one, or unlearns it
    /// if it was taken for one before.
    pub(crate) fn review(
        &mut self,
        key: &JobKey,
        review: &Review,
    ) -> Result<Reviewed, ServiceError> {
        let replaced = self.transaction.review(key, review)?;
        let was_usual = replaced
            .as_ref()
            .is_some_and(|old| old.status == ReviewStatus::FalsePositive);
        let is_usual = review.status == ReviewStatus::FalsePositive;
        let mut learnt = false;
        if (is_usual || was_usual)
            && let Some(job) = self.transaction.job(key)?
        {
            let stream = self.engine.stream_of(&job);
            let model = self.model(&stream)?;
            if is_usual {
                learnt = model.accept(key);
            } else {
                model.retract(key);
            }
        }
        Ok(Reviewed { replaced, learnt })
    }

    /// Starts a stream's model anew.
    pub(crate) fn forget(&mut self, stream: &StreamKey) {
        self.models.insert(stream.clone(), StreamModel::default());
    }

    /// Writes the models back and commits everything. A session that is dropped changes nothing.
    pub(crate) fn commit(mut self) -> Result<(), ServiceError> {
        for (stream, model) in &self.models {
            let state = model.to_bytes().map_err(|source| ServiceError::Model {
                stream: stream.to_string(),
                source: source.into(),
            })?;
            self.transaction.put_model_state(stream, &state)?;
        }
        Ok(self.transaction.commit()?)
    }

    /// The model of a stream, read from the store when it is first asked for.
    fn model(&mut self, stream: &StreamKey) -> Result<&mut StreamModel, ServiceError> {
        if !self.models.contains_key(stream) {
            let unusable = |source| ServiceError::Model {
                stream: stream.to_string(),
                source,
            };
            let state = match self.transaction.model_state(stream) {
                Err(StoreError::DamagedModel { .. }) => return Err(unusable(ModelFault::Damaged)),
                state => state?,
            };
            let model = match state {
                Some(state) => {
                    let model = StreamModel::from_bytes(&state);
                    model.map_err(|source| unusable(source.into()))?
                }
                None => StreamModel::default(),
            };
            self.models.insert(stream.clone(), model);
        }
        Ok(self.models.entry(stream.clone()).or_default())
    }
}
