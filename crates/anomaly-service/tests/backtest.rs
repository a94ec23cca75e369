//! Other settings against the past: what they would change, and that nothing is changed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use anomaly_eval::{Fleet, Pattern};
use anomaly_service::model::chrono::TimeDelta;
use anomaly_service::model::{
    BackupJob, Ceiling, JobKey, Review, ReviewScope, ReviewStatus, StreamPart, Undo,
};
use anomaly_service::settings::{AlarmBudget, ExcludedFeatures, Settings, StreamParts};
use anomaly_service::storage::{AnomalyQuery, SqliteStore};
use anomaly_service::{
    AnomalyService, Backtest, BacktestReport, ReviewRequest, ServiceError, StoredDifference,
};
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

/// Clients of all patterns with what happened to them, in the order in which it happened.
fn jobs(seed: u64) -> Vec<BackupJob> {
    let patterns = vec![Pattern::Flat, Pattern::Office, Pattern::Laptop];
    let fleet = Fleet::default().clients(3).jobs(40).branches(1).seed(seed);
    let histories = fleet.patterns(patterns).simulate().unwrap();
    let mut jobs = Vec::new();
    for history in histories {
        let branches = history.branches.iter().map(|branch| &branch.jobs);
        // A branch goes on from a job in the middle: for a stream of its own it is long enough.
        for (number, branch) in branches.enumerate() {
            let before = &history.jobs[..history.jobs.len().min(35)];
            for job in before.iter().chain(branch) {
                let mut record = serde_json::to_value(job).unwrap();
                let client = format!("{}-{number}", history.name);
                record["job_id"] = format!("{client}-{}", job.job_id()).into();
                record["client"] = client.into();
                jobs.push(serde_json::from_value::<BackupJob>(record).unwrap());
            }
        }
    }
    jobs.sort_by_key(|job| (job.started_at(), job.key()));
    jobs
}

/// What a person does after a job: which of the newest anomalies, and what is said of it.
type Decision = (usize, usize, u8);

fn review(service: &mut AnomalyService, (_, which, what): Decision) {
    let newest = AnomalyQuery::default().limit(which % 4 + 1);
    let anomalies = service.anomalies(&newest).unwrap();
    let Some(anomaly) = anomalies.last() else {
        return;
    };
    let (job, at) = (anomaly.verdict.key(), anomaly.verdict.started_at);
    let false_positive = |scope: ReviewScope| {
        let end = Some(at + TimeDelta::days(60)).filter(|_| scope.covers_later_jobs());
        Review::new(ReviewStatus::FalsePositive, "ann", at).with_scope(
            scope,
            Ceiling::default(),
            end,
        )
    };
    let request = match what % 6 {
        0 => ReviewRequest::decide(job, Review::new(ReviewStatus::Confirmed, "ann", at)),
        1 => ReviewRequest::decide(job, Review::new(ReviewStatus::Ignored, "ann", at)),
        2 => ReviewRequest::decide(job, false_positive(ReviewScope::ThisJob)),
        3 => ReviewRequest::decide(job, false_positive(ReviewScope::ThisStream)),
        4 => ReviewRequest::decide(job, false_positive(ReviewScope::LevelShift)),
        _ => ReviewRequest::take_back(job, Undo::new("bob", at)),
    };
    // Some are refused, as a person's are.
    let _ = service.review_one(request);
}

/// A database with a past: jobs, missed jobs, and what people decided meanwhile.
fn live(path: &Path, seed: u64, decisions: &[Decision]) -> AnomalyService {
    let mut service = AnomalyService::open(path, Settings::default()).unwrap();
    let jobs = jobs(seed);
    let mut stops: Vec<usize> = decisions.iter().map(|one| one.0 % jobs.len()).collect();
    stops.extend((0..jobs.len()).filter(|place| place % 40 == 39));
    stops.push(jobs.len() - 1);
    stops.sort_unstable();
    stops.dedup();
    let mut next = 0;
    for place in stops {
        let batch = jobs[next..=place].iter().cloned();
        service.observe_all(batch, |_| ()).unwrap();
        next = place + 1;
        for decision in decisions.iter().filter(|one| one.0 % jobs.len() == place) {
            review(&mut service, *decision);
        }
        if place % 40 == 39 {
            // Twice: after a pause the first only looks.
            for _ in 0..2 {
                let now = jobs[place].started_at() + TimeDelta::hours(2);
                service.tick(now, |_| ()).unwrap();
            }
        }
    }
    service
}

