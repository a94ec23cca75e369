//! Incidents, and which anomalies belong to which.

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{AnomalyKind, ClientName, Judgement, ReviewStatus, Severity};
use anomaly_storage::{
    AnomalyQuery, Around, IncidentQuery, IncidentRecord, NearbyAnomaly, Store, StoreError,
};
use serde_json::json;

use crate::both_stores::both_stores;
use crate::data::{Case, anomalous, at, review, store_all};

both_stores! {
    incidents_are_found_by_what_is_asked
    an_anomaly_belongs_to_one_incident
    an_incident_of_many_is_listed_like_one_of_few
    incidents_are_part_of_their_transaction
    anomalies_are_found_by_their_time
    false_positives_are_those_that_stand
    times_are_kept_to_the_microsecond
}

fn incident(first: i64, last: i64, severity: Severity) -> IncidentRecord {
    IncidentRecord {
        first_seen: at(first),
        last_seen: at(last),
        severity,
        opened_at: at(last),
        closed_at: None,
        details: json!({ "clients": ["mail01"] }),
    }
}

fn incidents_are_found_by_what_is_asked(store: &mut dyn Store) {
    let mut transaction = store.transaction().unwrap();
    let [low, high, late] = [
        incident(1, 5, Severity::Low),
        incident(2, 5, Severity::High),
        incident(3, 9, Severity::Medium),
    ];
    let numbers = [&low, &high, &late].map(|one| transaction.open_incident(one).unwrap());
    assert_eq!(numbers, [1, 2, 3]);
    let closed = IncidentRecord {
        closed_at: Some(at(20)),
        ..high.clone()
    };
    transaction.put_incident(2, &closed).unwrap();
    let unknown = transaction.put_incident(4, &low).unwrap_err();
    assert!(matches!(
        unknown,
        StoreError::NoSuchRecord { number: 4, .. }
    ));
    transaction.commit().unwrap();

    assert_eq!(store.incident(2).unwrap(), Some(closed));
    assert_eq!(store.incident(3).unwrap(), Some(late));
    assert_eq!(store.incident(4).unwrap(), None);
    let found = |query: IncidentQuery| -> Vec<u64> {
        let found = store.incidents(&query).unwrap();
        found.into_iter().map(|stored| stored.number).collect()
    };
    let query = IncidentQuery::default;
    assert_eq!(found(query()), [3, 2, 1]);
    assert_eq!(found(query().open(true)), [3, 1]);
    assert_eq!(found(query().open(false)), [2]);
    assert_eq!(found(query().at_least(Severity::Medium)), [3, 2]);
    assert_eq!(found(query().seen_from(at(6))), [3]);
    assert_eq!(found(query().limit(1)), [3]);
    assert_eq!(found(query().after(3).limit(1)), [2]);
    assert_eq!(found(query().after(2)), [1]);
    let unknown = store.incidents(&query().after(7)).unwrap_err();
    assert!(matches!(
        unknown,
        StoreError::NoSuchRecord { number: 7, .. }
    ));
}

fn an_anomaly_belongs_to_one_incident(store: &mut dyn Store) {
    let cases = [
        Case::new("a", 1, anomalous()),
        Case::of_client("web02", "b", 2, anomalous()),
        Case::new("normal", 3, Judgement::Normal),
    ];
    store_all(store, &cases);
    let [a, b, normal] = &cases;
    let mut transaction = store.transaction().unwrap();
    for _ in 0..2 {
        transaction
            .open_incident(&incident(1, 2, Severity::Low))
            .unwrap();
    }
    transaction.put_in_incident(&a.key(), 1).unwrap();
    transaction.put_in_incident(&b.key(), 1).unwrap();
    transaction.put_in_incident(&b.key(), 2).unwrap();
    let error = transaction.put_in_incident(&normal.key(), 1).unwrap_err();
    assert!(matches!(error, StoreError::NoSuchAnomaly { .. }), "{error}");
    let error = transaction.put_in_incident(&a.key(), 3).unwrap_err();
    assert!(
        matches!(error, StoreError::NoSuchRecord { number: 3, .. }),
        "{error}"
    );
    transaction.commit().unwrap();

    assert_eq!(store.incident_of(&a.key()).unwrap(), Some(1));
    assert_eq!(store.incident_of(&b.key()).unwrap(), Some(2));
    assert_eq!(store.incident_of(&normal.key()).unwrap(), None);
    let of = |number| {
        store
            .anomalies(&AnomalyQuery::default().incident(number))
            .unwrap()
    };
    assert_eq!(of(1)[0].verdict, a.verdict);
    assert_eq!(of(1).len(), 1);
    assert_eq!(of(2)[0].verdict, b.verdict);
    assert_eq!(of(3), []);
}

