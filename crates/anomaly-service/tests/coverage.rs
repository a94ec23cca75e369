//! Who is watched, how well, and what is missing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use anomaly_service::model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::model::{
    AnomalyKind, BackupImage, BackupJob, ClientName, JobKey, Judgement, PolicyName, Review,
    ReviewStatus, Severity, StreamKey, StreamPart, Undo, Verdict, Watch,
};
use anomaly_service::settings::{Scope, Settings, StreamParts};
use anomaly_service::storage::{
    AnomalyQuery, AuditQuery, MemoryStore, Observation, Origin, Read, SqliteStore, Store,
    StoreError,
};
use anomaly_service::{AnomalyService, Backtest, StoredDifference, TickReport};
use common::{day, job_of, observe, settled, usual_image, usual_jobs};

/// Ticks every hour of some days; how many missed jobs were told.
fn told(service: &mut AnomalyService, days: std::ops::Range<u64>) -> u64 {
    let mut told = 0;
    for hour in 24 * days.start..24 * days.end {
        let now = day(0) + TimeDelta::hours(hour.cast_signed());
        told += service.tick(now, |_| {}).unwrap().missed;
    }
    told
}

#[test]
fn a_missed_job_is_an_anomaly_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backwatch.db");
    let mut service = AnomalyService::open(&path, Settings::default()).unwrap();
    service.observe_all(usual_jobs(3, 0..40), |_| {}).unwrap();
    // Two of three go on.
    for number in 40..60 {
        for client in 1..=2 {
            observe(&mut service, &job_of(client, number, usual_image(number)));
        }
        let expected = u64::from(number == 41);
        assert_eq!(
            told(&mut service, number..number + 1),
            expected,
            "day {number}"
        );
    }
    let coverage = service.coverage(day(60)).unwrap();
    assert_eq!(
        (coverage.streams, coverage.judged, coverage.silent),
        (3, 3, 1)
    );
    let query = AnomalyQuery::default().kind(AnomalyKind::MissedBackup);
    let anomalies = service.anomalies(&query).unwrap();
    assert_eq!(anomalies.len(), 1);
    let verdict = &anomalies[0].verdict;
    assert_eq!(verdict.client.as_str(), "client003");
    assert_eq!(verdict.severity(), Some(Severity::Low));
    assert!(service.incident_of(&verdict.key()).unwrap().is_some());
    // It is no job of a tool's.
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.origin(&verdict.key()).unwrap(), Some(Origin::Clock));

    // A process that is started anew does not tell it again, and neither does the late job.
    let mut service = AnomalyService::open(&path, Settings::default()).unwrap();
    assert_eq!(told(&mut service, 60..61), 0);
    let late = observe(&mut service, &job_of(3, 61, usual_image(61)));
    assert!(!late.is_anomalous(), "{}", late.summary);
    assert!(
        late.summary.starts_with("No job for 22 days"),
        "{}",
        late.summary
    );
    assert_eq!(service.coverage(day(62)).unwrap().silent, 2);
}

