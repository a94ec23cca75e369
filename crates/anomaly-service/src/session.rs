//! One transaction: models read when they are needed, and written back before the commit.

use std::collections::BTreeSet;

use anomaly_engine::{Engine, EngineError, StreamModel};
use anomaly_model::{BackupJob, JobKey, Review, ReviewStatus, StreamKey};
use anomaly_storage::{Observation, Store, Transaction};

use crate::{Observed, Reviewed, ServiceError};

/// One transaction of a store, with the engine's models as they are in it.
pub(crate) struct Session<'a> {
    engine: &'a mut Engine,
    transaction: Box<dyn Transaction + 'a>,
    loaded: BTreeSet<StreamKey>,
}

impl<'a> Session<'a> {
    pub(crate) fn begin(
        engine: &'a mut Engine,
        store: &'a mut dyn Store,
    ) -> Result<Self, ServiceError> {
        let transaction = store.transaction()?;
        // Another process may have learnt since: the models are what is stored, not what was.
        engine.clear_models();
        Ok(Self {
            engine,
            transaction,
            loaded: BTreeSet::new(),
        })
    }

    /// Judges a job and keeps it, unless it is known.
    pub(crate) fn observe(&mut self, job: &BackupJob) -> Result<Observed, ServiceError> {
        let stream = self.engine.stream_of(job);
        if let Some(verdict) = self.transaction.verdict(&job.key())? {
            return Ok(Observed {
                verdict,
                stream,
                already_known: true,
            });
        }
        self.load(&stream)?;
        let verdict = self.engine.observe(job);
        self.transaction.insert(&Observation {
            job,
            stream: &stream,
            verdict: &verdict,
        })?;
        Ok(Observed {
            verdict,
            stream,
            already_known: false,
        })
    }

    /// Takes down a decision about a job, and learns the job if it was a usual one.
    pub(crate) fn review(
        &mut self,
        key: &JobKey,
        review: &Review,
    ) -> Result<Reviewed, ServiceError> {
        let replaced = self.transaction.review(key, review)?;
        let mut learnt = false;
        if review.status == ReviewStatus::FalsePositive
            && let Some(job) = self.transaction.job(key)?
        {
            self.load(&self.engine.stream_of(&job))?;
            learnt = self.engine.accept(&job);
        }
        Ok(Reviewed { replaced, learnt })
    }

    /// Writes the models back and commits everything. A session that is dropped changes nothing.
    pub(crate) fn commit(mut self) -> Result<(), ServiceError> {
        for stream in &self.loaded {
            if let Some(model) = self.engine.model(stream) {
                let state = model
                    .to_bytes()
                    .map_err(|source| unusable(stream, source))?;
                self.transaction.put_model_state(stream, &state)?;
            }
        }
        Ok(self.transaction.commit()?)
    }

    fn load(&mut self, stream: &StreamKey) -> Result<(), ServiceError> {
        if self.loaded.insert(stream.clone())
            && let Some(state) = self.transaction.model_state(stream)?
        {
            let model =
                StreamModel::from_bytes(&state).map_err(|source| unusable(stream, source))?;
            self.engine.set_model(stream.clone(), model);
        }
        Ok(())
    }
}

fn unusable(stream: &StreamKey, source: EngineError) -> ServiceError {
    ServiceError::Model {
        stream: stream.to_string(),
        source,
    }
}
