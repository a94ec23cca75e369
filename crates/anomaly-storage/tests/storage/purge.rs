//! Deleting what is older than it is kept for.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Judgement, ReviewStatus, Severity};
use anomaly_storage::{
    AuditQuery, Delivery, IncidentQuery, IncidentRecord, Inserted, MemoryStore, Message,
    ObservationQuery, Purge, Purged, Read, SqliteStore, Store,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::both_stores::both_stores;
use crate::data::{Case, anomalous, at, model_state, review, store_all};

both_stores! {
    what_is_old_goes_in_steps
    what_people_still_need_is_kept
    idle_streams_go_later_than_their_jobs
    what_was_purged_stays_known
    incidents_and_messages_go_when_nobody_needs_them
    steps_add_up_to_a_whole
    what_is_as_old_as_the_limit_stays
}

fn purge(started_before: i64, limit: usize) -> Purge {
    Purge {
        now: at(1_000),
        started_before: at(started_before),
        idle_before: at(0),
        limit,
    }
}

fn step(store: &mut dyn Store, purge: &Purge) -> Purged {
    let mut transaction = store.transaction().unwrap();
    let purged = transaction.purge(purge).unwrap();
    transaction.commit().unwrap();
    purged
}

fn job_ids(store: &dyn Store) -> Vec<String> {
    let found = store.observations(&ObservationQuery::default()).unwrap();
    let ids = found
        .into_iter()
        .map(|one| one.job.key().job_id.to_string());
    ids.collect()
}

fn what_is_old_goes_in_steps(store: &mut dyn Store) {
    let cases: Vec<Case> = (0..10)
        .map(|minute| Case::new(&minute.to_string(), 9 - minute, Judgement::Normal))
        .collect();
    store_all(store, &cases);
    let size = |store: &dyn Store| store.log_head().unwrap().size;

    // The oldest starts first, however late they were stored.
    assert_eq!(step(store, &purge(7, 3)).jobs, 3);
    assert_eq!(job_ids(store), ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(size(store), 11);
    assert_eq!(step(store, &purge(7, 100)).jobs, 4);
    assert_eq!(job_ids(store), ["0", "1", "2"]);
    let before = store.log_head().unwrap();
    assert!(step(store, &purge(7, 100)).is_nothing());
    assert_eq!(store.log_head().unwrap(), before);
}

fn what_people_still_need_is_kept(store: &mut dyn Store) {
    let cases = [
        "confirmed",
        "undone",
        "of an open incident",
        "of a closed incident",
        "ignored",
    ]
    .map(|id| Case::new(id, 1, anomalous()));
    store_all(store, &cases);
    let [confirmed, undone, open, closed, ignored] = cases.each_ref().map(Case::key);
    let incident = |closed_at: Option<DateTime<Utc>>| IncidentRecord {
        first_seen: at(1),
        last_seen: at(1),
        severity: Severity::High,
        opened_at: at(1),
        closed_at,
        details: json!({}),
    };
    let mut transaction = store.transaction().unwrap();
    let review_as = |status| review(status, "ann");
    transaction
        .review(&confirmed, &review_as(ReviewStatus::Confirmed))
        .unwrap();
    transaction
        .review(&undone, &review_as(ReviewStatus::Confirmed))
        .unwrap();
    transaction
        .review(&undone, &review_as(ReviewStatus::NotReviewed))
        .unwrap();
    transaction
        .review(&ignored, &review_as(ReviewStatus::Ignored))
        .unwrap();
    for (job, incident) in [(&open, incident(None)), (&closed, incident(Some(at(2))))] {
        let number = transaction.open_incident(&incident).unwrap();
        transaction.put_in_incident(job, number).unwrap();
    }
    transaction.commit().unwrap();

    let purged = step(store, &purge(100, 100));
    assert_eq!((purged.jobs, purged.incidents), (3, 1));
    assert_eq!(job_ids(store), ["of an open incident", "confirmed"]);
    assert_eq!(store.reviews(&confirmed).unwrap().len(), 1);
    assert_eq!(store.reviews(&undone).unwrap(), []);
    assert_eq!(store.incident_of(&closed).unwrap(), None);
    assert_eq!(
        store.incidents(&IncidentQuery::default()).unwrap()[0].number,
        1
    );
    // Who did what is kept for good.
    assert_eq!(
        store.audit_entries(&AuditQuery::default()).unwrap().len(),
        4
    );

    // Closed, it goes too.
    let mut transaction = store.transaction().unwrap();
    transaction.put_incident(1, &incident(Some(at(3)))).unwrap();
    transaction.commit().unwrap();
    assert_eq!(step(store, &purge(100, 100)).jobs, 1);
    assert_eq!(job_ids(store), ["confirmed"]);
}

fn idle_streams_go_later_than_their_jobs(store: &mut dyn Store) {
    let [idle, monthly] = ["idle", "monthly"].map(|client| {
        Case::of_client(
            client,
            client,
            if client == "idle" { 1 } else { 50 },
            Judgement::Normal,
        )
    });
    store_all(store, [&idle, &monthly]);
    let mut transaction = store.transaction().unwrap();
    for case in [&idle, &monthly] {
        transaction
            .put_model_state(&case.stream, b"learnt")
            .unwrap();
        transaction
            .put_stream_status(&case.stream, "{}", None)
            .unwrap();
    }
    transaction.commit().unwrap();

    let order = Purge {
        idle_before: at(40),
        ..purge(100, 100)
    };
    let purged = step(store, &order);
    assert_eq!((purged.jobs, purged.streams), (2, 1));
    assert_eq!(model_state(store, &idle.stream), None);
    assert_eq!(store.stream_status(&idle.stream).unwrap(), None);
    assert_eq!(model_state(store, &monthly.stream).unwrap(), b"learnt");
    assert_eq!(store.streams(0, 9).unwrap().len(), 1);
    let until = store.purged_until(&monthly.stream).unwrap();
    assert_eq!(until, Some(monthly.job.started_at()));

    // Comes back, and is not idle then.
    let next = Case::of_client("monthly", "next", 150, Judgement::Normal);
    store_all(store, [&next]);
    let order = Purge {
        idle_before: at(100),
        ..purge(100, 100)
    };
    assert!(step(store, &order).is_nothing());
    assert_eq!(model_state(store, &monthly.stream).unwrap(), b"learnt");
}

fn what_was_purged_stays_known(store: &mut dyn Store) {
    let case = Case::new("a", 1, Judgement::Normal);
    store_all(store, [&case]);
    // A purge that is dropped has purged nothing.
    let mut transaction = store.transaction().unwrap();
    assert_eq!(transaction.purge(&purge(2, 1)).unwrap().jobs, 1);
    assert_eq!(case.insert(&mut *transaction), Inserted::AlreadyStored);
    drop(transaction);
    assert_eq!(store.job(&case.key()).unwrap().as_ref(), Some(&case.job));
    assert_eq!(store.purged_until(&case.stream).unwrap(), None);
    assert_eq!(store.purged_before(&case.key()).unwrap(), None);

    // A tool that lists its old jobs for years hands over no new ones, also when their stream is
    // gone, and does not bring it back.
    let order = Purge {
        idle_before: at(2),
        ..purge(2, 1)
    };
    assert_eq!(step(store, &order).jobs, 1);
    assert_eq!(store.streams(0, 9).unwrap(), []);
    let size = store.log_head().unwrap().size;
    assert!(store.is_known(&case.key()).unwrap());
    assert_eq!(store.run_of(&case.key()).unwrap(), None);
    assert_eq!(store.purged_before(&case.key()).unwrap(), Some(at(2)));
    assert_eq!(store.verdict(&case.key()).unwrap(), None);
    let mut transaction = store.transaction().unwrap();
    assert_eq!(case.insert(&mut *transaction), Inserted::AlreadyStored);
    transaction.commit().unwrap();
    assert_eq!(store.streams(0, 9).unwrap(), []);
    assert_eq!(store.log_head().unwrap().size, size);
    // Another one is new.
    store_all(store, [&Case::new("b", 1, Judgement::Normal)]);
}

fn incidents_and_messages_go_when_nobody_needs_them(store: &mut dyn Store) {
    let mut transaction = store.transaction().unwrap();
    for (topic, sinks) in [
        ("told", &["mail"][..]),
        ("waits", &["mail"]),
        ("to nobody", &[]),
    ] {
        let made_at = at(1);
        let body = json!({});
        let topic = topic.to_owned();
        transaction
            .post(
                &Message {
                    made_at,
                    topic,
                    body,
                },
                sinks,
            )
            .unwrap();
    }
    let delivered = Delivery {
        sink: "mail".into(),
        attempts: 1,
        next_attempt_at: None,
        delivered_at: Some(at(2)),
        error: None,
    };
    transaction.put_delivery(1, &delivered).unwrap();
    transaction.commit().unwrap();
    assert_eq!(step(store, &purge(100, 100)).messages, 2);
    assert_eq!(store.deliveries(1).unwrap(), []);
    assert_eq!(store.due_messages("mail", at(9), 9).unwrap()[0].number, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two implementations agree after any steps, kept or dropped, on what is there and on the log.
    #[test]
    fn both_stores_purge_the_same(
        jobs in vec((0..20_i64, 0..4_usize, 0..3_u8), 1..25),
        steps in vec((0..25_i64, 0..25_i64, 1..6_usize, any::<bool>()), 1..6),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut memory = MemoryStore::default();
        let mut sqlite = SqliteStore::open(directory.path().join("db")).unwrap();
        let cases: Vec<(Case, usize)> = (0..)
            .zip(&jobs)
            .map(|(id, &(minute, review, client)): (usize, _)| {
                let judgement = if review > 0 { anomalous() } else { Judgement::Normal };
                let client = format!("client{client}");
                (Case::of_client(&client, &id.to_string(), minute, judgement), review)
            })
            .collect();
        for store in [&mut memory as &mut dyn Store, &mut sqlite] {
            for (case, number) in &cases {
                let mut transaction = store.transaction().unwrap();
                case.insert(&mut *transaction);
                for status in &ReviewStatus::ALL[1..(*number).max(1)] {
                    transaction.review(&case.key(), &review(*status, "ann")).unwrap();
                }
                transaction.put_model_state(&case.stream, b"state").unwrap();
                transaction.commit().unwrap();
            }
        }
        for (before, idle, limit, kept) in steps {
            let order = Purge { idle_before: at(idle.min(before)), ..purge(before, limit) };
            let seen = [&mut memory as &mut dyn Store, &mut sqlite].map(|store| {
                let mut transaction = store.transaction().unwrap();
                let purged = transaction.purge(&order).unwrap();
                if kept {
                    transaction.commit().unwrap();
                } else {
                    drop(transaction);
                }
                let streams = store.streams(0, 99).unwrap();
                let states: Vec<_> = streams
                    .iter()
                    .map(|stream| store.model_state(&stream.record.0).unwrap())
                    .collect();
                let observations = store.observations_stored_after(0, 99).unwrap();
                (purged, store.log_head().unwrap(), streams, states, observations)
            });
            prop_assert_eq!(&seen[0], &seen[1]);
            let verification = sqlite.verify(&[memory.log_head().unwrap()]).unwrap();
            prop_assert_eq!(verification.tampering, None);
        }
    }
}

/// Step by step, as much goes as at once.
fn steps_add_up_to_a_whole(store: &mut dyn Store) {
    let cases: Vec<Case> = (0..7)
        .map(|minute| {
            Case::of_client(
                &format!("client{minute}"),
                &minute.to_string(),
                minute,
                Judgement::Normal,
            )
        })
        .collect();
    store_all(store, &cases);
    let mut transaction = store.transaction().unwrap();
    for number in 0..3 {
        let seen = IncidentRecord {
            first_seen: at(number),
            last_seen: at(number),
            severity: Severity::Low,
            opened_at: at(number),
            closed_at: Some(at(number)),
            details: json!({}),
        };
        transaction.open_incident(&seen).unwrap();
        let message = Message {
            made_at: at(number),
            topic: "anomaly".to_owned(),
            body: json!({}),
        };
        transaction.post(&message, &[]).unwrap();
    }
    transaction.commit().unwrap();
    let purge = Purge {
        idle_before: at(5),
        ..purge(6, 2)
    };
    let (mut whole, mut steps) = (Purged::default(), 0);
    loop {
        let purged = step(store, &purge);
        if purged.is_nothing() {
            break;
        }
        whole += purged;
        steps += 1;
    }
    assert!(steps > 2, "{steps}");
    assert_eq!(
        (whole.jobs, whole.streams, whole.incidents, whole.messages),
        (6, 5, 3, 3)
    );
}

/// "Before" is before: what is of that very time stays. So does what is open, or of which a job is left.
fn what_is_as_old_as_the_limit_stays(store: &mut dyn Store) {
    let confirmed = Case::new("confirmed", 2, anomalous());
    let old = Case::of_client("idle", "old", 4, Judgement::Normal);
    let not_old = Case::of_client("busy", "not old", 5, Judgement::Normal);
    store_all(store, [&confirmed, &old, &not_old]);
    store
        .review(&confirmed.key(), &review(ReviewStatus::Confirmed, "ann"))
        .unwrap();
    let mut transaction = store.transaction().unwrap();
    let seen = |last: i64, closed: bool| IncidentRecord {
        first_seen: at(1),
        last_seen: at(last),
        severity: Severity::Low,
        opened_at: at(1),
        closed_at: closed.then(|| at(6)),
        details: json!({}),
    };
    let [gone, of_that_time, open, with_job] = [(4, true), (5, true), (4, false), (4, true)]
        .map(|(last, closed)| transaction.open_incident(&seen(last, closed)).unwrap());
    transaction
        .put_in_incident(&confirmed.key(), with_job)
        .unwrap();
    for minute in [4, 5] {
        let message = Message {
            made_at: at(minute),
            topic: "anomaly".to_owned(),
            body: json!({}),
        };
        transaction.post(&message, &[]).unwrap();
    }
    transaction.commit().unwrap();
    let purged = step(
        store,
        &Purge {
            idle_before: at(4),
            ..purge(5, 100)
        },
    );
    assert_eq!(
        (
            purged.jobs,
            purged.streams,
            purged.incidents,
            purged.messages
        ),
        (1, 0, 1, 1)
    );
    assert_eq!(job_ids(store), ["not old", "confirmed"]);
    assert_eq!(store.incident(gone).unwrap(), None);
    for kept in [of_that_time, open, with_job] {
        assert!(store.incident(kept).unwrap().is_some(), "{kept}");
    }
    assert_eq!(
        step(
            store,
            &Purge {
                idle_before: at(5),
                ..purge(5, 100)
            }
        )
        .streams,
        1
    );
}
