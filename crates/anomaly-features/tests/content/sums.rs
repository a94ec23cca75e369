//! The files of a job, added up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use anomaly_features::SuspiciousExtensions;
use anomaly_features::content::{
    ExtensionMix, FileObservation, FileStatistics, FilesSeen, Inspected, Inspection, Nature,
    StoredStatistics, extension_of,
};
use anomaly_model::chrono::DateTime;
use anomaly_model::{BackupJob, FileChange, FileInspection, FileReason};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::data::{BASE_64, SAMPLINGS, encrypted_where, examined, file, in_base, random, text};

/// Statistics of bytes of every nature.
static FOUND: LazyLock<Vec<FileStatistics>> = LazyLock::new(|| {
    let cipher = random(1, 40_000);
    let plain = text(40_000);
    let half = encrypted_where(2, &plain, |at| at < 20_000);
    let files: [&[u8]; 9] = [
        b"",
        &plain,
        &cipher,
        &in_base(BASE_64, 6, &cipher),
        &half,
        &cipher[..70],
        file("source.gz"),
        file("document.docx"),
        file("paper.pdf"),
    ];
    files
        .iter()
        .map(|bytes| examined(bytes, SAMPLINGS[0]))
        .collect()
});

/// What [`FileObservation`] borrows.
#[derive(Debug, Clone)]
struct Seen {
    path: String,
    previous_path: Option<String>,
    change: FileChange,
    size_bytes: Option<u64>,
    size_bytes_before: Option<u64>,
    seconds: Option<i64>,
    same_time: bool,
    permissions: Option<u32>,
    found: Option<usize>,
    before: Option<usize>,
}

impl Seen {
    fn observation(&self) -> FileObservation<'_> {
        let mut file = FileObservation::new(&self.path, self.change);
        file.previous_path = self.previous_path.as_deref();
        file.size_bytes = self.size_bytes;
        file.size_bytes_before = self.size_bytes_before;
        file.accessed_seconds = self.seconds;
        file.changed_seconds = self.seconds;
        file.modified_seconds = self.seconds;
        file.modified_seconds_before = self.seconds.filter(|_| self.same_time);
        file.permissions = self.permissions;
        file.statistics = self.found.map(|found| &FOUND[found]);
        file.before = self.before.map(|before| FOUND[before].stored());
        file
    }

    fn is_written(&self) -> bool {
        use FileChange::{Changed, New, Renamed};
        matches!(self.change, New | Changed | Renamed)
    }
}

fn names() -> impl Strategy<Value = String> {
    select(vec![
        "a.txt",
        "b.TXT",
        "c",
        "d.docx",
        "e.jpg.lockbit",
        "f.akira",
        "HOW_TO_DECRYPT.txt",
        "g.17",
        "h.18",
        "README.txt",
        "._i.jpg",
        "j.größe",
    ])
    .prop_map(str::to_owned)
}

fn sizes() -> impl Strategy<Value = Option<u64>> {
    option::of(prop_oneof![
        Just(0),
        1..9_u64,
        5_000..5_020_u64,
        any::<u64>()
    ])
}

fn seen() -> impl Strategy<Value = Seen> {
    let index = || option::of(0..9_usize);
    (
        (
            names(),
            option::weighted(0.2, names()),
            select(FileChange::ALL),
        ),
        (
            sizes(),
            sizes(),
            option::of(any::<i64>()),
            any::<bool>(),
            option::of(any::<u32>()),
        ),
        (index(), index()),
    )
        .prop_map(
            |((path, previous_path, change), (size, before, seconds, same, mode), (found, old))| {
                Seen {
                    path,
                    previous_path,
                    change,
                    size_bytes: size,
                    size_bytes_before: before,
                    seconds,
                    same_time: same,
                    permissions: mode,
                    found,
                    before: old,
                }
            },
        )
}

/// Files with a directory of their own each, so that no path comes twice.
fn files() -> impl Strategy<Value = Vec<Seen>> {
    vec(seen(), 0..60).prop_map(|mut files| {
        for (number, file) in files.iter_mut().enumerate() {
            file.path = format!("{number:02}/{}", file.path);
        }
        files
    })
}

