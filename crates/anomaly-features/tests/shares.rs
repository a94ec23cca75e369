//! What part of the data a job affected, for every job and for known ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

use anomaly_features::{AffectedShares, Previous, Share, Usual};
use anomaly_model::chrono::DateTime;
use anomaly_model::{BackupImage, BackupJob, ContentStatistics, ScheduleType};
use proptest::option;
use proptest::prelude::*;

fn job(image: BackupImage) -> BackupJob {
    BackupJob::builder("restic", "1", "c", "p", DateTime::UNIX_EPOCH)
        .image(image)
        .build()
        .unwrap()
}

fn shares(before: BackupImage, now: BackupImage, usual: &Usual) -> AffectedShares {
    AffectedShares::of(&job(now), Some(&Previous::of(&job(before))), usual)
}

/// Numbers of any image, by a strategy for bytes and one for counts; each may be missing.
fn image_of(
    bytes: impl Strategy<Value = u64> + Clone + 'static,
    count: impl Strategy<Value = u64> + Clone + 'static,
) -> impl Strategy<Value = BackupImage> {
    let bytes = move || option::weighted(0.8, bytes.clone());
    let count = move || option::weighted(0.8, count.clone());
    let content = (
        count(),
        count(),
        option::of(0.0..=8.0_f64),
        option::of(-8.0..=8.0_f64),
    );
    let ratio = option::weighted(0.1, 0.0..=1.0_f64);
    (
        (bytes(), bytes(), bytes(), ratio),
        (count(), count(), count(), count()),
        option::weighted(0.8, content),
    )
        .prop_map(|((image, sent, stored, ratio), files, content)| {
            BackupImage::default()
                .image_bytes(image)
                .transferred_bytes(sent)
                .stored_bytes(stored)
                .dedup_ratio(ratio)
                .file_count(files.0)
                .files_new(files.1)
                .files_changed(files.2)
                .files_deleted(files.3)
                .content(content.map(|(random, unseen, mean, delta)| {
                    ContentStatistics::default()
                        .random_files(random)
                        .unseen_extension_files(unseen)
                        .mean_entropy_bits_changed(mean)
                        .entropy_delta_bits_changed(delta)
                }))
        })
}

fn wild_number() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![Just(0), 0..5_000_u64, any::<u64>(), Just(u64::MAX)]
}

fn usual() -> impl Strategy<Value = Usual> {
    let whole = option::of((wild_number(), wild_number()));
    (option::of(0.0..3.0_f64), whole)
        .prop_map(|(compression, whole)| Usual::new(compression, whole))
}

/// The fields of a job that a share takes, beside the number of files.
fn inputs(share: Share) -> &'static [&'static str] {
    match share {
        Share::Rewritten | Share::Duplicated => &["image_bytes", "transferred_bytes"],
        Share::Touched => &["files_new", "files_changed", "files_deleted"],
        Share::Overwritten => &[
            "image_bytes",
            "transferred_bytes",
            "files_new",
            "files_changed",
            "files_deleted",
        ],
        Share::OverwrittenDense => &[
            "image_bytes",
            "transferred_bytes",
            "stored_bytes",
            "files_new",
            "files_changed",
            "files_deleted",
        ],
        Share::Replaced => &["files_new", "files_deleted"],
        Share::Grown | Share::LostBytes => &["image_bytes"],
        Share::Lost => &["image_bytes", "file_count"],
        Share::GrownDense => &[
            "image_bytes",
            "file_count",
            "transferred_bytes",
            "stored_bytes",
        ],
        Share::GrownRandom => &["image_bytes", "file_count", "random_files"],
        Share::Random => &["random_files"],
        Share::EntropyRise | Share::EntropyFall => &[
            "files_changed",
            "entropy_delta_bits_changed",
            "mean_entropy_bits_changed",
        ],
        Share::UnseenKinds => &["unseen_extension_files"],
        other => unreachable!("{other:?} is a share that this test does not know"),
    }
}

/// Whether a job reports the field.
fn reports(image: &BackupImage, field: &str) -> bool {
    let content = image.content.unwrap_or_default();
    // Where the changed files were looked at and there were none, none changed its entropy.
    let none_changed = image.content.is_some() && image.files_changed == Some(0);
    match field {
        "image_bytes" => image.image_bytes.is_some(),
        // The deduplication ratio tells what was sent.
        "transferred_bytes" => image
            .transferred_bytes
            .or(image.dedup_ratio.map(|_| 0))
            .is_some(),
        "stored_bytes" => image.stored_bytes.is_some(),
        "file_count" => image.file_count.is_some(),
        "files_new" => image.files_new.is_some(),
        "files_changed" => image.files_changed.is_some(),
        // The numbers of files before and after tell what is gone, unless all of them are new.
        "files_deleted" => image.files_deleted.is_some() || image.file_count > image.files_new,
        "random_files" => content.random_files.is_some(),
        "unseen_extension_files" => content.unseen_extension_files.is_some(),
        "mean_entropy_bits_changed" => none_changed || content.mean_entropy_bits_changed.is_some(),
        "entropy_delta_bits_changed" => {
            none_changed || content.entropy_delta_bits_changed.is_some()
        }
        other => unreachable!("{other} is an input that this test does not know"),
    }
}

