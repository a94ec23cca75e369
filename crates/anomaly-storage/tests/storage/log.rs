//! What stands for everything that was ever recorded.

use anomaly_model::{Judgement, ReviewStatus};
use anomaly_storage::{
    AuditEntry, Inserted, LogHead, MemoryStore, Read, SettingsVersion, SqliteStore, Store,
};
use serde_json::json;

use crate::both_stores::both_stores;
use crate::data::{Case, anomalous, at, review, store_all};

both_stores! {
    every_record_is_a_leaf
    what_is_not_kept_is_no_leaf
    order_and_time_are_part_of_it
}

fn every_record_is_a_leaf(store: &mut dyn Store) {
    let case = Case::new("a", 1, anomalous());
    let size = |store: &dyn Store| store.log_head().unwrap().size;
    store_all(store, [&case]);
    assert_eq!(size(store), 1);
    // A review, and its entry in the audit log.
    store
        .review(&case.key(), &review(ReviewStatus::Ignored, "ann"))
        .unwrap();
    assert_eq!(size(store), 3);
    let mut transaction = store.transaction().unwrap();
    transaction
        .audit(&AuditEntry::new(at(1), "ann", "exclude", "mail01"))
        .unwrap();
    let version = SettingsVersion {
        accepted_at: at(1),
        accepted_by: "ann".into(),
        seconded_by: None,
        settings: json!({}),
    };
    transaction.accept_settings(&version).unwrap();
    assert_eq!(transaction.log_head().unwrap().size, 5);
    transaction.commit().unwrap();
    assert_eq!(size(store), 5);
}

fn what_is_not_kept_is_no_leaf(store: &mut dyn Store) {
    let [kept, dropped] = [
        Case::new("a", 1, anomalous()),
        Case::new("b", 2, anomalous()),
    ];
    store_all(store, [&kept]);
    let before = store.log_head().unwrap();
    let mut transaction = store.transaction().unwrap();
    assert_eq!(kept.insert(&mut *transaction), Inserted::AlreadyStored);
    assert_eq!(transaction.log_head().unwrap(), before);
    dropped.insert(&mut *transaction);
    assert_ne!(transaction.log_head().unwrap(), before);
    drop(transaction);
    assert_eq!(store.log_head().unwrap(), before);
    // A model's state can be computed anew from what is logged.
    let mut transaction = store.transaction().unwrap();
    transaction.put_model_state(&kept.stream, b"state").unwrap();
    transaction
        .put_stream_status(&kept.stream, "{}", None)
        .unwrap();
    transaction.commit().unwrap();
    assert_eq!(store.log_head().unwrap(), before);
}

fn order_and_time_are_part_of_it(store: &mut dyn Store) {
    let cases = [
        Case::new("a", 1, Judgement::Normal),
        Case::new("b", 2, Judgement::Normal),
    ];
    let mut heads = Vec::new();
    for order in [[0, 1], [1, 0]] {
        for now in [None, Some(at(1)), Some(at(2))] {
            let mut transaction = store.transaction().unwrap();
            if let Some(now) = now {
                transaction.set_now(now);
            }
            for place in order {
                cases[place].insert(&mut *transaction);
            }
            heads.push(transaction.log_head().unwrap());
        }
    }
    for (place, head) in heads.iter().enumerate() {
        assert!(!heads[..place].contains(head));
    }
}

/// Two implementations that keep it in different ways agree at every size.
#[test]
fn both_stores_have_the_same_head() {
    let directory = tempfile::tempdir().unwrap();
    let mut memory = MemoryStore::default();
    let mut sqlite = SqliteStore::open(directory.path().join("db")).unwrap();
    let empty = memory.log_head().unwrap();
    // RFC 6962: the hash of nothing.
    assert_eq!(
        hex(&empty),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(sqlite.log_head().unwrap(), empty);
    for number in 0..70 {
        let case = Case::new(&number.to_string(), number, anomalous());
        let heads = [&mut memory as &mut dyn Store, &mut sqlite].map(|store| {
            let mut transaction = store.transaction().unwrap();
            if number % 2 == 0 {
                transaction.set_now(at(number));
            }
            case.insert(&mut *transaction);
            if number % 7 == 0 {
                let review = review(ReviewStatus::Confirmed, "ann");
                transaction.review(&case.key(), &review).unwrap();
            }
            transaction.commit().unwrap();
            store.log_head().unwrap()
        });
        assert_eq!(heads[0], heads[1], "after {number}");
    }
}

fn hex(head: &LogHead) -> String {
    let head = head.to_string();
    let (_, root) = head.split_once("root ").unwrap();
    root.to_owned()
}