fn before() -> ExtensionMix {
    let mut mix = ExtensionMix::default();
    for extension in ["txt", "txt", "docx", "1", ""] {
        mix.add(extension);
    }
    mix
}

fn inspection() -> Arc<Inspection> {
    let inspection = Inspection::new()
        .started_at_seconds(1_000_000)
        .extensions_before(before());
    Arc::new(inspection)
}

fn added_up<'a>(
    inspection: &Arc<Inspection>,
    files: impl IntoIterator<Item = &'a Seen>,
) -> FilesSeen {
    let mut sums = FilesSeen::new(Arc::clone(inspection));
    for file in files {
        sums.observe(&file.observation());
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Neither the order of files nor who saw them nor the order of merging changes a bit.
    #[test]
    fn order_changes_nothing(files in files(), threads in vec(0..3_usize, 60), order in Just([0, 1, 2]).prop_shuffle()) {
        let inspection = inspection();
        let expected = added_up(&inspection, &files).finish();
        let backwards = added_up(&inspection, files.iter().rev()).finish();
        prop_assert_eq!(&backwards, &expected);
        let mut merged = FilesSeen::new(Arc::clone(&inspection));
        for thread in order {
            let mine = files.iter().zip(&threads).filter(|(_, of)| **of == thread);
            merged.merge(added_up(&inspection, mine.map(|(file, _)| file)));
        }
        prop_assert_eq!(merged.finish(), expected);
    }

    /// Each number is what its definition says, counted anew.
    #[test]
    fn numbers_are_those_of_a_naive_count(files in files()) {
        let job = added_up(&inspection(), &files).finish();
        check_counts(&files, &job)?;
        check_content(&files, &job)?;
        check_inspection(&files, &job)?;
        // The record that a job is written with takes it.
        BackupJob::builder("walk", "1", "c", "p", DateTime::UNIX_EPOCH)
            .image(job.image)
            .inspection(job.files)
            .build()
            .unwrap();
    }
}

/// A number that is always told.
#[allow(clippy::unnecessary_wraps, reason = "compared with an optional number")]
fn count(files: &[Seen], which: impl Fn(&Seen) -> bool) -> Option<u64> {
    Some(files.iter().filter(|file| which(file)).count() as u64)
}

/// A number that is always told.
#[allow(clippy::unnecessary_wraps, reason = "compared with an optional number")]
fn sum(files: &[Seen], of: impl Fn(&Seen) -> Option<u64>) -> Option<u64> {
    Some(files.iter().filter_map(of).fold(0, u64::saturating_add))
}

fn check_counts(files: &[Seen], job: &Inspected) -> Result<(), TestCaseError> {
    use FileChange::{Changed, Deleted, New, Renamed, Unmodified};
    let image = &job.image;
    let is = |changes: &'static [FileChange]| move |file: &Seen| changes.contains(&file.change);
    prop_assert_eq!(
        image.file_count,
        count(files, |file| file.change != Deleted)
    );
    prop_assert_eq!(image.files_new, count(files, is(&[New, Renamed])));
    prop_assert_eq!(image.files_changed, count(files, is(&[Changed])));
    prop_assert_eq!(image.files_unmodified, count(files, is(&[Unmodified])));
    prop_assert_eq!(image.files_deleted, count(files, is(&[Deleted, Renamed])));
    let bytes = sum(files, |file| {
        file.size_bytes.filter(|_| file.change != Deleted)
    });
    prop_assert_eq!(image.image_bytes, bytes);
    prop_assert_eq!(image.transferred_bytes, None);
    Ok(())
}

fn check_content(files: &[Seen], job: &Inspected) -> Result<(), TestCaseError> {
    let content = job.image.content.unwrap();
    let found = |file: &Seen| file.found.map(|found| &FOUND[found]);
    let examined = |wanted: &[FileChange]| -> Vec<(&Seen, &FileStatistics)> {
        let of = files.iter().filter(|file| wanted.contains(&file.change));
        of.filter_map(|file| Some((file, found(file)?)))
            .filter(|(_, found)| found.examined_bytes > 0)
            .collect()
    };
    let new = examined(&[FileChange::New, FileChange::Renamed]);
    let changed = examined(&[FileChange::Changed]);
    let all: Vec<_> = new.iter().chain(&changed).copied().collect();
    let mean = |numbers: Vec<f64>| {
        let count = numbers.len() as f64;
        (count > 0.0).then(|| numbers.iter().sum::<f64>() / count)
    };
    let entropy = |files: &[(&Seen, &FileStatistics)]| -> Vec<f64> {
        files.iter().map(|(_, found)| found.entropy_bits).collect()
    };
    let near = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-6,
        (one, other) => one == other,
    };
    prop_assert!(near(content.mean_entropy_bits, mean(entropy(&all))));
    prop_assert!(near(content.mean_entropy_bits_new, mean(entropy(&new))));
    prop_assert!(near(
        content.mean_entropy_bits_changed,
        mean(entropy(&changed))
    ));
    let deltas = changed.iter().filter_map(|(file, found)| {
        let before = &FOUND[file.before?];
        (before.examined_bytes > 0).then(|| found.entropy_bits - before.stored().entropy_bits())
    });
    prop_assert!(near(
        content.entropy_delta_bits_changed,
        mean(deltas.collect())
    ));
    let deviation = mean(entropy(&all)).map(|centre| {
        let squares = entropy(&all)
            .iter()
            .map(|bits| (bits - centre).powi(2))
            .collect();
        mean(squares).unwrap().sqrt()
    });
    // A square root of what is near 0 by cancellation.
    let gap = content
        .entropy_sd_bits
        .zip(deviation)
        .map(|(one, other)| (one - other).abs());
    prop_assert!(gap.unwrap_or(0.0) < 1e-3);
    let high = |files: &[(&Seen, &FileStatistics)]| {
        mean(
            entropy(files)
                .iter()
                .map(|bits| f64::from(u8::from(*bits > 7.9)))
                .collect(),
        )
    };
    prop_assert!(near(content.high_entropy_share_new, high(&new)));
    prop_assert!(near(content.high_entropy_share_changed, high(&changed)));
    let size = |file: &Seen| file.size_bytes.unwrap_or(0);
    let sized: f64 = all.iter().map(|(file, _)| size(file) as f64).sum();
    let printable: f64 = all
        .iter()
        .map(|(file, found)| size(file) as f64 * found.printable_share)
        .sum();
    // Sums of sizes beyond all numbers stop there; a byte a file is lost in rounding.
    if sized > 0.0 && sized < u64::MAX as f64 {
        let share = content.printable_share.unwrap();
        prop_assert!((share - printable / sized).abs() <= all.len() as f64 / sized + 1e-9);
    }
    let written = sum(files, |file| file.size_bytes.filter(|_| file.is_written()));
    prop_assert_eq!(content.written_bytes, written);
    let gone = |file: &Seen| {
        file.size_bytes_before
            .filter(|_| !matches!(file.change, FileChange::New | FileChange::Unmodified))
    };
    prop_assert_eq!(content.deleted_bytes, sum(files, gone));
    let emptied = count(files, |file| {
        file.is_written() && file.size_bytes == Some(0)
    });
    prop_assert_eq!(content.emptied_files, emptied);
    let known = ["txt", "docx", ""];
    let is_unseen = |file: &Seen| {
        let extension = extension_of(&file.path).to_lowercase();
        let number = extension.bytes().all(|byte| byte.is_ascii_digit());
        matches!(file.change, FileChange::New | FileChange::Renamed)
            && !known.contains(&extension.as_str())
            && !number
    };
    prop_assert_eq!(content.unseen_extension_files, count(files, is_unseen));
    prop_assert_eq!(content.renamed_files, Some(renamed(files)));
    Ok(())
}