/// Gaps that came twice and were told are known of a stream: not if a person confirmed that they were
/// what they looked like, whether before the next job came or after. A backtest goes by the same. So it
/// is where streams are told apart by what the record of a missed job does not share with its jobs.
#[test]
fn a_gap_that_was_confirmed_teaches_nothing() {
    type Decide<'a> = &'a dyn Fn(&mut AnomalyService, &JobKey, bool);
    let mut by_source = Settings::default();
    let parts = [&[StreamPart::Source], &StreamPart::DEFAULT[..]].concat();
    by_source.streams.key = StreamParts::new(parts).unwrap();
    let third = |settings: &Settings, decide: Decide<'_>| {
        let mut service = AnomalyService::in_memory(settings.clone());
        service.observe_all(usual_jobs(1, 0..40), |_| {}).unwrap();
        for (silent, late) in [(40, 47), (57, 64)] {
            let mut missed = Vec::new();
            for hour in 24 * silent..24 * late {
                let now = day(0) + TimeDelta::hours(hour);
                let told = |verdict: &Verdict| missed.push(verdict.key());
                service.tick(now, told).unwrap();
            }
            let [missed] = missed.as_slice() else {
                panic!("{missed:?}")
            };
            decide(&mut service, missed, false);
            for number in late.unsigned_abs()..late.unsigned_abs() + 10 {
                observe(&mut service, &job_of(1, number, usual_image(number)));
                if number == late.unsigned_abs() {
                    decide(&mut service, missed, true);
                }
            }
        }
        let told = told(&mut service, 74..81);
        let ended = observe(&mut service, &job_of(1, 81, usual_image(81)));
        let today = settings.clone();
        let report = service
            .backtest(&Backtest::new(today.clone(), today))
            .unwrap();
        assert_eq!(report.stored, StoredDifference::default());
        (told, ended.summary)
    };
    let confirm = |service: &mut AnomalyService, job: &JobKey| {
        let review = Review::new(ReviewStatus::Confirmed, "ada", day(90));
        service.review(job, &review).unwrap();
    };
    let take_back = |service: &mut AnomalyService, job: &JobKey| {
        service.take_back(job, &Undo::new("ada", day(90))).unwrap();
    };
    let default = Settings::default();
    let never = third(&default, &|_, _, _| {});
    assert_eq!(never.0, 0, "{}", never.1);
    for (at_end, settings) in [(false, &default), (true, &default), (false, &by_source)] {
        let confirmed = third(settings, &|service, job, ended| {
            if ended == at_end {
                confirm(service, job);
            }
        });
        assert_eq!(confirmed.0, 1, "{}", confirmed.1);
        let undone = third(settings, &|service, job, ended| {
            if ended == at_end {
                confirm(service, job);
            }
            if ended {
                take_back(service, job);
            }
        });
        assert_eq!(undone, never);
    }
}

/// A record that is called like that of a missed job, as an earlier version took them in from
/// whoever could hand over jobs: it costs its own gap, and no other is missed for it.
#[test]
fn a_record_called_like_a_missed_job_stops_no_tick() {
    let mut service = settled(3);
    let last = day(39) + TimeDelta::minutes(1);
    let id = format!("missed-1-{}", last.timestamp_micros());
    let forged = BackupJob::builder("backwatch", id, "evil", "x", day(30))
        .build()
        .unwrap();
    let stream = StreamKey::of(&forged, &StreamPart::DEFAULT);
    let verdict = Verdict::new(&forged, Judgement::Normal, "As usual.");
    let mut transaction = service.transaction().unwrap();
    let observation = Observation {
        job: &forged,
        stream: &stream,
        verdict: &verdict,
        origin: Origin::Tool,
    };
    transaction.insert(&observation).unwrap();
    transaction.commit().unwrap();
    let mut clients = Vec::new();
    for hour in 24 * 40..24 * 44 {
        let now = day(0) + TimeDelta::hours(hour);
        let told = |verdict: &Verdict| clients.push(verdict.client.to_string());
        service.tick(now, told).unwrap();
    }
    clients.sort();
    assert_eq!(clients, ["client002", "client003"]);
    assert_eq!(service.coverage(day(44)).unwrap().silent, 3);
}

