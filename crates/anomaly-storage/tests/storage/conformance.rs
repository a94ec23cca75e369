//! What every store must do.

use std::cell::RefCell;

use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_model::{
    BackupImage, BackupJob, ContentStatistics, Direction, FeatureName, Finding, JobRef, JobStatus,
    Judgement, PValue, ReviewStatus, ScheduleType,
};
use anomaly_storage::{AnomalyQuery, Inserted, Observation, Origin, Store, StoreError};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::both_stores::both_stores;
use crate::data::{Case, anomalous, at, model_state, review, store_all};

both_stores! {
    an_empty_store_answers_nothing
    a_commit_keeps_all_of_an_observation
    a_dropped_transaction_leaves_nothing
    the_same_job_again_changes_nothing
    records_come_back_byte_for_byte
    a_state_replaces_the_one_before
    last_normal_is_the_newest_before
    the_newest_anomaly_comes_first
    the_last_review_counts_and_all_are_kept
    a_review_is_part_of_its_transaction
    only_anomalies_can_be_reviewed
    a_verdict_that_does_not_fit_is_refused
}

fn an_empty_store_answers_nothing(store: &mut dyn Store) {
    let case = Case::new("a", 1, anomalous());
    assert_eq!(store.job(&case.key()).unwrap(), None);
    assert!(!store.is_known(&case.key()).unwrap());
    assert_eq!(store.run_of(&case.key()).unwrap(), None);
    assert_eq!(store.observation(&case.key()).unwrap(), None);
    assert_eq!(store.verdict(&case.key()).unwrap(), None);
    assert_eq!(store.last_normal(&case.key()).unwrap(), None);
    assert_eq!(store.reviews(&case.key()).unwrap(), []);
    assert_eq!(store.anomalies(&AnomalyQuery::default()).unwrap(), []);
    assert_eq!(model_state(store, &case.stream), None);
}

fn a_commit_keeps_all_of_an_observation(store: &mut dyn Store) {
    let case = Case::new("a", 1, anomalous());

    let mut transaction = store.transaction().unwrap();
    assert_eq!(case.insert(&mut *transaction), Inserted::New);
    transaction
        .put_model_state(&case.stream, b"after a")
        .unwrap();
    assert_eq!(
        transaction.job(&case.key()).unwrap().as_ref(),
        Some(&case.job)
    );
    assert_eq!(
        transaction.verdict(&case.key()).unwrap().as_ref(),
        Some(&case.verdict)
    );
    assert_eq!(
        transaction.model_state(&case.stream).unwrap().unwrap(),
        b"after a"
    );
    transaction.commit().unwrap();

    assert!(store.is_known(&case.key()).unwrap());
    let run = (case.job.client().name.clone(), case.job.started_at());
    assert_eq!(store.run_of(&case.key()).unwrap(), Some(run));
    let stored = store.observation(&case.key()).unwrap().unwrap();
    assert_eq!((&stored.job, &stored.stream), (&case.job, &case.stream));
    assert_eq!(store.job(&case.key()).unwrap().as_ref(), Some(&case.job));
    assert_eq!(
        store.verdict(&case.key()).unwrap().as_ref(),
        Some(&case.verdict)
    );
    assert_eq!(model_state(store, &case.stream).unwrap(), b"after a");
}

fn a_dropped_transaction_leaves_nothing(store: &mut dyn Store) {
    let before = Case::new("before", 1, anomalous());
    store_all(store, [&before]);
    let mut transaction = store.transaction().unwrap();
    transaction
        .put_model_state(&before.stream, b"after before")
        .unwrap();
    transaction.commit().unwrap();

    let dropped = Case::new("dropped", 2, anomalous());
    let elsewhere = Case::of_client("web02", "elsewhere", 3, Judgement::Normal);
    let mut transaction = store.transaction().unwrap();
    dropped.insert(&mut *transaction);
    elsewhere.insert(&mut *transaction);
    transaction
        .put_model_state(&dropped.stream, b"after dropped")
        .unwrap();
    transaction
        .put_model_state(&elsewhere.stream, b"after elsewhere")
        .unwrap();
    drop(transaction);

    assert_eq!(store.job(&dropped.key()).unwrap(), None);
    assert_eq!(store.verdict(&elsewhere.key()).unwrap(), None);
    assert_eq!(model_state(store, &before.stream).unwrap(), b"after before");
    assert_eq!(model_state(store, &elsewhere.stream), None);
    assert_eq!(store.anomalies(&AnomalyQuery::default()).unwrap().len(), 1);
    // The same observation is still new.
    store_all(store, [&dropped]);
}

