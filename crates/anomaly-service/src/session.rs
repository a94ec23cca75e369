//! One transaction: what is known of each stream, read when it is needed, and written back before
//! the commit.

mod incidents;
mod reviews;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anomaly_engine::{Engine, FalsePositive, OURSELVES, Said, StreamModel, StreamStatus};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, StreamKey, Verdict};
use anomaly_storage::{
    AuditEntry, Inserted, Observation, Origin, Read, Store, StoreError, Transaction,
};

pub(crate) use self::incidents::Details;
use self::incidents::OpenIncident;
pub(crate) use self::reviews::Change;
use crate::ticks::Ticks;
use crate::{ModelFault, NotKept, Novelty, Observed, ServiceError};

/// One transaction of a store, with what is known of the streams as it is in it.
///
/// It is read anew in each: another process may have written since the last one.
pub(crate) struct Session<'a> {
    engine: &'a Engine,
    pub(crate) transaction: Box<dyn Transaction + 'a>,
    streams: BTreeMap<StreamKey, Stream>,
    /// Incidents that were read or changed.
    incidents: BTreeMap<u64, OpenIncident>,
}

/// What is known of a stream.
pub(crate) struct Stream {
    /// The model, or why it cannot be used.
    pub(crate) model: Result<StreamModel, ModelFault>,
    status: Option<StreamStatus>,
    false_positives: Vec<FalsePositive>,
    /// Whether the status is to be written back.
    is_changed: bool,
}

impl Stream {
    /// As a store has it.
    pub(crate) fn read(
        key: &StreamKey,
        store: &(impl Read + ?Sized),
    ) -> Result<Self, ServiceError> {
        let model = match store.model_state(key) {
            Err(StoreError::DamagedModel { .. }) => Err(ModelFault::Damaged),
            state => match state? {
                Some(state) => StreamModel::from_bytes(&state).map_err(ModelFault::from),
                None => Ok(StreamModel::default()),
            },
        };
        if let Err(error) = &model {
            tracing::error!(stream = %key, %error, "the stored model cannot be used");
        }
        let status = store.stream_status(key)?;
        let said = store.false_positives(key)?;
        let false_positives = said
            .iter()
            .filter_map(|anomaly| FalsePositive::of(&anomaly.verdict, anomaly.review.as_ref()?));
        Ok(Self {
            model,
            status: status.and_then(|text| read_status(key, &text)),
            false_positives: false_positives.collect(),
            is_changed: false,
        })
    }

    /// What people said of it. The false positives are lent: whoever judges another job gives them
    /// back.
    pub(crate) fn take_said(&mut self) -> Said {
        let status = self.status.as_ref();
        Said {
            false_positives: std::mem::take(&mut self.false_positives),
            missed_after: status.and_then(StreamStatus::missed_after),
            missed_is_confirmed: status.is_some_and(StreamStatus::missed_is_confirmed),
        }
    }
}

impl<'a> Session<'a> {
    pub(crate) fn begin(
        engine: &'a Engine,
        store: &'a mut dyn Store,
    ) -> Result<Self, ServiceError> {
        Ok(Self {
            engine,
            transaction: store.transaction()?,
            streams: BTreeMap::new(),
            incidents: BTreeMap::new(),
        })
    }

    /// Judges a job and keeps it, unless it is known.
    ///
    /// A stream whose stored model cannot be used does not stop the others: its jobs are kept
    /// unjudged, and its model is left as it is.
    pub(crate) fn observe(&mut self, job: &BackupJob) -> Result<Observed, ServiceError> {
        let key = self.engine.stream_of(job);
        let not_kept = match Novelty::of(job, &*self.transaction)? {
            Novelty::New => None,
            Novelty::Known => Some((self.transaction.verdict(&job.key())?, None)),
            Novelty::NotKept(why) => Some((Some(not_judged(job, &why)), Some(why))),
        };
        if let Some((verdict, not_kept)) = not_kept {
            return Ok(Observed {
                verdict: verdict.unwrap_or_else(|| purged(job)),
                stream: key,
                already_known: not_kept.is_none(),
                not_kept,
            });
        }
        let engine = self.engine;
        let stream = self.stream(&key)?;
        let said = stream.take_said();
        let before = stream.status.as_ref();
        let (verdict, status) = match &mut stream.model {
            Ok(model) => {
                let verdict = engine.judge_knowing(&said, job, model);
                let status = StreamStatus::after(before, job, &verdict, model);
                (verdict, status)
            }
            Err(why) => {
                let reason = format!("the stream's stored model cannot be used: {why}");
                let verdict = Verdict::not_scored(job, reason);
                let status = StreamStatus::after_unjudged(before, job, &verdict);
                (verdict, status)
            }
        };
        stream.false_positives = said.false_positives;
        stream.status = Some(status);
        stream.is_changed = true;
        self.transaction.insert(&Observation {
            job,
            stream: &key,
            verdict: &verdict,
            origin: Origin::Tool,
        })?;
        if verdict.is_anomalous() {
            self.add_to_incident(&verdict)?;
        }
        if let Some(shift) = verdict.level_shift.as_ref().filter(|shift| shift.accepted) {
            let entry =
                AuditEntry::new(job.started_at(), OURSELVES, "level_shift", key.to_string());
            let reason = "detection.accept_level_shift_after_jobs";
            let after = serde_json::to_value(shift).ok();
            let entry = entry.with_reason(reason).with_change(None, after);
            self.transaction.audit(&entry)?;
        }
        Ok(Observed {
            verdict,
            stream: key,
            already_known: false,
            not_kept: None,
        })
    }

