//! What is known of a stream without reading its jobs.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, ClientName, Judgement, StreamKey};
use anomaly_storage::{Store, Stored};

use crate::both_stores::both_stores;
use crate::data::{Case, at, store_all};

both_stores! {
    streams_come_in_the_order_in_which_they_were_seen
    a_status_is_part_of_its_transaction
    streams_are_found_by_when_they_are_due
    streams_are_found_by_their_client
    the_last_note_counts
}

fn streams(store: &dyn Store) -> Vec<(u64, StreamKey, Option<String>)> {
    let stored = store.streams(0, 100).unwrap().into_iter();
    stored
        .map(|Stored { number, record }| (number, record.0, record.1))
        .collect()
}

fn streams_come_in_the_order_in_which_they_were_seen(store: &mut dyn Store) {
    let cases = ["mail01", "web02", "db03"]
        .map(|client| Case::of_client(client, client, 1, Judgement::Normal));
    let [mail, web, db] = &cases;
    let mut transaction = store.transaction().unwrap();
    mail.insert(&mut *transaction);
    transaction
        .put_stream_status(&web.stream, "first", None)
        .unwrap();
    transaction
        .put_stream_status(&web.stream, "{}", None)
        .unwrap();
    transaction.put_model_state(&db.stream, b"state").unwrap();
    web.insert(&mut *transaction);
    transaction.commit().unwrap();

    let expected = [
        (1, mail.stream.clone(), None),
        (2, web.stream.clone(), Some("{}".to_owned())),
        (3, db.stream.clone(), None),
    ];
    assert_eq!(streams(store), expected);
    assert_eq!(store.streams(1, 1).unwrap()[0].record.0, web.stream);
    assert_eq!(store.streams(3, 1).unwrap(), []);
    let status = |stream| store.stream_status(stream).unwrap();
    assert_eq!(status(&web.stream).as_deref(), Some("{}"));
    assert_eq!(status(&mail.stream), None);
    assert_eq!(
        status(&Case::of_client("x", "x", 1, Judgement::Normal).stream),
        None
    );
}

fn a_status_is_part_of_its_transaction(store: &mut dyn Store) {
    let [old, new] =
        ["mail01", "web02"].map(|client| Case::of_client(client, client, 1, Judgement::Normal));
    store_all(store, [&old]);
    let mut transaction = store.transaction().unwrap();
    transaction
        .put_stream_status(&old.stream, "kept", None)
        .unwrap();
    transaction.commit().unwrap();

    let mut transaction = store.transaction().unwrap();
    transaction
        .put_stream_status(&old.stream, "dropped", None)
        .unwrap();
    transaction
        .put_stream_status(&new.stream, "dropped", None)
        .unwrap();
    assert_eq!(transaction.streams(0, 9).unwrap().len(), 2);
    drop(transaction);
    assert_eq!(streams(store), [(1, old.stream, Some("kept".to_owned()))]);
}

fn streams_are_found_by_when_they_are_due(store: &mut dyn Store) {
    let cases = ["mail01", "web02", "db03", "never"]
        .map(|client| Case::of_client(client, client, 1, Judgement::Normal));
    let [mail, web, db, never] = &cases;
    let mut transaction = store.transaction().unwrap();
    let mut put = |case: &Case, due_at: Option<DateTime<Utc>>| {
        transaction
            .put_stream_status(&case.stream, case.job.job_id().as_str(), due_at)
            .unwrap();
    };
    put(mail, Some(at(30)));
    put(web, Some(at(10)));
    put(db, Some(at(20)));
    put(never, None);
    transaction.commit().unwrap();

    let due = |store: &dyn Store, until, limit| -> Vec<(u64, String)> {
        let due = store.due_streams(at(until), limit).unwrap().into_iter();
        due.map(|Stored { number, record }| (number, record.1))
            .collect()
    };
    let [second, third] = [(2, "web02".to_owned()), (3, "db03".to_owned())];
    assert_eq!(due(store, 9, 9), []);
    assert_eq!(due(store, 20, 9), [second.clone(), third.clone()]);
    assert_eq!(due(store, 99, 1), [second]);
    assert_eq!(store.count_due_streams(at(20)).unwrap(), 2);
    assert_eq!(store.count_due_streams(at(99)).unwrap(), 3);

    let mut transaction = store.transaction().unwrap();
    transaction
        .put_stream_status(&web.stream, "later", Some(at(40)))
        .unwrap();
    assert_eq!(
        transaction.due_streams(at(20), 9).unwrap()[0].record.0,
        db.stream
    );
    drop(transaction);
    assert_eq!(due(store, 20, 9).len(), 2, "it was not committed");
    assert_eq!(due(store, 20, 9)[1], third);
}

fn streams_are_found_by_their_client(store: &mut dyn Store) {
    let of = |policy: &str, id: &str| {
        let job = BackupJob::builder("restic", id, "mail01", policy, at(1)).build();
        Case::of_job(job.unwrap(), Judgement::Normal)
    };
    let cases = [
        of("daily", "a"),
        Case::of_client("web02", "b", 1, Judgement::Normal),
        of("weekly", "c"),
        of("daily", "d"),
    ];
    store_all(store, &cases);
    let streams = store.streams_of_client(&cases[0].verdict.client).unwrap();
    assert_eq!(streams, [cases[0].stream.clone(), cases[2].stream.clone()]);
    let nobody = ClientName::new("nobody").unwrap();
    assert_eq!(store.streams_of_client(&nobody).unwrap(), []);
}

fn the_last_note_counts(store: &mut dyn Store) {
    assert_eq!(store.note("tick").unwrap(), None);
    let mut transaction = store.transaction().unwrap();
    transaction.put_note("tick", "first").unwrap();
    transaction.put_note("tick", "second").unwrap();
    transaction.put_note("other", "").unwrap();
    transaction.commit().unwrap();
    let mut transaction = store.transaction().unwrap();
    transaction.put_note("tick", "dropped").unwrap();
    transaction.put_note("new", "dropped").unwrap();
    drop(transaction);
    assert_eq!(store.note("tick").unwrap().as_deref(), Some("second"));
    assert_eq!(store.note("other").unwrap().as_deref(), Some(""));
    assert_eq!(store.note("new").unwrap(), None);
}
