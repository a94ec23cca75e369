//! Jobs and verdicts to store.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    AnomalyKind, BackupJob, JobKey, Judgement, Review, ReviewStatus, Severity, StreamKey,
    StreamPart, Verdict,
};
use anomaly_storage::{Inserted, Observation, Origin, Store, Transaction};

/// A job with its stream and its verdict.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) job: BackupJob,
    pub(crate) stream: StreamKey,
    pub(crate) verdict: Verdict,
}

impl Case {
    /// A job of `mail01 / daily` that started `minute` minutes into the test.
    pub(crate) fn new(id: &str, minute: i64, judgement: Judgement) -> Self {
        Self::of_client("mail01", id, minute, judgement)
    }

    pub(crate) fn of_client(client: &str, id: &str, minute: i64, judgement: Judgement) -> Self {
        let job = BackupJob::builder("restic", id, client, "daily", at(minute)).build();
        Self::of_job(job.unwrap(), judgement)
    }

    pub(crate) fn of_job(job: BackupJob, judgement: Judgement) -> Self {
        let stream = StreamKey::of(&job, &StreamPart::DEFAULT);
        let verdict = Verdict::new(&job, judgement, "As the test says.");
        Self {
            job,
            stream,
            verdict,
        }
    }

    pub(crate) fn key(&self) -> JobKey {
        self.job.key()
    }

    pub(crate) fn insert(&self, transaction: &mut dyn Transaction) -> Inserted {
        let observation = Observation {
            job: &self.job,
            stream: &self.stream,
            verdict: &self.verdict,
            origin: Origin::Tool,
        };
        transaction.insert(&observation).unwrap()
    }
}

/// Stores the cases in one transaction.
pub(crate) fn store_all<'a>(store: &mut dyn Store, cases: impl IntoIterator<Item = &'a Case>) {
    let mut transaction = store.transaction().unwrap();
    for case in cases {
        assert_eq!(case.insert(&mut *transaction), Inserted::New);
    }
    transaction.commit().unwrap();
}

/// The state of a stream's model.
pub(crate) fn model_state(store: &dyn Store, stream: &StreamKey) -> Option<Vec<u8>> {
    store.model_state(stream).unwrap()
}

pub(crate) fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minute)
}

pub(crate) fn anomalous() -> Judgement {
    Judgement::Anomalous {
        severity: Severity::Medium,
        kind: AnomalyKind::MassChange,
    }
}

pub(crate) fn review(status: ReviewStatus, reviewer: &str) -> Review {
    Review::new(status, reviewer, at(1_000)).with_reason("looked at it")
}
