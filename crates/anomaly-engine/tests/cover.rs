//! What a false positive covers of later jobs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use anomaly_engine::{Engine, FalsePositive, Said, StreamModel};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    AnomalyKind, BackupImage, BackupJob, Ceiling, ContentStatistics, FeatureName, JobStatus,
    Judgement, Review, ReviewScope, ReviewStatus, Severity, Verdict,
};
use anomaly_settings::Settings;
use common::{builder, day, job, learnt, overwriting, usual_image};

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

/// A drip is covered by one like it, and many small ones are not one large one, nor the other way
/// round.
#[test]
fn a_drip_is_covered_by_a_drip() {
    let engine = Engine::default();
    let mut model = learnt();
    let drip = |number| overwriting(number, 8);
    let told = |said: &Said, model: &mut StreamModel, days: std::ops::Range<u64>| {
        let verdicts = days.map(|number| engine.judge_knowing(said, &drip(number), model));
        verdicts.filter(Verdict::is_anomalous).collect::<Vec<_>>()
    };
    let first = told(&Said::default(), &mut model, 40..60);
    assert_eq!(
        first[0].kind(),
        Some(AnomalyKind::SlowDrift),
        "{}",
        first[0].summary
    );
    for number in 60..90 {
        _ = engine.judge(&job(number, usual_image(number)), &mut model);
    }
    let again = |said: &Said| told(said, &mut model.clone(), 90..110).len();
    assert!(again(&Said::default()) > 0);
    let review = usual(ReviewScope::ThisStream, 1.2, None);
    assert_eq!(again(&said(&first[0], &review)), 0);
    // One job that overwrites as much says nothing of what each of many does.
    let mut single = first[0].clone();
    let (severity, kind) = (Severity::Medium, AnomalyKind::MassChange);
    single.judgement = Judgement::Anomalous { severity, kind };
    assert!(again(&said(&single, &review)) > 0);
}

/// What cannot wait is told although each number in it was seen: nobody has seen it cannot wait.
#[test]
fn what_cannot_wait_is_told_where_only_less_was_seen() {
    // A fifth of the files look random every day, so that this is nothing that stands out.
    let image = |number: u64, random: u64| {
        let content = ContentStatistics::default().random_files(random);
        usual_image(number).files_changed(12_000).content(content)
    };
    let changed = |number, random| {
        let image = image(number, random).transferred_bytes(6_000_000_000);
        job(number, image.files_changed(30_000))
    };
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    for number in 0..40 {
        _ = engine.judge(&job(number, image(number, 10_000)), &mut model);
    }
    let first = engine.judge(&changed(40, 4_000), &mut model);
    assert_eq!(
        first.severity(),
        Some(Severity::Medium),
        "{}",
        first.summary
    );
    for number in 41..60 {
        _ = engine.judge(&job(number, image(number, 10_000)), &mut model);
    }
    let said = said(&first, &usual(ReviewScope::ThisStream, 2.0, None));
    let same = engine.judge_knowing(&said, &changed(60, 4_000), &mut model.clone());
    assert!(same.covered_by.is_some(), "{}", same.summary);
    let encrypted = engine.judge_knowing(&said, &changed(60, 10_000), &mut model);
    assert_eq!(
        encrypted.severity(),
        Some(Severity::High),
        "{}",
        encrypted.summary
    );
}

/// A loss is covered as far as it went and the ceiling allows: what falls, falls no lower.
#[test]
fn a_fall_is_covered_down_to_its_ceiling() {
    let flag = (
        "detection.detectors".to_owned(),
        "[\"modified_z_score\"]".to_owned(),
    );
    let mut settings = Settings::load(None, [], &[flag]).unwrap();
    settings.detection.rules.most_gone = false;
    settings.detection.rules.slow_loss = false;
    let engine = Engine::new(settings);
    let judged = |left: &dyn Fn(u64) -> BackupImage, first: u64, later: u64| {
        let mut model = StreamModel::default();
        for number in 0..40 {
            _ = engine.judge(&job(number, left(0)), &mut model);
        }
        let verdict = engine.judge(&job(40, left(first)), &mut model);
        assert!(verdict.is_anomalous(), "{}", verdict.summary);
        for number in 41..60 {
            _ = engine.judge(&job(number, left(0)), &mut model);
        }
        let said = said(&verdict, &usual(ReviewScope::ThisStream, 1.2, None));
        engine.judge_knowing(&said, &job(60, left(later)), &mut model)
    };
    // Percent of the data that are gone: to 50 % by a person, and to a sixth less by the ceiling.
    let gone = |percent: u64| BackupImage::default().image_bytes(100_000_000 * (100 - percent));
    for (later, covered) in [(40, true), (50, true), (58, true), (59, false), (70, false)] {
        let verdict = judged(&gone, 50, later);
        assert_eq!(
            verdict.covered_by.is_some(),
            covered,
            "{later}: {}",
            verdict.summary
        );
        assert_eq!(
            verdict.is_anomalous(),
            !covered,
            "{later}: {}",
            verdict.summary
        );
    }
}

/// What a rule found of the data is covered like what a detector found.
#[test]
fn most_of_the_data_may_go_where_a_person_says_so() {
    let engine = Engine::default();
    let left = |number: u64, percent: u64| {
        let image = usual_image(number).image_bytes(percent * 100_000_000);
        job(number, image.file_count(percent * 500))
    };
    let mut model = learnt();
    let first = engine.judge(&left(40, 38), &mut model);
    assert_eq!(first.kind(), Some(AnomalyKind::MassDeletion));
    for number in 41..60 {
        _ = engine.judge(&job(number, usual_image(number)), &mut model);
    }
    let said = said(&first, &usual(ReviewScope::ThisStream, 1.2, None));
    let again = engine.judge_knowing(&said, &left(60, 40), &mut model);
    assert!(again.covered_by.is_some(), "{}", again.summary);
}