fn the_same_job_again_changes_nothing(store: &mut dyn Store) {
    let first = Case::new("a", 1, Judgement::Normal);
    let again = Case::of_client("web02", "a", 2, anomalous());
    let of_other_tool = BackupJob::builder("borg", "a", "mail01", "daily", at(3)).build();
    let of_other_tool = Case::of_job(of_other_tool.unwrap(), Judgement::WarmingUp);

    let mut transaction = store.transaction().unwrap();
    assert_eq!(first.insert(&mut *transaction), Inserted::New);
    assert_eq!(again.insert(&mut *transaction), Inserted::AlreadyStored);
    assert_eq!(of_other_tool.insert(&mut *transaction), Inserted::New);
    transaction
        .put_model_state(&first.stream, b"after a")
        .unwrap();
    transaction.commit().unwrap();
    let mut transaction = store.transaction().unwrap();
    assert_eq!(again.insert(&mut *transaction), Inserted::AlreadyStored);
    transaction.commit().unwrap();

    assert_eq!(store.job(&first.key()).unwrap(), Some(first.job));
    assert_eq!(store.verdict(&again.key()).unwrap(), Some(first.verdict));
    assert_eq!(
        store.job(&of_other_tool.key()).unwrap(),
        Some(of_other_tool.job)
    );
    assert_eq!(store.anomalies(&AnomalyQuery::default()).unwrap(), []);
    assert_eq!(model_state(store, &first.stream).unwrap(), b"after a");
    assert_eq!(model_state(store, &again.stream), None);
}

fn records_come_back_byte_for_byte(store: &mut dyn Store) {
    let store = RefCell::new(store);
    TestRunner::new(ProptestConfig::with_cases(64))
        .run(&any_case(), |case| {
            let store = &mut **store.borrow_mut();
            store_all(store, [&case]);
            let job = store.job(&case.key()).unwrap().unwrap();
            let verdict = store.verdict(&case.key()).unwrap().unwrap();
            prop_assert_eq!(json(&job), json(&case.job));
            prop_assert_eq!(json(&verdict), json(&case.verdict));
            Ok(())
        })
        .unwrap();
}

fn json(record: &impl serde::Serialize) -> String {
    serde_json::to_string(record).unwrap()
}

prop_compose! {
    /// Any number and time that a record may hold, and text that needs escaping.
    fn any_case()(
        (id, text, started_at_nanos) in (any::<u128>(), "\\PC{0,40}", 0..i64::MAX / 2),
        (bytes, exit_code, share) in (any::<u64>(), any::<Option<i64>>(), 0.0..=1.0_f64),
        (p_value, observed) in (1e-300..=1.0_f64, any_number()),
        (low, high, score) in (any_number(), any_number(), any_number()),
    ) -> Case {
        let started_at = DateTime::from_timestamp_nanos(started_at_nanos);
        let content = ContentStatistics::default().printable_share(share).random_files(bytes);
        let image = BackupImage::default().image_bytes(bytes).dedup_ratio(share).content(content);
        let client = format!("mail01 \"{text}\"");
        let job = BackupJob::builder("restic", id.to_string(), client, "daily", started_at)
            .ended_at(started_at + TimeDelta::nanoseconds(1))
            .schedule_type(ScheduleType::Full)
            .status(JobStatus::Partial)
            .exit_code(exit_code)
            .duration_seconds(share * 1e9)
            .image(image)
            .build()
            .unwrap();
        let mut case = Case::of_job(job, anomalous());
        let feature = FeatureName::new("image_bytes").unwrap();
        case.verdict.p_value = Some(PValue::new(p_value).unwrap());
        case.verdict.summary = text;
        case.verdict.unseen = vec![feature.clone()];
        case.verdict.findings = vec![
            Finding::new(feature.clone(), observed, (low, high), Direction::Below, 0.0),
            Finding::new(feature, observed, (low, high), Direction::Above, score),
        ];
        case
    }
}

