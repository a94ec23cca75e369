//! A query finds what a plain filter over all anomalies finds.

use anomaly_model::{
    Anomaly, AnomalyKind, BackupJob, ClientName, JobRef, Judgement, PolicyName, ReviewStatus,
    Severity,
};
use anomaly_storage::{AnomalyQuery, MemoryStore, SqliteStore, Store};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::data::{Case, at, review, store_all};

const CLIENTS: [&str; 3] = ["mail01", "web02", "db03"];
const POLICIES: [&str; 2] = ["daily", "weekly"];
const KINDS: [AnomalyKind; 3] = [
    AnomalyKind::MassEncryption,
    AnomalyKind::Growth,
    AnomalyKind::Unclassified,
];
const MINUTES: std::ops::Range<i64> = 0..8;

fn any_judgement() -> impl Strategy<Value = Judgement> {
    let anomalous = (select(Severity::ALL), select(&KINDS[..]))
        .prop_map(|(severity, kind)| Judgement::Anomalous { severity, kind });
    prop_oneof![
        3 => anomalous,
        3 => Just(Judgement::Normal),
        1 => Just(Judgement::WarmingUp),
    ]
}

prop_compose! {
    /// Jobs of few clients, policies and moments, so that they often meet.
    fn any_case()(
        client in select(&CLIENTS[..]),
        policy in select(&POLICIES[..]),
        minute in MINUTES,
        judgement in any_judgement(),
        reviews in vec(select(ReviewStatus::ALL), 0..3),
    ) -> (&'static str, &'static str, i64, Judgement, Vec<ReviewStatus>) {
        (client, policy, minute, judgement, reviews)
    }
}

prop_compose! {
    fn any_query()(
        client in option::of(select(&CLIENTS[..])),
        policy in option::of(select(&POLICIES[..])),
        at_least in option::of(select(Severity::ALL)),
        kind in option::of(select(&KINDS[..])),
        review_status in option::of(select(ReviewStatus::ALL)),
        started_from in option::of(MINUTES.prop_map(at)),
        started_until in option::of(MINUTES.prop_map(at)),
        limit in option::of(0_usize..6),
    ) -> AnomalyQuery {
        AnomalyQuery::default()
            .client(client.map(|name| ClientName::new(name).unwrap()))
            .policy(policy.map(|name| PolicyName::new(name).unwrap()))
            .at_least(at_least)
            .kind(kind)
            .review_status(review_status)
            .started_from(started_from)
            .started_until(started_until)
            .limit(limit)
    }
}

/// Every anomaly among `cases`, newest first, by the plainest means.
fn all_anomalies(cases: &[(Case, Vec<ReviewStatus>)]) -> Vec<Anomaly> {
    let mut found = Vec::new();
    for (place, (case, reviews)) in cases.iter().enumerate() {
        if !case.verdict.is_anomalous() {
            continue;
        }
        let mut anomaly = Anomaly::new(case.verdict.clone());
        anomaly.review = reviews.last().map(|&status| review(status, "ann"));
        for (earlier, _) in &cases[..place] {
            let started_at = earlier.job.started_at();
            if earlier.stream == case.stream
                && earlier.verdict.judgement == Judgement::Normal
                && started_at <= case.job.started_at()
                && anomaly
                    .last_normal
                    .as_ref()
                    .is_none_or(|last| last.started_at <= started_at)
            {
                anomaly.last_normal = Some(JobRef::new(earlier.key(), started_at));
            }
        }
        found.push(anomaly);
    }
    found.reverse();
    found.sort_by_key(|anomaly| std::cmp::Reverse(anomaly.verdict.started_at));
    found
}

fn meets(anomaly: &Anomaly, query: &AnomalyQuery) -> bool {
    let verdict = &anomaly.verdict;
    [
        query
            .client
            .as_ref()
            .map(|client| verdict.client == *client),
        query
            .policy
            .as_ref()
            .map(|policy| verdict.policy == *policy),
        query
            .at_least
            .map(|least| verdict.severity().unwrap() >= least),
        query.kind.map(|kind| verdict.kind().unwrap() == kind),
        query
            .review_status
            .map(|status| anomaly.review_status() == status),
        query.started_from.map(|from| verdict.started_at >= from),
        query.started_until.map(|until| verdict.started_at < until),
    ]
    .into_iter()
    .all(|condition| condition.unwrap_or(true))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_query_finds_what_a_plain_filter_finds(
        specifications in vec(any_case(), 0..40),
        queries in vec(any_query(), 1..20),
    ) {
        let cases: Vec<_> = specifications
            .into_iter()
            .enumerate()
            .map(|(number, (client, policy, minute, judgement, reviews))| {
                let id = number.to_string();
                let job = BackupJob::builder("restic", id, client, policy, at(minute)).build();
                (Case::of_job(job.unwrap(), judgement), reviews)
            })
            .collect();
        let all = all_anomalies(&cases);
        let directory = tempfile::tempdir().unwrap();
        let stores: [Box<dyn Store>; 2] = [
            Box::new(MemoryStore::default()),
            Box::new(SqliteStore::open(directory.path().join("db")).unwrap()),
        ];

        for mut store in stores {
            store_all(&mut *store, cases.iter().map(|(case, _)| case));
            let mut transaction = store.transaction().unwrap();
            for (case, reviews) in cases.iter().filter(|(case, _)| case.verdict.is_anomalous()) {
                for &status in reviews {
                    transaction.review(&case.key(), &review(status, "ann")).unwrap();
                }
            }
            transaction.commit().unwrap();

            prop_assert_eq!(&store.anomalies(&AnomalyQuery::default()).unwrap(), &all);
            let mut unreviewed = std::collections::BTreeMap::new();
            for anomaly in &all {
                if anomaly.review_status() == ReviewStatus::NotReviewed {
                    *unreviewed.entry(anomaly.verdict.severity().unwrap()).or_insert(0) += 1;
                }
            }
            prop_assert_eq!(store.count_unreviewed().unwrap(), unreviewed);
            for query in &queries {
                let expected: Vec<_> = all
                    .iter()
                    .filter(|anomaly| meets(anomaly, query))
                    .take(query.limit.unwrap_or(usize::MAX))
                    .cloned()
                    .collect();
                prop_assert_eq!(store.anomalies(query).unwrap(), expected, "{:?}", query);
            }
        }
    }
}
