//! Anomalies become incidents as they come, in whatever order.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use anomaly_engine::{Sighting, group};
use anomaly_service::model::chrono::TimeDelta;
use anomaly_service::model::{
    AnomalyKind, BackupJob, JobStatus, Review, ReviewStatus, Severity, Undo,
};
use anomaly_service::settings::{ManyClients, Settings};
use anomaly_service::storage::{AnomalyQuery, IncidentQuery};
use anomaly_service::{AnomalyService, IncidentReport, ReviewRequest};
use common::{day, failed, job_of, observe, overwritten, settled};
use proptest::collection::vec;
use proptest::prelude::*;

/// Incidents are asked for in the transaction in which they change: in each store in its own way.
fn on_both_stores(test: impl Fn(AnomalyService)) {
    test(AnomalyService::in_memory(Settings::default()));
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("backwatch.db");
    test(AnomalyService::open(database, Settings::default()).unwrap());
}

fn incidents(service: &AnomalyService) -> Vec<IncidentReport> {
    service.incidents(&IncidentQuery::default()).unwrap()
}

#[test]
fn twenty_clients_encrypted_in_one_night_are_one_incident() {
    let mut service = settled(20);
    for client in 1..=20 {
        let verdict = observe(&mut service, &job_of(client, 40, overwritten(40, 60, true)));
        assert_eq!(
            verdict.severity(),
            Some(Severity::High),
            "{}",
            verdict.summary
        );
    }
    let found = incidents(&service);
    assert_eq!(found.len(), 1, "{found:?}");
    let IncidentReport {
        incident,
        closed_at,
        ..
    } = &found[0];
    assert_eq!(incident.clients.names.len(), 20);
    assert_eq!(incident.policies.names.len(), 1);
    assert_eq!(incident.anomalies(), 20);
    assert_eq!(
        (incident.severity(), incident.kind()),
        (Severity::High, AnomalyKind::MassEncryption)
    );
    assert_eq!(incident.first_seen, day(40) + TimeDelta::minutes(1));
    assert_eq!(incident.last_seen, day(40) + TimeDelta::minutes(20));
    assert_eq!(*closed_at, None);
    let query = AnomalyQuery::default().incident(found[0].number);
    assert_eq!(service.anomalies(&query).unwrap().len(), 20);
}

/// Anomalies that come late join what was separate, under the smallest number.
#[test]
fn a_late_anomaly_joins_what_was_separate() {
    on_both_stores(late_anomaly);
}

fn late_anomaly(mut service: AnomalyService) {
    let [first, last, between] = [failed(1, 0), failed(1, 14), failed(1, 7)];
    observe(&mut service, &first);
    observe(&mut service, &last);
    assert_eq!(incidents(&service).len(), 2);
    observe(&mut service, &between);
    let found = incidents(&service);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].number, found[0].incident.anomalies()), (1, 3));
    let merged = service.incident(2).unwrap().unwrap();
    assert_eq!(merged.merged_into, Some(1));
    assert_eq!(service.incident_of(&last.key()).unwrap(), Some(1));
    assert_eq!(service.incident(3).unwrap(), None);
}

/// What is called a false positive is no part of an incident: it may fall apart, and comes together
/// again when that is taken back.
#[test]
fn reviews_change_incidents() {
    on_both_stores(reviewed);
}