fn any_number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("a record holds finite numbers", |x| x.is_finite())
}

fn a_state_replaces_the_one_before(store: &mut dyn Store) {
    let case = Case::new("a", 1, Judgement::Normal);
    let other = Case::of_client("web02", "b", 1, Judgement::Normal);
    // Text, nothing, and bytes that are not text; larger than a page of a database.
    for state in [b"first".to_vec(), vec![], vec![0xff; 100_000]] {
        let mut transaction = store.transaction().unwrap();
        transaction
            .put_model_state(&case.stream, b"overwritten at once")
            .unwrap();
        transaction.put_model_state(&case.stream, &state).unwrap();
        transaction.commit().unwrap();
        assert_eq!(model_state(store, &case.stream), Some(state));
    }
    assert_eq!(model_state(store, &other.stream), None);
}

fn last_normal_is_the_newest_before(store: &mut dyn Store) {
    let cases = [
        Case::new("old", 1, Judgement::Normal),
        Case::new("clean", 3, Judgement::Normal),
        Case::of_client("web02", "of another stream", 4, Judgement::Normal),
        Case::new("warming up", 4, Judgement::WarmingUp),
        Case::new("first sign", 5, anomalous()),
        Case::new("older, but stored later", 4, Judgement::Normal),
        Case::new("after the first sign", 6, Judgement::Normal),
        Case::new("of a clock ahead", 99, Judgement::Normal),
        Case::new("second sign", 7, anomalous()),
    ];
    store_all(store, &cases);
    let job_ref = |case: &Case| Some(JobRef::new(case.key(), case.job.started_at()));

    let of = |case: &Case| store.last_normal(&case.key()).unwrap();
    assert_eq!(of(&cases[0]), None);
    assert_eq!(of(&cases[1]), job_ref(&cases[0]));
    assert_eq!(of(&cases[4]), job_ref(&cases[1]));
    assert_eq!(of(&cases[8]), job_ref(&cases[6]));
    let found = store.anomalies(&AnomalyQuery::default()).unwrap();
    assert_eq!(found[0].last_normal, job_ref(&cases[6]));
    assert_eq!(found[1].last_normal, job_ref(&cases[1]));

    // Of two that started at the same moment, the one stored last.
    let same_moment = [
        Case::new("same moment", 7, Judgement::Normal),
        Case::new("same moment again", 7, Judgement::Normal),
        Case::new("third sign", 7, anomalous()),
    ];
    store_all(store, &same_moment);
    let last = store.last_normal(&same_moment[2].key()).unwrap();
    assert_eq!(last, job_ref(&same_moment[1]));
}

fn the_newest_anomaly_comes_first(store: &mut dyn Store) {
    let cases = [
        Case::new("b", 2, anomalous()),
        Case::new("c", 3, anomalous()),
        Case::new("normal", 4, Judgement::Normal),
        Case::new("a", 1, anomalous()),
        Case::new("c, stored later", 3, anomalous()),
    ];
    store_all(store, &cases);

    let ids = |query: &AnomalyQuery| -> Vec<String> {
        let found = store.anomalies(query).unwrap();
        found
            .into_iter()
            .map(|anomaly| anomaly.verdict.job_id.into())
            .collect()
    };
    assert_eq!(
        ids(&AnomalyQuery::default()),
        ["c, stored later", "c", "b", "a"]
    );
    assert_eq!(
        ids(&AnomalyQuery::default().limit(2)),
        ["c, stored later", "c"]
    );
    assert_eq!(ids(&AnomalyQuery::default().limit(0)), [""; 0]);
    let between = AnomalyQuery::default()
        .started_from(at(2))
        .started_until(at(3));
    assert_eq!(ids(&between), ["b"]);
}

