//! What others are to be told.

use anomaly_storage::{Delivery, Message, Store, StoreError};
use serde_json::json;

use crate::both_stores::both_stores;
use crate::data::at;

both_stores! {
    a_message_is_due_until_it_is_delivered_or_given_up
    messages_are_part_of_their_transaction
}

fn message(minute: i64, topic: &str) -> Message {
    Message {
        made_at: at(minute),
        topic: topic.into(),
        body: json!({ "minute": minute }),
    }
}

fn due(store: &dyn Store, sink: &str, minute: i64) -> Vec<u64> {
    let due = store.due_messages(sink, at(minute), 10).unwrap();
    due.into_iter().map(|message| message.number).collect()
}

fn a_message_is_due_until_it_is_delivered_or_given_up(store: &mut dyn Store) {
    let mut transaction = store.transaction().unwrap();
    let messages = [
        message(5, "anomaly"),
        message(3, "incident"),
        message(9, "settings"),
    ];
    assert_eq!(
        transaction.post(&messages[0], &["mail", "hook"]).unwrap(),
        1
    );
    assert_eq!(transaction.post(&messages[1], &["mail"]).unwrap(), 2);
    assert_eq!(transaction.post(&messages[2], &[]).unwrap(), 3);
    transaction.commit().unwrap();

    assert_eq!(due(store, "mail", 4), [2]);
    assert_eq!(due(store, "mail", 5), [2, 1]);
    assert_eq!(due(store, "hook", 9), [1]);
    assert!(due(store, "syslog", 9).is_empty());
    assert_eq!(
        store.due_messages("mail", at(5), 1).unwrap()[0].record,
        messages[1]
    );

    let waits = |store: &dyn Store, sink| {
        let waiting = store.waiting(sink).unwrap();
        (waiting.messages, waiting.oldest_at)
    };
    assert_eq!(waits(store, "mail"), (2, Some(at(3))));
    assert_eq!(waits(store, "hook"), (1, Some(at(5))));
    assert_eq!(waits(store, "syslog"), (0, None));

    let put = |store: &mut dyn Store, number, delivery: Delivery| {
        let mut transaction = store.transaction().unwrap();
        let put = transaction.put_delivery(number, &delivery);
        transaction.commit().unwrap();
        put
    };
    let failed = Delivery {
        sink: "mail".into(),
        attempts: 1,
        next_attempt_at: Some(at(30)),
        delivered_at: None,
        error: Some("no route".into()),
    };
    put(store, 1, failed.clone()).unwrap();
    // What is tried again later waits too.
    assert_eq!(waits(store, "mail"), (2, Some(at(3))));
    assert_eq!(due(store, "mail", 29), [2]);
    assert_eq!(due(store, "mail", 30), [2, 1]);
    let delivered = Delivery {
        attempts: 2,
        next_attempt_at: None,
        delivered_at: Some(at(31)),
        error: None,
        ..failed.clone()
    };
    put(store, 1, delivered.clone()).unwrap();
    assert_eq!(due(store, "mail", 99), [2]);
    let given_up = Delivery {
        next_attempt_at: None,
        ..failed.clone()
    };
    put(store, 2, given_up).unwrap();
    assert!(due(store, "mail", 99).is_empty());
    assert_eq!(waits(store, "mail"), (0, None));
    assert_eq!(due(store, "hook", 99), [1]);

    let deliveries = store.deliveries(1).unwrap();
    assert_eq!((deliveries.len(), deliveries[0].sink.as_str()), (2, "hook"));
    assert_eq!(
        (deliveries[0].attempts, deliveries[0].next_attempt_at),
        (0, Some(at(5)))
    );
    assert_eq!(deliveries[1], delivered);
    assert_eq!(store.deliveries(3).unwrap(), []);
    let error = put(store, 4, failed).unwrap_err();
    assert!(
        matches!(error, StoreError::NoSuchRecord { number: 4, .. }),
        "{error}"
    );
}

fn messages_are_part_of_their_transaction(store: &mut dyn Store) {
    let mut transaction = store.transaction().unwrap();
    transaction.post(&message(1, "anomaly"), &["mail"]).unwrap();
    assert_eq!(transaction.due_messages("mail", at(1), 9).unwrap().len(), 1);
    drop(transaction);
    assert!(due(store, "mail", 99).is_empty());
    assert_eq!(store.deliveries(1).unwrap(), []);
}
