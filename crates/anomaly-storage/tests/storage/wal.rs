//! A power cut leaves any part of what was written last: what is there afterwards is whole.

use std::fs;
use std::path::Path;

use anomaly_model::{Judgement, ReviewStatus};
use anomaly_storage::{LogHead, ObservationQuery, Read, SqliteStore, Store};

use crate::data::{Case, anomalous, model_state, review, store_all};

/// Of SQLite's file format: the header of the log of changes, and of each page in it.
const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
const PAGE_BYTES: usize = 4096;

const BATCHES: usize = 12;

fn batch(number: usize) -> Vec<Case> {
    (0..=number % 4)
        .map(|job| {
            let id = format!("{number}/{job}");
            let judgement = if job == 0 {
                anomalous()
            } else {
                Judgement::Normal
            };
            let mut case = Case::new(&id, i64::try_from(number * 10 + job).unwrap(), judgement);
            case.verdict.summary = "x".repeat(500 * number);
            case
        })
        .collect()
}

fn state_after(number: usize) -> Vec<u8> {
    vec![u8::try_from(number).unwrap(); 3_000 * number]
}

/// Stores a batch in several transactions, and says what the log was after each.
fn store_batch(store: &mut SqliteStore, number: usize) -> Vec<LogHead> {
    let cases = batch(number);
    let mut heads = Vec::new();
    for case in &cases[1..] {
        store_all(store, [case]);
        heads.push(store.log_head().unwrap());
    }
    let mut transaction = store.transaction().unwrap();
    cases[0].insert(&mut *transaction);
    transaction
        .put_model_state(&cases[0].stream, &state_after(number))
        .unwrap();
    let review = review(ReviewStatus::Confirmed, "ann");
    transaction.review(&cases[0].key(), &review).unwrap();
    transaction.commit().unwrap();
    heads.push(store.log_head().unwrap());
    heads
}

/// How many transactions end in a log of changes: frames that say how large the database is then.
fn commits(wal: &[u8]) -> usize {
    let frames = wal.get(HEADER_BYTES..).unwrap_or_default();
    let whole = frames.chunks_exact(FRAME_HEADER_BYTES + PAGE_BYTES);
    whole.filter(|frame| frame[4..8] != [0; 4]).count()
}

#[test]
fn cut_anywhere_the_log_holds_whole_transactions() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("db"), directory.path().join("copy"));
    let mut store = SqliteStore::open(&path).unwrap();
    // What came before is in the file itself, and the log begins anew.
    store_batch(&mut store, 1);
    drop(store);
    let file = fs::read(&path).unwrap();
    let mut store = SqliteStore::open(&path).unwrap();
    let mut heads = vec![store.log_head().unwrap()];
    for number in 2..=BATCHES {
        heads.extend(store_batch(&mut store, number));
    }
    // With the store still open: what a process leaves that dies now.
    let wal = fs::read(with_end(&path, "-wal")).unwrap();
    assert_eq!(
        fs::read(&path).unwrap(),
        file,
        "nothing was written back yet"
    );
    assert_eq!(commits(&wal), heads.len() - 1);
    drop(store);

    let frames = (wal.len() - HEADER_BYTES) / (FRAME_HEADER_BYTES + PAGE_BYTES);
    assert!(frames > 100, "{frames}");
    let at_frames =
        (0..=frames).map(|frame| HEADER_BYTES + frame * (FRAME_HEADER_BYTES + PAGE_BYTES));
    let cuts = at_frames.flat_map(|cut| [cut, cut + 12, cut + FRAME_HEADER_BYTES, cut + 2_000]);
    for cut in [0, 20]
        .into_iter()
        .chain(cuts)
        .filter(|cut| *cut <= wal.len())
    {
        fs::write(&copy, &file).unwrap();
        fs::write(with_end(&copy, "-wal"), &wal[..cut]).unwrap();
        _ = fs::remove_file(with_end(&copy, "-shm"));
        let committed = commits(&wal[..cut]);

        let mut store = SqliteStore::open(&copy).unwrap();
        assert_eq!(store.log_head().unwrap(), heads[committed], "cut at {cut}");
        if cut % 7 == 0 {
            check(&mut store, cut);
        }
    }
}

/// All that is there belongs together, and more can be stored.
fn check(store: &mut SqliteStore, cut: usize) {
    let verification = store.verify(&[]).unwrap();
    assert_eq!(verification.tampering, None, "cut at {cut}");
    assert_eq!(store.check().unwrap(), [""; 0], "cut at {cut}");
    let jobs = store.observations(&ObservationQuery::default()).unwrap();
    // The state is that after the last anomaly, which was committed with it.
    let anomalies = jobs.iter().filter(|job| job.verdict.is_anomalous()).count();
    let stream = &batch(1)[0].stream;
    assert_eq!(
        model_state(store, stream),
        Some(state_after(anomalies)),
        "cut at {cut}"
    );
    store_all(store, [&Case::new("next", 1_000, Judgement::Normal)]);
}

fn with_end(path: &Path, end: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