/// Files that are known to be renamed, and pairs of equal sizes of 4,096 bytes or more of which as
/// many came as went.
fn renamed(files: &[Seen]) -> u64 {
    let mut sizes: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let mut known = 0;
    for file in files {
        match file.change {
            FileChange::New if file.previous_path.is_none() => {
                sizes.entry(file.size_bytes.unwrap_or(0)).or_default().0 += 1;
            }
            FileChange::Deleted => {
                sizes
                    .entry(file.size_bytes_before.unwrap_or(0))
                    .or_default()
                    .1 += 1;
            }
            FileChange::New | FileChange::Renamed => {
                let same = file.size_bytes.is_some() && file.size_bytes == file.size_bytes_before;
                known += u64::from(same);
            }
            _ => {}
        }
    }
    let paired =
        |(size, (new, gone)): (&u64, &(u64, u64))| *size >= 4_096 && new == gone && *new <= 8;
    known
        + sizes
            .iter()
            .filter(|pair| paired(*pair))
            .map(|(_, (new, _))| new)
            .sum::<u64>()
}

fn check_inspection(files: &[Seen], job: &Inspected) -> Result<(), TestCaseError> {
    let inspection = &job.files;
    let nature = |file: &Seen| {
        file.found
            .filter(|_| file.is_written())
            .map(|found| FOUND[found].nature)
    };
    prop_assert_eq!(inspection.written_files, count(files, Seen::is_written));
    prop_assert_eq!(
        inspection.partly_random_files,
        count(files, |file| nature(file) == Some(Nature::PartlyRandom))
    );
    prop_assert_eq!(
        inspection.encoded_files,
        count(files, |file| matches!(
            nature(file),
            Some(Nature::Encoded(_))
        ))
    );
    let is_note = |file: &Seen| file.is_written() && file.path.contains("HOW_TO_DECRYPT");
    prop_assert_eq!(inspection.ransom_note_files, count(files, is_note));
    let mut extensions: BTreeMap<String, u64> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_written()) {
        *extensions
            .entry(extension_of(&file.path).to_lowercase())
            .or_default() += 1;
    }
    prop_assert_eq!(&inspection.written_extensions, &extensions);
    let histograms = inspection.attributes.as_ref().unwrap();
    let total = |ranges: &[u64]| Some(ranges.iter().sum::<u64>());
    prop_assert_eq!(total(&histograms.extension), count(files, Seen::is_written));
    prop_assert_eq!(
        total(&histograms.size),
        count(files, |file| file.is_written() && file.size_bytes.is_some())
    );
    prop_assert_eq!(
        total(&histograms.access_age),
        count(files, |file| file.is_written() && file.seconds.is_some())
    );
    prop_assert_eq!(
        total(&histograms.permission),
        count(files, |file| file.is_written()
            && file.permissions.is_some())
    );

    // Named files are written ones, or one that has the size of a vanished one; each once.
    let paths: BTreeSet<_> = inspection
        .notable_files
        .iter()
        .map(|file| &file.path)
        .collect();
    prop_assert_eq!(paths.len(), inspection.notable_files.len());
    for notable in &inspection.notable_files {
        let file = files.iter().find(|file| file.path == notable.path).unwrap();
        prop_assert!(file.is_written() && !notable.reasons.is_empty());
        let has = |reason| notable.reasons.contains(&reason);
        prop_assert_eq!(has(FileReason::RansomNote), is_note(file));
        let family = SuspiciousExtensions::default().family_of(extension_of(&file.path));
        prop_assert_eq!(has(FileReason::SuspiciousExtension), family.is_some());
    }
    Ok(())
}