/// When nothing comes from anybody, it is one thing and not a thousand.
#[test]
fn a_silent_fleet_is_one_event() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backwatch.db");
    let mut service = AnomalyService::open(&path, Settings::default()).unwrap();
    service.observe_all(usual_jobs(30, 0..12), |_| {}).unwrap();
    assert_eq!(told(&mut service, 12..20), 0);
    let report = service.tick(day(20), |_| {}).unwrap();
    assert_eq!(report.silent_fleet, Some(30));
    assert_eq!(service.anomalies(&AnomalyQuery::default()).unwrap(), []);
    assert_eq!(service.coverage(day(20)).unwrap().silent, 30);
    let events = |path| {
        let store = SqliteStore::open(path).unwrap();
        let query = AuditQuery::default().what("silent_fleet".to_owned());
        store.audit_entries(&query).unwrap()
    };
    assert_eq!(events(&path).len(), 1, "however long it lasts");
    assert_eq!(events(&path)[0].record.severity, Some(Severity::High));
    // Most come back: the rest are each missed.
    for client in 1..=25 {
        observe(&mut service, &job_of(client, 20, usual_image(20)));
    }
    assert_eq!(told(&mut service, 20..21), 5);
}

/// What an earlier version had told, and noted without a time, is not told again.
#[test]
fn a_silent_fleet_of_an_earlier_version_is_known() {
    let mut service = AnomalyService::in_memory(Settings::default());
    service.observe_all(usual_jobs(30, 0..12), |_| {}).unwrap();
    let note = format!(
        r#"{{"last":"{}","fleet_seemed_silent":true,"fleet_is_silent":true}}"#,
        day(20).to_rfc3339()
    );
    let mut transaction = service.transaction().unwrap();
    transaction.put_note("tick", &note).unwrap();
    transaction.commit().unwrap();
    for hour in 1..4 {
        let report = service.tick(day(20) + TimeDelta::hours(hour), |_| {});
        assert_eq!(report.unwrap().silent_fleet, Some(30));
    }
    let query = AuditQuery::default().what("silent_fleet".to_owned());
    assert_eq!(service.records().audit_entries(&query).unwrap(), []);
}

/// Streams that are gone for good, of policies that were renamed or of clients that somebody made up,
/// are one event, and hide no other.
#[test]
fn streams_that_stay_away_hide_no_other() {
    let mut service = AnomalyService::in_memory(Settings::default());
    service.observe_all(usual_jobs(30, 0..12), |_| {}).unwrap();
    // Others begin, of which two stop.
    let mut of_day = |number: u64, clients: std::ops::RangeInclusive<u64>| {
        let jobs = clients.map(|client| job_of(client, number, usual_image(number)));
        service.observe_all(jobs, |_| {}).unwrap();
        told(&mut service, number..number + 1)
    };
    let before: u64 = (12..32).map(|number| of_day(number, 31..=55)).sum();
    let after: u64 = (32..36).map(|number| of_day(number, 33..=55)).sum();
    assert_eq!((before, after), (0, 2));
    let report = service.tick(day(36), |_| {}).unwrap();
    assert_eq!((report.silent_fleet, report.watched), (Some(30), 53));
    let query = AuditQuery::default().what("silent_fleet".to_owned());
    let events = service.records().audit_entries(&query).unwrap();
    assert_eq!(events.len(), 1);

    // Who knows that they are gone for good excludes them.
    let mut settings = Settings::default();
    for client in 1..=30 {
        let mut scope = Scope::default();
        scope.client = Some(ClientName::new(format!("client{client:03}")).unwrap());
        scope.detection.enabled = Some(false);
        settings.scopes.push(scope);
    }
    service.look_by(&settings, day(36)).unwrap();
    let report = service.tick(day(36), |_| {}).unwrap();
    assert_eq!((report.silent_fleet, report.missed), (None, 0));
}

