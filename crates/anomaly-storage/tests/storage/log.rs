//! What stands for everything that was ever recorded.

use anomaly_model::{Judgement, ReviewStatus};
use anomaly_storage::{
    AuditEntry, ConsistencyProof, InclusionProof, Inserted, LogHead, MemoryStore, Read,
    SettingsVersion, SqliteStore, Store,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::both_stores::both_stores;
use crate::data::{Case, anomalous, at, review, store_all};

both_stores! {
    every_record_is_a_leaf
    what_is_not_kept_is_no_leaf
    order_and_time_are_part_of_it
    proofs_are_those_of_another_implementation
    there_is_no_proof_of_what_is_not_there
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

fn audited(store: &mut dyn Store, count: u64) {
    let mut transaction = store.transaction().unwrap();
    transaction.set_now(at(3));
    for number in 1..=count {
        let entry = AuditEntry::new(at(1), "ann", "exclude", format!("mail{number:02}"));
        assert_eq!(transaction.audit(&entry).unwrap(), number);
    }
    transaction.commit().unwrap();
}

/// Every leaf in every size of a log, and every size that went on to every other.
fn proofs_are_those_of_another_implementation(store: &mut dyn Store) {
    const SIZE: u64 = 21;
    audited(store, SIZE);
    let leaves: Vec<Vec<u8>> = (1..=SIZE)
        .map(|number| store.leaf(number).unwrap().unwrap().data.unwrap())
        .collect();
    let mut other = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for (place, leaf) in leaves.iter().enumerate() {
        other.push(leaf.clone());
        let size = place as u64 + 1;
        for (index, leaf) in leaves[..=place].iter().enumerate() {
            let proof = InclusionProof::of(store, index as u64 + 1, size);
            let proof = proof.unwrap().unwrap();
            let expected = other.prove_inclusion(index);
            assert_eq!(proof.path.as_flattened(), expected.as_bytes());
            assert_eq!(proof.root.as_slice(), other.root().as_bytes().as_slice());
            let hash = Sha256::digest([&[0], leaf.as_slice()].concat());
            assert_eq!(proof.leaf.hash.as_slice(), hash.as_slice());
        }
        for added in 0..=place {
            let proof = ConsistencyProof::of(store, size - added as u64, size);
            let proof = proof.unwrap().unwrap();
            let expected = other.prove_consistency(added);
            assert_eq!(proof.path.as_flattened(), expected.as_bytes());
            assert_eq!(proof.root.as_slice(), other.root().as_bytes().as_slice());
        }
    }
    assert_eq!(
        store.leaf_hashes(SIZE - 1, 5).unwrap(),
        [store.leaf(SIZE).unwrap().unwrap().hash]
    );
}

fn there_is_no_proof_of_what_is_not_there(store: &mut dyn Store) {
    audited(store, 3);
    for (leaf, size) in [(0, 3), (4, 3), (3, 2), (1, 4), (1, 0)] {
        assert_eq!(InclusionProof::of(store, leaf, size).unwrap(), None);
    }
    for (first, second) in [(0, 3), (3, 2), (1, 4)] {
        assert_eq!(ConsistencyProof::of(store, first, second).unwrap(), None);
    }
    assert_eq!(store.leaf(4).unwrap(), None);
    assert_eq!(store.leaf(0).unwrap(), None);
}

/// However many leaves a proof stands on, its root is that of the log.
#[test]
fn a_proof_of_a_long_log_leads_to_its_root() {
    const SIZE: u64 = 10_000;
    let mut store = MemoryStore::default();
    audited(&mut store, SIZE);
    let root = store.log_head().unwrap().root;
    for leaf in [1, SIZE] {
        let proof = InclusionProof::of(&store, leaf, SIZE).unwrap().unwrap();
        assert_eq!(proof.root, root, "{leaf}");
    }
}