/// Notes lie in every directory; of twenty files that are named, four are.
#[test]
fn notes_leave_room_for_what_they_are_about() {
    let inspection = inspection();
    let mut files = FilesSeen::new(Arc::clone(&inspection));
    for number in 0..100 {
        let note = format!("{number:03}/HOW_TO_RESTORE_FILES.txt");
        files.observe(&FileObservation::new(&note, FileChange::New));
        let path = format!("{number:03}/a.txt");
        let mut file = FileObservation::new(&path, FileChange::Changed);
        file.size_bytes = Some(40_000 + number);
        file.size_bytes_before = Some(40_000);
        file.statistics = Some(&FOUND[2]);
        file.before = Some(FOUND[1].stored());
        files.observe(&file);
    }
    let notable = files.clone().finish().files.notable_files;
    assert_eq!(notable.len(), FileInspection::MOST_FILES);
    let notes = notable.iter().filter(|file| file.path.contains("RESTORE"));
    assert_eq!(notes.count(), 4);
    // The largest of files that are equal otherwise.
    let first = notable
        .iter()
        .find(|file| file.path.ends_with("a.txt"))
        .unwrap();
    assert_eq!(first.path, "099/a.txt");
    assert_eq!(
        first.reasons,
        [
            FileReason::ContradictsType,
            FileReason::LooksRandom,
            FileReason::EntropyRose
        ]
    );
    assert!(first.entropy_bits.unwrap() > 7.9 && first.entropy_bits_before.unwrap() < 6.0);
}

