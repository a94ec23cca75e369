//! Who is watched, and when a job is missed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use anomaly_engine::{Engine, Overdue, Said, StreamModel, StreamStatus, missed_job};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, JobStatus, Severity, Silence, StreamCoverage, Verdict,
    Watch,
};
use anomaly_settings::{Scope, Settings};
use common::{any_jobs, builder, day, job, usual_image, usual_jobs};
use proptest::prelude::*;

/// A stream that is judged and whose status is kept, as a service does.
#[derive(Default)]
struct Stream {
    engine: Engine,
    model: StreamModel,
    status: Option<StreamStatus>,
    last_tick: Option<DateTime<Utc>>,
}

impl Stream {
    fn after(jobs: &[BackupJob]) -> Self {
        let mut stream = Self::default();
        for job in jobs {
            _ = stream.observe(job);
        }
        stream
    }

    fn observe(&mut self, job: &BackupJob) -> Verdict {
        let said = Said {
            missed_after: self.status.as_ref().and_then(StreamStatus::missed_after),
            ..Said::default()
        };
        let verdict = self.engine.judge_knowing(&said, job, &mut self.model);
        // What is stored is what is read back.
        let stored = self
            .status
            .as_ref()
            .map(|status| serde_json::to_string(status).unwrap());
        let before: Option<StreamStatus> = stored.map(|text| serde_json::from_str(&text).unwrap());
        self.status = Some(StreamStatus::after(
            before.as_ref(),
            job,
            &verdict,
            &self.model,
        ));
        verdict
    }

    /// What a tick finds; a missed job counts as told.
    fn tick(&mut self, now: DateTime<Utc>) -> Overdue {
        let last = self.last_tick.replace(now);
        let status = self.status.as_mut().unwrap();
        let due_at = status.due_at(last);
        let overdue = status.overdue(self.engine.settings(), now, last);
        if let Overdue::Missed(silence) = &overdue {
            assert!(
                due_at.is_some_and(|due_at| due_at <= now),
                "it is found by its time"
            );
            status.note_missed(silence, now);
        }
        overdue
    }

    /// How many missed jobs hourly ticks tell of in some days.
    fn told(&mut self, from: u64, days: u64) -> usize {
        let hours = (0..24 * days.cast_signed()).map(|hour| day(from) + TimeDelta::hours(hour));
        let missed = hours.filter(|now| matches!(self.tick(*now), Overdue::Missed(_)));
        missed.count()
    }

    fn coverage(&self, now: DateTime<Utc>) -> StreamCoverage {
        let key = self.engine.stream_of(&builder(0).build().unwrap());
        let status = self.status.as_ref().unwrap();
        status.coverage(key, self.engine.settings(), now)
    }
}

#[test]
fn a_missed_job_is_told_once_and_not_again_when_the_job_comes() {
    let mut stream = Stream::after(&usual_jobs(40));
    assert_eq!(stream.told(40, 1), 0);
    let due_at = day(39) + TimeDelta::hours(60);
    assert_eq!(
        stream.coverage(due_at - TimeDelta::minutes(1)).silence,
        None
    );
    assert_eq!(
        stream.coverage(due_at).silence,
        Some(Silence::new(day(39), due_at))
    );
    assert_eq!(stream.told(41, 20), 1);
    let late = stream.observe(&job(61, usual_image(61)));
    assert!(!late.is_anomalous(), "{}", late.summary);
    assert!(
        late.summary.starts_with("No job for 22 days"),
        "{}",
        late.summary
    );
    assert_eq!(stream.coverage(day(62)).silence, None);
    // The next gap is another one.
    assert_eq!(stream.told(61, 10), 1);
}

/// A gap that no tick saw is the engine's to tell.
#[test]
fn without_a_tick_the_next_job_tells_of_the_gap() {
    let mut stream = Stream::after(&usual_jobs(40));
    let late = stream.observe(&job(61, usual_image(61)));
    assert_eq!(late.kind(), Some(AnomalyKind::MissedBackup));
    assert_eq!(stream.told(61, 2), 0);
}

#[test]
fn after_a_pause_the_first_tick_only_waits() {
    let mut stream = Stream::after(&usual_jobs(40));
    assert_eq!(stream.tick(day(60)), Overdue::Wait);
    // What came meanwhile is handed over before the next tick.
    for number in 40..60 {
        assert!(
            !stream
                .observe(&job(number, usual_image(number)))
                .is_anomalous()
        );
    }
    assert!(matches!(
        stream.tick(day(60) + TimeDelta::hours(1)),
        Overdue::Not { .. }
    ));
    // Nothing came this time.
    assert_eq!(stream.tick(day(80)), Overdue::Wait);
    let now = day(80) + TimeDelta::hours(1);
    assert!(matches!(stream.tick(now), Overdue::Missed(_)));
}

/// The caller's clock is a year ahead, or behind, for a while or for good: nothing floods.
#[test]
fn a_wrong_clock_of_the_caller_does_not_flood() {
    let mut stream = Stream::after(&usual_jobs(40));
    assert_eq!(stream.told(40, 1), 0);
    assert_eq!(stream.tick(day(40 + 365)), Overdue::Wait, "once ahead");
    assert_eq!(stream.told(40, 1), 0);
    // Ahead for good, while jobs come every day: told once.
    let mut told = 0;
    for number in 40..80 {
        _ = stream.observe(&job(number, usual_image(number)));
        told += stream.told(number + 365, 1);
    }
    assert_eq!(told, 1);
    assert!(stream.coverage(day(445)).wrong_clock);
    // Behind, nothing is due.
    let mut behind = Stream::after(&usual_jobs(400));
    assert_eq!(behind.told(20, 20), 0);
}

