//! The service keeps what it says, however the jobs come.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use anomaly_service::model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::model::{
    AnomalyKind, BackupImage, BackupJob, JobId, JobKey, JobStatus, Judgement, Review, ReviewStatus,
    Severity, SourceName, StreamKey, StreamPart,
};
use anomaly_service::settings::Settings;
use anomaly_service::storage::{AnomalyQuery, AuditQuery, SqliteStore, Store};
use anomaly_service::{AnomalyService, ModelFault, NotKept, Novelty, ServiceError};
use proptest::collection::vec;
use proptest::prelude::*;

/// The real history that the README scans: 56 usual days and a ransomware run.
fn sample() -> Vec<BackupJob> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/data/fileserver.ndjson"
    );
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn open(path: &Path) -> AnomalyService {
    AnomalyService::open(path, Settings::default()).unwrap()
}

/// The verdicts in one batch, in memory.
fn undisturbed(jobs: &[BackupJob]) -> Vec<String> {
    let mut verdicts = Vec::new();
    AnomalyService::in_memory(Settings::default())
        .observe_all(jobs.iter().cloned(), |observed| {
            verdicts.push(serde_json::to_string(&observed.verdict).unwrap());
        })
        .unwrap();
    verdicts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// One at a time, in batches, by two processes in turn, after restarts: the same verdicts.
    #[test]
    fn however_jobs_come_the_verdicts_are_the_same(cuts in vec(0..57_usize, 0..5)) {
        let jobs = sample();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("backwatch.db");
        let mut cuts = cuts;
        cuts.extend([0, jobs.len()]);
        cuts.sort_unstable();
        let mut other = open(&path);
        let mut verdicts = Vec::new();
        for (turn, cut) in cuts.windows(2).enumerate() {
            let mut reopened = open(&path);
            let service = if turn % 2 == 0 { &mut reopened } else { &mut other };
            let part = &jobs[cut[0]..cut[1]];
            if turn % 3 == 0 {
                for job in part {
                    let verdict = service.observe(job).unwrap().verdict;
                    verdicts.push(serde_json::to_string(&verdict).unwrap());
                }
            } else {
                let summary = service.observe_all(part.iter().cloned(), |observed| {
                    verdicts.push(serde_json::to_string(&observed.verdict).unwrap());
                }).unwrap();
                prop_assert_eq!(summary.new_jobs, part.len() as u64);
            }
        }
        prop_assert_eq!(verdicts, undisturbed(&jobs));
    }
}

#[test]
fn the_same_job_again_changes_nothing() {
    let jobs = sample();
    let mut service = AnomalyService::in_memory(Settings::default());
    // Each job twice in a row, and all of it once more.
    let twice = jobs.iter().flat_map(|job| [job.clone(), job.clone()]);
    let mut verdicts = Vec::new();
    let summary = service
        .observe_all(twice.chain(jobs.iter().cloned()), |observed| {
            if !observed.already_known {
                verdicts.push(serde_json::to_string(&observed.verdict).unwrap());
            }
        })
        .unwrap();
    assert_eq!((summary.new_jobs, summary.known_jobs), (57, 2 * 57));
    assert_eq!(verdicts, undisturbed(&jobs));
}

#[test]
fn anomalies_come_with_the_last_clean_job_and_their_review() {
    let jobs = sample();
    let mut service = AnomalyService::in_memory(Settings::default());
    service.observe_all(jobs.iter().cloned(), |_| {}).unwrap();
    let anomalies = service.anomalies(&AnomalyQuery::default()).unwrap();
    assert_eq!(anomalies.len(), 1);
    let anomaly = &anomalies[0];
    assert_eq!(anomaly.verdict.severity(), Some(Severity::High));
    assert_eq!(anomaly.verdict.kind(), Some(AnomalyKind::MassEncryption));
    assert_eq!(anomaly.review_status(), ReviewStatus::NotReviewed);
    // The job in between was a full one: another stream, still learning.
    assert_eq!(anomaly.last_normal.as_ref().unwrap().key, jobs[54].key());

    let review = Review::new(ReviewStatus::Confirmed, "ada", DateTime::UNIX_EPOCH);
    let reviewed = service.review(&jobs[56].key(), &review).unwrap();
    assert_eq!((reviewed.replaced, reviewed.learnt), (None, false));
    assert_eq!(reviewed.review, review);
    let open = AnomalyQuery::default().review_status(ReviewStatus::NotReviewed);
    assert_eq!(service.anomalies(&open).unwrap(), []);
}