/// Every stream that is due is asked before most are called silent, however many there are.
#[test]
fn streams_that_are_excluded_are_no_silent_fleet() {
    let mut settings = Settings::default();
    let mut scope = Scope::default();
    scope.policy = Some(PolicyName::new("laptops").unwrap());
    scope.detection.enabled = Some(false);
    settings.scopes.push(scope);
    let mut service = AnomalyService::in_memory(settings);
    service.observe_all(usual_jobs(1, 0..40), |_| {}).unwrap();
    // More than are asked in one transaction are overdue, and due before those that are excluded.
    let mut transaction = service.transaction().unwrap();
    let one = job_of(1, 39, usual_image(39));
    let key = StreamKey::of(&one, &StreamPart::DEFAULT);
    let status = transaction.stream_status(&key).unwrap().unwrap();
    for number in 2..=1_100 {
        let (policy, hours) = if number <= 510 {
            ("daily", 0)
        } else {
            ("laptops", 1)
        };
        let client = format!("client{number}");
        let job = BackupJob::builder("restic", number.to_string(), &client, policy, day(39));
        let key = StreamKey::of(&job.build().unwrap(), &StreamPart::DEFAULT);
        let status = status
            .replace("client001", &client)
            .replace("daily", policy);
        let due_at = day(42) + TimeDelta::hours(hours);
        transaction
            .put_stream_status(&key, &status, Some(due_at))
            .unwrap();
    }
    transaction.commit().unwrap();
    service.tick(day(42) - TimeDelta::hours(1), |_| {}).unwrap();
    let report = service.tick(day(42) + TimeDelta::hours(2), |_| {}).unwrap();
    assert_eq!((report.silent_fleet, report.missed), (None, 510));
}

#[test]
fn a_clock_that_jumps_does_not_flood() {
    let mut service = settled(30);
    assert_eq!(told(&mut service, 40..41), 0);
    // A year ahead, once: most are overdue, and one tick is not believed.
    let ahead = service.tick(day(400), |_| {}).unwrap();
    assert_eq!((ahead.missed, ahead.silent_fleet), (0, Some(30)));
    // And back: nothing is concluded from that, and all goes on.
    let back = service.tick(day(41), |_| {}).unwrap();
    assert_eq!((back.missed, back.clock_was_set_back), (0, true));
    service.observe_all(usual_jobs(30, 40..42), |_| {}).unwrap();
    assert_eq!(told(&mut service, 41..43), 0);
    // A year back, for good: nothing is due, and the clock is noted once.
    let report = service.tick(day(0), |_| {}).unwrap();
    assert!(report.clock_was_set_back);
    // A minute is no jump.
    for quiet in [day(1), day(1) - TimeDelta::minutes(1)] {
        let report = service.tick(quiet, |_| {}).unwrap();
        assert_eq!((report.missed, report.waiting, report.watched), (0, 0, 30));
        assert_eq!(
            (report.silent_fleet, report.clock_was_set_back),
            (None, false)
        );
    }
}

/// A few streams are each told, even all of them; and the first tick after a pause waits.
#[test]
fn a_pause_is_not_the_streams_fault() {
    let mut service = settled(3);
    service.tick(day(40), |_| {}).unwrap();
    let first = service.tick(day(60), |_| {}).unwrap();
    assert_eq!((first.missed, first.waiting), (0, 3));
    let mut summaries = Vec::new();
    let second = service
        .tick(day(60) + TimeDelta::minutes(1), |verdict| {
            summaries.push(verdict.summary.clone());
        })
        .unwrap();
    assert_eq!((second.missed, second.waiting), (3, 0));
    assert!(
        summaries[0].starts_with("No job since 2026-02-09"),
        "{summaries:?}"
    );
}

