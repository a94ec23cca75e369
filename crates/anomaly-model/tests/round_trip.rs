//! Every type reads back as what was written, and nothing invalid can be read or built.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    Anomaly, AnomalyKind, AttributeHistograms, BackupImage, BackupJob, Ceiling, Client, ClientName,
    ContentStatistics, CoveredBy, Direction, FeatureName, FileChange, FileInspection, FileReason,
    Finding, JobKey, JobRef, JobStatus, Judgement, LevelShift, ModelError, NotableFile, PValue,
    Policy, PolicyName, PolicyType, Review, ReviewScope, ReviewStatus, Schedule, ScheduleName,
    ScheduleType, Severity, StreamKey, StreamPart, Undo, Verdict,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn read_back<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}[a-z0-9/]\\PC{0,12}"
}

/// Times from 1970 to 2199, to the nanosecond.
fn time() -> impl Strategy<Value = DateTime<Utc>> {
    (0..7_258_118_400_i64, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

fn count() -> impl Strategy<Value = Option<u64>> {
    option::of(any::<u64>())
}

fn within(low: f64, high: f64) -> impl Strategy<Value = Option<f64>> {
    option::of(low..=high)
}

fn word<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    select(all)
}

fn content() -> BoxedStrategy<ContentStatistics> {
    let bits = (
        within(0.0, 8.0),
        within(0.0, 8.0),
        within(0.0, 8.0),
        within(-8.0, 8.0),
        within(0.0, 8.0),
    );
    let shares = (
        within(0.0, 1.0),
        within(0.0, 1.0),
        within(0.0, 1.0),
        within(0.0, 1.0),
        within(0.0, 1.0),
    );
    let counts = (
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
    );
    (bits, shares, counts)
        .prop_map(|(bits, shares, counts)| {
            ContentStatistics::default()
                .mean_entropy_bits(bits.0)
                .mean_entropy_bits_new(bits.1)
                .mean_entropy_bits_changed(bits.2)
                .entropy_delta_bits_changed(bits.3)
                .entropy_sd_bits(bits.4)
                .printable_share(shares.0)
                .high_entropy_share_new(shares.1)
                .high_entropy_share_changed(shares.2)
                .unseen_extension_share_new(shares.3)
                .extension_shift(shares.4)
                .random_files(counts.0)
                .unseen_extension_files(counts.1)
                .extension_count(counts.2)
                .renamed_files(counts.3)
                .emptied_files(counts.4)
                .written_bytes(counts.5)
                .deleted_bytes(counts.6)
        })
        .boxed()
}

fn image() -> BoxedStrategy<BackupImage> {
    let sizes = (count(), count(), count(), count(), within(0.0, 1.0));
    let changes = (count(), count(), count(), count(), count());
    (sizes, changes, option::of(content()))
        .prop_map(|(sizes, changes, content)| {
            BackupImage::default()
                .image_bytes(sizes.0)
                .file_count(sizes.1)
                .transferred_bytes(sizes.2)
                .stored_bytes(sizes.3)
                .dedup_ratio(sizes.4)
                .files_new(changes.0)
                .files_changed(changes.1)
                .files_unmodified(changes.2)
                .files_deleted(changes.3)
                .directory_count(changes.4)
                .content(content)
        })
        .boxed()
}

fn notable_file() -> impl Strategy<Value = NotableFile> {
    let reasons = subsequence(FileReason::ALL, 0..=FileReason::ALL.len());
    let numbers = (count(), within(0.0, 8.0), within(0.0, 8.0));
    (
        text(),
        option::of(text()),
        word(FileChange::ALL),
        reasons,
        numbers,
    )
        .prop_map(|(path, previous_path, change, reasons, numbers)| {
            let mut file = NotableFile::new(path, change, reasons);
            file.previous_path = previous_path;
            file.size_bytes = numbers.0;
            file.entropy_bits = numbers.1;
            file.entropy_bits_before = numbers.2;
            file
        })
}

fn inspection() -> BoxedStrategy<FileInspection> {
    let counts = proptest::array::uniform8(count());
    let extensions = proptest::collection::btree_map("[a-z0-9]{0,9}", any::<u64>(), 0..9);
    let ranges = proptest::array::uniform6(proptest::collection::vec(any::<u64>(), 0..9));
    let files = proptest::collection::vec(notable_file(), 0..4);
    (counts, extensions, option::of(ranges), files)
        .prop_map(|(counts, written_extensions, ranges, notable_files)| {
            let mut inspection = FileInspection::default();
            [
                inspection.written_files,
                inspection.examined_files,
                inspection.unreadable_files,
                inspection.unsteady_files,
                inspection.contradicting_files,
                inspection.partly_random_files,
                inspection.encoded_files,
                inspection.ransom_note_files,
            ] = counts;
            inspection.written_extensions = written_extensions;
            inspection.attributes = ranges.map(|ranges| {
                let mut attributes = AttributeHistograms::default();
                [
                    attributes.access_age,
                    attributes.change_age,
                    attributes.modification_age,
                    attributes.extension,
                    attributes.permission,
                    attributes.size,
                ] = ranges;
                attributes
            });
            inspection.notable_files = notable_files;
            inspection
        })
        .boxed()
}

fn job() -> BoxedStrategy<BackupJob> {
    let names = (
        text(),
        text(),
        text(),
        text(),
        option::of(text()),
        option::of(text()),
    );
    let words = (option::of(word(ScheduleType::ALL)), word(JobStatus::ALL));
    let times = (
        time(),
        option::of(0..1_000_000_000_000_i64),
        within(0.0, 1e9),
    );
    let seen = (image(), option::of(inspection()));
    (names, words, times, option::of(any::<i64>()), seen)
        .prop_map(|(names, words, times, exit_code, (image, inspection))| {
            let ended_at = times
                .1
                .map(|micros| times.0 + TimeDelta::microseconds(micros))
                .filter(|end| *end < DateTime::from_timestamp(7_258_118_400, 0).unwrap());
            BackupJob::builder(names.0, names.1, names.2, names.3, times.0)
                .policy_type(names.4.as_deref())
                .schedule(names.5.as_deref())
                .schedule_type(words.0)
                .ended_at(ended_at)
                .status(words.1)
                .exit_code(exit_code)
                .duration_seconds(times.2)
                .image(image)
                .inspection(inspection)
                .build()
                .unwrap()
        })
        .boxed()
}

fn finding() -> BoxedStrategy<Finding> {
    let usual = (-1e12..1e12_f64, 0.0..1e12_f64);
    (
        text(),
        -1e15..1e15_f64,
        word(Direction::ALL),
        usual,
        0.0..300.0_f64,
    )
        .prop_map(|(feature, observed, direction, (low, width), score)| {
            let feature = FeatureName::new(feature).unwrap();
            Finding::new(feature, observed, (low, low + width), direction, score)
        })
        .boxed()
}

fn judgement() -> BoxedStrategy<Judgement> {
    prop_oneof![
        Just(Judgement::Normal),
        Just(Judgement::WarmingUp),
        text().prop_map(|reason| Judgement::NotScored { reason }),
        (word(Severity::ALL), word(AnomalyKind::ALL))
            .prop_map(|(severity, kind)| Judgement::Anomalous { severity, kind }),
    ]
    .boxed()
}

fn verdict() -> BoxedStrategy<Verdict> {
    let findings = proptest::collection::vec(finding(), 0..4);
    let unseen = proptest::collection::vec(text(), 0..4);
    (
        job(),
        judgement(),
        within(1e-300, 1.0),
        findings,
        text(),
        (
            unseen,
            proptest::collection::vec(notable_file(), 0..3),
            option::of((review(), 0..9_u32)),
        ),
    )
        .prop_map(
            |(job, judgement, p_value, findings, summary, (unseen, files, known))| {
                let mut verdict = Verdict::new(&job, judgement, summary);
                if let Some((review, jobs)) = known {
                    let covering = JobRef::new(job.key(), job.started_at());
                    verdict.covered_by = Some(CoveredBy::new(covering, &review));
                    verdict.level_shift = Some(LevelShift::new(jobs, Some(job.key())));
                }
                verdict.p_value = p_value.map(|p| PValue::new(p).unwrap());
                verdict.findings = findings;
                verdict.files = files;
                verdict.unseen = unseen
                    .into_iter()
                    .map(|name| FeatureName::new(name).unwrap())
                    .collect();
                verdict
            },
        )
        .boxed()
}

fn review() -> BoxedStrategy<Review> {
    let features = proptest::collection::vec(text(), 0..3).prop_map(|names| {
        let names = names
            .into_iter()
            .map(|name| FeatureName::new(name).unwrap());
        ReviewScope::Features(names.collect())
    });
    let scope = prop_oneof![
        Just(ReviewScope::ThisJob),
        Just(ReviewScope::LevelShift),
        Just(ReviewScope::ThisStream),
        features,
    ];
    let cover = (
        scope,
        (1.0..=2.0).prop_map(|factor| Ceiling::new(factor).unwrap()),
        option::of(time()),
    );
    let undo = (text(), time()).prop_map(|(by, at)| Undo::new(by, at));
    (
        (word(ReviewStatus::ALL), text(), time(), option::of(text())),
        cover,
        option::of(undo),
    )
        .prop_map(
            |((status, reviewer, reviewed_at, reason), (scope, ceiling, expires_at), undo)| {
                let mut review = Review::new(status, reviewer, reviewed_at)
                    .with_scope(scope, ceiling, expires_at);
                review.reason = reason;
                review.undo = undo;
                review
            },
        )
        .boxed()
}

fn anomaly() -> BoxedStrategy<Anomaly> {
    (verdict(), option::of(review()), option::of(job()))
        .prop_map(|(verdict, review, last)| {
            let mut anomaly = Anomaly::new(verdict);
            anomaly.review = review;
            anomaly.last_normal = last.map(|job| JobRef::new(job.key(), job.started_at()));
            anomaly
        })
        .boxed()
}

proptest! {
    #[test]
    fn jobs_and_their_parts_read_back(job in job(), parts in subsequence(StreamPart::ALL, 0..=6)) {
        prop_assert_eq!(&read_back(&job), &job);
        prop_assert_eq!(&read_back::<JobKey>(&job.key()), &job.key());
        prop_assert_eq!(&read_back::<Client>(job.client()), job.client());
        prop_assert_eq!(&read_back::<Policy>(job.policy()), job.policy());
        prop_assert_eq!(&read_back::<Schedule>(job.schedule()), job.schedule());
        let stream = StreamKey::of(&job, &parts);
        prop_assert_eq!(&read_back(&stream), &stream);
        if let Some(content) = job.image().content {
            prop_assert_eq!(read_back(&content), content);
        }
        if let Some(inspection) = job.inspection() {
            prop_assert_eq!(&read_back(inspection), inspection);
            let seen = job.with_files_seen(*job.image(), inspection.clone()).unwrap();
            prop_assert_eq!(seen, job);
        }
    }

    #[test]
    fn verdicts_and_anomalies_read_back(anomaly in anomaly()) {
        prop_assert_eq!(&read_back(&anomaly.verdict), &anomaly.verdict);
        prop_assert_eq!(read_back(&anomaly), anomaly);
    }

    /// A record with one broken field is refused, and the error names the field and the value.
    #[test]
    fn a_broken_field_is_refused_by_name(
        job in job(),
        (field, value) in select(vec![
            ("client", "\"  \""), ("policy", "\"\""), ("job_id", "7"), ("source", "[1]"),
            ("started_at", "\"9999-01-01T00:00:00Z\""), ("started_at", "\"2020-01-01T00:00:00\""),
            ("ended_at", "\"1970-01-01T00:00:00Z\""), ("status", "\"done\""),
            ("schedule_type", "\"weekly\""), ("exit_code", "1.5"), ("exit_code", "1e300"), ("duration_seconds", "-0.1"),
            ("image_bytes", "-5"), ("file_count", "1.5"), ("stored_bytes", "1e30"),
            ("dedup_ratio", "1.01"), ("files_new", "\"3\""), ("directory_count", "true"),
        ]),
    ) {
        prop_assume!(job.started_at() > DateTime::UNIX_EPOCH);
        let mut record = serde_json::to_value(&job).unwrap();
        record[field] = serde_json::from_str(value).unwrap();
        let error = serde_json::from_value::<BackupJob>(record).unwrap_err().to_string();
        prop_assert!(error.starts_with(&format!("`{field}` is ")), "{}", error);
        prop_assert!(error.contains(": must be "), "{}", error);
    }

    /// The builder refuses what deserialisation refuses.
    #[test]
    fn the_builder_checks_too(ratio in prop_oneof![
        Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), -9.0..-1e-9, 1.0001..9.0,
    ]) {
        let image = BackupImage::default().dedup_ratio(ratio);
        let error = BackupJob::builder("restic", "1", "c", "p", DateTime::UNIX_EPOCH)
            .image(image)
            .build()
            .unwrap_err();
        prop_assert_eq!(error.field(), "dedup_ratio");
    }
}

