//! Lists of observations, and their pages.

use std::ops::Range;

use anomaly_model::{
    BackupJob, ClientName, JobKey, Judgement, ReviewStatus, StreamKey, StreamPart,
};
use anomaly_storage::{
    AnomalyQuery, Inserted, JudgedAs, MemoryStore, Observation, ObservationQuery, Origin, Read,
    Recorded, Sort, SortKey, SqliteStore, Store, StoreError, StoredObservation,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::both_stores::both_stores;
use crate::data::{Case, anomalous, at, review, store_all};

both_stores! {
    a_missed_backup_is_told_from_a_job_of_a_tool
    a_list_cannot_go_on_after_what_is_not_stored
    what_was_recorded_comes_in_its_order
}

fn a_missed_backup_is_told_from_a_job_of_a_tool(store: &mut dyn Store) {
    let [of_tool, of_clock] = [
        Case::new("a", 1, anomalous()),
        Case::new("b", 2, anomalous()),
    ];
    store_all(store, [&of_tool]);
    let mut transaction = store.transaction().unwrap();
    transaction.set_now(at(60));
    let observation = Observation {
        job: &of_clock.job,
        stream: &of_clock.stream,
        verdict: &of_clock.verdict,
        origin: Origin::Clock,
    };
    assert_eq!(transaction.insert(&observation).unwrap(), Inserted::New);
    transaction.commit().unwrap();

    assert_eq!(store.origin(&of_tool.key()).unwrap(), Some(Origin::Tool));
    assert_eq!(store.origin(&of_clock.key()).unwrap(), Some(Origin::Clock));
    let unknown = Case::new("c", 3, anomalous());
    assert_eq!(store.origin(&unknown.key()).unwrap(), None);
    let all = store.observations(&ObservationQuery::default()).unwrap();
    assert_eq!(
        all.iter().map(|one| one.origin).collect::<Vec<_>>(),
        [Origin::Clock, Origin::Tool]
    );
    for (origin, case) in [(Origin::Tool, &of_tool), (Origin::Clock, &of_clock)] {
        for stream in [None, Some(case.stream.clone())] {
            let query = ObservationQuery::default().origin(origin).stream(stream);
            let found = store.observations(&query).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].job.key(), found[0].origin), (case.key(), origin));
        }
    }
    // Only who stored the second one said what time it was.
    let times = all.iter().map(|one| store.recorded_at(one.number).unwrap());
    assert_eq!(times.collect::<Vec<_>>(), [Some(at(60)), None]);
    assert_eq!(store.recorded_at(0).unwrap(), None);
    assert_eq!(store.recorded_at(3).unwrap(), None);
}

/// Jobs and reviews, of all and of one stream, whatever the size of the pages.
fn what_was_recorded_comes_in_its_order(store: &mut dyn Store) {
    let [first, other, last] = [
        Case::new("a", 9, anomalous()),
        Case::of_client("other", "b", 2, anomalous()),
        Case::new("c", 3, Judgement::Normal),
    ];
    store_all(store, [&first, &other]);
    let decision = review(ReviewStatus::Confirmed, "ann");
    store.review(&first.key(), &decision).unwrap();
    store_all(store, [&last]);
    store.review(&other.key(), &decision).unwrap();

    let words = |stream: Option<&StreamKey>, limit: usize| {
        let (mut words, mut after) = (Vec::new(), 0);
        loop {
            let page = store.recorded_after(stream, after, limit).unwrap();
            let Some(last) = page.last() else {
                return words.join(" ");
            };
            after = last.number();
            words.extend(page.iter().map(|one| match one {
                Recorded::Observation(one) => one.job.job_id().to_string(),
                Recorded::Review { job, review, .. } => {
                    assert_eq!(*review, decision);
                    format!("!{}", job.job_id)
                }
            }));
        }
    };
    for limit in [1, 2, 9] {
        assert_eq!(words(None, limit), "a b !a c !b");
        assert_eq!(words(Some(&first.stream), limit), "a !a c");
        assert_eq!(words(Some(&other.stream), limit), "b !b");
    }
}

fn a_list_cannot_go_on_after_what_is_not_stored(store: &mut dyn Store) {
    let job = Case::new("gone", 1, anomalous()).key();
    let errors = [
        store
            .anomalies(&AnomalyQuery::default().after(job.clone()))
            .unwrap_err(),
        store
            .observations(&ObservationQuery::default().after(job.clone()))
            .unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(&error, StoreError::NoSuchJob { job: gone } if *gone == job),
            "{error}"
        );
    }
}

const CLIENTS: [&str; 3] = ["mail01", "web02", "db03"];
const MINUTES: Range<i64> = 0..6;

prop_compose! {
    fn any_case()(
        client in select(&CLIENTS[..]),
        policy in select(&["daily", "weekly"][..]),
        minute in MINUTES,
        judgement in select(vec![Judgement::Normal, anomalous(), Judgement::WarmingUp]),
    ) -> (&'static str, &'static str, i64, Judgement) {
        (client, policy, minute, judgement)
    }
}

