//! Simulated fleets: the same everywhere, with numbers that fit each other, and with attacks that do
//! to the numbers what they do to the files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use anomaly_eval::{Branch, Fleet, History, JobLabel, Pattern, naming, read_histories};
use anomaly_model::{BackupImage, BackupJob, JobStatus};
use proptest::prelude::*;
use proptest::sample::select;
use tempfile::TempDir;

/// Every scenario is in one client with so many branches.
const SCENARIOS: usize = 47;

/// Compares with a committed file; `BLESS=1 cargo test` writes it anew.
#[test]
fn a_seed_gives_the_same_fleet_everywhere() {
    let fleet = Fleet::default().jobs(23).branches(1).seed(1);
    let lines: String = fleet
        .simulate()
        .unwrap()
        .iter()
        .flat_map(|history| {
            let branch = &history.branches[0];
            [
                serde_json::to_string(history.jobs.last().unwrap()).unwrap(),
                serde_json::to_string(&branch.labels[0]).unwrap(),
                serde_json::to_string(&branch.jobs[0]).unwrap(),
            ]
        })
        .map(|line| line + "\n")
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fleet.ndjson");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &lines).unwrap();
    }
    assert_eq!(lines, fs::read_to_string(path).unwrap_or_default());
}

#[test]
fn a_fleet_is_read_back_as_it_was_written() {
    let fleet = Fleet::default().jobs(30).branches(2).seed(3);
    let histories = fleet.simulate().unwrap();
    let directory = TempDir::new().unwrap();
    for history in &histories {
        history.write(directory.path()).unwrap();
    }
    assert_eq!(read_histories(directory.path()).unwrap(), histories);
}

/// What one image and the next must agree on, when both show the whole tree.
fn assert_consistent(before: &BackupImage, now: &BackupImage) {
    let number = |value: Option<u64>| value.unwrap();
    assert_eq!(
        number(before.file_count) + number(now.files_new),
        number(now.file_count) + number(now.files_deleted)
    );
    assert!(number(now.files_new) + number(now.files_changed) <= number(now.file_count));
    assert!(number(now.stored_bytes) <= number(now.transferred_bytes));
    let content = now.content.unwrap();
    let (written, gone) = (number(content.written_bytes), number(content.deleted_bytes));
    assert_eq!(
        number(before.image_bytes) + written,
        number(now.image_bytes) + gone
    );
    // No more new data than was written, beside the structure.
    let touched = number(now.files_new) + number(now.files_changed) + number(now.files_deleted);
    assert!(number(now.transferred_bytes) <= written + 400 * (touched + 5));
    assert!(number(content.random_files) <= number(now.files_new) + number(now.files_changed));
    assert!(number(content.renamed_files) <= number(now.files_new).min(number(now.files_deleted)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn numbers_fit_each_other(pattern in select(Pattern::ALL.to_vec()), seed: u64) {
        // Its incremental images do not show the whole tree.
        prop_assume!(pattern != Pattern::WeeklyFull);
        let fleet = Fleet::default().patterns(vec![pattern]).clients(1).jobs(30).branches(3).seed(seed);
        let history = fleet.simulate().unwrap().remove(0);
        let mut all = vec![history.jobs.clone()];
        for branch in &history.branches {
            let past = &history.jobs[..branch.prefix_jobs];
            all.push(past.iter().chain(&branch.jobs).cloned().collect());
        }
        for jobs in all {
            let images: Vec<&BackupJob> =
                jobs.iter().filter(|job| job.status() != JobStatus::Failed).collect();
            for pair in images.windows(2) {
                assert_consistent(pair[0].image(), pair[1].image());
            }
        }
    }
}

/// A client to which everything happens.
fn everything() -> History {
    let fleet = Fleet::default()
        .patterns(vec![Pattern::Flat])
        .clients(1)
        .branches(SCENARIOS);
    fleet.seed(5).simulate().unwrap().remove(0)
}

fn branch<'a>(history: &'a History, kind: &str) -> (&'a BackupImage, &'a Branch) {
    let branch = history
        .branches
        .iter()
        .find(|branch| branch.kind() == kind)
        .unwrap();
    (history.jobs[branch.prefix_jobs - 1].image(), branch)
}

/// The first affected job as shares of the image before: its files, its data, changed files, new
/// data; and its random files as a share of its files.
fn shares(history: &History, kind: &str) -> [f64; 5] {
    let (before, branch) = branch(history, kind);
    let now = branch.jobs[0].image();
    let share =
        |part: Option<u64>, whole: Option<u64>| part.unwrap() as f64 / whole.unwrap() as f64;
    [
        share(now.file_count, before.file_count),
        share(now.image_bytes, before.image_bytes),
        share(now.files_changed, before.file_count),
        share(now.transferred_bytes, before.image_bytes),
        share(now.content.unwrap().random_files, before.file_count),
    ]
}

#[test]
fn attacks_do_to_the_numbers_what_they_do_to_the_files() {
    let history = everything();
    // In this order: files, data, changed, new data, random.
    for (kind, expected) in [
        ("enc_full_inplace", [1.0, 1.0, 1.0, 1.0, 1.0]),
        ("enc_20pct_inplace", [1.0, 1.0, 0.2, 0.2, 0.2]),
        ("enc_half_newext", [1.0, 1.0, 0.0, 0.5, 0.5]),
        ("enc_intermittent_50pct", [1.0, 1.0, 0.5, 0.25, 0.0]),
        ("enc_base64_40pct", [1.0, 1.13, 0.4, 0.53, 0.0]),
        ("rename_80pct", [1.0, 1.0, 0.0, 0.0, 0.0]),
        ("delete_80pct", [0.2, 0.2, 0.0, 0.0, 0.0]),
        ("truncate_all", [1.0, 0.0, 1.0, 0.0, 0.0]),
        ("wipe_zeros_all", [1.0, 1.0, 1.0, 0.0, 0.0]),
        ("archive_then_delete_50pct", [0.5, 0.9, 0.0, 0.45, 0.0]),
        ("exfil_archive", [1.0, 1.9, 0.0, 0.9, 0.0]),
        ("bloat_x3", [3.0, 3.0, 0.0, 0.0, 0.0]),
        ("benign_touch_all", [1.0, 1.0, 1.0, 0.0, 0.0]),
        ("policy_shrink", [0.6, 0.6, 0.0, 0.0, 0.0]),
        ("source_empty", [0.0, 0.0, 0.0, 0.0, 0.0]),
    ] {
        let found = shares(&history, kind);
        for (found, expected) in found.iter().zip(expected) {
            // Files differ in size, and the client goes on working.
            assert!(
                (found - expected).abs() < 0.15,
                "{kind}: {found:.2}, not {expected}"
            );
        }
    }
    let largest = shares(&history, "enc_largest_5pct");
    assert!(largest[2] < 0.1 && largest[3] > 0.3, "{largest:.2?}");
}

#[test]
fn every_scenario_has_its_turn_and_a_right_name() {
    let history = everything();
    let mut kinds: Vec<&str> = history.branches.iter().map(Branch::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), SCENARIOS);
    for branch in &history.branches {
        let named = naming(branch.family(), branch.kind()).is_some();
        assert_eq!(named, branch.family() != "benign", "{}", branch.kind());
    }
}