fn the_last_review_counts_and_all_are_kept(store: &mut dyn Store) {
    let case = Case::new("a", 1, anomalous());
    let other = Case::new("b", 2, anomalous());
    store_all(store, [&case, &other]);
    let first = review(ReviewStatus::FalsePositive, "ann");
    let second = review(ReviewStatus::Confirmed, "bob");

    assert_eq!(store.review(&case.key(), &first).unwrap(), None);
    assert_eq!(
        store.review(&case.key(), &second).unwrap(),
        Some(first.clone())
    );

    let found = store.anomalies(&AnomalyQuery::default()).unwrap();
    assert_eq!(found[0].review, None);
    assert_eq!(found[1].review, Some(second.clone()));
    assert_eq!(store.reviews(&case.key()).unwrap(), [first, second]);

    // Taken back: not reviewed again, and listed as such.
    let undone = review(ReviewStatus::NotReviewed, "ann");
    store.review(&case.key(), &undone).unwrap();
    let open = AnomalyQuery::default().review_status(ReviewStatus::NotReviewed);
    assert_eq!(store.anomalies(&open).unwrap().len(), 2);
    assert_eq!(store.reviews(&case.key()).unwrap().len(), 3);
}

fn a_review_is_part_of_its_transaction(store: &mut dyn Store) {
    let case = Case::new("a", 1, anomalous());
    let kept = review(ReviewStatus::Ignored, "ann");
    let dropped = review(ReviewStatus::Confirmed, "bob");

    // In the same transaction as the job, and twice.
    let mut transaction = store.transaction().unwrap();
    case.insert(&mut *transaction);
    assert_eq!(transaction.review(&case.key(), &dropped).unwrap(), None);
    assert_eq!(
        transaction.review(&case.key(), &kept).unwrap(),
        Some(dropped.clone())
    );
    transaction.commit().unwrap();

    let mut transaction = store.transaction().unwrap();
    assert_eq!(
        transaction.review(&case.key(), &dropped).unwrap(),
        Some(kept.clone())
    );
    drop(transaction);
    assert_eq!(store.reviews(&case.key()).unwrap(), [dropped, kept]);
}

fn only_anomalies_can_be_reviewed(store: &mut dyn Store) {
    let normal = Case::new("normal", 1, Judgement::Normal);
    let warming_up = Case::new("warming up", 2, Judgement::WarmingUp);
    let anomaly = Case::new("anomaly", 3, anomalous());
    let unknown = Case::new("unknown", 4, anomalous());
    store_all(store, [&normal, &warming_up, &anomaly]);
    let review = review(ReviewStatus::Ignored, "ann");

    for case in [&normal, &warming_up, &unknown] {
        let error = store.review(&case.key(), &review).unwrap_err();
        assert!(matches!(&error, StoreError::NoSuchAnomaly { job } if *job == case.key()));
        assert!(error.is_refused() && !error.is_damaged() && !error.is_busy());
        assert_eq!(store.reviews(&case.key()).unwrap(), []);
    }
    // A refusal in the middle of a transaction does not spoil the rest of it.
    let mut transaction = store.transaction().unwrap();
    transaction.review(&unknown.key(), &review).unwrap_err();
    transaction.review(&anomaly.key(), &review).unwrap();
    transaction.commit().unwrap();
    assert_eq!(store.reviews(&anomaly.key()).unwrap(), [review]);
}

fn a_verdict_that_does_not_fit_is_refused(store: &mut dyn Store) {
    let case = Case::new("a", 1, anomalous());
    let other = Case::new("b", 2, anomalous());
    let mut infinite = case.verdict.clone();
    let feature = FeatureName::new("image_bytes").unwrap();
    infinite.findings = vec![Finding::new(
        feature,
        f64::INFINITY,
        (0.0, 1.0),
        Direction::Above,
        3.0,
    )];

    let mut transaction = store.transaction().unwrap();
    let mut refused = |verdict| {
        let observation = Observation {
            job: &case.job,
            stream: &case.stream,
            verdict,
            origin: Origin::Tool,
        };
        transaction.insert(&observation).unwrap_err()
    };
    let error = refused(&other.verdict);
    assert!(matches!(&error, StoreError::OtherJob { .. }), "{error}");
    let error = refused(&infinite);
    assert!(matches!(&error, StoreError::NotFinite { .. }), "{error}");
    transaction.commit().unwrap();
    assert_eq!(store.job(&case.key()).unwrap(), None);
}
