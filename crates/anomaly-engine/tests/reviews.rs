//! What people decide: what it teaches, what it covers, and that it can be taken back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use anomaly_engine::{Engine, FalsePositive, Said, StreamModel};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    AnomalyKind, BackupJob, Ceiling, ContentStatistics, FeatureName, JobKey, JobStatus, Judgement,
    Review, ReviewScope, ReviewStatus, Severity, Verdict,
};
use anomaly_settings::{AcceptLevelShiftAfterJobs, Settings};
use common::{any_jobs, builder, day, job, usual_image, usual_jobs};
use proptest::collection::vec;
use proptest::prelude::*;

/// A job that overwrites this part of the files and of the data; nobody looked into it.
fn overwriting(number: u64, percent: u64) -> BackupJob {
    let image = usual_image(number).transferred_bytes(percent * 100_000_000);
    job(number, image.files_changed(percent * 500))
}

fn learnt() -> StreamModel {
    let mut model = StreamModel::default();
    for job in usual_jobs(40) {
        _ = Engine::default().judge(&job, &mut model);
    }
    model
}

fn usual(scope: ReviewScope, ceiling: f64, expires_at: Option<DateTime<Utc>>) -> Review {
    Review::new(ReviewStatus::FalsePositive, "ada", day(40)).with_scope(
        scope,
        Ceiling::new(ceiling).unwrap(),
        expires_at,
    )
}

/// What a review of the verdict says of later jobs.
fn said(verdict: &Verdict, review: &Review) -> Said {
    let mut said = Said::default();
    said.false_positives
        .extend(FalsePositive::of(verdict, review));
    said
}

/// The verdict on a job that comes after an anomaly on day 40, reviewed so, and nineteen usual days.
fn after_review(first: &BackupJob, review: &Review, later: &BackupJob) -> Verdict {
    let (engine, mut model) = (Engine::default(), learnt());
    let verdict = engine.judge(first, &mut model);
    assert!(verdict.is_anomalous());
    let said = said(&verdict, review);
    for number in 41..60 {
        let verdict = engine.judge_knowing(&said, &job(number, usual_image(number)), &mut model);
        assert!(!verdict.is_anomalous(), "{}", verdict.summary);
    }
    engine.judge_knowing(&said, later, &mut model)
}

#[test]
fn a_scope_covers_what_is_no_more_than_its_ceiling_until_it_expires() {
    let scope = || ReviewScope::ThisStream;
    let first = overwriting(40, 50);
    let after = |ceiling, expires_at, percent| {
        let review = usual(scope(), ceiling, expires_at);
        after_review(&first, &review, &overwriting(60, percent))
    };
    let covered = after(1.1, Some(day(130)), 54);
    assert_eq!(covered.judgement, Judgement::Normal);
    assert!(
        covered.summary.starts_with(
            "Covered by a false positive of 2026-02-10, until 2026-05-11: Looks like mass encryption"
        ),
        "{}",
        covered.summary
    );
    let by = covered.covered_by.as_ref().unwrap();
    assert_eq!((&by.job.key, by.reviewer.as_str()), (&first.key(), "ada"));
    assert!(covered.p_value.unwrap().get() < 1.0 / 365.0, "it is kept");
    assert!(!covered.findings.is_empty());

    assert!(after(1.1, None, 54).covered_by.is_some(), "without an end");
    assert!(after(1.1, Some(day(130)), 57).is_anomalous(), "more");
    assert!(after(1.0, Some(day(130)), 54).is_anomalous(), "more than 1");
    assert!(!after(1.0, Some(day(130)), 50).is_anomalous(), "as much");
    let expired = after(1.1, Some(day(60)), 50);
    assert!(expired.is_anomalous() && expired.covered_by.is_none());
    let one_job = after_review(
        &first,
        &usual(ReviewScope::ThisJob, 1.1, None),
        &overwriting(60, 50),
    );
    assert!(one_job.is_anomalous(), "{}", one_job.summary);
}