/// A false positive is learnt, once; what is confirmed or ignored never is.
#[test]
fn only_a_false_positive_is_learnt() {
    let jobs = sample();
    let attack = jobs.last().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backwatch.db");
    open(&path)
        .observe_all(jobs.iter().cloned(), |_| {})
        .unwrap();
    let decide = |status| {
        let review = Review::new(status, "ada", DateTime::UNIX_EPOCH);
        open(&path).review(&attack.key(), &review).unwrap()
    };
    assert!(!decide(ReviewStatus::Ignored).learnt);
    let accepted = decide(ReviewStatus::FalsePositive);
    assert_eq!(accepted.replaced.unwrap().status, ReviewStatus::Ignored);
    assert!(accepted.learnt && !accepted.unlearnt);
    // Said again, it is learnt anew.
    let again = decide(ReviewStatus::FalsePositive);
    assert!(again.learnt && again.unlearnt);
    // Taken back, the job is unlearnt; so it can be learnt once more.
    let confirmed = decide(ReviewStatus::Confirmed);
    assert!(!confirmed.learnt && confirmed.unlearnt);
    assert!(decide(ReviewStatus::FalsePositive).learnt);

    let nobody = JobKey::new(
        SourceName::new("restic").unwrap(),
        JobId::new("none").unwrap(),
    );
    let review = Review::new(ReviewStatus::Ignored, "ada", DateTime::UNIX_EPOCH);
    assert!(open(&path).review(&nobody, &review).is_err());
    assert!(
        open(&path).review(&jobs[0].key(), &review).is_err(),
        "it is no anomaly"
    );
}

#[test]
fn what_was_observed_is_there_after_reopening() {
    let jobs = sample();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backwatch.db");
    let mut service = open(&path);
    service
        .observe_all(jobs[..20].iter().cloned(), |_| {})
        .unwrap();
    let failed = BackupJob::builder("restic", "x", "c", "p", DateTime::UNIX_EPOCH)
        .status(JobStatus::Failed)
        .build()
        .unwrap();
    let verdict = service.observe(&failed).unwrap().verdict;
    drop(service);
    let reopened = open(&path);
    assert_eq!(reopened.verdict(&failed.key()).unwrap(), Some(verdict));
    assert!(reopened.verdict(&jobs[19].key()).unwrap().is_some());
    assert_eq!(reopened.verdict(&jobs[20].key()).unwrap(), None);
}

/// A stream whose model is damaged does not stop the others, says so, and can be started anew.
#[test]
fn a_damaged_model_stops_only_its_stream() {
    let jobs = sample();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backwatch.db");
    open(&path)
        .observe_all(jobs[..20].iter().cloned(), |_| {})
        .unwrap();
    let stream = open(&path).observe(&jobs[19]).unwrap().stream;
    let mut store = SqliteStore::open(&path).unwrap();
    let mut transaction = store.transaction().unwrap();
    transaction.put_model_state(&stream, &[1, 2, 3]).unwrap();
    transaction.commit().unwrap();
    drop(store);

    let mut service = open(&path);
    let other = BackupJob::builder("restic", "x", "other", "p", DateTime::UNIX_EPOCH).build();
    let batch = [jobs[21].clone(), other.unwrap()];
    let mut judgements = Vec::new();
    service
        .observe_all(batch, |observed| judgements.push(observed.verdict))
        .unwrap();
    assert!(
        judgements[0].summary.contains("the model state is damaged"),
        "{judgements:?}"
    );
    assert!(!judgements[1].summary.contains("model"), "{judgements:?}");

    let now = jobs[21].started_at();
    service.forget(&stream, "ann", now).unwrap();
    let audited = service.records().audit_entries(&AuditQuery::default());
    let entry = audited.unwrap().remove(0).record;
    assert_eq!((&*entry.what, &*entry.who), ("forget", "ann"));
    assert_eq!(entry.severity, Some(Severity::Medium));
    let verdict = service.observe(&jobs[22]).unwrap().verdict;
    assert_eq!(verdict.judgement, Judgement::WarmingUp);
}

/// More jobs than one commit holds, with known ones among them.
#[test]
fn a_batch_longer_than_a_commit_is_judged_as_one() {
    let start: DateTime<Utc> = "2020-01-01T00:00:00Z".parse().unwrap();
    let job = |number: u32| {
        let wave = u64::from(number * 7 % 11);
        let image = BackupImage::default()
            .image_bytes(1_000_000_000 + u64::from(number) * 1_000_000)
            .transferred_bytes(10_000_000 + wave * 1_000_000);
        BackupJob::builder(
            "restic",
            number.to_string(),
            "c",
            "p",
            start + TimeDelta::days(number.into()),
        )
        .image(image)
        .build()
        .unwrap()
    };
    let jobs: Vec<BackupJob> = (0..2_300).map(job).collect();
    let mut service = AnomalyService::in_memory(Settings::default());
    let mut one_by_one = Vec::new();
    for job in &jobs {
        one_by_one.push(serde_json::to_string(&service.observe(job).unwrap().verdict).unwrap());
    }
    assert_eq!(undisturbed(&jobs), one_by_one);
}