    /// Keeps a missed job, with the anomaly that it is, and what is then known of its stream; says
    /// whether that is news.
    pub(crate) fn insert_missed(
        &mut self,
        stream: &StreamKey,
        job: &BackupJob,
        verdict: &Verdict,
        status: &StreamStatus,
    ) -> Result<bool, ServiceError> {
        let inserted = self.transaction.insert(&Observation {
            job,
            stream,
            verdict,
            origin: Origin::Clock,
        })?;
        self.put_status(stream, status, None)?;
        if inserted == Inserted::AlreadyStored {
            tracing::warn!(%stream, job = %job.job_id(), "a record of this missed job is stored");
            return Ok(false);
        }
        self.add_to_incident(verdict)?;
        Ok(true)
    }

    /// Keeps what is known of a stream, which is to be asked again at some time.
    pub(crate) fn put_status(
        &mut self,
        stream: &StreamKey,
        status: &StreamStatus,
        again_at: Option<DateTime<Utc>>,
    ) -> Result<(), ServiceError> {
        let text = written(status)?;
        Ok(self
            .transaction
            .put_stream_status(stream, &text, again_at)?)
    }

    /// Starts a stream's model anew.
    pub(crate) fn forget(&mut self, key: &StreamKey) -> Result<(), ServiceError> {
        let stream = self.stream(key)?;
        stream.model = Ok(StreamModel::default());
        if let (Some(status), Ok(model)) = (stream.status.take(), &stream.model) {
            stream.status = Some(status.after_review(model));
        }
        stream.is_changed = true;
        Ok(())
    }

    /// Writes everything back and commits it. A session that is dropped changes nothing.
    pub(crate) fn commit(mut self) -> Result<(), ServiceError> {
        self.put_incidents()?;
        let last_tick = Ticks::read(&*self.transaction)?.last;
        for (key, stream) in self.streams.iter().filter(|(_, stream)| stream.is_changed) {
            if let Ok(model) = &stream.model {
                let state = model.to_bytes().map_err(|source| ServiceError::Model {
                    stream: key.to_string(),
                    source: source.into(),
                })?;
                self.transaction.put_model_state(key, &state)?;
            }
            if let Some(status) = &stream.status {
                let text = written(status)?;
                self.transaction
                    .put_stream_status(key, &text, status.due_at(last_tick))?;
            }
        }
        Ok(self.transaction.commit()?)
    }

    /// What is known of a stream, read from the store when it is first asked for.
    fn stream(&mut self, key: &StreamKey) -> Result<&mut Stream, ServiceError> {
        Ok(match self.streams.entry(key.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Stream::read(key, &*self.transaction)?),
        })
    }
}

/// What there is to say of a job whose verdict is not kept any more.
fn purged(job: &BackupJob) -> Verdict {
    let reason = "it was judged before, and was deleted since because it is old".to_owned();
    Verdict::not_scored(job, reason)
}

/// What there is to say of a job that is not kept.
fn not_judged(job: &BackupJob, why: &NotKept) -> Verdict {
    tracing::warn!(job = %job.job_id(), client = %job.client().name, %why, "not kept");
    Verdict::not_scored(job, why.to_string())
}

/// A status as it was stored. One that cannot be read is made anew by the stream's next job.
pub(crate) fn read_status(stream: &StreamKey, text: &str) -> Option<StreamStatus> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::error!(%stream, %error, "the stored status cannot be read"))
        .ok()
}

fn written(status: &StreamStatus) -> Result<String, ServiceError> {
    serde_json::to_string(status).map_err(|source| ServiceError::Record { source })
}