/// A clock that is set back does not bring an older decision to life.
#[test]
fn a_scope_covers_no_job_that_started_before_its_own() {
    let (engine, mut model) = (Engine::default(), learnt());
    let verdict = engine.judge(&overwriting(40, 50), &mut model);
    let said = said(&verdict, &usual(ReviewScope::ThisStream, 1.1, None));
    let early = overwriting(30, 50);
    let verdict = engine.judge_knowing(&said, &early, &mut model);
    assert!(verdict.is_anomalous(), "{}", verdict.summary);
}

/// What stands out in another way than the reviewed job did is told, and so is what its scope does
/// not name.
#[test]
fn a_scope_covers_nothing_else() {
    let content = |number, random| {
        let mut content = ContentStatistics::default();
        content.random_files = Some(random);
        content.mean_entropy_bits_changed = Some(5.0);
        content.entropy_delta_bits_changed = Some(0.0);
        let image = usual_image(number).content(content);
        (number, image)
    };
    let make = |(number, image): (u64, anomaly_model::BackupImage), percent: u64| {
        let image = image
            .transferred_bytes(percent * 100_000_000)
            .files_changed(percent * 500);
        job(number, image)
    };
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    for number in 0..40 {
        let (number, image) = content(number, 3);
        _ = engine.judge(&job(number, image), &mut model);
    }
    let first = engine.judge(&make(content(40, 3), 50), &mut model);
    assert!(first.is_anomalous(), "{}", first.summary);
    for number in 41..60 {
        let (number, image) = content(number, 3);
        _ = engine.judge(&job(number, image), &mut model);
    }
    let stream = said(&first, &usual(ReviewScope::ThisStream, 1.1, None));
    let judge = |said: &Said, job: &BackupJob| engine.judge_knowing(said, job, &mut model.clone());
    let same = judge(&stream, &make(content(60, 3), 50));
    assert!(same.covered_by.is_some(), "{}", same.summary);
    // As much was overwritten, and this time it looks random.
    let encrypted = judge(&stream, &make(content(60, 25_000), 50));
    assert!(encrypted.is_anomalous(), "{}", encrypted.summary);

    let strongest = first.findings[0].feature.clone();
    let all: Vec<FeatureName> = first.findings.iter().map(|f| f.feature.clone()).collect();
    let only = |names| said(&first, &usual(ReviewScope::Features(names), 1.1, None));
    let same = make(content(60, 3), 50);
    assert!(judge(&only(all), &same).covered_by.is_some());
    let others: Vec<FeatureName> = first.findings[1..]
        .iter()
        .map(|finding| finding.feature.clone())
        .collect();
    assert!(!others.contains(&strongest));
    assert!(judge(&only(others), &same).is_anomalous());
    let never_seen = FeatureName::new("directory_count").unwrap();
    assert!(only(vec![never_seen]).false_positives.is_empty());
}

/// What cannot wait is covered only by what could not wait either, and only as far as it went.
#[test]
fn high_severity_is_covered_up_to_what_a_person_saw() {
    let review = usual(ReviewScope::ThisStream, 1.5, None);
    let verdict = |first: u64, later: u64| {
        after_review(&overwriting(40, first), &review, &overwriting(60, later))
    };
    // Of medium severity the ceiling of half as much again holds.
    assert!(verdict(50, 70).covered_by.is_some());
    let more = verdict(70, 95);
    assert_eq!(more.severity(), Some(Severity::High), "{}", more.summary);
    assert!(verdict(95, 95).covered_by.is_some());
    assert!(verdict(94, 97).is_anomalous());
}

/// What is covered is not learnt, however often it comes: what is usual does not grow beyond the
/// ceiling, and once the scope has expired it is told as it would have been.
#[test]
fn what_is_covered_teaches_nothing() {
    let engine = Engine::default();
    let (mut covered, mut quiet) = (learnt(), learnt());
    let first = engine.judge(&overwriting(40, 50), &mut covered);
    _ = engine.judge(&overwriting(40, 50), &mut quiet);
    let said = said(&first, &usual(ReviewScope::ThisStream, 1.1, Some(day(130))));
    let before = covered.learnt_jobs();
    for number in 41..130 {
        let is_monthly = number % 15 == 0 && number >= 60;
        let next = job(number, usual_image(number));
        if is_monthly {
            let verdict = engine.judge_knowing(&said, &overwriting(number, 54), &mut covered);
            assert!(verdict.covered_by.is_some(), "{}", verdict.summary);
        } else {
            _ = engine.judge_knowing(&said, &next, &mut covered);
            _ = engine.judge(&next, &mut quiet);
        }
    }
    assert_eq!(covered.learnt_jobs(), quiet.learnt_jobs());
    assert!(covered.learnt_jobs() > before);
    let expired = overwriting(130, 50);
    let verdict = engine.judge_knowing(&said, &expired, &mut covered);
    assert!(verdict.is_anomalous(), "{}", verdict.summary);
}