#[test]
fn slow_attacks_touch_a_fresh_share_each_time_until_much_is_touched() {
    let history = everything();
    let (before, branch) = branch(&history, "delete_2pct_constant");
    assert_eq!(branch.jobs.len(), 23);
    assert!(
        branch
            .labels
            .iter()
            .all(|label| label.label == JobLabel::Attack)
    );
    let total = |at: usize| {
        let size = branch.labels[at].severity.as_ref().unwrap();
        size.more["frac_total"].as_f64().unwrap()
    };
    assert!((total(0) - 0.02).abs() < 0.002 && (total(22) - 0.46).abs() < 0.01);
    // The client has made new files meanwhile.
    let left = branch.jobs[22].image().file_count.unwrap() as f64;
    let share = left / before.file_count.unwrap() as f64;
    assert!((0.5..0.65).contains(&share), "{share}");
}

#[test]
fn faults_are_in_the_jobs() {
    let history = everything();
    let first = |kind| &branch(&history, kind).1.jobs[0];
    assert_eq!(first("job_killed").status(), JobStatus::Failed);
    assert_eq!(first("partial_read_errors").status(), JobStatus::Partial);
    let gap = |kind| {
        let branch = branch(&history, kind).1;
        let before = &history.jobs[branch.prefix_jobs - 1];
        (branch.jobs[0].started_at() - before.started_at()).num_hours()
    };
    assert!((6 * 24 - 1..=6 * 24 + 1).contains(&gap("missed_5")));
    assert!((-39 * 24 - 1..=-39 * 24 + 1).contains(&gap("clock_back_40d")));
    let throttled = first("throttle_x5").duration_seconds().unwrap();
    let usual = history.jobs[30].duration_seconds().unwrap();
    assert!(throttled > 3.0 * usual, "{throttled} beside {usual}");
}
