//! What kind of anomaly each kind of attack or mishap is called, and how severe it is: by the shares of
//! the data that it hit, and by the levels of numbers where no share is judged.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

mod common;

use AnomalyKind::{
    ContentShift, Growth, MassChange, MassDeletion, MassEncryption, Shrinkage, SlowDrift, Slowdown,
    Unclassified,
};
use Severity::{High, Low, Medium};
use anomaly_engine::{Engine, StreamModel};
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{AnomalyKind, BackupImage, ContentStatistics, Severity, Verdict};
use anomaly_settings::Settings;
use common::{builder, day, job, usual_image};

const BYTES: u64 = 10_000_000_000;
const FILES: u64 = 50_000;

fn content(random_files: u64) -> ContentStatistics {
    ContentStatistics::default().random_files(random_files)
}

/// The same number of bytes and files every day, and nothing else that is not added.
fn sizes() -> BackupImage {
    BackupImage::default().image_bytes(BYTES).file_count(FILES)
}

/// The verdict on the last of some images, the first forty of which are of usual days.
fn last(engine: &Engine, usual: impl Fn(u64) -> BackupImage, then: &[BackupImage]) -> Verdict {
    let mut model = StreamModel::default();
    for number in 0..40 {
        _ = engine.judge(&job(number, usual(number)), &mut model);
    }
    assert!(model.learnt_jobs() > 35);
    let verdicts = (40..).zip(then);
    let verdicts = verdicts.map(|(number, image)| engine.judge(&job(number, *image), &mut model));
    verdicts.last().unwrap()
}

fn called(verdict: &Verdict) -> Option<(AnomalyKind, Severity)> {
    Some((verdict.kind()?, verdict.severity()?))
}

