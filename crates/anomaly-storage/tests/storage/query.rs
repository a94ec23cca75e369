//! A query finds what a plain filter over all anomalies finds.

use anomaly_model::{
    Anomaly, AnomalyKind, BackupJob, ClientName, Direction, FeatureName, Finding, JobRef,
    Judgement, PValue, PolicyName, PolicyType, ReviewStatus, ScheduleName, ScheduleType, Severity,
};
use anomaly_storage::{AnomalyQuery, MemoryStore, Sort, SortKey, SqliteStore, Store};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::both_stores::both_stores;
use crate::data::{Case, anomalous, at, review, store_all};
use crate::lists::all_pages;

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

const SCHEDULES: [(Option<&str>, Option<ScheduleType>); 3] = [
    (Some("nightly"), Some(ScheduleType::Full)),
    (Some("hourly"), Some(ScheduleType::Incremental)),
    (None, None),
];
const POLICY_TYPES: [Option<&str>; 3] = [Some("oracle"), Some("filesystem"), None];
const P_VALUES: [Option<f64>; 4] = [Some(1e-9), Some(1e-3), Some(1.0), None];

#[derive(Debug, Clone)]
struct Spec {
    client: &'static str,
    policy: &'static str,
    policy_type: Option<&'static str>,
    schedule: (Option<&'static str>, Option<ScheduleType>),
    minute: i64,
    judgement: Judgement,
    p_value: Option<f64>,
    findings: usize,
    reviews: Vec<ReviewStatus>,
}

impl Spec {
    fn case(&self, number: usize) -> Case {
        let id = format!("Job{number}");
        let job = BackupJob::builder("restic", id, self.client, self.policy, at(self.minute))
            .policy_type(self.policy_type)
            .schedule(self.schedule.0)
            .schedule_type(self.schedule.1);
        let mut case = Case::of_job(job.build().unwrap(), self.judgement.clone());
        case.verdict.p_value = self.p_value.map(PValue::clamped);
        let feature = FeatureName::new("image_bytes").unwrap();
        let finding = Finding::new(feature, 9.0, (1.0, 2.0), Direction::Above, 5.0);
        case.verdict.findings = vec![finding; self.findings];
        case
    }
}

prop_compose! {
    /// Jobs of few clients, policies and moments, so that they often meet.
    fn any_spec()(
        client in select(&CLIENTS[..]),
        policy in select(&POLICIES[..]),
        policy_type in select(&POLICY_TYPES[..]),
        schedule in select(&SCHEDULES[..]),
        minute in MINUTES,
        judgement in any_judgement(),
        p_value in select(&P_VALUES[..]),
        findings in 0..3_usize,
        reviews in vec(select(ReviewStatus::ALL), 0..3),
    ) -> Spec {
        Spec { client, policy, policy_type, schedule, minute, judgement, p_value, findings, reviews }
    }
}

prop_compose! {
    fn any_sort()(key in select(SortKey::ALL), ascending in any::<bool>()) -> Sort {
        Sort { key, ascending }
    }
}

/// One in four, so that a query with many conditions still finds something.
fn rarely<T: Strategy>(value: T) -> impl Strategy<Value = Option<T::Value>> {
    option::weighted(0.25, value)
}

prop_compose! {
    fn any_query()(
        names in (
            rarely(select(&CLIENTS[..])),
            rarely(select(&POLICIES[..])),
            rarely(select(&["oracle", "filesystem"][..])),
            rarely(select(&["nightly", "hourly"][..])),
            rarely(select(&["MAIL", "0", "daily", "ob1", "%", "'"][..])),
        ),
        schedule_type in rarely(select(&[ScheduleType::Full, ScheduleType::Incremental][..])),
        at_least in rarely(select(Severity::ALL)),
        least_score in rarely(select(&[-5.0, 0.0, 3.0, 8.5, f64::NAN][..])),
        kind in rarely(select(&KINDS[..])),
        review_status in rarely(select(ReviewStatus::ALL)),
        started_from in rarely(MINUTES.prop_map(at)),
        started_until in rarely(MINUTES.prop_map(at)),
        sort in any_sort(),
        limit in option::of(0_usize..6),
    ) -> AnomalyQuery {
        let (client, policy, policy_type, schedule, containing) = names;
        AnomalyQuery::default()
            .client(client.map(|name| ClientName::new(name).unwrap()))
            .policy(policy.map(|name| PolicyName::new(name).unwrap()))
            .policy_type(policy_type.map(|name| PolicyType::new(name).unwrap()))
            .schedule(schedule.map(|name| ScheduleName::new(name).unwrap()))
            .schedule_type(schedule_type)
            .containing(containing.map(str::to_owned))
            .at_least(at_least)
            .least_score(least_score)
            .kind(kind)
            .review_status(review_status)
            .started_from(started_from)
            .started_until(started_until)
            .sorted(sort)
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

fn meets(anomaly: &Anomaly, job: &BackupJob, query: &AnomalyQuery) -> bool {
    let verdict = &anomaly.verdict;
    let schedule = job.schedule();
    let names = format!("{}\n{}\n{}", verdict.client, verdict.policy, verdict.job_id);
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
            .policy_type
            .as_ref()
            .map(|policy_type| job.policy().policy_type.as_ref() == Some(policy_type)),
        query
            .schedule
            .as_ref()
            .map(|name| schedule.name.as_ref() == Some(name)),
        query
            .schedule_type
            .map(|schedule_type| schedule.schedule_type == Some(schedule_type)),
        query
            .containing
            .as_ref()
            .map(|text| names.to_lowercase().contains(&text.to_lowercase())),
        query
            .at_least
            .map(|least| verdict.severity().unwrap() >= least),
        query
            .least_score
            .map(|least| verdict.score().is_some_and(|score| score >= least)),
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

/// The number of the job, which is in its id.
fn number(anomaly: &Anomaly) -> usize {
    anomaly.verdict.job_id.as_str()[3..].parse().unwrap()
}

/// Puts anomalies that are newest first in another order.
fn sort(anomalies: &mut [Anomaly], sort: Sort) {
    anomalies.sort_by(|a, b| {
        let (a, b, left, right) = if sort.ascending {
            (&a.verdict, &b.verdict, number(a), number(b))
        } else {
            (&b.verdict, &a.verdict, number(b), number(a))
        };
        match sort.key {
            SortKey::Started => a.started_at.cmp(&b.started_at),
            SortKey::Received => left.cmp(&right),
            SortKey::Score => a.score().partial_cmp(&b.score()).unwrap(),
            SortKey::Severity => a.severity().cmp(&b.severity()),
            SortKey::Client => a.client.cmp(&b.client),
            SortKey::Policy => a.policy.cmp(&b.policy),
            SortKey::Count => a.findings.len().cmp(&b.findings.len()),
            _ => unreachable!("a key that this test does not know"),
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_query_finds_what_a_plain_filter_finds(
        specifications in vec(any_spec(), 0..40),
        queries in vec(any_query(), 1..24),
        page in 1..4_usize,
    ) {
        let cases: Vec<_> = specifications
            .into_iter()
            .enumerate()
            .map(|(number, spec)| (spec.case(number), spec.reviews))
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
                let mut expected: Vec<_> = all
                    .iter()
                    .filter(|anomaly| meets(anomaly, &cases[number(anomaly)].0.job, query))
                    .cloned()
                    .collect();
                sort(&mut expected, query.sort);
                let pages = all_pages(
                    |anomaly: &Anomaly| anomaly.verdict.key(),
                    |after| store.anomalies(&query.clone().after(after).limit(page)).unwrap(),
                );
                prop_assert_eq!(&pages, &expected, "pages of {:?}", query);
                expected.truncate(query.limit.unwrap_or(usize::MAX));
                prop_assert_eq!(store.anomalies(query).unwrap(), expected, "{:?}", query);
            }
        }
    }
}

both_stores! {
    an_anomaly_is_listed_with_its_job_and_when_it_was_received
}

fn an_anomaly_is_listed_with_its_job_and_when_it_was_received(store: &mut dyn Store) {
    let cases = [
        Case::new("a", 9, anomalous()),
        Case::new("b", 1, anomalous()),
    ];
    store_all(store, [&cases[0]]);
    let mut transaction = store.transaction().unwrap();
    transaction.set_now(at(20));
    cases[1].insert(&mut *transaction);
    transaction.commit().unwrap();

    let sort = "received".parse().unwrap();
    let listed = store
        .listed_anomalies(&AnomalyQuery::default().sorted(sort))
        .unwrap();
    let listed: Vec<_> = listed
        .into_iter()
        .map(|one| (one.number, one.received_at, one.job))
        .collect();
    assert_eq!(
        listed,
        [
            (1, None, cases[0].job.clone()),
            (2, Some(at(20)), cases[1].job.clone())
        ]
    );
}