fn run(path: &Path, threads: usize, backtest: &Backtest) -> BacktestReport {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool.build().unwrap();
    pool.install(|| {
        backtest.run(
            || SqliteStore::open_existing(path),
            |_| ControlFlow::Continue(()),
        )
    })
    .unwrap()
}

fn loose() -> Settings {
    let mut settings = Settings::default();
    settings.detection.alarm_budget = AlarmBudget::new(0.01).unwrap();
    settings.detection.rules.failed_job = false;
    settings.detection.rules.missed_backup = false;
    settings
}

/// The same streams, told apart by the same parts in another order.
fn other_order(mut settings: Settings) -> Settings {
    let mut parts = StreamPart::DEFAULT.to_vec();
    parts.reverse();
    settings.streams.key = StreamParts::new(parts).unwrap();
    settings
}

/// Everything in the database, as text.
fn dump(path: &Path) -> Vec<u8> {
    let directory = TempDir::new().unwrap();
    let copy = directory.path().join("copy");
    let store = SqliteStore::open_existing(path).unwrap();
    store.copy_to(&copy).unwrap();
    std::fs::read(copy).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    /// The replay is what happened: the stored verdicts, with all that people decided; under the
    /// same settings nothing is gained or lost; and threads change nothing.
    #[test]
    fn the_same_settings_change_nothing(
        seed in 0..1_000_u64,
        decisions in vec((0..10_000_usize, 0..4_usize, 0..6_u8), 0..30),
    ) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("db");
        let service = live(&path, seed, &decisions);
        let before = dump(&path);

        let same = Backtest::new(Settings::default(), Settings::default());
        let report = run(&path, 2, &same);
        prop_assert_eq!(report.stored, StoredDifference::default());
        let changes = (report.gained.count, report.lost.count, report.changed);
        prop_assert_eq!(changes, (0, 0, 0));
        prop_assert_eq!(&report.before, &report.after);
        let stored = service.anomalies(&AnomalyQuery::default()).unwrap().len() as u64;
        prop_assert_eq!(report.before.anomalies, stored);
        prop_assert_eq!(&service.backtest(&same).unwrap(), &report);

        // One record after the other, with every stream in memory.
        let in_turn = Backtest::new(Settings::default(), other_order(Settings::default()));
        let in_turn = run(&path, 2, &in_turn);
        prop_assert_eq!(&in_turn.before, &report.before);
        prop_assert_eq!(&in_turn.after, &report.before);

        let other = Backtest::new(Settings::default(), loose());
        let [one, four] = [1, 4].map(|threads| run(&path, threads, &other));
        prop_assert_eq!(&one, &four);
        prop_assert!(one.before.anomalies == one.after.anomalies + one.lost.count - one.gained.count);
        let in_turn = run(&path, 2, &Backtest::new(Settings::default(), other_order(loose())));
        prop_assert_eq!(in_turn.lost, one.lost);

        prop_assert!(dump(&path) == before, "the database was changed");
    }
}