#[test]
fn names_read_back_and_are_never_blank() {
    let name = ClientName::new("mail01").unwrap();
    assert_eq!(read_back(&name), name);
    assert!(serde_json::from_str::<PolicyName>("\" \"").is_err());
    assert!(PolicyType::new("x".repeat(4097)).is_err());
    assert!(ScheduleName::new("").is_err());
}

#[test]
fn an_inspection_that_names_too_much_or_nonsense_is_refused() {
    let job = BackupJob::builder("restic", "1", "c", "p", DateTime::UNIX_EPOCH);
    let file = NotableFile::new("a", FileChange::New, vec![FileReason::LooksRandom]);
    let mut inspection = FileInspection::default();
    inspection.notable_files = vec![file; FileInspection::MOST_FILES + 1];
    let error = job.inspection(inspection).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`notable_files` is 21 long: must be at most 20 long"
    );
    let line = r#"{"source":"borg","job_id":"1","client":"c","policy":"p","status":"failed",
        "started_at":"2026-11-22T04:00:00Z","inspection":{"ransom_note_files":-1}}"#;
    let error = serde_json::from_str::<BackupJob>(line).unwrap_err();
    assert!(error.to_string().starts_with("`inspection`: invalid value"));
}

/// What the types do not keep out of a notable file.
#[test]
fn a_notable_file_is_checked() {
    let refused = |change: &dyn Fn(&mut NotableFile)| {
        let mut file = NotableFile::new("a", FileChange::New, FileReason::ALL.to_vec());
        (file.entropy_bits, file.entropy_bits_before) = (Some(8.0), Some(0.0));
        change(&mut file);
        let mut inspection = FileInspection::default();
        inspection.notable_files = vec![file];
        let job = BackupJob::builder("restic", "1", "c", "p", DateTime::UNIX_EPOCH);
        let built = job.inspection(inspection).build();
        built.map_or_else(|error| error.to_string(), |_| String::new())
    };
    assert_eq!(refused(&|_| ()), "");
    for (bits, shown) in [(8.01, "8.01"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        assert_eq!(
            refused(&|file| file.entropy_bits = Some(bits)),
            format!("`entropy_bits` is {shown}: must be a number from 0 to 8")
        );
        assert_eq!(
            refused(&|file| file.entropy_bits_before = Some(bits)),
            format!("`entropy_bits_before` is {shown}: must be a number from 0 to 8")
        );
    }
    assert_eq!(
        refused(&|file| file.reasons.push(FileReason::Renamed)),
        "`reasons` is 12 long: must be at most 11 long"
    );
}

/// The names of two streams are the same only if the streams are.
#[test]
fn no_two_streams_read_the_same() {
    let values = [
        "-",
        "a",
        "/",
        "a /",
        "/ b",
        "a / b",
        "\"a\"",
        "\"a / b\"",
        "b",
    ];
    let mut names = std::collections::BTreeMap::new();
    for client in values {
        for policy in values {
            for schedule in [None, Some("-"), Some("a"), Some("/"), Some("/ b")] {
                let job = BackupJob::builder("restic", "1", client, policy, DateTime::UNIX_EPOCH)
                    .schedule(schedule)
                    .build()
                    .unwrap();
                let parts = [StreamPart::Client, StreamPart::Policy, StreamPart::Schedule];
                let stream = StreamKey::of(&job, &parts);
                let before = names.insert(stream.to_string(), stream.clone());
                assert_eq!(before, None, "{stream}");
            }
        }
    }
    assert!(names.contains_key("a / b / -") && names.contains_key("/ / \"a / b\" / \"-\""));
}

#[test]
fn a_missing_field_is_named() {
    let error = serde_json::from_str::<BackupJob>(r#"{"source":"restic"}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`started_at` is missing: every record needs it"
    );
}

#[test]
fn null_and_unknown_fields_are_as_good_as_absent() {
    let line = r#"{"source":"borg","job_id":"1","client":"c","policy":"p","ended_at":null,
        "started_at":"2026-11-22T04:00:00+01:00","status":"failed","image_bytes":null,
        "colour":{"of":["the","bikeshed"]},"content":{"random_files":1.0,"smell":2},
        "exit_code":-3.0}"#;
    let job: BackupJob = serde_json::from_str(line).unwrap();
    assert_eq!(job.exit_code(), Some(-3));
    assert_eq!(job.started_at().to_rfc3339(), "2026-11-22T03:00:00+00:00");
    assert_eq!((job.ended_at(), job.image().image_bytes), (None, None));
    assert_eq!(job.image().content.unwrap().random_files, Some(1));
}