/// However many anomalies an incident has, those are listed that it has, in the order of the list,
/// page by page; also those that are beside what it says of itself.
fn an_incident_of_many_is_listed_like_one_of_few(store: &mut dyn Store) {
    let cases: Vec<Case> = (0..1_300)
        .map(|number| {
            let client = ["mail01", "web02"][number % 2];
            let minute = i64::try_from(number).unwrap();
            Case::of_client(client, &number.to_string(), minute, anomalous())
        })
        .collect();
    store_all(store, &cases);
    let mut transaction = store.transaction().unwrap();
    for _ in 0..2 {
        let record = incident(500, 600, Severity::Low);
        transaction.open_incident(&record).unwrap();
    }
    for (number, case) in cases.iter().enumerate() {
        let incident = if number % 10 == 3 { 2 } else { 1 };
        transaction.put_in_incident(&case.key(), incident).unwrap();
    }
    for number in [3, 500] {
        let decision = review(ReviewStatus::Ignored, "ada");
        transaction.review(&cases[number].key(), &decision).unwrap();
    }
    transaction.commit().unwrap();

    for (number, members) in [(1, 1_170), (2, 130)] {
        let of = |query: &AnomalyQuery| -> Vec<String> {
            let found = store.anomalies(query).unwrap();
            let jobs = found.into_iter();
            jobs.map(|anomaly| anomaly.verdict.job_id.to_string())
                .collect()
        };
        let own = |job: &usize| (job % 10 == 3) == (number == 2);
        let all: Vec<String> = (0..1_300)
            .rev()
            .filter(own)
            .map(|job| job.to_string())
            .collect();
        assert_eq!(all.len(), members);
        let query = AnomalyQuery::default().incident(number);
        assert_eq!(of(&query), all);
        // The same, with what was decided of each.
        let listed = store.anomalies(&query).unwrap();
        assert_eq!(store.members(number).unwrap(), listed);
        assert!(listed.iter().any(|one| one.review.is_some()));
        let third = query.clone().limit(7).after(Some(cases[777].key()));
        let rest = (0..777).rev().filter(own).take(7);
        let rest: Vec<String> = rest.map(|job| job.to_string()).collect();
        assert_eq!(of(&third), rest);
        let web = query.client(ClientName::new("web02").unwrap()).limit(9);
        let of_web = all
            .iter()
            .filter(|job| job.parse::<usize>().unwrap() % 2 == 1);
        assert_eq!(of(&web), of_web.take(9).cloned().collect::<Vec<_>>());
    }
}

fn incidents_are_part_of_their_transaction(store: &mut dyn Store) {
    let case = Case::new("a", 1, anomalous());
    store_all(store, [&case]);
    let kept = incident(1, 2, Severity::Low);
    let mut transaction = store.transaction().unwrap();
    transaction.open_incident(&kept).unwrap();
    transaction.put_in_incident(&case.key(), 1).unwrap();
    transaction.commit().unwrap();

    let mut transaction = store.transaction().unwrap();
    let other = incident(5, 6, Severity::High);
    assert_eq!(transaction.open_incident(&other).unwrap(), 2);
    transaction.put_incident(1, &other).unwrap();
    transaction.put_in_incident(&case.key(), 2).unwrap();
    assert_eq!(transaction.incident_of(&case.key()).unwrap(), Some(2));
    drop(transaction);
    assert_eq!(store.incident(1).unwrap(), Some(kept));
    assert_eq!(store.incident(2).unwrap(), None);
    assert_eq!(store.incident_of(&case.key()).unwrap(), Some(1));
    // What was taken back took no number.
    let mut transaction = store.transaction().unwrap();
    assert_eq!(transaction.open_incident(&other).unwrap(), 2);
}