prop_compose! {
    fn any_query()(
        stream in option::of((select(&CLIENTS[..]), select(&["daily", "weekly"][..]))),
        client in option::of(select(&CLIENTS[..])),
        judged_as in option::of(select(vec![JudgedAs::Normal, JudgedAs::Anomalous])),
        from in option::of(MINUTES.prop_map(at)),
        until in option::of(MINUTES.prop_map(at)),
    ) -> ObservationQuery {
        ObservationQuery::default()
            .stream(stream.map(|(client, policy)| stream_of(client, policy)))
            .client(client.map(|name| ClientName::new(name).unwrap()))
            .judged_as(judged_as)
            .started_from(from)
            .started_until(until)
    }
}

fn stream_of(client: &str, policy: &str) -> StreamKey {
    // Two clients share a stream: which jobs belong together is the settings' to say.
    let client = if client == "db03" { "web02" } else { client };
    let job = BackupJob::builder("restic", "x", client, policy, at(0)).build();
    StreamKey::of(&job.unwrap(), &StreamPart::DEFAULT)
}

/// Every page of a list that `page` reads, given the job that it goes on after.
pub(crate) fn all_pages<T>(
    key: impl Fn(&T) -> JobKey,
    page: impl Fn(Option<JobKey>) -> Vec<T>,
) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let next = page(all.last().map(&key));
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn pages_put_together_are_what_a_plain_filter_finds(
        specifications in vec(any_case(), 0..30),
        queries in vec(any_query(), 1..12),
        limit in 1..4_usize,
    ) {
        let cases: Vec<Case> = (0..)
            .zip(specifications)
            .map(|(number, (client, policy, minute, judgement)): (u64, _)| {
                let id = number.to_string();
                let job = BackupJob::builder("restic", id, client, policy, at(minute)).build();
                let mut case = Case::of_job(job.unwrap(), judgement);
                case.stream = stream_of(client, policy);
                case
            })
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let mut memory = MemoryStore::default();
        let mut sqlite = SqliteStore::open(directory.path().join("db")).unwrap();
        store_all(&mut memory, &cases);
        store_all(&mut sqlite, &cases);
        let stores: [&dyn Read; 2] = [&memory, &sqlite];

        let stored = |(number, case): (u64, &Case)| (
            number, case.stream.clone(), case.job.clone(), case.verdict.clone(),
        );
        let found = |list: Vec<StoredObservation>| -> Vec<_> {
            list.into_iter().map(|one| (one.number, one.stream, one.job, one.verdict)).collect()
        };
        for store in stores {
            for query in &queries {
                let mut expected: Vec<_> = (1..)
                    .zip(&cases)
                    .filter(|(_, case)| {
                        query.stream.as_ref().is_none_or(|stream| case.stream == *stream)
                            && query.client.as_ref().is_none_or(|name| case.job.client().name == *name)
                            && query.judged_as.is_none_or(|state| state == (&case.verdict.judgement).into())
                            && query.started_from.is_none_or(|from| from <= case.job.started_at())
                            && query.started_until.is_none_or(|until| case.job.started_at() < until)
                    })
                    .map(stored)
                    .collect();
                expected.reverse();
                expected.sort_by_key(|(_, _, job, _)| std::cmp::Reverse(job.started_at()));
                let pages = all_pages(
                    |one: &StoredObservation| one.job.key(),
                    |after| store.observations(&query.clone().after(after).limit(limit)).unwrap(),
                );
                prop_assert_eq!(found(pages), expected, "{:?}", query);
            }

            let mut all = Vec::new();
            loop {
                let after = all.last().map_or(0, |one: &StoredObservation| one.number);
                let next = store.observations_stored_after(after, limit).unwrap();
                if next.is_empty() {
                    break;
                }
                all.extend(next);
            }
            prop_assert_eq!(found(all), (1..).zip(&cases).map(stored).collect::<Vec<_>>());

            let anomalies = all_pages(
                |anomaly: &anomaly_model::Anomaly| anomaly.verdict.key(),
                |after| store.anomalies(&AnomalyQuery::default().after(after).limit(limit)).unwrap(),
            );
            prop_assert_eq!(anomalies, store.anomalies(&AnomalyQuery::default()).unwrap());
        }
    }
}

/// An order is written and read as one word; another word is none.
#[test]
fn an_order_is_one_word() {
    for &key in SortKey::ALL {
        for ascending in [true, false] {
            let sort = Sort { key, ascending };
            let text = serde_json::to_string(&sort).unwrap();
            assert!(text.trim_matches('"').ends_with(key.as_str()), "{text}");
            assert_eq!(text.contains('-'), !ascending);
            assert_eq!(serde_json::from_str::<Sort>(&text).unwrap(), sort);
        }
    }
    for text in ["\"\"", "\"-\"", "\"--score\"", "\"Score\"", "\"size\""] {
        serde_json::from_str::<Sort>(text).unwrap_err();
    }
}
