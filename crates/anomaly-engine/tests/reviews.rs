//! What people decide: what it teaches, what it covers, and that it can be taken back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use anomaly_engine::{Engine, Said, StreamModel};
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{AnomalyKind, BackupJob, JobKey, Judgement, Verdict};
use anomaly_settings::{AcceptLevelShiftAfterJobs, Settings};
use common::{any_jobs, builder, day, job, learnt, overwriting, usual_image};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What lasts is reported as one job and, a week later, as one that lasts; said each time, proposed
/// after another week, and learnt when a person says that it is the new normal; taken back, it is not.
/// The job that it began with waits for as long as it lasts, when more than 32 wait.
#[test]
fn a_change_that_lasts_waits_for_a_person() {
    let (engine, mut model) = (Engine::default(), learnt());
    let mut proposed = Vec::new();
    for number in 40..90 {
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
    let expected: Vec<(u64, u32)> = (52..90).zip(7..).collect();
    assert_eq!(proposed, expected);
    let waiting = model.clone();
    let began = overwriting(46, 50).key();
    assert_eq!(model.accept_level_shift(&began), 32);
    let accepted = engine.judge(&overwriting(90, 50), &mut model.clone());
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

/// What is told is not accepted by the same verdict, however soon the settings accept it.
#[test]
fn what_is_told_is_accepted_by_a_later_job() {
    let mut settings = Settings::default();
    settings.detection.accept_level_shift_after_jobs = AcceptLevelShiftAfterJobs::new(1).unwrap();
    let (engine, mut model) = (Engine::new(settings), learnt());
    let told = engine.judge(&overwriting(40, 50), &mut model);
    assert!(
        told.is_anomalous() && told.level_shift.is_none(),
        "{}",
        told.summary
    );
    assert!(!model.is_accepted(&told.key()));
    let next = engine.judge(&overwriting(41, 50), &mut model);
    assert!(next.level_shift.is_some_and(|shift| shift.accepted));
    assert!(model.is_accepted(&told.key()));
}

/// What a person has accepted is not accepted once more with what goes on from it.
#[test]
fn what_was_accepted_is_not_accepted_again() {
    let mut settings = Settings::default();
    settings.detection.accept_level_shift_after_jobs = AcceptLevelShiftAfterJobs::new(2).unwrap();
    let (engine, mut model) = (Engine::new(settings), learnt());
    let told = engine.judge(&overwriting(40, 50), &mut model);
    assert!(model.accept(&told.key()));
    for number in 41..46 {
        let verdict = engine.judge(&overwriting(number, 74), &mut model);
        assert!(
            verdict.summary.starts_with("The same as"),
            "{}",
            verdict.summary
        );
        assert!(verdict.level_shift.is_none(), "{}", verdict.summary);
    }
}

/// A change is proposed when it shows, and in more than half of the jobs since it was told.
#[test]
fn what_is_proposed_shows_in_most_jobs() {
    // Every job, two of three, and one of three.
    for (period, rests, is_proposed) in [(1, 0, true), (3, 1, true), (3, 2, false)] {
        let (engine, mut model) = (Engine::default(), learnt());
        let (mut since, mut strange, mut proposed) = (0_u32, 0_u32, 0_u32);
        for number in 40..80 {
            let rests = number % period < rests;
            let next = if rests {
                job(number, usual_image(number))
            } else {
                overwriting(number, 30)
            };
            let verdict = engine.judge(&next, &mut model);
            since += 1;
            strange += u32::from(!rests);
            if verdict.is_anomalous() {
                (since, strange) = (1, 1);
            }
            if let Some(shift) = &verdict.level_shift {
                assert!(!rests && shift.jobs * 2 > since, "day {number}");
                assert_eq!(shift.jobs, strange, "day {number}");
                proposed += 1;
            }
        }
        assert_eq!(proposed > 0, is_proposed, "{period}: {proposed}");
    }
}

/// What was told is over after a week of jobs in which it does not show; then it is told again.
#[test]
fn what_rests_a_week_is_over() {
    for (rest, is_told) in [(6, false), (7, true)] {
        let (engine, mut model) = (Engine::default(), learnt());
        assert!(
            engine
                .judge(&overwriting(40, 30), &mut model)
                .is_anomalous()
        );
        for number in 41..41 + rest {
            _ = engine.judge(&job(number, usual_image(number)), &mut model);
        }
        let again = engine.judge(&overwriting(41 + rest, 30), &mut model);
        assert_eq!(again.is_anomalous(), is_told, "{}", again.summary);
    }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// When a person confirms makes no difference: what goes on from it later is confirmed with it.
    #[test]
    fn confirmed_soon_or_late_is_the_same(
        percents in vec(select(vec![0, 50, 50, 52, 55, 80]), 4..30), choice in any::<Index>(),
    ) {
        let engine = Engine::default();
        let days = (40..).zip(&percents);
        let jobs: Vec<BackupJob> = days
            .map(|(day, &percent)| match percent {
                0 => job(day, usual_image(day)),
                _ => overwriting(day, percent),
            })
            .collect();
        let judged = |confirmed: Option<&JobKey>| {
            let mut model = learnt();
            let verdicts: Vec<Verdict> = jobs
                .iter()
                .map(|job| {
                    let verdict = engine.judge(job, &mut model);
                    assert!(confirmed != Some(&verdict.key()) || model.confirm(&verdict.key()));
                    verdict
                })
                .collect();
            (model, verdicts)
        };
        let (mut late, verdicts) = judged(None);
        let told: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.is_anomalous()).collect();
        prop_assume!(!told.is_empty());
        let confirmed = choice.get(&told).key();
        let (soon, same) = judged(Some(&confirmed));
        prop_assume!(same == verdicts);
        prop_assert!(late.confirm(&confirmed));
        prop_assert_eq!(late.to_bytes().unwrap(), soon.to_bytes().unwrap());
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

/// A gap that was reported while it lasted, and that a person confirmed, does not make such gaps the
/// stream's own.
#[test]
fn a_confirmed_gap_is_no_habit() {
    let engine = Engine::default();
    let gap = TimeDelta::days(8);
    let third_is_told = |decide: &dyn Fn(&mut StreamModel)| {
        let mut model = learnt();
        for number in [47, 48, 49, 57, 58, 59] {
            _ = engine.judge(&job(number, usual_image(number)), &mut model);
        }
        decide(&mut model);
        engine
            .judge(&job(67, usual_image(67)), &mut model)
            .is_anomalous()
    };
    assert!(!third_is_told(&|_| {}), "told twice, it is known");
    assert!(third_is_told(&|model| assert!(
        model.confirm_gap(gap, true)
    )));
    assert!(!third_is_told(&|model| {
        assert!(model.confirm_gap(gap, true));
        assert!(model.confirm_gap(gap, false));
        assert!(!model.confirm_gap(gap, false), "it is no more");
    }));
    assert!(!third_is_told(&|model| {
        assert!(!model.confirm_gap(TimeDelta::days(9), true), "never seen");
        assert!(!model.confirm_gap(-gap, true));
    }));
    // As it is told while it lasts, and confirmed before the job comes that ends it; another gap is
    // not that one.
    for (told, is_told) in [(39, true), (38, false)] {
        let mut model = learnt();
        let said = Said {
            missed_after: Some(day(told)),
            missed_is_confirmed: true,
            ..Said::default()
        };
        _ = engine.judge_knowing(&said, &job(47, usual_image(47)), &mut model);
        for number in [48, 49, 57, 58, 59] {
            _ = engine.judge(&job(number, usual_image(number)), &mut model);
        }
        let third = engine.judge(&job(67, usual_image(67)), &mut model);
        assert_eq!(third.is_anomalous(), is_told, "{}", third.summary);
    }
}

/// A decision is about its own job: the others that were told of stay as they were.
#[test]
fn a_decision_is_about_one_job() {
    let engine = Engine::default();
    // Two gaps of eight days make such a gap known, as long as nobody has confirmed one of them.
    let third_is_told = |confirmed: Option<usize>| {
        let mut model = learnt();
        let mut told = Vec::new();
        for number in [47, 48, 49, 57, 58, 59, 60] {
            let next = if number == 59 {
                overwriting(number, 50)
            } else {
                job(number, usual_image(number))
            };
            let verdict = engine.judge(&next, &mut model);
            told.extend(verdict.is_anomalous().then(|| verdict.key()));
        }
        assert_eq!(told.len(), 3);
        assert!(confirmed.is_none_or(|place| model.confirm(&told[place])));
        let late = job(68, usual_image(68));
        engine.judge(&late, &mut model).is_anomalous()
    };
    assert!(!third_is_told(None));
    assert!(third_is_told(Some(0)));
    assert!(third_is_told(Some(1)));
    assert!(!third_is_told(Some(2)), "that was another matter");
}

/// Of a change that was accepted as the new normal, one job can be taken back, or all of it with the
/// one that it began with.
#[test]
fn a_new_normal_is_taken_back_as_a_whole_or_in_part() {
    let engine = Engine::default();
    let mut model = learnt();
    let keys: Vec<JobKey> = (40..52)
        .map(|number| engine.judge(&overwriting(number, 50), &mut model).key())
        .collect();
    let before = model.learnt_jobs();
    let part = model.accept_level_shift(&keys[0]);
    assert!(part > 3, "{part}");
    assert_eq!(model.learnt_jobs(), before + part);
    assert!(model.is_accepted(&keys[2]));
    assert!(model.retract(&keys[2]));
    assert!(!model.is_accepted(&keys[2]) && model.is_accepted(&keys[3]));
    assert_eq!(model.learnt_jobs(), before + part - 1);
    assert!(model.accept(&keys[2]), "by itself");
    assert!(model.retract(&keys[0]));
    assert_eq!(
        model.learnt_jobs(),
        before + 1,
        "what was accepted by itself stays"
    );
    assert!(model.is_accepted(&keys[2]) && !model.is_accepted(&keys[3]));
}

/// What a person accepted is remembered for as long as a usual job would be.
#[test]
fn what_was_accepted_is_forgotten_like_any_other() {
    let engine = Engine::default();
    let mut model = learnt();
    let strange = engine.judge(&overwriting(40, 50), &mut model);
    assert!(model.accept(&strange.key()));
    let learnt: Vec<usize> = (41..200)
        .map(|number| {
            _ = engine.judge(&job(number, usual_image(number)), &mut model);
            model.learnt_jobs()
        })
        .collect();
    // Beside 120 usual ones at first, then without it.
    assert_eq!(
        (learnt.iter().max(), learnt.last()),
        (Some(&121), Some(&120))
    );
}

/// A day of rest does not hide when it began.
#[test]
fn what_rests_a_day_began_when_it_began() {
    let (engine, mut model) = (Engine::default(), learnt());
    let (mut told, mut shifts_after_it) = (None, 0);
    for number in 40..75 {
        let next = if number == 52 {
            job(number, usual_image(number))
        } else {
            overwriting(number, 50)
        };
        let verdict = engine.judge(&next, &mut model);
        if verdict.is_anomalous() {
            told = Some(verdict.key());
        }
        if let Some(shift) = verdict.level_shift {
            assert_eq!(shift.began_with, told, "day {number}");
            shifts_after_it += u32::from(number > 52);
        }
    }
    assert!(shifts_after_it > 0);
}