/// A duration from two times is believed as far as one that is reported.
#[test]
fn no_duration_is_longer_than_a_hundred_years() {
    let longest = 100 * 366 * 86_400;
    let job = |seconds| {
        BackupJob::builder("restic", "1", "c", "p", DateTime::UNIX_EPOCH)
            .ended_at(DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds))
            .build()
            .unwrap()
    };
    assert_eq!(job(longest).duration_seconds(), Some(longest as f64));
    assert_eq!(job(longest + 1).duration_seconds(), None);
}

#[test]
fn an_inconsistent_verdict_is_refused() {
    let job = BackupJob::builder("restic", "1", "c", "p", DateTime::UNIX_EPOCH)
        .build()
        .unwrap();
    let judgement = Judgement::Anomalous {
        severity: Severity::Low,
        kind: AnomalyKind::Growth,
    };
    let mut record = serde_json::to_value(Verdict::new(&job, judgement, "Grew.")).unwrap();
    record["severity"] = serde_json::Value::Null;
    let error = serde_json::from_value::<Verdict>(record)
        .unwrap_err()
        .to_string();
    assert_eq!(error, ModelError::Missing { field: "severity" }.to_string());
}

/// A decision as the first version wrote it is one about its job alone.
#[test]
fn an_early_review_is_about_one_job() {
    let line = r#"{"status":"false_positive","reviewer":"ada",
        "reviewed_at":"2026-11-22T03:00:00Z","reason":null}"#;
    let review: Review = serde_json::from_str(line).unwrap();
    assert_eq!(review.scope, ReviewScope::ThisJob);
    assert!(!review.covers_later_jobs() && review.scope.teaches());
    assert_eq!(
        serde_json::to_string(&review).unwrap(),
        line.replace("\n        ", "")
    );
}

