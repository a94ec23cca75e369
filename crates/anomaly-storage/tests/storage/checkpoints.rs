//! Who writes the whole log anew is found by what was kept elsewhere.

use anomaly_storage::{Read, SqliteStore, Tampering};

use crate::data::{Case, anomalous, store_all};
use crate::small_log::{SmallLog, verify};

/// Who writes the whole log anew, with all its hashes: only what was kept elsewhere tells.
#[test]
fn a_log_written_anew_is_found_by_a_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let cases: Vec<Case> = (0..6)
        .map(|minute| Case::new(&minute.to_string(), minute, anomalous()))
        .collect();
    let log = |name: &str, order: &[usize]| {
        let path = directory.path().join(name);
        let mut store = SqliteStore::open(&path).unwrap();
        let mut heads = Vec::new();
        for &place in order {
            store_all(&mut store, [&cases[place]]);
            heads.push(store.log_head().unwrap());
        }
        (path, heads)
    };
    let (path, heads) = log("honest", &[0, 1, 2, 3, 4, 5]);
    assert_eq!(verify(&path, &heads), None);

    for size in 0..6 {
        let (path, _) = log(&format!("cut to {size}"), &[0, 1, 2, 3, 4, 5][..size]);
        // In itself it is whole: this is what a checkpoint is for.
        assert_eq!(verify(&path, &[]), None);
        let size = size as u64;
        let expected = Tampering::CutOff {
            first: size + 1,
            size: 6,
        };
        assert_eq!(verify(&path, &[heads[5]]), Some(expected));
    }
    for (one, other) in (0..6).flat_map(|one| (one + 1..6).map(move |other| (one, other))) {
        let mut order = [0, 1, 2, 3, 4, 5];
        order.swap(one, other);
        let (path, _) = log(&format!("{one} for {other}"), &order);
        assert_eq!(verify(&path, &[]), None);
        let found = verify(&path, &[heads[5]]);
        assert_eq!(found, Some(Tampering::Rewritten { first: 1, last: 6 }));
        // The more checkpoints, the nearer: with one after each leaf, it is named.
        let found = verify(&path, &heads);
        let first = one as u64 + 1;
        assert_eq!(found, Some(Tampering::Rewritten { first, last: first }));
    }
}

/// A log of nothing agrees with what it was, and with no other.
#[test]
fn an_empty_log_has_one_root() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut head = SqliteStore::open(&path).unwrap().log_head().unwrap();
    assert_eq!(verify(&path, &[head]), None);
    head.root[0] ^= 1;
    let found = verify(&path, &[head]);
    assert_eq!(found, Some(Tampering::Rewritten { first: 1, last: 0 }));
}

/// The tree that is stored is that of the leaves.
#[test]
fn a_tree_of_other_leaves_is_found() {
    let found = SmallLog::new().found(|connection| {
        let sql = "UPDATE log_tree SET peaks = zeroblob(length(peaks))";
        assert_eq!(connection.execute(sql, ()).unwrap(), 1);
    });
    assert_eq!(found, Some(Tampering::Rewritten { first: 1, last: 12 }));
}