/// What every client has on every day is not notable.
#[test]
fn an_ordinary_day_names_nothing() {
    let mut files = FilesSeen::new(inspection());
    for (number, (name, found)) in [(1, "a.txt"), (6, "b.gz"), (7, "c.docx"), (8, "d.pdf")]
        .map(|(found, name)| (name, &FOUND[found]))
        .into_iter()
        .enumerate()
    {
        let mut file = FileObservation::new(name, FileChange::Changed);
        file.size_bytes = Some(found.size_bytes);
        file.statistics = Some(found);
        file.before = Some(found.stored());
        files.observe(&file);
        let mut file = FileObservation::new("", FileChange::Deleted);
        file.size_bytes_before = Some(30_000 + number as u64);
        files.observe(&file);
    }
    let job = files.finish();
    assert_eq!(job.image.content.unwrap().random_files, Some(0));
    assert_eq!(job.files.contradicting_files, Some(0));
    assert_eq!(job.files.notable_files, []);
}

/// The mix of extensions before and after, and what it says.
#[test]
fn the_mix_of_extensions_is_compared() {
    let mut files = FilesSeen::new(inspection());
    for path in ["a.txt", "b.lockbit", "c.lockbit", "d.docx"] {
        files.observe(&FileObservation::new(path, FileChange::Unmodified));
    }
    let job = files.finish();
    let content = job.image.content.unwrap();
    assert_eq!(content.extension_count, Some(3));
    // Before: 2 txt, 1 docx, 1 number, 1 without; after: 1 txt, 2 lockbit, 1 docx.
    assert!((content.extension_shift.unwrap() - 0.55).abs() < 1e-12);
    // What was ever seen stays seen.
    assert!(job.extensions.has_seen("lockbit") && job.extensions.has_seen("99"));
    assert!(!job.extensions.has_seen("akira"));
    let stored = postcard::to_stdvec(&job.extensions).unwrap();
    assert_eq!(
        postcard::from_bytes::<ExtensionMix>(&stored).unwrap(),
        job.extensions
    );
}

/// Numbers in an extension tell no kinds of files apart, and name no kind that was never seen.
#[test]
fn numbers_in_an_extension_count_as_one() {
    let mut mix = ExtensionMix::default();
    for extension in ["com,S=4542,W=4642:2,S", "2026-11-25", "mp3", "lockbit"] {
        mix.add(extension);
    }
    for seen in ["COM,S=998,W=10012:2,S", "2026-12-01", "LockBit"] {
        assert!(mix.has_seen(seen), "{seen}");
    }
    for new in [
        "com,S=998,W=10012:2,T",
        "mp4",
        "mp33",
        "lockbit3",
        "lockbit30",
    ] {
        assert!(!mix.has_seen(new), "{new}");
    }
    assert_eq!(mix.extension_count(), 4);
}

/// A word of its own for each number, without digits.
fn in_letters(prefix: &str, number: usize) -> String {
    let digits = number.to_string();
    let letters = digits.bytes().map(|digit| char::from(digit - b'0' + b'a'));
    prefix.chars().chain(letters).collect()
}