/// What a person confirmed and would be lost is told first of all; what was a false alarm counts
/// apart.
#[test]
fn what_was_confirmed_is_told_apart() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("db");
    let mut service = live(&path, 7, &[]);
    let anomalies = service.anomalies(&AnomalyQuery::default()).unwrap();
    let by_rule = |anomaly: &&anomaly_service::model::Anomaly| {
        anomaly.verdict.kind() == Some(anomaly_service::model::AnomalyKind::MissedBackup)
    };
    let missed: Vec<JobKey> = anomalies
        .iter()
        .filter(by_rule)
        .map(|one| one.verdict.key())
        .collect();
    assert!(missed.len() >= 2, "{missed:?}");
    let at = anomalies[0].verdict.started_at;
    let decide = |status| Review::new(status, "ann", at);
    service
        .review(&missed[0], &decide(ReviewStatus::Confirmed))
        .unwrap();
    service
        .review(&missed[1], &decide(ReviewStatus::FalsePositive))
        .unwrap();

    let mut quiet = Settings::default();
    quiet.detection.rules.missed_backup = false;
    let report = service
        .backtest(&Backtest::new(Settings::default(), quiet.clone()))
        .unwrap();
    assert_eq!(report.confirmed_lost.count, 1);
    assert_eq!(report.confirmed_lost.anomalies[0].job, missed[0]);
    assert_eq!(report.false_positives_gone, 1);
    let lost = report.lost.count;
    assert_eq!(lost, 2 + report.unreviewed_lost);
    assert_eq!(
        report.by_stream.iter().map(|one| one.lost).sum::<u64>(),
        lost
    );

    // The other way round it is a gain, and within a window only what is in it counts.
    let back = Backtest::new(quiet, Settings::default());
    let gained = service.backtest(&back).unwrap().gained.count;
    assert_eq!(gained, lost);
    let none = service.backtest(&back.since(at + TimeDelta::days(999)));
    assert_eq!(none.unwrap().jobs, 0);
}

/// A feature that is left out, and detection that is off, are seen for what they are.
#[test]
fn what_is_not_judged_is_told() {
    let directory = TempDir::new().unwrap();
    let service = live(&directory.path().join("db"), 3, &[]);
    let mut off = Settings::default();
    off.detection.enabled = false;
    let report = service
        .backtest(&Backtest::new(Settings::default(), off))
        .unwrap();
    assert_eq!(report.after.not_scored_jobs, report.jobs);
    assert_eq!(report.after.anomalies, 0);
    assert_eq!(report.lost.count, report.before.anomalies);
    let mut blind = Settings::default();
    let name = anomaly_service::model::FeatureName::new("random_share").unwrap();
    blind.detection.excluded_features = ExcludedFeatures::new([name]).unwrap();
    let report = service.backtest(&Backtest::new(Settings::default(), blind));
    assert!(report.unwrap().before.anomalies > 0);
}

#[test]
fn it_can_be_broken_off_and_says_how_far_it_is() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("db");
    live(&path, 1, &[]);
    let backtest = Backtest::new(Settings::default(), loose());
    let open = || SqliteStore::open_existing(&path);
    let most = Mutex::new((0, 0));
    let report = backtest.run(open, |progress| {
        let mut most = most.lock().unwrap();
        *most = (most.0.max(progress.done), progress.of_at_most);
        ControlFlow::Continue(())
    });
    assert!(report.unwrap().jobs > 0);
    let (done, of_at_most) = *most.lock().unwrap();
    assert!(done > 0 && done <= of_at_most, "{done} of {of_at_most}");

    let error = backtest.run(open, |_| ControlFlow::Break(())).unwrap_err();
    assert!(matches!(error, ServiceError::BrokenOff), "{error}");
}

/// What comes while it runs has no part in it, and need not wait.
#[test]
fn ingest_goes_on_meanwhile() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("db");
    let service = Mutex::new(live(&path, 1, &[]));
    let backtest = Backtest::new(Settings::default(), loose());
    let open = || SqliteStore::open_existing(&path);
    let undisturbed = backtest.run(open, |_| ControlFlow::Continue(())).unwrap();
    let late = Mutex::new(0);
    let disturbed = backtest.run(open, |_| {
        let mut late = late.lock().unwrap();
        *late += 1;
        let start = anomaly_service::model::chrono::DateTime::UNIX_EPOCH;
        let job = BackupJob::builder("late", late.to_string(), "s000-flat-0", "flat", start);
        let job = job.build().unwrap();
        service.lock().unwrap().observe(&job).unwrap();
        ControlFlow::Continue(())
    });
    assert_eq!(disturbed.unwrap(), undisturbed);
    assert!(*late.lock().unwrap() > 0);
}