/// What a drill repeats was a backup: no job that failed half way, and no empty one.
#[test]
fn a_copy_of_a_stream_has_a_usual_job() {
    let mut service = AnomalyService::in_memory(Settings::default());
    let job = |id: &str, days: i64, status, image: BackupImage| {
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + days);
        let job = BackupJob::builder("restic", id, "mail01", "daily", start);
        job.status(status).image(image).build().unwrap()
    };
    let image = BackupImage::default().image_bytes(1_000_000).file_count(10);
    for (id, days, status, image) in [
        ("whole", 0, JobStatus::Succeeded, image),
        ("half", 1, JobStatus::Failed, image),
        ("empty", 2, JobStatus::Succeeded, image.file_count(0)),
    ] {
        service.observe(&job(id, days, status, image)).unwrap();
    }
    let key = StreamKey::of(
        &job("whole", 0, JobStatus::Succeeded, image),
        &StreamPart::DEFAULT,
    );
    let copy = service.copy_of_stream(&key).unwrap().unwrap();
    assert_eq!(copy.usual.job_id().as_str(), "whole");
}

/// Of a model that cannot be used a copy says so, whether it is no model or not what was stored.
#[test]
fn a_model_that_cannot_be_used_is_not_copied() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let job = common::job(0, common::usual_image(0));
    let key = StreamKey::of(&job, &StreamPart::DEFAULT);
    let fault = |service: AnomalyService| match service.copy_of_stream(&key) {
        Err(ServiceError::Model { stream, source }) => {
            assert_eq!(stream, key.to_string());
            source
        }
        other => panic!("{other:?}"),
    };
    let no_model = b"no model, whatever it says";
    let mut service = open(&path);
    service.observe(&job).unwrap();
    let mut transaction = service.transaction().unwrap();
    transaction.put_model_state(&key, no_model).unwrap();
    transaction.commit().unwrap();
    assert!(matches!(fault(service), ModelFault::Unreadable(_)));

    let mut file = std::fs::read(&path).unwrap();
    let found = file.windows(no_model.len()).position(|at| at == no_model);
    file[found.unwrap()] ^= 1;
    std::fs::write(&path, file).unwrap();
    assert!(matches!(fault(open(&path)), ModelFault::Damaged));
}

/// A tool that counts from 1 again, or two servers that count alike: no job is swallowed as known, and
/// nobody is given the verdict on another's.
#[test]
fn a_job_under_the_id_of_another_is_told() {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let job = |source: &str, client: &str, days: i64| {
        let start = start + TimeDelta::days(days);
        BackupJob::builder(source, "17", client, "daily", start)
            .build()
            .unwrap()
    };
    let mut service = AnomalyService::in_memory(Settings::default());
    let first = job("bareos", "mail01", 0);
    service.observe(&first).unwrap();
    for (other, expected) in [
        // The same, read in another time zone, and again.
        (job("bareos", "mail01", 1), None),
        (first.clone(), None),
        (job("bareos", "mail01", 400), Some(first.started_at())),
        (job("bareos", "mail01", -3), Some(first.started_at())),
        (job("bareos", "web02", 0), Some(first.started_at())),
    ] {
        let expected = expected.map(|started_at| NotKept::OtherJob {
            client: first.client().name.clone(),
            started_at,
        });
        let novelty = service.novelty(&other).unwrap();
        let observed = service.observe(&other).unwrap();
        assert_eq!(observed.already_known, expected.is_none());
        assert_eq!(observed.not_kept, expected);
        match expected {
            None => assert_eq!(novelty, Novelty::Known),
            Some(why) => {
                assert_eq!(novelty, Novelty::NotKept(why));
                assert_eq!(observed.verdict.client, other.client().name);
                let Judgement::NotScored { reason } = observed.verdict.judgement else {
                    panic!("{}", observed.verdict.summary)
                };
                assert!(reason.contains("of mail01, started 2026-01-01"), "{reason}");
            }
        }
    }
    // Another source is another job; ours is nobody's.
    service.observe(&job("bareos-2", "web02", 0)).unwrap();
    let ours = job("backwatch", "web02", 0);
    let observed = service.observe(&ours).unwrap();
    assert_eq!(observed.not_kept, Some(NotKept::OwnName));
    assert_eq!(service.verdict(&ours.key()).unwrap(), None);
    let batch = [first.clone(), job("bareos", "web02", 0), ours];
    let summary = service.observe_all(batch, |_| {}).unwrap();
    let counts = (summary.new_jobs, summary.known_jobs, summary.not_kept_jobs);
    assert_eq!(counts, (0, 1, 2));
    let stored = service.records().observations_stored_after(0, 10).unwrap();
    assert_eq!(stored.len(), 2);
}
