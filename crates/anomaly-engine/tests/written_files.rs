//! What the names and attributes of written files say, where someone looked into them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::{
    AnomalyKind, AttributeHistograms, BackupJob, FileChange, FileInspection, FileReason,
    NotableFile, Severity, Verdict,
};
use anomaly_settings::{AttributeDeviations, Extensions, Settings};
use common::{builder, usual_image};

/// About 200 written documents of the given day, a few more or less.
fn usual_files(number: u64) -> FileInspection {
    let wave = number * 7 % 11;
    let mut attributes = AttributeHistograms::default();
    attributes.modification_age = vec![120 + wave, 60, 20, 0, 0];
    attributes.extension = vec![90, 70 + wave, 40, 0, 0];
    attributes.permission = vec![180 + wave, 20];
    attributes.size = vec![10, 80, 90 + wave, 20];
    let mut files = FileInspection::default();
    files.written_files = Some(200 + wave);
    files.ransom_note_files = Some(0);
    files.written_extensions = [("docx".to_owned(), 90), ("txt".to_owned(), 70 + wave)].into();
    files.attributes = Some(attributes);
    files
}

fn job(number: u64, files: FileInspection) -> BackupJob {
    builder(number)
        .image(usual_image(number))
        .inspection(files)
        .build()
        .unwrap()
}

/// The job of day 40 with the extension given to `files` of its 200 files.
fn with_extension(number: u64, extension: &str, count: u64) -> BackupJob {
    let mut files = usual_files(number);
    files.written_files = Some(200);
    files.written_extensions.insert(extension.to_owned(), count);
    job(number, files)
}

fn shifted(number: u64) -> BackupJob {
    let mut files = usual_files(number);
    let attributes = files.attributes.as_mut().unwrap();
    attributes.extension = vec![0, 0, 0, 3, 200];
    attributes.modification_age = vec![0, 0, 0, 0, 203];
    job(number, files)
}

/// A stream of forty usual days, none of which is an anomaly.
fn settled(engine: &Engine) -> StreamModel {
    let mut model = StreamModel::default();
    for number in 0..40 {
        let verdict = engine.judge(&job(number, usual_files(number)), &mut model);
        assert!(!verdict.is_anomalous(), "day {number}: {}", verdict.summary);
    }
    model
}

/// As the next process would judge: from the stored model.
fn judged(engine: &Engine, model: &mut StreamModel, job: &BackupJob) -> Verdict {
    let mut stored = StreamModel::from_bytes(&model.to_bytes().unwrap()).unwrap();
    let verdict = engine.judge(job, model);
    assert_eq!(engine.judge(job, &mut stored), verdict);
    assert_eq!(&stored, model);
    verdict
}

#[test]
fn files_with_extensions_of_ransomware_are_told_from_a_tenth_of_the_written_ones() {
    let engine = Engine::default();
    let fresh = || settled(&engine);
    let few = judged(&engine, &mut fresh(), &with_extension(40, "lockbit", 19));
    assert!(!few.is_anomalous(), "{}", few.summary);

    let mut model = fresh();
    let found = judged(&engine, &mut model, &with_extension(40, "lockbit", 20));
    assert_eq!(found.kind(), Some(AnomalyKind::MassEncryption));
    assert_eq!(found.severity(), Some(Severity::High));
    assert!(
        found
            .summary
            .starts_with("20 of 200 written files have an extension")
    );
    assert!(found.summary.contains(".lockbit"), "{}", found.summary);
    assert_eq!(
        found.findings[0].feature.as_str(),
        "suspicious_extension_files"
    );

    // Until a person says that they are usual here, and again when that is taken back.
    let again = with_extension(41, "lockbit", 20);
    assert!(judged(&engine, &mut model.clone(), &again).is_anomalous());
    assert!(model.accept(&found.key().clone()));
    assert!(!judged(&engine, &mut model.clone(), &again).is_anomalous());
    assert!(
        judged(
            &engine,
            &mut model.clone(),
            &with_extension(41, "akira", 20)
        )
        .is_anomalous()
    );
    assert!(model.retract(&found.key().clone()));
    assert!(judged(&engine, &mut model, &again).is_anomalous());
}

#[test]
fn people_add_extensions_and_take_some_away() {
    let mut settings = Settings::default();
    settings.detection.include_extensions = Extensions::new([".Ours".to_owned()]).unwrap();
    settings.detection.exclude_extensions = Extensions::new(["lockbit".to_owned()]).unwrap();
    let engine = Engine::new(settings);
    let mut model = settled(&engine);
    let excluded = judged(&engine, &mut model, &with_extension(40, "lockbit", 100));
    assert!(!excluded.is_anomalous(), "{}", excluded.summary);
    let included = judged(&engine, &mut model, &with_extension(41, "ours", 100));
    assert!(included.summary.contains(".ours"), "{}", included.summary);
}