#[test]
fn coverage_tells_of_every_stream() {
    let mut settings = Settings::default();
    let mut scope = Scope::default();
    scope.client = Some(ClientName::new("client002").unwrap());
    scope.until = Some(day(100));
    scope.detection.enabled = Some(false);
    settings.scopes.push(scope);
    let mut service = AnomalyService::in_memory(settings);
    for number in 0..30 {
        for client in 1..=2 {
            let verdict = observe(&mut service, &job_of(client, number, usual_image(number)));
            assert_eq!(verdict.summary.contains("switched off"), client == 2);
        }
        if number < 3 {
            let bare = BackupImage::default().image_bytes(1_000 + number);
            observe(&mut service, &job_of(3, number, bare));
        }
    }
    let page = service.stream_coverage(day(30), 0, 2).unwrap();
    let watched: Vec<_> = page.streams.iter().map(|stream| &stream.watch).collect();
    let excluded = Watch::Excluded {
        by: "client client002".to_owned(),
        until: Some(day(100)),
    };
    assert_eq!(watched, [&Watch::Judged, &excluded]);
    let rest = service
        .stream_coverage(day(30), page.next.unwrap(), 2)
        .unwrap();
    assert_eq!((rest.streams.len(), rest.next), (1, None));
    assert_eq!(rest.streams[0].watch, Watch::WarmingUp { jobs_left: 4 });
    let fleet = service.coverage(day(30)).unwrap();
    assert_eq!(
        (
            fleet.streams,
            fleet.judged,
            fleet.warming_up,
            fleet.excluded
        ),
        (3, 1, 1, 1)
    );
    assert_eq!((fleet.cadence_unknown, fleet.silent), (1, 0));
    assert!(fleet.blind >= 1 && !fleet.blind_features.is_empty());
    // The exclusion ends by itself.
    assert_eq!(service.coverage(day(100)).unwrap().excluded, 0);
}

/// What an earlier version stored has no status: that is said, until the next job.
#[test]
fn streams_without_a_status_are_not_called_judged() {
    let mut store = MemoryStore::default();
    let stored = job_of(1, 0, usual_image(0));
    let mut transaction = store.transaction().unwrap();
    let verdict = observe(&mut settled(1), &job_of(1, 45, usual_image(45)));
    let mut verdict = verdict;
    verdict.job_id = stored.job_id().clone();
    transaction
        .insert(&anomaly_service::storage::Observation {
            job: &stored,
            stream: &anomaly_service::model::StreamKey::of(
                &stored,
                &anomaly_service::model::StreamPart::DEFAULT,
            ),
            verdict: &verdict,
            origin: Origin::Tool,
        })
        .unwrap();
    transaction.commit().unwrap();
    let mut service = AnomalyService::with_store(Box::new(store), Settings::default());
    let fleet = service.coverage(day(1)).unwrap();
    assert_eq!((fleet.streams, fleet.not_scored), (1, 1));
    observe(&mut service, &job_of(1, 1, usual_image(1)));
    assert_eq!(service.coverage(day(2)).unwrap().warming_up, 1);
}

/// A job of a stream that sent but this one.
fn lonely(stream: u32) -> BackupJob {
    let start: DateTime<Utc> = day(0) + TimeDelta::seconds(stream.into());
    let name = format!("client{stream:06}");
    BackupJob::builder("restic", stream.to_string(), name, "daily", start)
        .image(usual_image(0))
        .build()
        .unwrap()
}

/// Very many streams that each sent one job: none is waited for, and coverage reads them in pages.
#[test]
fn many_streams_of_one_job_cost_a_tick_nothing() {
    const STREAMS: u32 = 3_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backwatch.db");
    let mut service = AnomalyService::open(&path, Settings::default()).unwrap();
    service
        .observe_all((0..STREAMS).map(lonely), |_| {})
        .unwrap();
    assert_eq!(
        service.tick(day(400), |_| {}).unwrap(),
        TickReport::default()
    );
    assert_eq!(
        service.tick(day(401), |_| {}).unwrap(),
        TickReport::default()
    );
    let fleet = service.coverage(day(401)).unwrap();
    let all = u64::from(STREAMS);
    assert_eq!(
        (fleet.streams, fleet.warming_up, fleet.cadence_unknown),
        (all, all, all)
    );
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(
        store.count_due_streams(DateTime::<Utc>::MAX_UTC).unwrap(),
        0
    );
    let found: Result<_, StoreError> = store.due_streams(day(401), 9);
    assert_eq!(found.unwrap(), []);
    let open = AnomalyQuery::default().review_status(ReviewStatus::NotReviewed);
    assert_eq!(service.anomalies(&open).unwrap(), []);
}