proptest! {
    /// Whatever is reported, a share is a part of the whole.
    #[test]
    fn a_share_is_a_part(
        before in image_of(wild_number(), wild_number()),
        now in image_of(wild_number(), wild_number()),
        usual in usual(),
    ) {
        let shares = shares(before, now, &usual);
        for &share in Share::ALL {
            if let Some(part) = shares.get(share) {
                prop_assert!((0.0..=1.0).contains(&part), "{}: {}", share.name(), part);
            }
        }
    }

    /// Of what was not reported there is no share, not one of 0; and the inputs that a share names
    /// are all that it takes, beside the number of files and what is usual.
    #[test]
    fn what_was_not_reported_is_missing(
        now in image_of(wild_number(), wild_number()),
        before in image_of(wild_number(), wild_number()),
    ) {
        let usual = Usual::new(Some(0.5), None);
        let shares = shares(before, now, &usual);
        let before = before.image_bytes.is_some() && before.file_count.is_some();
        for &share in Share::ALL {
            let complete = inputs(share).iter().all(|input| reports(&now, input));
            if !complete {
                prop_assert_eq!(shares.get(share), None, "{}", share.name());
            }
            let dense = matches!(share, Share::OverwrittenDense | Share::GrownDense);
            let sent = !dense || now.transferred_bytes.is_some();
            let counted = now.file_count.is_some() && now.files_changed.is_some();
            if complete && before && sent && counted {
                prop_assert!(shares.get(share).is_some(), "{}", share.name());
            }
        }
    }

    /// A thousand times the data, or the files, is the same part of the whole.
    #[test]
    fn shares_do_not_depend_on_the_size(
        before in image_of(1_000..1_000_000_000_000_u64, 1..100_000_u64),
        now in image_of(1_000..1_000_000_000_000_u64, 1..100_000_u64),
        (bytes, files) in (1..1_000_u64, 1..1_000_u64),
    ) {
        let usual = Usual::new(Some(0.5), None);
        let small = shares(before, now, &usual);
        let larger = shares(scaled(before, bytes, files), scaled(now, bytes, files), &usual);
        for &share in Share::ALL {
            match (small.get(share), larger.get(share)) {
                (Some(small), Some(larger)) => {
                    prop_assert!((small - larger).abs() < 1e-9, "{}", share.name());
                }
                (small, larger) => prop_assert_eq!(small, larger, "{}", share.name()),
            }
        }
    }
}

fn scaled(image: BackupImage, bytes: u64, files: u64) -> BackupImage {
    let content = image.content.map(|content| {
        content
            .random_files(content.random_files.map(|count| count * files))
            .unseen_extension_files(content.unseen_extension_files.map(|count| count * files))
    });
    image
        .image_bytes(image.image_bytes.map(|size| size * bytes))
        .transferred_bytes(image.transferred_bytes.map(|size| size * bytes))
        .stored_bytes(image.stored_bytes.map(|size| size * bytes))
        .file_count(image.file_count.map(|count| count * files))
        .files_new(image.files_new.map(|count| count * files))
        .files_changed(image.files_changed.map(|count| count * files))
        .files_deleted(image.files_deleted.map(|count| count * files))
        .content(content)
}

const GB: u64 = 1_000_000_000;

/// 10 GB in 10,000 files of which nothing changed.
fn quiet() -> BackupImage {
    BackupImage::default()
        .image_bytes(10 * GB)
        .file_count(10_000)
        .transferred_bytes(0)
        .stored_bytes(0)
        .files_new(0)
        .files_changed(0)
        .files_deleted(0)
        .content(written(0, 0))
}

fn written(random: u64, unseen: u64) -> ContentStatistics {
    ContentStatistics::default()
        .random_files(random)
        .unseen_extension_files(unseen)
}