/// What a rule reports without a number is covered by nothing.
#[test]
fn a_failed_job_is_not_covered() {
    let (engine, mut model) = (Engine::default(), learnt());
    let failed = |number| builder(number).status(JobStatus::Failed).build().unwrap();
    let verdict = engine.judge(&failed(40), &mut model);
    let review = usual(ReviewScope::ThisStream, 2.0, None);
    assert_eq!(FalsePositive::of(&verdict, &review), None);
    let strange = engine.judge(&overwriting(41, 50), &mut model);
    let said = said(&strange, &review);
    assert!(
        engine
            .judge_knowing(&said, &failed(42), &mut model)
            .is_anomalous()
    );
}

/// What lasts is reported as one job and, a week later, as one that lasts; said each time, proposed
/// after another week, and learnt when a person says that it is the new normal; taken back, it is not.
#[test]
fn a_change_that_lasts_waits_for_a_person() {
    let (engine, mut model) = (Engine::default(), learnt());
    let mut proposed = Vec::new();
    for number in 40..70 {
        let verdict = engine.judge(&overwriting(number, 50), &mut model);
        let told = number == 40 || number == 46;
        assert_eq!(verdict.is_anomalous(), told, "{}", verdict.summary);
        if let Some(shift) = verdict.level_shift {
            assert_eq!(shift.began_with, Some(overwriting(46, 50).key()));
            assert!(!shift.accepted);
            proposed.push((number, shift.jobs));
            assert!(
                verdict.summary.ends_with("is it the new normal?"),
                "{}",
                verdict.summary
            );
        }
    }
    let expected: Vec<(u64, u32)> = (52..70).zip(7..).collect();
    assert_eq!(proposed, expected);
    let waiting = model.clone();
    let began = overwriting(46, 50).key();
    assert_eq!(model.accept_level_shift(&began), 24);
    let accepted = engine.judge(&overwriting(70, 50), &mut model.clone());
    assert_eq!(accepted.summary, "Nothing unusual in what was reported.");
    assert!(model.retract(&began));
    assert_eq!(model, waiting);
    assert!(!model.retract(&began));
}

/// A change that gets worse is no new normal: what is proposed begins with what was told last.
#[test]
fn what_gets_worse_is_not_part_of_what_is_accepted() {
    let (engine, mut model) = (Engine::default(), learnt());
    for number in 40..50 {
        _ = engine.judge(&overwriting(number, 40), &mut model);
    }
    assert!(
        engine
            .judge(&overwriting(50, 80), &mut model)
            .is_anomalous()
    );
    let shift = (51..57).map(|number| {
        engine
            .judge(&overwriting(number, 80), &mut model)
            .level_shift
    });
    let shift = shift.flatten().last().unwrap();
    assert_eq!(shift.began_with, Some(overwriting(50, 80).key()));
    assert_eq!(model.accept_level_shift(&overwriting(46, 40).key()), 4);
    assert!(!model.is_accepted(&overwriting(50, 80).key()));
}

#[test]
fn settings_may_accept_what_lasts() {
    let mut settings = Settings::default();
    settings.detection.accept_level_shift_after_jobs = AcceptLevelShiftAfterJobs::new(10).unwrap();
    let (engine, mut model) = (Engine::new(settings), learnt());
    let mut verdicts = (40..60).map(|number| engine.judge(&overwriting(number, 50), &mut model));
    // The tenth since it was reported as one that lasts.
    let tenth = verdicts.nth(15).unwrap();
    assert!(tenth.level_shift.as_ref().unwrap().accepted);
    assert!(
        tenth
            .summary
            .ends_with("After 10 jobs it is the new normal, as the settings say."),
        "{}",
        tenth.summary
    );
    let after = verdicts.next().unwrap();
    assert!(after.level_shift.is_none(), "{}", after.summary);
    assert!(!after.is_anomalous(), "{}", after.summary);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Accept,
    AcceptShift,
    Confirm,
}

