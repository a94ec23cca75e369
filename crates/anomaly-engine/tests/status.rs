//! Who is watched, and when a job is missed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use anomaly_engine::{Engine, Overdue, Said, StreamModel, StreamStatus, missed_after, missed_job};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, JobStatus, Severity, Silence, StreamCoverage, Verdict,
    Watch,
};
use anomaly_settings::{Scope, Settings};
use common::{any_jobs, builder, day, job, overwriting, usual_image, usual_jobs};
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
            // What was told is not asked for again, but where the last job is one that has yet to come.
            let due_at = status.due_at(Some(now));
            let is_ahead = self.coverage(now).last_job.started_at > now + TimeDelta::days(1);
            assert_eq!(due_at.is_some(), is_ahead);
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
    assert!(!stream.coverage(day(62)).wrong_clock);
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
        let jobs_left = 6_u32.saturating_sub(u32::try_from(number).unwrap());
        let watch = if jobs_left > 0 {
            Watch::WarmingUp { jobs_left }
        } else {
            Watch::Judged
        };
        assert_eq!(stream.coverage(day(10)).watch, watch);
    }
    let before = stream.coverage(day(10)).blind;
    // A failed job does not make a stream one that is not judged, nor one that is not blind.
    let failed = builder(10).status(JobStatus::Failed).build().unwrap();
    _ = stream.observe(&failed);
    let coverage = stream.coverage(day(10));
    assert_eq!(coverage.watch, Watch::Judged);
    assert_eq!((coverage.jobs, coverage.last_job.started_at), (11, day(10)));
    assert_eq!(coverage.blind, before);
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
    assert_eq!(missed_after(&job), Some(silence.since));
    assert_eq!(missed_after(&builder(0).build().unwrap()), None);
}

/// What the last job that was judged did not report is not seen, be it of a stream that warms up; and a
/// job that could not be judged says why.
#[test]
fn the_last_job_that_was_judged_says_what_is_blind() {
    let mut stream = Stream::default();
    let image = BackupImage::default().image_bytes(1_000_000);
    let mut is_blind = |image: BackupImage, number: u64| {
        _ = stream.observe(&builder(number).image(image).build().unwrap());
        let coverage = stream.coverage(day(number));
        let blind = coverage
            .blind
            .iter()
            .any(|name| name.as_str() == "file_count");
        (blind, coverage.watch)
    };
    assert!(is_blind(image, 0).0);
    assert!(is_blind(image, 1).0);
    assert!(!is_blind(image.file_count(100), 2).0, "while it warms up");
    for number in 3..10 {
        assert!(!is_blind(image.file_count(100), number).0);
    }
    let reason = "the job reports no size, count or duration".to_owned();
    assert_eq!(
        is_blind(BackupImage::default(), 10),
        (false, Watch::NotScored { reason })
    );
    assert_eq!(is_blind(image, 11), (true, Watch::Judged));
}

/// Whether a job that is due has not come, or may only not have been handed over, depends on how long
/// nobody asked.
#[test]
fn a_tick_trusts_the_one_before_it() {
    let stream = Stream::after(&usual_jobs(40));
    let status = stream.status.as_ref().unwrap();
    // Daily jobs: two and a half days without one are too long, and half of that is a long pause.
    let due_at = day(39) + TimeDelta::hours(60);
    let asked = |now, last| status.overdue(stream.engine.settings(), now, last);
    let missed = Overdue::Missed(Silence::new(day(39), due_at));
    let (minute, pause) = (TimeDelta::minutes(1), TimeDelta::hours(30));
    assert_eq!(
        asked(due_at - minute, Some(day(39))),
        Overdue::Not {
            again_at: Some(due_at)
        }
    );
    assert_eq!(asked(due_at, Some(due_at - minute)), missed);
    assert_eq!(asked(due_at, Some(due_at - pause)), missed);
    assert_eq!(asked(due_at, Some(due_at - pause - minute)), Overdue::Wait);
    assert_eq!(asked(due_at, None), Overdue::Wait);
    // Whoever was told to wait once is told the second time, however long that takes.
    assert_eq!(asked(day(60), Some(due_at)), missed);
    assert_eq!(asked(day(60), Some(due_at - minute)), Overdue::Wait);
    // Where the rule is off, to be asked again when a job may be due: settings may change.
    let mut off = Settings::default();
    off.detection.rules.missed_backup = false;
    let again_at = Some(day(61));
    assert_eq!(
        status.overdue(&off, day(60), Some(due_at)),
        Overdue::Not { again_at }
    );
}