#[test]
fn a_ransom_note_is_told_of_and_the_files_are_named() {
    let engine = Engine::default();
    let mut files = usual_files(40);
    files.ransom_note_files = Some(1);
    let note = NotableFile::new(
        "home/HOW_TO_DECRYPT.txt",
        FileChange::New,
        vec![FileReason::RansomNote],
    );
    files.notable_files = vec![note.clone()];
    let found = judged(&engine, &mut settled(&engine), &job(40, files));
    assert_eq!(found.severity(), Some(Severity::Medium));
    assert_eq!(found.summary, "1 new file is called like a ransom note.");
    assert_eq!(found.files, [note]);
}

/// What goes on from an anomaly, and is not told, teaches nothing of its files either.
#[test]
fn files_of_what_goes_on_are_not_learnt() {
    let engine = Engine::default();
    let mut model = settled(&engine);
    let overwriting = |number, files: Option<FileInspection>| {
        let image = usual_image(number);
        let image = image.transferred_bytes(3_000_000_000).files_changed(15_000);
        builder(number)
            .image(image)
            .inspection(files)
            .build()
            .unwrap()
    };
    assert!(judged(&engine, &mut model, &overwriting(40, None)).is_anomalous());
    let mut blind = model.clone();
    for number in 41..44 {
        let verdict = judged(
            &engine,
            &mut model,
            &overwriting(number, Some(usual_files(number))),
        );
        assert!(!verdict.is_anomalous(), "{}", verdict.summary);
        _ = judged(&engine, &mut blind, &overwriting(number, None));
    }
    assert_eq!(model, blind);
}

/// An attribute is named that moved at least three tenths as far as the one that moved most.
#[test]
fn attributes_that_moved_little_are_not_named() {
    let engine = Engine::default();
    let named = |permissions: Vec<u64>| {
        let mut files = usual_files(40);
        let attributes = files.attributes.as_mut().unwrap();
        attributes.modification_age = vec![0, 0, 0, 0, 203];
        attributes.permission = permissions;
        judged(&engine, &mut settled(&engine), &job(40, files)).summary
    };
    for permissions in [vec![180, 20], vec![100, 100]] {
        let summary = named(permissions);
        assert!(
            summary.ends_with("by time of modification (8.97 bits apart)."),
            "{summary}"
        );
    }
    let both = named(vec![0, 200]);
    let (modified, permissions) = ("time of modification (8.97", "permissions (3.30");
    assert!(
        both.contains(modified) && both.contains(permissions),
        "{both}"
    );
}

#[test]
fn attributes_unlike_any_before_are_told_once_and_not_learnt() {
    let engine = Engine::default();
    let mut model = settled(&engine);
    let first = judged(&engine, &mut model, &shifted(40));
    assert_eq!(first.kind(), Some(AnomalyKind::ContentShift));
    assert_eq!(first.severity(), Some(Severity::Low));
    assert!(
        first.summary.contains("extension") && first.summary.contains("time of modification"),
        "{}",
        first.summary
    );
    assert!(!first.summary.contains("permissions"), "{}", first.summary);

    // The same again is no news, and teaches nothing.
    for number in 41..71 {
        let again = judged(&engine, &mut model, &shifted(number));
        assert!(!again.is_anomalous(), "{}", again.summary);
    }
    // Back, and there again: that is news.
    assert!(!judged(&engine, &mut model, &job(71, usual_files(71))).is_anomalous());
    let mut unaccepted = model.clone();
    assert!(judged(&engine, &mut unaccepted, &shifted(72)).is_anomalous());
    assert!(model.accept(&first.key()));
    let accepted = judged(&engine, &mut model, &shifted(72));
    assert!(!accepted.is_anomalous(), "{}", accepted.summary);
}

/// A few files with such names may be a download; more are worse.
#[test]
fn severity_follows_the_number_of_files() {
    use Severity::{High, Low, Medium};

    let engine = Engine::default();
    let model = settled(&engine);
    let found = |files: FileInspection| {
        let verdict = engine.judge(&job(40, files), &mut model.clone());
        verdict.severity()
    };
    let with_extension = |count| {
        let mut files = usual_files(40);
        files.written_files = Some(count);
        files.written_extensions = [("lockbit".to_owned(), count)].into();
        files.attributes = None;
        found(files)
    };
    let with_notes = |notes| {
        let mut files = usual_files(40);
        files.ransom_note_files = Some(notes);
        found(files)
    };
    for (count, severity) in [(1, Low), (2, Low), (3, Medium), (9, Medium), (10, High)] {
        assert_eq!(
            with_extension(count),
            Some(severity),
            "{count} with the extension"
        );
    }
    for (notes, severity) in [
        (0, None),
        (1, Some(Medium)),
        (2, Some(Medium)),
        (3, Some(High)),
    ] {
        assert_eq!(with_notes(notes), severity, "{notes} notes");
    }
}