/// The jobs' own clock is wrong: told at most once, and seen in the coverage.
#[test]
fn a_wrong_clock_of_the_jobs_does_not_flood() {
    let shifted = |number: u64, days: i64| {
        let start = day(number) + TimeDelta::days(days);
        BackupJob::builder("restic", format!("s{number}"), "mail01", "daily", start)
            .image(usual_image(number))
            .build()
            .unwrap()
    };
    for days in [-365, 365] {
        let mut stream = Stream::after(&usual_jobs(400));
        let mut told = stream.told(400, 1);
        for number in 400..440 {
            _ = stream.observe(&shifted(number, days));
            told += stream.told(number + 1, 1);
        }
        assert!(told <= 1, "{days}: {told}");
        assert!(stream.coverage(day(440)).wrong_clock, "{days}");
    }
}

#[test]
fn a_stream_without_a_cadence_is_never_due() {
    for jobs in [1, 7] {
        let mut stream = Stream::after(&usual_jobs(jobs));
        assert_eq!(stream.status.as_ref().unwrap().due_at(None), None);
        assert_eq!(stream.told(jobs, 60), 0);
        let coverage = stream.coverage(day(60));
        assert_eq!((coverage.due_at, coverage.silence), (None, None));
    }
}

#[test]
fn what_is_excluded_is_not_missed_until_the_exclusion_ends() {
    let mut settings = Settings::default();
    let mut scope = Scope::default();
    scope.client = Some(builder(0).build().unwrap().client().name.clone());
    scope.until = Some(day(50));
    scope.detection.enabled = Some(false);
    settings.scopes.push(scope);
    let mut stream = Stream::after(&usual_jobs(40));
    stream.engine = Engine::new(settings);
    let excluded = Watch::Excluded {
        by: "client mail01".to_owned(),
        until: Some(day(50)),
    };
    assert_eq!(stream.coverage(day(45)).watch, excluded);
    assert_eq!(stream.told(40, 10), 0);
    assert_eq!(stream.coverage(day(50)).watch, Watch::Judged);
    assert_eq!(stream.told(50, 2), 1);
    // A job for an excluded stream is kept, and says why it was not judged.
    let verdict = stream.observe(&job(45, usual_image(45)));
    assert!(
        verdict.summary.contains("detection is switched off"),
        "{}",
        verdict.summary
    );
}

#[test]
fn coverage_says_how_well_a_stream_is_watched() {
    let bare = |number: u64| {
        let image = BackupImage::default().image_bytes(1_000_000 + number);
        builder(number).image(image).build().unwrap()
    };
    let mut stream = Stream::default();
    _ = stream.observe(&bare(0));
    let coverage = stream.coverage(day(0));
    assert_eq!(coverage.watch, Watch::WarmingUp { jobs_left: 6 });
    assert!(
        coverage
            .blind
            .iter()
            .any(|name| name.as_str() == "file_count")
    );
    for number in 1..10 {
        _ = stream.observe(&bare(number));
    }
    assert_eq!(stream.coverage(day(10)).watch, Watch::Judged);
    // A failed job does not make a stream one that is not judged, nor one that is not blind.
    let failed = builder(10).status(JobStatus::Failed).build().unwrap();
    _ = stream.observe(&failed);
    let coverage = stream.coverage(day(10));
    assert_eq!(coverage.watch, Watch::Judged);
    assert_eq!((coverage.jobs, coverage.last_job.started_at), (11, day(10)));
    assert!(!coverage.blind.is_empty());
    assert_eq!(coverage.switched_off, [""; 0]);
    let mut off = Settings::default();
    off.detection.rules.missed_backup = false;
    stream.engine = Engine::new(off.clone());
    assert_eq!(stream.coverage(day(10)).switched_off, ["missed_backup"]);
    off.detection.enabled = false;
    stream.engine = Engine::new(off);
    _ = stream.observe(&bare(11));
    assert_eq!(stream.coverage(day(11)).watch, Watch::Off);
    // Switched on again, it is judged as before: with its next job, whatever the last one says.
    stream.engine = Engine::default();
    assert_eq!(stream.coverage(day(11)).watch, Watch::Judged);
}

#[test]
fn the_record_of_a_missed_job_is_that_of_its_gap() {
    let stream = Stream::after(&usual_jobs(40));
    let status = stream.status.as_ref().unwrap();
    let silence = Silence::new(day(39), day(39) + TimeDelta::hours(60));
    let (job, verdict) = missed_job(7, status, &silence).unwrap();
    assert_eq!(job.source().as_str(), "backwatch");
    assert_eq!(verdict.started_at, silence.due_at);
    assert_eq!(verdict.severity(), Some(Severity::Low));
    assert_eq!(
        verdict.summary,
        "No job since 2026-02-09 00:00 UTC: this stream's longest gap of late was 24 hours."
    );
    assert_eq!(missed_job(7, status, &silence).unwrap().0, job);
    let other = Silence::new(day(38), silence.due_at);
    assert_ne!(missed_job(7, status, &other).unwrap().0.key(), job.key());
    assert_ne!(missed_job(8, status, &silence).unwrap().0.key(), job.key());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever jobs and clocks do, no gap is told twice, and nothing panics.
    #[test]
    fn no_gap_is_told_twice(jobs in any_jobs(), ticks in proptest::collection::vec(0..800_u64, 40)) {
        let mut stream = Stream::default();
        let mut told = Vec::new();
        for (job, now) in jobs.iter().zip(ticks) {
            _ = stream.observe(job);
            for hour in 0..3 {
                if let Overdue::Missed(silence) = stream.tick(day(now) + TimeDelta::hours(hour)) {
                    prop_assert!(!told.contains(&silence.since), "{told:?}");
                    told.push(silence.since);
                }
            }
            _ = stream.coverage(day(now));
        }
    }
}