fn anomalies_are_found_by_their_time(store: &mut dyn Store) {
    let anomaly = |client: &str, id: &str, minute| Case::of_client(client, id, minute, anomalous());
    let cases = [
        anomaly("mail01", "a", 10),
        anomaly("web02", "b", 20),
        Case::of_client("mail01", "normal", 21, Judgement::Normal),
        anomaly("mail01", "c", 30),
        anomaly("mail01", "same", 30),
        anomaly("web02", "d", 40),
        anomaly("mail01", "usual", 31),
        anomaly("mail01", "irrelevant", 29),
        anomaly("mail01", "true", 50),
    ];
    store_all(store, &cases);
    let mut transaction = store.transaction().unwrap();
    for (case, status) in [
        (&cases[6], ReviewStatus::FalsePositive),
        (&cases[7], ReviewStatus::Ignored),
        (&cases[8], ReviewStatus::Confirmed),
    ] {
        transaction
            .review(&case.key(), &review(status, "ada"))
            .unwrap();
    }
    let number = transaction
        .open_incident(&incident(1, 5, Severity::Low))
        .unwrap();
    transaction
        .put_in_incident(&cases[1].key(), number)
        .unwrap();
    transaction.commit().unwrap();

    let near = |minute, within, client: Option<&ClientName>, limit| -> Vec<String> {
        let around = Around {
            at: at(minute),
            within: TimeDelta::minutes(within),
            client,
            limit,
        };
        let found = store.anomalies_around(&around).unwrap().into_iter();
        found.map(|near| near.job.job_id.to_string()).collect()
    };
    assert_eq!(near(30, 20, None, 9), ["a", "b", "c", "same", "d", "true"]);
    assert_eq!(near(30, 19, None, 9), ["b", "c", "same", "d"]);
    assert_eq!(near(30, 20, None, 1), ["same", "d"]);
    let mail = ClientName::new("mail01").unwrap();
    assert_eq!(near(39, 29, Some(&mail), 9), ["a", "c", "same", "true"]);
    let around = Around {
        at: at(15),
        within: TimeDelta::minutes(5),
        client: None,
        limit: 9,
    };
    let expected = [(&cases[0], 10, None), (&cases[1], 20, Some(number))];
    let expected = expected.map(|(case, minute, incident)| NearbyAnomaly {
        job: case.key(),
        client: case.job.client().name.clone(),
        started_at: at(minute),
        severity: Severity::Medium,
        kind: AnomalyKind::MassChange,
        incident,
    });
    assert_eq!(store.anomalies_around(&around).unwrap(), expected);
}

fn false_positives_are_those_that_stand(store: &mut dyn Store) {
    let [usual, taken_back, other, open] = [
        Case::of_client("mail01", "usual", 1, anomalous()),
        Case::of_client("mail01", "taken back", 2, anomalous()),
        Case::of_client("web02", "other", 3, anomalous()),
        Case::of_client("mail01", "open", 4, anomalous()),
    ];
    store_all(store, [&usual, &taken_back, &other, &open]);
    let mut transaction = store.transaction().unwrap();
    for case in [&usual, &taken_back, &other] {
        let usual = review(ReviewStatus::FalsePositive, "ada");
        transaction.review(&case.key(), &usual).unwrap();
    }
    let confirmed = review(ReviewStatus::Confirmed, "eve");
    transaction.review(&taken_back.key(), &confirmed).unwrap();
    let standing = transaction.false_positives(&usual.stream).unwrap();
    assert_eq!(standing.len(), 1);
    assert_eq!(standing[0].verdict, usual.verdict);
    assert_eq!(standing[0].review.as_ref().unwrap().reviewer, "ada");
    drop(transaction);
    assert_eq!(store.false_positives(&usual.stream).unwrap(), []);
}

fn times_are_kept_to_the_microsecond(store: &mut dyn Store) {
    let (micros, nanos) = (TimeDelta::microseconds(7), TimeDelta::nanoseconds(7_999));
    let record = |of_a_second| IncidentRecord {
        first_seen: at(1) + of_a_second,
        last_seen: at(2) + of_a_second,
        opened_at: at(3) + of_a_second,
        closed_at: Some(at(4) + of_a_second),
        ..incident(1, 2, Severity::Low)
    };
    let mut transaction = store.transaction().unwrap();
    let number = transaction.open_incident(&record(nanos)).unwrap();
    transaction.commit().unwrap();
    assert_eq!(store.incident(number).unwrap(), Some(record(micros)));
}