/// Known jobs after an image of 10 GB in 10,000 files, in a stream whose data usually halve when
/// they are compressed: every share that is not named is 0.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn known_jobs_have_known_shares() {
    type Case = (&'static str, BackupImage, &'static [(Share, f64)]);
    const THIRD: f64 = 1.0 / 3.0;
    use Share::{
        Duplicated, EntropyRise, Grown, GrownDense, GrownRandom, Lost, LostBytes, Overwritten,
        OverwrittenDense, Random, Replaced, Rewritten, Touched, UnseenKinds,
    };
    let sent =
        |image: BackupImage, sent, stored| image.transferred_bytes(sent).stored_bytes(stored);
    let rose = written(2_000, 0)
        .mean_entropy_bits_changed(8.0)
        .entropy_delta_bits_changed(3.0);
    let cases: &[Case] = &[
        ("nothing", quiet(), &[]),
        (
            "encryption in place",
            sent(quiet(), 2 * GB, 2 * GB)
                .files_changed(2_000)
                .content(rose),
            &[
                (Rewritten, 0.2),
                (Touched, 0.2),
                (Overwritten, 0.2),
                (OverwrittenDense, 0.2),
                (Random, 0.2),
                (EntropyRise, 0.2),
            ],
        ),
        (
            "encryption under new names",
            sent(quiet(), 2 * GB, 2 * GB)
                .files_new(2_000)
                .files_deleted(2_000)
                .content(written(2_000, 2_000)),
            &[
                (Rewritten, 0.2),
                (Touched, 0.2),
                (Replaced, 0.2),
                (Overwritten, 0.2),
                (OverwrittenDense, 0.2),
                (Random, 0.2),
                (UnseenKinds, 0.2),
            ],
        ),
        (
            "encryption of the first block of each file, sent as blocks",
            sent(quiet(), GB / 10, GB / 10)
                .files_changed(2_000)
                .content(rose.entropy_delta_bits_changed(0.0)),
            &[
                (Rewritten, 0.01),
                (Touched, 0.2),
                (Overwritten, 0.01),
                (OverwrittenDense, 0.01),
                (Random, 0.2),
            ],
        ),
        (
            "an edit that compresses as ever",
            sent(quiet(), 2 * GB, GB)
                .files_changed(2_000)
                .content(rose.random_files(0).entropy_delta_bits_changed(0.0)),
            &[(Rewritten, 0.2), (Touched, 0.2), (Overwritten, 0.2)],
        ),
        (
            "a touch of every file",
            quiet()
                .files_changed(10_000)
                .content(rose.random_files(0).entropy_delta_bits_changed(0.0)),
            &[(Touched, 1.0)],
        ),
        (
            "a copy",
            quiet()
                .image_bytes(15 * GB)
                .file_count(15_000)
                .files_new(5_000),
            &[(Grown, THIRD), (Duplicated, THIRD)],
        ),
        (
            "an import",
            sent(quiet(), 5 * GB, 5 * GB / 2)
                .image_bytes(15 * GB)
                .file_count(15_000)
                .files_new(5_000),
            &[(Grown, THIRD)],
        ),
        (
            "an archive",
            sent(quiet(), 5 * GB, 5 * GB)
                .image_bytes(15 * GB)
                .file_count(10_000)
                // No other file was touched: of the files, it is none.
                .content(written(1, 0)),
            &[(Grown, THIRD), (GrownDense, THIRD), (GrownRandom, THIRD)],
        ),
        (
            "a deletion",
            quiet()
                .image_bytes(6 * GB)
                .file_count(6_000)
                .files_deleted(4_000),
            &[(LostBytes, 0.4), (Lost, 0.4)],
        ),
        (
            "one large file deleted",
            quiet()
                .image_bytes(6 * GB)
                .file_count(9_999)
                .files_deleted(1),
            &[(LostBytes, 0.4), (Lost, 0.0001)],
        ),
        (
            "what is left after a deletion is sent again",
            sent(quiet(), GB, GB / 2)
                .image_bytes(GB)
                .file_count(1_000)
                .files_deleted(9_000),
            &[(LostBytes, 0.9), (Lost, 0.9), (Rewritten, 0.2)],
        ),
    ];
    let usual = Usual::new(Some(0.5), None);
    for (name, now, expected) in cases {
        let shares = shares(quiet(), *now, &usual);
        for &share in Share::ALL {
            let expected = expected.iter().find(|(named, _)| *named == share);
            let expected = expected.map_or(0.0, |(_, part)| *part);
            let found = shares
                .get(share)
                .unwrap_or_else(|| panic!("{name}: {}", share.name()));
            assert!(
                (found - expected).abs() < 1e-9,
                "{name}: {} is {found}, not {expected}",
                share.name()
            );
        }
    }
}