/// Of more than four extensions, the first three are named, and how many more there are.
#[test]
fn many_extensions_are_counted() {
    let engine = Engine::default();
    let extensions = ["akira", "cerber", "lockbit", "locky", "wncry"];
    let summary = |count: usize| {
        let mut files = usual_files(40);
        files.written_files = Some(200);
        files.written_extensions = extensions[..count]
            .iter()
            .map(|name| ((*name).to_owned(), 20))
            .collect();
        let verdict = engine.judge(&job(40, files), &mut settled(&engine));
        let told = extensions
            .iter()
            .filter(|name| verdict.summary.contains(**name))
            .count();
        (told, verdict.summary)
    };
    for (count, named, more) in [(1, 1, ""), (2, 2, ""), (4, 4, ""), (5, 3, " and 2 more.")] {
        let (found, summary) = summary(count);
        assert_eq!(found, named, "{summary}");
        assert!(summary.contains(more), "{summary}");
        assert_eq!(summary.contains(" more"), count > 4, "{summary}");
    }
}

/// Attributes are strange from the usual divergence on and as many deviations as the settings say; the
/// score is what the divergences of the past can say at most.
#[test]
fn an_attribute_shift_is_measured_in_deviations() {
    let told = |deviations: f64| {
        let mut settings = Settings::default();
        settings.detection.attribute_deviations = AttributeDeviations::new(deviations).unwrap();
        let engine = Engine::new(settings);
        let verdict = engine.judge(&shifted(40), &mut settled(&engine));
        let mut findings = verdict.findings.into_iter();
        findings.find(|one| one.feature.as_str() == "attribute_divergence_bits")
    };
    let found = |deviations| told(deviations).unwrap();
    let (four, five, six) = (found(4.0), found(5.0), found(6.0));
    let deviation = five.usual_high - four.usual_high;
    assert!(deviation > 0.0);
    assert!((six.usual_high - five.usual_high - deviation).abs() < 1e-9);
    let mean = four.usual_high - 4.0 * deviation;
    assert!((0.0..four.usual_high).contains(&mean), "{mean}");
    // What is told is what lies beyond the usual range.
    let bound = (four.observed - mean) / deviation;
    assert!(
        told(0.999 * bound).is_some() && told(1.001 * bound).is_none(),
        "{bound}"
    );
    for finding in [four, five, six] {
        assert!(finding.observed > finding.usual_high);
        // Of forty days the first had nothing to be compared with.
        let score = 40_f64.log10();
        assert!(
            (finding.score - score).abs() < 1e-6,
            "{} for {score}",
            finding.score
        );
    }
}

/// What a person accepts is that many files with that extension, for as long as there are others to
/// remember; what nobody accepted never becomes usual by being pushed out.
#[test]
fn accepted_extensions_stay_known_up_to_their_number() {
    let engine = Engine::default();
    let mut model = settled(&engine);
    let found = |model: &StreamModel, number: u64, extension: &str, count: u64| {
        let job = with_extension(number, extension, count);
        engine.judge(&job, &mut model.clone()).is_anomalous()
    };
    let accepted = judged(&engine, &mut model, &with_extension(40, "lockbit", 30));
    assert!(model.accept(&accepted.key()));
    for number in 41..59 {
        assert!(!found(&model, number, "lockbit", 30), "day {number}");
        assert!(found(&model, number, "lockbit", 31), "day {number}");
        assert!(found(&model, number, "akira", 30), "day {number}");
        let other = judged(&engine, &mut model, &with_extension(number, "akira", 30));
        assert!(other.is_anomalous());
    }
}

/// Attributes that were accepted are forgotten when that is taken back, to the byte; but for what was
/// learnt since.
#[test]
fn accepted_attributes_can_be_taken_back() {
    let engine = Engine::default();
    let mut model = settled(&engine);
    let shift = judged(&engine, &mut model, &shifted(40)).key();
    let before = model.to_bytes().unwrap();
    assert!(model.accept(&shift));
    let accepted = model.to_bytes().unwrap();
    assert_ne!(accepted, before);
    assert!(!model.accept(&shift), "once");
    assert_eq!(model.to_bytes().unwrap(), accepted);
    let told = |model: &StreamModel| {
        engine
            .judge(&shifted(42), &mut model.clone())
            .is_anomalous()
    };
    let mut since = model.clone();
    _ = judged(&engine, &mut since, &job(41, usual_files(41)));
    assert!(since.retract(&shift));
    assert!(!told(&since), "others were learnt since");
    assert!(model.retract(&shift));
    assert_eq!(model.to_bytes().unwrap(), before);
    _ = judged(&engine, &mut model, &job(41, usual_files(41)));
    assert!(told(&model));
}
