//! What is old goes, in small steps and by a clock that is not believed blindly; and a fleet that
//! comes and goes leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use anomaly_service::model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::model::{BackupJob, Judgement};
use anomaly_service::settings::{RetentionDays, Settings};
use anomaly_service::storage::{MemoryStore, ObservationQuery, Read, SqliteStore};
use anomaly_service::{AnomalyService, NotKept, Novelty};
use common::{day, job, job_of, overwritten, settled, usual_image, usual_jobs};

fn settings(retention_days: u32) -> Settings {
    let mut settings = Settings::default();
    settings.storage.retention_days = RetentionDays::new(retention_days).unwrap();
    settings
}

/// A service that has seen a job of each of some days, of one client.
fn service(settings: Settings, days: u64) -> AnomalyService {
    let mut service = AnomalyService::with_store(Box::new(MemoryStore::default()), settings);
    service.observe_all(usual_jobs(1, 0..days), |_| {}).unwrap();
    service
}

fn purged(service: &mut AnomalyService, now: DateTime<Utc>) -> u64 {
    service.purge(now, u64::MAX).unwrap().jobs
}

#[test]
fn jobs_are_kept_for_a_year_or_for_as_long_as_is_set() {
    // The first job starts a minute after midnight.
    let year_later = day(365) + TimeDelta::minutes(1);
    let mut default = service(Settings::default(), 365);
    assert_eq!(purged(&mut default, year_later), 0);
    assert_eq!(purged(&mut default, year_later + TimeDelta::seconds(1)), 1);
    assert_eq!(purged(&mut default, day(365) + TimeDelta::days(10)), 9);

    for (retention_days, expected) in [(1, 364), (30, 335), (36_500, 0), (0, 0)] {
        let mut service = service(settings(retention_days), 365);
        let purged = purged(&mut service, day(365));
        assert_eq!(purged, expected, "{retention_days} days");
    }
}

#[test]
fn a_wrong_clock_does_not_delete_what_is_needed() {
    let mut service = service(settings(30), 60);
    // Set back by a year: everything is of the future, and stays.
    assert_eq!(purged(&mut service, day(60) - TimeDelta::days(365)), 0);
    // A century ahead: no more goes than a month after the last job.
    let kept = service
        .records()
        .is_known(&job(59, usual_image(59)).key())
        .unwrap();
    assert!(kept);
    assert_eq!(purged(&mut service, day(60) + TimeDelta::days(36_500)), 60);
    let mut service = self::service(settings(60), 60);
    assert_eq!(purged(&mut service, day(60) + TimeDelta::days(36_500)), 30);
}

/// Neither a job that did not come nor one that is dated ahead is the last one, however far the clock
/// is ahead.
#[test]
fn the_last_job_is_one_that_came() {
    let mut service = service(settings(60), 60);
    let last = |service: &AnomalyService| service.last_job(day(70)).unwrap().unwrap().key();
    let expected = job(59, usual_image(59)).key();
    let century_ahead = day(36_560);

    service.tick(day(70), |_| {}).unwrap();
    let next = day(70) + TimeDelta::minutes(1);
    assert_eq!(service.tick(next, |_| {}).unwrap().missed, 1);
    assert_eq!(last(&service), expected);
    assert_eq!(purged(&mut service, century_ahead), 30);

    service.observe(&job(36_600, usual_image(60))).unwrap();
    assert_eq!(last(&service), expected);
    assert_eq!(purged(&mut service, century_ahead), 0);
    assert_eq!(service.last_job(day(0)).unwrap(), None);
}

/// A client whose clock is set back a year: it is said, its job is kept, and all goes on.
#[test]
fn a_client_whose_clock_was_set_back_is_reported() {
    let mut service = settled(1);
    let start = day(40) - TimeDelta::days(365);
    let early = BackupJob::builder("restic", "early", "client001", "daily", start)
        .ended_at(start + TimeDelta::minutes(12))
        .image(usual_image(40))
        .build()
        .unwrap();
    let verdict = service.observe(&early).unwrap().verdict;
    assert!(verdict.is_anomalous(), "{}", verdict.summary);
    assert!(verdict.summary.contains("clock"), "{}", verdict.summary);
    // Older than a year by its own clock, and part of an open incident: it is not deleted.
    assert_eq!(purged(&mut service, day(41)), 0);
    assert_eq!(service.verdict(&early.key()).unwrap(), Some(verdict));
    for number in 41..50 {
        let verdict = service.observe(&job(number, usual_image(number))).unwrap();
        let verdict = verdict.verdict;
        assert_eq!(verdict.judgement, Judgement::Normal, "{}", verdict.summary);
    }
}

/// A tool that lists jobs for longer than they are kept hands over no new ones.
#[test]
fn what_was_deleted_is_not_judged_again() {
    let jobs = usual_jobs(1, 0..100);
    let mut service = service(settings(30), 100);
    assert_eq!(purged(&mut service, day(100)), 70);
    let mut again = Vec::new();
    let summary = service
        .observe_all(jobs.clone(), |observed| again.push(observed))
        .unwrap();
    assert_eq!((summary.new_jobs, summary.known_jobs), (0, 100));
    let summary = &again[0].verdict.summary;
    assert!(
        summary.contains("deleted since because it is old"),
        "{summary}"
    );
    assert_eq!(again[99].verdict.judgement, Judgement::Normal);
    assert!(service.records().is_known(&jobs[0].key()).unwrap());
}