/// A job after forty of one kind, by the shares of the data that it hit.
struct Hit {
    what: &'static str,
    usual: fn(u64) -> BackupImage,
    then: BackupImage,
    expected: (AnomalyKind, Severity),
    /// Part of the sentence.
    says: &'static str,
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn shares_say_what_was_done() {
    let usual_with_content: fn(u64) -> BackupImage =
        |number| usual_image(number).content(content(0));
    // A fifth of the files look random every day.
    let media: fn(u64) -> BackupImage = |number| {
        usual_image(number)
            .files_changed(12_000)
            .content(content(10_000))
    };
    let without_counts: fn(u64) -> BackupImage = |number| {
        sizes()
            .transferred_bytes(100_000_000 + number % 7 * 10_000_000)
            .content(content(0))
    };
    let counts_alone: fn(u64) -> BackupImage = |number| {
        let few = 100 + number % 7 * 10;
        sizes().files_new(5).files_deleted(5).files_changed(few)
    };
    let gone_uncounted: fn(u64) -> BackupImage = |number| {
        let mut image = usual_image(number);
        image.files_deleted = None;
        image
    };
    let looked_into: fn(u64) -> BackupImage = |number| {
        sizes().files_changed(100 + number % 7).content(
            content(0)
                .unseen_extension_files(0)
                .mean_entropy_bits_changed(5.0)
                .entropy_delta_bits_changed(0.0),
        )
    };
    let compressing: fn(u64) -> BackupImage = |number| {
        let usual = usual_image(number);
        usual.stored_bytes(usual.transferred_bytes.unwrap() * 2 / 5)
    };
    let usual_kinds: fn(u64) -> BackupImage =
        |number| usual_image(number).content(content(0).unseen_extension_files(0));
    let replaced_kinds = |unseen| {
        let image = usual_image(40)
            .transferred_bytes(6_000_000_000)
            .files_changed(0);
        let image = image.files_new(30_000).files_deleted(30_000);
        image.content(content(0).unseen_extension_files(unseen))
    };
    let media_kinds: fn(u64) -> BackupImage = |_| {
        let kinds = content(10_000).unseen_extension_files(0);
        sizes().content(kinds)
    };
    let cases = [
        Hit {
            what: "two fifths of files and data gone",
            usual: usual_image,
            then: usual_image(40)
                .image_bytes(6_000_000_000)
                .file_count(30_000),
            expected: (MassDeletion, Medium),
            says: "20078 of 50078 files and 41 % of the data is gone",
        },
        Hit {
            what: "most of the data gone with few files",
            usual: usual_image,
            then: usual_image(40)
                .image_bytes(4_000_000_000)
                .file_count(45_000),
            expected: (Shrinkage, Medium),
            says: "The image shrank: 5078 of 50078 files and 60 % of the data is gone",
        },
        Hit {
            what: "nearly all of the data gone with few files",
            usual: usual_image,
            then: usual_image(40).image_bytes(500_000_000).file_count(45_000),
            expected: (MassDeletion, High),
            says: "mass deletion: 5078 of 50078 files and 95 % of the data is gone",
        },
        Hit {
            what: "three tenths of the image new",
            usual: usual_image,
            then: usual_image(40)
                .image_bytes(14_500_000_000)
                .transferred_bytes(4_600_000_000),
            expected: (Growth, Low),
            says: "grew from 10.1 GB to 14.5 GB",
        },
        Hit {
            what: "half of the image new",
            usual: usual_image,
            then: usual_image(40)
                .image_bytes(21_000_000_000)
                .transferred_bytes(11_000_000_000),
            expected: (Growth, Medium),
            says: "grew from 10.1 GB to 21.0 GB",
        },
        Hit {
            what: "files touched, as far as anyone can tell",
            usual: counts_alone,
            then: counts_alone(40).files_changed(30_000),
            expected: (MassChange, Medium),
            says: "30000 of 50000 files were rewritten; what was written was not examined",
        },
        Hit {
            what: "replaced under other names, where nobody counts what is gone",
            usual: gone_uncounted,
            then: gone_uncounted(40)
                .transferred_bytes(6_000_000_000)
                .files_new(30_000)
                .file_count(50_078),
            expected: (MassEncryption, Medium),
            says: "30000 of 50078 files were replaced; what was written was not examined",
        },
        Hit {
            what: "two fifths of the files, which hold three fifths of the data",
            usual: usual_image,
            then: usual_image(40)
                .transferred_bytes(6_000_000_000)
                .files_changed(20_000),
            expected: (MassEncryption, Medium),
            says: "encryption: 20000 of 50080 files were rewritten; what was written",
        },
        Hit {
            what: "replaced, half of it by kinds that never were",
            usual: usual_kinds,
            then: replaced_kinds(15_000),
            expected: (MassChange, Medium),
            says: "30000 of 50080 files were replaced by files of kinds never seen here, though",
        },
        Hit {
            what: "replaced, less than half of it by such kinds",
            usual: usual_kinds,
            then: replaced_kinds(14_999),
            expected: (MassChange, Medium),
            says: "30000 of 50080 files were replaced, though",
        },
        Hit {
            what: "rewritten by what does not compress as data here do",
            usual: compressing,
            then: compressing(40)
                .transferred_bytes(6_000_000_000)
                .files_changed(30_000)
                .stored_bytes(6_000_000_000),
            expected: (MassEncryption, High),
            says: "were rewritten, and what was written does not compress as it usually does.",
        },
        Hit {
            what: "all files there, and nearly no data in them",
            usual: usual_image,
            then: usual_image(39).image_bytes(500_000_000),
            expected: (MassDeletion, High),
            says: "mass deletion: 95 % of the data is gone.",
        },
        Hit {
            what: "a part of the files rewritten, and more of the data, where somebody looked",
            usual: usual_with_content,
            then: usual_with_content(40)
                .transferred_bytes(8_400_000_000)
                .files_changed(12_500),
            expected: (MassChange, Medium),
            says: "83 % of the data was written anew, though",
        },
        Hit {
            what: "rewritten, and none of it looks random",
            usual: usual_with_content,
            then: usual_with_content(40)
                .transferred_bytes(6_000_000_000)
                .files_changed(30_000),
            expected: (MassChange, Medium),
            says: "a mass change: 30000 of 50080 files were rewritten, though what was written does not look encrypted",
        },
        Hit {
            what: "rewritten, and a few files look random that never did",
            usual: usual_with_content,
            then: usual_with_content(40)
                .transferred_bytes(6_000_000_000)
                .files_changed(30_000)
                .content(content(300)),
            expected: (MassEncryption, Medium),
            says: ", and some of what was written looks random",
        },
        Hit {
            what: "rewritten where no files are counted",
            usual: without_counts,
            then: without_counts(40).transferred_bytes(6_000_000_000),
            expected: (MassChange, Medium),
            says: "60 % of the data was written anew, though",
        },
        Hit {
            what: "nearly all rewritten where no files are counted",
            usual: without_counts,
            then: without_counts(40).transferred_bytes(9_500_000_000),
            expected: (MassChange, Medium),
            says: "95 % of the data was written anew, though",
        },
        Hit {
            what: "the data of a few large files rewritten, which are no share of the files",
            usual: usual_with_content,
            then: usual_with_content(40)
                .transferred_bytes(8_400_000_000)
                .files_changed(350),
            expected: (MassEncryption, Medium),
            says: "83 % of the data was written anew; what was written was not examined",
        },
        Hit {
            what: "rewritten, and a third of it looks random, as such a part of the files always does",
            usual: media,
            then: media(40)
                .transferred_bytes(6_000_000_000)
                .files_changed(30_000),
            expected: (MassEncryption, High),
            says: "were rewritten, and what was written looks random",
        },
        Hit {
            what: "rewritten, and less than a quarter of it looks random, as usual",
            usual: media,
            then: media(40)
                .transferred_bytes(6_000_000_000)
                .files_changed(30_000)
                .content(content(5_000)),
            expected: (MassChange, Medium),
            says: "though what was written does not look encrypted",
        },
        Hit {
            what: "what was random is so no more",
            usual: looked_into,
            then: looked_into(40).files_changed(30_000).content(
                content(0)
                    .unseen_extension_files(0)
                    .mean_entropy_bits_changed(2.0)
                    .entropy_delta_bits_changed(-4.0),
            ),
            expected: (MassChange, Medium),
            says: "a mass change: fall in entropy: 40 %, never more than 0 % before",
        },
        Hit {
            what: "many files of kinds that never were",
            usual: looked_into,
            then: looked_into(40).content(content(0).unseen_extension_files(30_000)),
            expected: (ContentShift, Medium),
            says: "Unusual files of kinds never seen here: 60 %, never more than 0 % before",
        },
        Hit {
            what: "such files, and enough of them look random, as such a part always does",
            usual: media_kinds,
            then: media_kinds(40).content(content(10_000).unseen_extension_files(30_000)),
            expected: (MassEncryption, High),
            says: "and what was written looks random",
        },
    ];
    let engine = Engine::default();
    for Hit {
        what,
        usual,
        then,
        expected,
        says,
    } in cases
    {
        let verdict = last(&engine, usual, &[then]);
        assert_eq!(
            called(&verdict),
            Some(expected),
            "{what}: {}",
            verdict.summary
        );
        assert!(
            verdict.summary.contains(says),
            "{what}: {}",
            verdict.summary
        );
    }
}

/// Where nobody counts files, nothing says that the data rewritten are those of a few: what was looked at
/// counts for all of them, however much that is.
#[test]
fn uncounted_files_are_not_called_few() {
    let budget = ("detection.alarm_budget".to_owned(), "36.5".to_owned());
    let engine = Engine::new(Settings::load(None, [], &[budget]).unwrap());
    let sending = |bytes: u64| sizes().transferred_bytes(bytes).content(content(0));
    for percent in [20, 24, 26, 60] {
        let usual = |number| sending(100_000_000 + number % 7 * 10_000_000);
        let verdict = last(&engine, usual, &[sending(percent * 100_000_000)]);
        assert_eq!(
            verdict.kind(),
            Some(MassChange),
            "{percent} %: {}",
            verdict.summary
        );
    }
}

/// What goes on in small steps is as severe as what it has hit since it began.
#[test]
fn a_drip_adds_up() {
    let quiet = |number| usual_image(number).content(content(0));
    for (files, severity) in [(250, Low), (2_500, Medium)] {
        let drip = |number| {
            usual_image(number)
                .files_changed(3_000)
                .content(content(files))
        };
        let engine = Engine::default();
        let mut model = StreamModel::default();
        for number in 0..40 {
            _ = engine.judge(&job(number, quiet(number).files_changed(3_000)), &mut model);
        }
        let told: Vec<Verdict> = (40..60)
            .map(|number| engine.judge(&job(number, drip(number)), &mut model))
            .filter(|verdict| verdict.kind() == Some(SlowDrift))
            .collect();
        assert!(!told.is_empty(), "{files} files a day");
        for verdict in told {
            assert_eq!(verdict.severity(), Some(severity), "{}", verdict.summary);
        }
    }
}

/// An engine that judges by the levels of numbers alone.
fn by_levels() -> Engine {
    let flags = [
        ("detection.detectors", "[\"modified_z_score\"]"),
        // One job in twenty: most of what is asked here is strange in a single number.
        ("detection.alarm_budget", "18.25"),
    ];
    let flags = flags.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut settings = Settings::load(None, [], &flags).unwrap();
    // What rules say of the same is not asked here.
    settings.detection.rules.most_gone = false;
    settings.detection.rules.slow_loss = false;
    settings.detection.rules.slow_job = false;
    Engine::new(settings)
}

/// A usual image, into which someone looked.
fn seen_image(number: u64) -> BackupImage {
    let usual = content(number % 2)
        .unseen_extension_files(number % 3)
        .emptied_files(number % 2)
        .mean_entropy_bits_changed(5.0)
        .entropy_delta_bits_changed((number % 3) as f64 / 100.0);
    usual_image(number).content(usual)
}

/// The same with other contents.
fn holding(
    image: BackupImage,
    change: impl Fn(ContentStatistics) -> ContentStatistics,
) -> BackupImage {
    image.content(change(seen_image(40).content.unwrap()))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn levels_say_what_was_done() {
    let now = seen_image(40);
    let blind = usual_image(40);
    let cases: [(&str, BackupImage, (AnomalyKind, Severity), &str); 21] = [
        (
            "files rewritten that look random",
            holding(
                now.files_changed(15_000).transferred_bytes(3_000_000_000),
                |c| c.random_files(15_000),
            ),
            (MassEncryption, High),
            "mass encryption: 15000 of 50080 files were rewritten, and what was written looks random",
        ),
        (
            "a few of them, and nothing else",
            holding(
                now.files_changed(3_000).transferred_bytes(500_000_000),
                |c| c.random_files(3_000),
            ),
            (MassEncryption, Low),
            "3000 of 50080 files were rewritten, and what was written looks random",
        ),
        (
            "as many, beside far more that is new",
            holding(
                now.files_new(4_000)
                    .files_changed(300)
                    .file_count(54_080)
                    .image_bytes(15_000_000_000),
                |c| c.random_files(4_000),
            ),
            (Growth, Low),
            "grew from 10.1 GB to 15.0 GB, mostly by copies of data",
        ),
        (
            "as many, beside far more that is gone",
            holding(
                now.files_changed(3_000)
                    .file_count(30_000)
                    .image_bytes(6_000_000_000),
                |c| c.random_files(3_000),
            ),
            (MassDeletion, Medium),
            "mass deletion: 20078 of 50078 files",
        ),
        (
            "most rewritten, and nobody looked",
            blind.transferred_bytes(6_000_000_000).files_changed(30_000),
            (MassEncryption, Medium),
            "mass encryption: 30000 of 50080 files were rewritten; what was written was not examined",
        ),
        (
            "nearly all rewritten, and nobody looked",
            blind.transferred_bytes(9_900_000_000).files_changed(50_000),
            (MassEncryption, High),
            "50000 of 50080 files were rewritten; what",
        ),
        (
            "less than half rewritten, and nobody looked",
            blind.transferred_bytes(4_000_000_000).files_changed(20_000),
            (MassChange, Medium),
            "a mass change: 20000 of 50080 files were rewritten; what was written was not examined",
        ),
        (
            "more gone than rewritten, and nobody looked",
            blind
                .image_bytes(3_000_000_000)
                .file_count(10_000)
                .transferred_bytes(3_000_000_000),
            (MassDeletion, High),
            "40078 of 50078 files and 70 % of the data is gone",
        ),
        (
            "most rewritten, and nothing of it looks random",
            now.transferred_bytes(6_000_000_000).files_changed(30_000),
            (MassChange, Medium),
            "though what was written does not look encrypted",
        ),
        (
            "two fifths of files and data gone",
            now.image_bytes(6_000_000_000).file_count(30_000),
            (MassDeletion, Medium),
            "20078 of 50078 files and 41 % of the data is gone",
        ),
        (
            "most of the data gone with few files",
            now.image_bytes(4_000_000_000).file_count(45_000),
            (Shrinkage, Medium),
            "The image shrank: 5078 of 50078 files and 60 % of the data is gone",
        ),
        (
            "half of the image new",
            now.image_bytes(21_000_000_000),
            (Growth, Medium),
            "grew from 10.1 GB to 21.0 GB",
        ),
        (
            "three tenths of the image new",
            now.image_bytes(14_500_000_000),
            (Growth, Low),
            "grew from 10.1 GB to 14.5 GB",
        ),
        (
            "files replaced under other names",
            now.files_new(6_000).files_deleted(6_000),
            (MassChange, Low),
            "6000 of 50080 files were replaced, though",
        ),
        (
            "files deleted, and gone",
            now.files_deleted(3_000)
                .file_count(47_078)
                .image_bytes(9_500_000_000),
            (Shrinkage, Low),
            "The image shrank: 3000 of 50078 files",
        ),
        (
            "files emptied, and their data gone",
            holding(now.image_bytes(9_500_000_000), |c| c.emptied_files(3_000)),
            (Shrinkage, Low),
            "The image shrank: 6.1 % of the data is gone",
        ),
        (
            "files of kinds that never were",
            holding(now, |c| c.unseen_extension_files(3_000)),
            (ContentShift, Low),
            "Unusual files of kinds never seen here: 3000 files, usual 0 to 2 files",
        ),
        (
            "files emptied, of which none is gone",
            holding(now, |c| c.emptied_files(3_000)),
            (ContentShift, Low),
            "Unusual files written empty: 3000 files, usual 0 to 1 file",
        ),
        (
            "a few files replaced, too few for a mass of anything",
            now.files_new(2_000).files_deleted(2_000).files_changed(300),
            (Unclassified, Low),
            "Unusual deleted files: 2000 files, usual 2 to 4 files",
        ),
        (
            "files gone, and none of their data",
            now.file_count(30_000).image_bytes(10_117_000_000),
            (MassDeletion, Medium),
            "mass deletion: 20078 of 50078 files are gone.",
        ),
        (
            "half of it twice",
            now.file_count(100_160).files_new(50_000),
            (Growth, Low),
            "Unusual growth: files: 100160 files, usual",
        ),
    ];
    let engine = by_levels();
    for (what, image, expected, says) in cases {
        let usual: fn(u64) -> BackupImage = if image.content.is_some() {
            seen_image
        } else {
            usual_image
        };
        let verdict = last(&engine, usual, &[image]);
        assert_eq!(
            called(&verdict),
            Some(expected),
            "{what}: {}",
            verdict.summary
        );
        assert!(
            verdict.summary.contains(says),
            "{what}: {}",
            verdict.summary
        );
    }
}

/// That a job took long is what its other numbers explain, unless there are none.
#[test]
fn time_is_told_where_nothing_else_is() {
    let engine = by_levels();
    let after = |image| {
        let mut model = StreamModel::default();
        for number in 0..40 {
            _ = engine.judge(&job(number, seen_image(number)), &mut model);
        }
        let slow = builder(40)
            .image(image)
            .ended_at(day(40) + TimeDelta::hours(20));
        engine.judge(&slow.build().unwrap(), &mut model)
    };
    let slow = after(seen_image(40));
    assert_eq!(slow.kind(), Some(Slowdown));
    assert_eq!(slow.summary, "The job took 20.0 h, usual 10.0 to 16.0 min.");
    assert_eq!(
        after(seen_image(40).image_bytes(21_000_000_000)).kind(),
        Some(Growth)
    );
}

/// Fewer directories, with all of the files and the data in them, are no loss of any.
#[test]
fn a_loss_of_nothing_is_not_told_as_one() {
    let usual = |number| usual_image(number).directory_count(4_000 + number);
    let then = usual(40).directory_count(1_000);
    let verdict = last(&by_levels(), usual, &[then]);
    assert_eq!(called(&verdict), Some((Shrinkage, Low)));
    let expected = "Unusual directories: 1000 directories, usual ";
    assert!(verdict.summary.starts_with(expected), "{}", verdict.summary);
}

/// What was never exceeded is said to be so, but for what was reported: not for what was as much.
#[test]
fn what_was_reported_is_excepted_if_it_was_more() {
    let engine = Engine::default();
    let unseen = |number: u64, files| {
        let content = content(0).unseen_extension_files(files);
        job(
            number,
            sizes().files_changed(100 + number % 7).content(content),
        )
    };
    let after = |reported: u64| {
        let mut model = StreamModel::default();
        for number in 0..40 {
            _ = engine.judge(&unseen(number, 0), &mut model);
        }
        assert!(
            engine
                .judge(&unseen(40, reported), &mut model)
                .is_anomalous()
        );
        let usual = engine.judge(&unseen(41, 15_000), &mut model);
        assert!(model.accept(&usual.key()));
        engine.judge(&unseen(42, 45_000), &mut model).summary
    };
    let but = ", but for what was reported then.";
    for (reported, excepted) in [(15_000, false), (20_000, true)] {
        let summary = after(reported);
        assert!(summary.contains("never more than 30 % before"), "{summary}");
        assert_eq!(summary.ends_with(but), excepted, "{summary}");
    }
}

/// Most of what was written has to look like ciphertext, and it has to be more than a handful of files:
/// by itself, or against what the same files were before.
#[test]
fn a_handful_of_random_files_is_no_encryption() {
    let engine = by_levels();
    let rewritten = |random: u64, rise: f64, changed: u64| {
        let image = seen_image(40)
            .transferred_bytes(3_000_000_000)
            .files_new(0)
            .files_changed(changed);
        let image = holding(image, |c| {
            c.random_files(random).entropy_delta_bits_changed(rise)
        });
        last(&engine, seen_image, &[image]).kind()
    };
    let cases = [
        (4, 0.0, 4, false),
        (5, 0.0, 9, true),
        (5, 0.0, 12, false),
        (400, 0.0, 1_000, false),
        (600, 0.0, 1_000, true),
        (0, 0.15, 1_000, false),
        (0, 0.3, 1_000, true),
        (0, 0.3, 4, false),
        (0, 0.3, 5, true),
    ];
    for (random, rise, changed, encrypted) in cases {
        let found = rewritten(random, rise, changed);
        assert_eq!(
            found == Some(MassEncryption),
            encrypted,
            "{random} of {changed} files, by {rise} bits: {found:?}"
        );
    }
}

/// What is usual of a share leaves one job in forty out on either side; three jobs have to have shown it.
#[test]
fn the_usual_range_of_a_share() {
    // Of ten thousand parts of files and data.
    let rewriting = |number: u64, parts: u64| {
        let image = sizes()
            .files_new(0)
            .files_deleted(0)
            .files_changed(parts * FILES / 10_000);
        job(number, image.transferred_bytes(parts * BYTES / 10_000))
    };
    let engine = Engine::default();
    let after = |past: &[u64]| {
        let mut model = StreamModel::default();
        for (number, parts) in (0..).zip(past) {
            let job = rewriting(number, *parts);
            if engine.judge(&job, &mut model).is_anomalous() {
                assert!(model.accept(&job.key()));
            }
        }
        assert_eq!(model.learnt_jobs(), past.len());
        let verdict = engine.judge(&rewriting(past.len() as u64, 10_000), &mut model);
        assert_eq!(verdict.kind(), Some(MassEncryption), "{}", verdict.summary);
        let mut findings = verdict.findings.into_iter();
        findings.find(|finding| finding.feature.as_str() == "overwritten_share")
    };
    // One job stands out on each side of forty that are compared; the first has none before it.
    let mut past: Vec<u64> = (0..41).map(|number| 20 + number % 10).collect();
    (past[11], past[23]) = (1, 90);
    let finding = after(&past).unwrap();
    assert!(
        finding.usual_low > 0.0018 && finding.usual_low < 0.0022,
        "{finding:?}"
    );
    assert!(
        finding.usual_high > 0.0027 && finding.usual_high < 0.0031,
        "{finding:?}"
    );
    for jobs in 2..8 {
        let compared = jobs - 1;
        assert_eq!(after(&past[..jobs]).is_some(), compared >= 3, "{jobs} jobs");
    }
}