/// More extensions than are kept hide new ones only as long as they are there.
#[test]
fn a_night_of_too_many_extensions_passes() {
    let night = |before: ExtensionMix, more: std::ops::Range<usize>, prefix: &str| {
        let inspection = Inspection::new().extensions_before(before);
        let mut files = FilesSeen::new(Arc::new(inspection));
        for extension in ["txt", "docx"] {
            let path = format!("a.{extension}");
            files.observe(&FileObservation::new(&path, FileChange::Unmodified));
        }
        for number in more {
            let path = format!("b.{}", in_letters(prefix, number));
            files.observe(&FileObservation::new(&path, FileChange::New));
        }
        files.finish()
    };
    let unseen = |job: &Inspected| job.image.content.unwrap().unseen_extension_files;
    let flooded = night(before(), 0..4 * ExtensionMix::MOST_EXTENSIONS, "x");
    let meanwhile = night(flooded.extensions.clone(), 0..1_000, "y");
    assert!(unseen(&meanwhile) < Some(400), "{:?}", unseen(&meanwhile));
    let after = night(flooded.extensions, 0..0, "");
    let attacked = night(after.extensions, 0..1_000, "y");
    assert_eq!(unseen(&attacked), Some(1_000));
    // What files have is remembered before what some had once.
    assert!(attacked.extensions.has_seen("txt") && attacked.extensions.has_seen("yb"));
}

/// More extensions than are kept, a new one for each file, take no more memory, and numbers hold.
#[test]
fn more_extensions_than_are_kept() {
    let most = ExtensionMix::MOST_EXTENSIONS;
    let mut halves = [ExtensionMix::default(), ExtensionMix::default()];
    for number in 0..4 * most {
        halves[number % 2].add(&in_letters("x", number));
    }
    let [mut mix, other] = halves.clone();
    mix.merge(other);
    let count = mix.extension_count() as f64 / (4 * most) as f64;
    assert!((0.95..1.05).contains(&count), "{count}");
    let [one, mut other] = halves;
    other.merge(one);
    assert_eq!(mix, other);
    let stored = postcard::to_stdvec(&mix).unwrap();
    assert!(stored.len() < 16 * most);
    assert_eq!(postcard::from_bytes::<ExtensionMix>(&stored).unwrap(), mix);
    // It cannot be said of one that was not kept that it was never seen.
    let mut new = (0..1_000).map(|number| mix.has_seen(&in_letters("y", number)));
    assert!(new.any(|seen| seen) && new.any(|seen| !seen));
    assert_eq!(mix.shift(&mix), Some(0.0));
}

/// A whole tree renamed: more sizes than are kept.
#[test]
fn a_renamed_tree_is_counted() {
    let files: u64 = 200_000;
    let mut sums = FilesSeen::new(Arc::new(Inspection::new()));
    for number in 0..files {
        let size = Some(10_000 + number * 7);
        let mut old = FileObservation::new("", FileChange::Deleted);
        old.size_bytes_before = size;
        sums.observe(&old);
        let path = format!("{number}.new");
        let mut new = FileObservation::new(&path, FileChange::New);
        new.size_bytes = size;
        sums.observe(&new);
    }
    let job = sums.finish();
    let renamed = job.image.content.unwrap().renamed_files.unwrap() as f64 / files as f64;
    assert!((0.98..1.02).contains(&renamed), "{renamed}");
    let named = job.files.notable_files;
    assert_eq!(named.len(), FileInspection::MOST_FILES);
    assert!(
        named
            .iter()
            .all(|file| file.reasons == [FileReason::Renamed])
    );
}

/// Three bytes keep what is needed.
#[test]
fn three_bytes_keep_the_nature() {
    let stored: BTreeSet<[u8; 3]> = FOUND
        .iter()
        .map(|found| found.stored().to_bytes())
        .collect();
    assert_eq!(stored.len(), FOUND.len());
    for bytes in stored {
        assert_eq!(
            StoredStatistics::from_bytes(bytes).unwrap().to_bytes(),
            bytes
        );
    }
}
