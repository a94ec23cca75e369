//! What is known of a stream without reading its jobs.

use anomaly_model::{Judgement, StreamKey};
use anomaly_storage::{Store, Stored};

use crate::both_stores::both_stores;
use crate::data::{Case, store_all};

both_stores! {
    streams_come_in_the_order_in_which_they_were_seen
    a_status_is_part_of_its_transaction
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
    transaction.put_stream_status(&web.stream, "first").unwrap();
    transaction.put_stream_status(&web.stream, "{}").unwrap();
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
    transaction.put_stream_status(&old.stream, "kept").unwrap();
    transaction.commit().unwrap();

    let mut transaction = store.transaction().unwrap();
    transaction
        .put_stream_status(&old.stream, "dropped")
        .unwrap();
    transaction
        .put_stream_status(&new.stream, "dropped")
        .unwrap();
    assert_eq!(transaction.streams(0, 9).unwrap().len(), 2);
    drop(transaction);
    assert_eq!(streams(store), [(1, old.stream, Some("kept".to_owned()))]);
}