/// In a stream whose images hold everything at times, changes are parts of everything.
#[test]
fn changes_are_parts_of_the_whole() {
    let changes = |bytes, files| {
        quiet()
            .image_bytes(bytes)
            .transferred_bytes(bytes)
            .file_count(files)
            .files_changed(files)
    };
    let usual = Usual::new(Some(0.5), Some((10 * GB, 10_000)));
    let shares = shares(changes(GB, 800), changes(6 * GB / 5, 900), &usual);
    let part = |share| shares.get(share).unwrap();
    assert!((part(Share::Rewritten) - 0.1).abs() < 1e-9);
    assert!((part(Share::Touched) - 0.09).abs() < 1e-9);
    assert!((part(Share::Grown) - 0.02).abs() < 1e-9);
    // What an image of changes lacks is not lost.
    assert_eq!(
        (shares.get(Share::Lost), shares.get(Share::LostBytes)),
        (None, None)
    );
}

/// Without an image to compare with, or of a set of changes, nothing is known; nor of what usual
/// data are like, whether new ones are denser.
#[test]
fn what_cannot_be_compared_is_missing() {
    assert!(AffectedShares::of(&job(quiet()), None, &Usual::default()).is_empty());
    let changes = BackupJob::builder("restic", "1", "c", "p", DateTime::UNIX_EPOCH)
        .schedule_type(ScheduleType::DifferentialIncremental)
        .image(quiet())
        .build()
        .unwrap();
    let previous = Previous::of(&job(quiet()));
    assert!(AffectedShares::of(&changes, Some(&previous), &Usual::default()).is_empty());
    // Data that do not compress anyway tell nothing by not compressing.
    for usual in [None, Some(0.99), Some(1.2)] {
        let shares = shares(quiet(), quiet(), &Usual::new(usual, None));
        assert_eq!(shares.get(Share::OverwrittenDense), None);
        assert_eq!(shares.get(Share::GrownDense), None);
        assert_eq!(shares.get(Share::Overwritten), Some(0.0));
    }
}

/// What is not to be looked at is as good as not reported, but for the number of files, of which the
/// others are parts.
#[test]
fn what_is_left_out_is_missing() {
    let usual = Usual::new(Some(0.5), None);
    let previous = Previous::of(&job(quiet()));
    let without = |image: BackupImage, left_out: &str| {
        AffectedShares::of_visible(&job(image), Some(&previous), &usual, |field| {
            field == left_out
        })
    };
    for field in [
        "transferred_bytes",
        "random_files",
        "entropy_delta_bits_changed",
    ] {
        let shares = without(quiet(), field);
        for &share in Share::ALL {
            let takes = inputs(share).contains(&field);
            assert_eq!(
                shares.get(share).is_none(),
                takes,
                "{field}: {}",
                share.name()
            );
        }
    }
    let shares = without(quiet(), "lost_share");
    assert_eq!(shares.get(Share::Lost), None);
    assert_eq!(shares.get(Share::LostBytes), Some(0.0));
    let shares = without(quiet(), "file_count");
    assert_eq!(shares.get(Share::Lost), None);
    assert_eq!(shares.get(Share::Touched), Some(0.0));
    // A ratio says what was sent, and is left out like that.
    let mut ratio = quiet().dedup_ratio(0.75);
    ratio.transferred_bytes = None;
    assert_eq!(without(ratio, "none").get(Share::Rewritten), Some(0.25));
    assert_eq!(without(ratio, "dedup_ratio").get(Share::Rewritten), None);
    // Numbers of changed files that are wrong do not hide random ones.
    let random = quiet().content(written(9_000, 0));
    assert_eq!(without(random, "none").get(Share::Random), Some(0.0));
    assert_eq!(
        without(random, "files_changed").get(Share::Random),
        Some(0.9)
    );
}

/// A tool that does not count what is gone has told it by the number of files before and after.
#[test]
fn what_was_replaced_is_known_without_the_number_of_what_is_gone() {
    let shares = |usual: &Usual, new: u64, now: u64| {
        let mut image = quiet().file_count(now).files_new(new).files_changed(100);
        image.files_deleted = None;
        let shares = shares(quiet(), image, usual);
        shares.get(Share::Replaced).zip(shares.get(Share::Touched))
    };
    let usual = Usual::default();
    // Renamed, imported, deleted, and a little of each.
    assert_eq!(shares(&usual, 2_000, 10_000), Some((0.2, 0.21)));
    assert_eq!(shares(&usual, 2_500, 12_500), Some((0.0, 0.008)));
    assert_eq!(shares(&usual, 0, 5_000), Some((0.0, 0.02)));
    assert_eq!(shares(&usual, 1_000, 8_000), Some((0.125, 0.1375)));
    // Compared with nothing, or with an image of everything.
    assert_eq!(shares(&usual, 10_000, 10_000), None);
    assert_eq!(shares(&Usual::new(None, Some((GB, 10_000))), 5, 900), None);
}