/// A job of tomorrow has a wrong clock; so has one that was overdue when it came. A clock that went
/// back does not put off what is due.
#[test]
fn a_wrong_clock_shows() {
    let mut stream = Stream::after(&usual_jobs(40));
    let due_at = stream.coverage(day(39)).due_at;
    assert!(!stream.coverage(day(39) + TimeDelta::hours(12)).wrong_clock);
    assert!(!stream.coverage(day(38)).wrong_clock, "a day ahead");
    assert!(stream.coverage(day(38) - TimeDelta::minutes(1)).wrong_clock);
    let early = BackupJob::builder("restic", "early", "mail01", "daily", day(10));
    _ = stream.observe(&early.image(usual_image(40)).build().unwrap());
    assert_eq!(stream.coverage(day(40)).due_at, due_at);

    let mut stream = Stream::after(&usual_jobs(40));
    _ = stream.tick(day(42));
    assert!(matches!(stream.tick(day(43)), Overdue::Missed(_)));
    _ = stream.observe(&job(40, usual_image(40)));
    assert!(stream.coverage(day(43)).wrong_clock);
}

/// A job from the future is one that has come when its time comes: what is missing after it is told.
#[test]
fn a_job_ahead_of_its_time_is_waited_for() {
    let mut stream = Stream::after(&usual_jobs(40));
    assert_eq!(stream.told(40, 3), 1);
    _ = stream.observe(&job(100, usual_image(100)));
    assert_eq!(stream.told(43, 50), 0);
    assert_eq!(stream.told(93, 20), 1);
}

/// That a person confirmed a missed job is kept with the one that it is about.
#[test]
fn a_missed_job_can_be_confirmed() {
    let mut stream = Stream::after(&usual_jobs(40));
    let status = stream.status.as_mut().unwrap();
    let due_at = day(39) + TimeDelta::hours(60);
    assert_eq!(
        (status.missed_after(), status.missed_is_confirmed()),
        (None, false)
    );
    status.note_missed(&Silence::new(day(39), due_at), due_at);
    status.confirm_missed(day(38), true);
    assert_eq!(
        (status.missed_after(), status.missed_is_confirmed()),
        (Some(day(39)), false)
    );
    status.confirm_missed(day(39), true);
    assert!(status.missed_is_confirmed());
    status.confirm_missed(day(39), false);
    assert!(!status.missed_is_confirmed());
}

/// What lasts is proposed until it is over, something else happens, or a person decides.
#[test]
fn a_proposal_stands_while_what_it_is_about_goes_on() {
    let mut stream = Stream::after(&usual_jobs(40));
    let proposed = |stream: &Stream| stream.coverage(day(60)).proposal.is_some();
    for number in 40..60 {
        _ = stream.observe(&overwriting(number, 50));
    }
    assert!(proposed(&stream));
    let began = stream
        .coverage(day(60))
        .proposal
        .unwrap()
        .began_with
        .unwrap();
    let again = || {
        let mut stream = Stream::after(&usual_jobs(40));
        for number in 40..60 {
            _ = stream.observe(&overwriting(number, 50));
        }
        stream
    };
    // Days without it, until it is over.
    let mut over = again();
    let quiet: Vec<bool> = (60..90)
        .map(|number| {
            _ = over.observe(&job(number, usual_image(number)));
            proposed(&over)
        })
        .collect();
    let days = quiet.iter().take_while(|proposed| **proposed).count();
    assert!((6..25).contains(&days), "{days}");
    assert!(quiet[days..].iter().all(|proposed| !proposed));
    let mut failed = again();
    _ = failed.observe(&builder(60).status(JobStatus::Failed).build().unwrap());
    assert!(!proposed(&failed));

    let Stream {
        mut model, status, ..
    } = again();
    let status = status.unwrap();
    let key = stream.engine.stream_of(&builder(0).build().unwrap());
    let after_review = |model: &StreamModel| {
        let status = status.clone().after_review(model);
        status
            .coverage(key.clone(), stream.engine.settings(), day(60))
            .proposal
    };
    assert!(after_review(&model).is_some());
    assert!(model.accept_level_shift(&began) > 1);
    assert_eq!(after_review(&model), None);
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