fn reviewed(mut service: AnomalyService) {
    let jobs = [failed(1, 0), failed(1, 7), failed(1, 14)];
    for job in &jobs {
        observe(&mut service, job);
    }
    let decide = |status| Review::new(status, "ada", day(20));
    let usual = decide(ReviewStatus::FalsePositive);
    service.review(&jobs[1].key(), &usual).unwrap();
    let found = incidents(&service);
    let firsts: Vec<_> = found
        .iter()
        .map(|found| found.incident.first_seen)
        .collect();
    assert_eq!(firsts, [jobs[2].started_at(), jobs[0].started_at()]);
    assert!(found.iter().all(|found| found.incident.anomalies() == 1));
    service
        .take_back(&jobs[1].key(), &Undo::new("ada", day(21)))
        .unwrap();
    let found = incidents(&service);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].incident.anomalies(), 3);

    // It is closed once everything in it was reviewed, and open again when that is taken back.
    let requests: Vec<_> = jobs
        .iter()
        .map(|job| ReviewRequest::decide(job.key(), decide(ReviewStatus::Confirmed)))
        .collect();
    service.review_all(&requests).unwrap();
    assert_eq!(incidents(&service)[0].closed_at, Some(day(20)));
    let open = IncidentQuery::default().open(true);
    assert_eq!(service.incidents(&open).unwrap(), []);
    service
        .take_back(&jobs[0].key(), &Undo::new("ada", day(22)))
        .unwrap();
    assert_eq!(service.incidents(&open).unwrap().len(), 1);
    // Of one in which nothing is left, what it was is kept.
    let requests: Vec<_> = jobs
        .iter()
        .map(|job| ReviewRequest::decide(job.key(), decide(ReviewStatus::Ignored)))
        .collect();
    service.review_all(&requests).unwrap();
    let found = incidents(&service);
    assert_eq!(found.len(), 1);
    assert!(found[0].closed_at.is_some());
    // Whatever counts again is in the incident that people have talked of.
    let undo = Undo::new("ada", day(23));
    service.take_back(&jobs[0].key(), &undo).unwrap();
    let opened = service.incidents(&open).unwrap();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].number, found[0].number);
    assert_eq!(opened[0].incident.anomalies(), 1);
    assert_eq!(
        service.incident_of(&jobs[0].key()).unwrap(),
        Some(found[0].number)
    );
}

/// A failed job of a client at some hour: an anomaly of medium severity whatever came before it.
fn failed_at(client: u64, hour: i64) -> BackupJob {
    let start = day(0) + TimeDelta::hours(hour);
    let name = format!("client{client:03}");
    BackupJob::builder("restic", format!("{client}-{hour}"), name, "daily", start)
        .status(JobStatus::Failed)
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One at a time, in any order, some of them called false positives and some of these taken
    /// back: the incidents are those of the set that stands.
    #[test]
    fn incidents_are_those_of_the_set(
        jobs in vec((0..9_u64, 0..700_i64), 1..40),
        usual in vec((0..40_usize, any::<bool>()), 0..8),
        many in 2..5_u32,
    ) {
        let mut settings = Settings::default();
        settings.incidents.clients = ManyClients::new(many).unwrap();
        let rules = settings.incidents.clone();
        let mut service = AnomalyService::in_memory(settings);
        let jobs: BTreeSet<_> = jobs.into_iter().collect();
        // Not in the order of time: clients one after the other.
        let jobs: Vec<BackupJob> = jobs
            .into_iter()
            .map(|(client, hour)| failed_at(client, hour))
            .collect();
        for job in &jobs {
            prop_assert!(observe(&mut service, job).is_anomalous());
        }
        for (place, back) in usual {
            let job = jobs[place % jobs.len()].key();
            let review = Review::new(ReviewStatus::FalsePositive, "ada", day(40));
            service.review(&job, &review).unwrap();
            if back {
                service.take_back(&job, &Undo::new("ada", day(41))).unwrap();
            }
        }
        let standing: Vec<_> = service
            .anomalies(&AnomalyQuery::default().review_status(ReviewStatus::NotReviewed))
            .unwrap();
        let sightings: Vec<Sighting> = standing
            .iter()
            .map(|anomaly| Sighting::of(&anomaly.verdict).unwrap())
            .collect();
        let (mut expected, mut found) = (BTreeMap::new(), BTreeMap::new());
        for (anomaly, first) in standing.iter().zip(group(&sightings, &rules)) {
            let job = anomaly.verdict.key();
            let number = service.incident_of(&job).unwrap().unwrap();
            expected.entry(first).or_insert_with(BTreeSet::new).insert(job.clone());
            found.entry(number).or_insert_with(BTreeSet::new).insert(job);
        }
        let sets = |sets: &BTreeMap<usize, BTreeSet<_>>| -> BTreeSet<_> {
            sets.values().cloned().collect()
        };
        let by_number: BTreeSet<_> = found.values().cloned().collect();
        prop_assert_eq!(by_number, sets(&expected));
        for (number, jobs) in found {
            let report = service.incident(number).unwrap().unwrap();
            prop_assert_eq!(report.incident.anomalies(), jobs.len() as u64);
            prop_assert!(report.closed_at.is_none() && report.merged_into.is_none());
        }
    }
}