#[test]
fn a_review_whose_parts_contradict_each_other_is_refused() {
    let at = DateTime::UNIX_EPOCH;
    let usual = || Review::new(ReviewStatus::FalsePositive, "ada", at);
    let wider = |scope| usual().with_scope(scope, Ceiling::NO_MORE, None);
    let refused = [
        (
            Review::new(ReviewStatus::Ignored, " ", at),
            r#"`reviewer` is "": must be text that is not blank"#,
        ),
        (
            Review::new(ReviewStatus::Confirmed, "ada", at).with_scope(
                ReviewScope::ThisStream,
                Ceiling::NO_MORE,
                None,
            ),
            "`scope` is wider than one job: must be that of one job, unless it is a false_positive",
        ),
        (
            wider(ReviewScope::Features(Vec::new())),
            "`scope` is a list of no features: must be at least one feature",
        ),
        (
            usual().with_scope(ReviewScope::ThisStream, Ceiling::NO_MORE, Some(at)),
            "`expires_at` is 1970-01-01T00:00:00+00:00: must be after `reviewed_at`, \
             1970-01-01T00:00:00+00:00",
        ),
    ];
    for (review, message) in refused {
        assert_eq!(review.check().unwrap_err().to_string(), message);
    }
    assert!(wider(ReviewScope::ThisStream).check().is_ok());
    assert_eq!(
        Ceiling::new(2.1).unwrap_err().to_string(),
        "`ceiling` is 2.1: must be a number from 1 to 2"
    );
    assert_eq!(
        PValue::new(0.0).unwrap_err().to_string(),
        "`p_value` is 0.0: must be a number from 1e-300 to 1"
    );
}

/// What was taken back does not count, however often that was done.
#[test]
fn decisions_are_taken_back_one_by_one() {
    let at = DateTime::UNIX_EPOCH;
    let decide = |status| Review::new(status, "ada", at);
    let mut recorded = vec![
        decide(ReviewStatus::Ignored),
        decide(ReviewStatus::Confirmed),
    ];
    let mut back = Vec::new();
    while let Some(restored) = Review::taking_back(&recorded, Undo::new("eve", at)) {
        assert_eq!(restored.recorded_by(), "eve");
        back.push(restored.status);
        recorded.push(restored);
    }
    assert_eq!(back, [ReviewStatus::Ignored, ReviewStatus::NotReviewed]);
    recorded.push(decide(ReviewStatus::FalsePositive));
    let restored = Review::taking_back(&recorded, Undo::new("eve", at)).unwrap();
    assert_eq!(restored.status, ReviewStatus::NotReviewed);
}