/// What a person decides of the anomalies of a model: which, and how.
fn decide(model: &mut StreamModel, anomalies: &[JobKey], choice: (usize, How)) -> Option<JobKey> {
    let (index, how) = choice;
    let job = anomalies.get(index % anomalies.len().max(1))?;
    let changed = match how {
        How::Accept => model.accept(job),
        How::AcceptShift => model.accept_level_shift(job) > 0,
        How::Confirm => !model.is_accepted(job) && model.confirm(job),
    };
    changed.then(|| job.clone())
}

fn any_how() -> impl Strategy<Value = How> {
    prop_oneof![
        Just(How::Accept),
        Just(How::AcceptShift),
        Just(How::Confirm)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Decisions that are taken back, the last one first, leave the model as it was, to the byte.
    #[test]
    fn taking_back_is_exact(jobs in any_jobs(), choices in vec((0..64_usize, any_how()), 1..8)) {
        let engine = Engine::default();
        let mut model = StreamModel::default();
        let mut anomalies = Vec::new();
        for job in &jobs {
            if engine.judge(job, &mut model).is_anomalous() {
                anomalies.push(job.key());
            }
        }
        let before = model.to_bytes().unwrap();
        let decided: Vec<(JobKey, How)> = choices
            .into_iter()
            .filter_map(|choice| Some((decide(&mut model, &anomalies, choice)?, choice.1)))
            .collect();
        for (job, how) in decided.iter().rev() {
            let taken_back = match how {
                How::Confirm => model.unconfirm(job),
                _ => model.retract(job),
            };
            prop_assert!(taken_back);
        }
        prop_assert_eq!(model.to_bytes().unwrap(), before);
    }

    /// Taken back later, a decision leaves the model as if it had never been made, if no verdict in
    /// between was another for it.
    #[test]
    fn taking_back_later_is_exact_too(jobs in any_jobs(), at in 5..50_usize, index in 0..64_usize) {
        let engine = Engine::default();
        let (mut never, mut reviewed) = (StreamModel::default(), StreamModel::default());
        let at = at.min(jobs.len());
        let mut anomalies = Vec::new();
        for job in &jobs[..at] {
            if engine.judge(job, &mut never).is_anomalous() {
                anomalies.push(job.key());
            }
            _ = engine.judge(job, &mut reviewed);
        }
        let decided = decide(&mut reviewed, &anomalies, (index, How::Accept));
        prop_assume!(decided.is_some());
        let job = decided.unwrap();
        for job in &jobs[at..] {
            let verdicts = (engine.judge(job, &mut never), engine.judge(job, &mut reviewed));
            // What was held back or learnt differently is a different past.
            prop_assume!(verdicts.0.judgement == verdicts.1.judgement);
            prop_assume!(verdicts.0.p_value == verdicts.1.p_value);
        }
        // An empty image that was accepted may have been followed by others.
        if reviewed.retract(&job) {
            prop_assert_eq!(reviewed.learnt_jobs(), never.learnt_jobs());
        }
    }
}

/// Twice the same that nobody looked at is how the stream is, and said to be; twice the same that
/// was confirmed is not.
#[test]
fn what_was_confirmed_never_trains() {
    type Strange<'a> = &'a dyn Fn(u64) -> BackupJob;
    let engine = Engine::default();
    let late = |number: u64| job(number, usual_image(number));
    let slow = |number: u64| {
        let job = builder(number).image(usual_image(number));
        job.ended_at(day(number) + TimeDelta::hours(9))
            .build()
            .unwrap()
    };
    let cases: [(Strange, _, [u64; 3], u64); 2] = [
        (&late, AnomalyKind::MissedBackup, [47, 64, 81], 8),
        (&slow, AnomalyKind::Slowdown, [40, 50, 60], 1),
    ];
    for (strange, kind, days, gap) in cases {
        let third = |decide: &dyn Fn(&mut StreamModel, &JobKey)| {
            let mut model = learnt();
            for days in days.windows(2) {
                let verdict = engine.judge(&strange(days[0]), &mut model);
                assert_eq!(verdict.kind(), Some(kind), "{}", verdict.summary);
                decide(&mut model, &verdict.key());
                for usual in days[0] + 1..=days[1] - gap {
                    _ = engine.judge(&job(usual, usual_image(usual)), &mut model);
                }
            }
            engine.judge(&strange(days[2]), &mut model)
        };
        let unreviewed = third(&|_, _| {});
        assert_eq!(unreviewed.judgement, Judgement::Normal);
        assert!(
            unreviewed.summary.starts_with("Reported before")
                || unreviewed.summary.contains("No job for")
                || unreviewed.summary.contains("The job took"),
            "{}",
            unreviewed.summary
        );
        let confirmed = third(&|model, job| assert!(model.confirm(job)));
        assert_eq!(confirmed.kind(), Some(kind), "{}", confirmed.summary);
        let taken_back = third(&|model, job| {
            assert!(model.confirm(job));
            assert!(model.unconfirm(job));
        });
        assert_eq!(taken_back, unreviewed);
    }
}

/// What dripped once is told again, as soon, when it drips again, whatever became of it: unless a
/// person said that it was usual.
#[test]
fn a_drip_teaches_no_later_one() {
    let engine = Engine::default();
    let drip = |model: &mut StreamModel, first: u64| {
        let jobs = (first..first + 21).map(|number| overwriting(number, 5));
        jobs.map(|job| engine.judge(&job, model))
            .collect::<Vec<_>>()
    };
    let told = |verdicts: &[Verdict]| verdicts.iter().position(Verdict::is_anomalous);
    let twice = |decide: &dyn Fn(&mut StreamModel, &JobKey)| {
        let mut model = learnt();
        let first = drip(&mut model, 40);
        for verdict in first.iter().filter(|verdict| verdict.is_anomalous()) {
            decide(&mut model, &verdict.key());
        }
        for number in 61..90 {
            _ = engine.judge(&job(number, usual_image(number)), &mut model);
        }
        (told(&first), told(&drip(&mut model, 90)))
    };
    let (first, again) = twice(&|_, _| {});
    assert!(first.is_some());
    assert_eq!(again, first, "nobody looked at it");
    let confirmed = twice(&|model, job| assert!(model.confirm(job)));
    assert_eq!(confirmed, (first, first));
    let usual = twice(&|model, job| assert!(model.accept_level_shift(job) > 0));
    assert_eq!(usual, (first, None));
}

/// An accepted gap is how long nothing may come; taken back, it is told again.
#[test]
fn an_accepted_gap_is_usual() {
    let engine = Engine::default();
    let mut model = learnt();
    let late = engine.judge(&job(47, usual_image(47)), &mut model);
    assert_eq!(late.kind(), Some(AnomalyKind::MissedBackup));
    _ = engine.judge(&job(48, usual_image(48)), &mut model);
    let next = job(57, usual_image(57));
    let told = |model: &StreamModel| engine.judge(&next, &mut model.clone()).is_anomalous();
    assert!(told(&model));
    assert!(model.accept(&late.key()));
    assert!(!told(&model));
    assert!(model.retract(&late.key()));
    assert!(told(&model));
}

/// A gap that was reported when it was noticed is not reported again when the job comes; another
/// one is.
#[test]
fn a_gap_is_reported_once() {
    let engine = Engine::default();
    let model = learnt();
    let late = job(47, usual_image(47));
    let mut said = Said {
        missed_after: Some(day(39)),
        ..Said::default()
    };
    let verdict = engine.judge_knowing(&said, &late, &mut model.clone());
    assert_eq!(verdict.judgement, Judgement::Normal);
    assert!(
        verdict.summary.starts_with("No job for 8 days"),
        "{}",
        verdict.summary
    );
    said.missed_after = Some(day(38));
    assert!(
        engine
            .judge_knowing(&said, &late, &mut model.clone())
            .is_anomalous()
    );
    assert_eq!(TimeDelta::days(8), late.started_at() - day(39));
}