/// A director that was set up anew counts from 1 again: its jobs are not those that were deleted.
#[test]
fn a_job_under_the_id_of_a_deleted_one_is_said_not_to_be_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let on_disk = AnomalyService::open(&path, settings(30)).unwrap();
    for mut service in [AnomalyService::in_memory(settings(30)), on_disk] {
        service.observe_all(usual_jobs(1, 0..100), |_| {}).unwrap();
        assert_eq!(purged(&mut service, day(100)), 70);
        let anew = |days: u64| {
            let start = day(days);
            BackupJob::builder("restic", "1-3", "web02", "daily", start)
                .build()
                .unwrap()
        };
        // What was deleted had started before day 70.
        let known = service.observe(&anew(72)).unwrap();
        assert_eq!((known.already_known, known.not_kept), (true, None));
        let other = anew(101);
        let why = NotKept::PurgedJob {
            started_before: day(70),
        };
        let novelty = service.novelty(&other).unwrap();
        assert_eq!(novelty, Novelty::NotKept(why.clone()));
        let observed = service.observe(&other).unwrap();
        assert_eq!(observed.not_kept, Some(why));
        let summary = &observed.verdict.summary;
        assert!(summary.contains("id is that of another job"), "{summary}");
    }
}

/// Nothing is called strange because it was deleted.
#[test]
fn a_recovery_point_says_what_was_deleted() {
    let mut service = service(settings(30), 60);
    let attack = job(60, overwritten(60, 90, true));
    assert!(service.observe(&attack).unwrap().verdict.is_anomalous());
    let client = &attack.client().name;
    let point = |service: &AnomalyService| {
        let points = service.recovery_points(client, None).unwrap();
        points.into_iter().next().unwrap()
    };
    let image = point(&service).image.unwrap();
    assert_eq!(image.job.key, job(59, usual_image(59)).key());

    // A month after the last job: the attack is of an open incident, and stays.
    assert_eq!(purged(&mut service, day(91)), 60);
    let point = point(&service);
    assert_eq!(point.image, None);
    let reason = point.reasons.last().unwrap();
    assert!(
        reason.contains("those up to 2026-03-01 00:01 UTC were deleted because they are old"),
        "{reason}"
    );
}

#[test]
fn it_goes_in_small_steps_beside_others_that_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let open = || AnomalyService::open(&path, settings(30)).unwrap();
    open().observe_all(usual_jobs(25, 0..60), |_| {}).unwrap();
    let leaves = |path: &Path| SqliteStore::open(path).unwrap().log_head().unwrap().size;
    let before = leaves(&path);
    // Two hundred to a step, and no more than is asked for.
    let most = 450;
    assert_eq!(open().purge(day(60), most).unwrap().jobs, most);
    assert_eq!(leaves(&path), before + 3);

    let later = usual_jobs(25, 60..62);
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(purged(&mut open(), day(60)), 30 * 25 - most));
        let mut service = open();
        for job in &later {
            assert!(!service.observe(job).unwrap().already_known);
        }
    });
    let store = SqliteStore::open(&path).unwrap();
    let kept = store.observations(&ObservationQuery::default()).unwrap();
    assert_eq!(kept.len(), 32 * 25);
    assert_eq!(store.verify(&[]).unwrap().tampering, None);
}

/// Millions of streams that each sent one job, as of names that are never used twice, here some: each
/// warms up, none is missed, and once they are old their space is used again.
#[test]
fn streams_of_one_job_each_come_and_go() {
    const STREAMS: u64 = 500;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let generation = |number: u64| {
        let clients = number * STREAMS..(number + 1) * STREAMS;
        clients.map(move |client| job_of(client, number * 500, usual_image(1)))
    };
    let mut bytes = Vec::new();
    for number in 0..4 {
        let mut service = AnomalyService::open(&path, Settings::default()).unwrap();
        let summary = service.observe_all(generation(number), |observed| {
            assert_eq!(observed.verdict.judgement, Judgement::WarmingUp);
        });
        assert_eq!(summary.unwrap().new_jobs, STREAMS);
        let now = day(number * 500 + 3);
        let report = service.tick(now, |_| {}).unwrap();
        assert_eq!((report.missed, report.silent_fleet), (0, None));
        // Those of 500 days ago go, with what was learnt of them.
        let purged = service.purge(now, u64::MAX).unwrap();
        let expected = if number == 0 { 0 } else { STREAMS };
        assert_eq!((purged.jobs, purged.streams), (expected, expected));
        let coverage = service.coverage(now).unwrap();
        assert_eq!((coverage.streams, coverage.warming_up), (STREAMS, STREAMS));
        drop(service);
        bytes.push(fs::metadata(&path).unwrap().len());
    }
    // What stays of each job is its hash in the log, what proves how old it was, and its key.
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.check().unwrap(), [""; 0]);
    let grown = (bytes[3] - bytes[1]) / (2 * STREAMS);
    assert!(grown < 200, "{grown} bytes a job, {bytes:?}");
}
