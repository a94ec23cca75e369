//! What holds for every feature and every job.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

use anomaly_features::{
    Absent, FEATURES, FeatureMatrix, Previous, Transform, Unit, extract, feature,
};
use anomaly_model::chrono::DateTime;
use anomaly_model::{BackupImage, BackupJob, ContentStatistics};
use proptest::prelude::*;

fn job(image: BackupImage) -> BackupJob {
    BackupJob::builder("restic", "1", "c", "p", DateTime::UNIX_EPOCH)
        .image(image)
        .build()
        .unwrap()
}

fn image() -> impl Strategy<Value = BackupImage> {
    let count = || proptest::option::of(prop_oneof![Just(0), 0..1000_u64, any::<u64>()]);
    (
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        proptest::option::of(count()),
    )
        .prop_map(
            |(image, files, transferred, new, changed, deleted, random)| {
                BackupImage::default()
                    .image_bytes(image)
                    .file_count(files)
                    .transferred_bytes(transferred)
                    .files_new(new)
                    .files_changed(changed)
                    .files_deleted(deleted)
                    .content(random.map(|random| ContentStatistics::default().random_files(random)))
            },
        )
}

proptest! {
    /// Every coordinate is finite or missing, whatever a job reports.
    #[test]
    fn coordinates_are_finite_or_missing(before in image(), after in image()) {
        let previous = Previous::of(&job(before));
        let vector = extract(&job(after), Some(&previous));
        for ((feature, reading), coordinate) in
            FEATURES.iter().zip(vector.readings()).zip(vector.coordinates())
        {
            match reading {
                Ok(reading) => {
                    prop_assert!(coordinate.is_finite(), "{}", feature.name);
                    prop_assert!(reading.reference >= 0.0);
                }
                Err(_) => prop_assert!(coordinate.is_nan(), "{}", feature.name),
            }
        }
    }

    /// What is shown as a usual value is the value that gave the coordinate.
    #[test]
    fn transforms_invert(value in 0.0..1e13_f64, reference in 1.0..1e13_f64) {
        for transform in [
            Transform::Identity, Transform::Log { unit: 1e3 }, Transform::LogRatio { unit: 1e3 },
        ] {
            let back = transform.inverse(transform.forward(value, reference), reference);
            prop_assert!((back - value).abs() <= 1e-6 * (value + 1e3), "{:?}", transform);
        }
        let part = value.min(reference);
        let back = Transform::Share.inverse(Transform::Share.forward(part, reference), reference);
        prop_assert!((back - part).abs() <= 1e-9 * reference);
    }

    /// A larger value never has a smaller coordinate.
    #[test]
    fn transforms_are_monotonic(a in 0.0..1e13_f64, b in 0.0..1e13_f64, reference in 0.0..1e13_f64) {
        let (low, high) = (a.min(b), a.max(b));
        for feature in FEATURES {
            let forward = |value| feature.transform.forward(value, reference);
            prop_assert!(forward(low) <= forward(high), "{}", feature.name);
        }
    }
}

#[test]
fn names_are_unique_and_found() {
    for (i, one) in FEATURES.iter().enumerate() {
        assert!(one.resolution > 0.0 && !one.label.is_empty());
        assert_eq!(
            FEATURES.iter().position(|other| other.name == one.name),
            Some(i)
        );
        assert_eq!(feature(one.name).unwrap().label, one.label);
        assert_eq!(one.feature_name().unwrap().as_str(), one.name);
    }
}

/// The two reasons for a missing value are told apart.
#[test]
fn a_blind_spot_is_not_an_absence() {
    let image = BackupImage::default()
        .image_bytes(10)
        .files_new(0)
        .files_changed(3)
        .content(ContentStatistics::default().mean_entropy_bits(7.9));
    let vector = extract(&job(image), None);
    let reading = |name| {
        let index = FEATURES
            .iter()
            .position(|feature| feature.name == name)
            .unwrap();
        vector.readings()[index]
    };
    assert_eq!(
        reading("image_bytes"),
        Err(Absent::NotApplicable),
        "there is no image before it"
    );
    assert_eq!(
        reading("mean_entropy_bits"),
        Err(Absent::NotApplicable),
        "three files only"
    );
    assert_eq!(reading("file_count"), Err(Absent::NotReported));
    assert!(
        vector
            .unreported()
            .all(|feature| feature.name != "image_bytes")
    );
}

/// Growth is not rewriting, and what is left after a deletion is not rewritten.
#[test]
fn shares_tell_rewriting_from_growth_and_loss() {
    let before = Previous::of(&job(BackupImage::default().image_bytes(1_000)));
    let share = |image, transferred| {
        let image = BackupImage::default()
            .image_bytes(image)
            .transferred_bytes(transferred);
        extract(&job(image), Some(&before))
            .value("rewritten_share")
            .unwrap()
    };
    assert!(share(2_000, 1_000) < 1e-9, "an import");
    assert!(
        (share(1_000, 1_000) - 1.0).abs() < 1e-9,
        "everything rewritten"
    );
    assert!(share(10, 10) < 0.05, "nearly everything deleted");
}

#[test]
fn ranges_read_well() {
    assert_eq!(Unit::Bytes.format_range(0.0, 0.0), "0 B");
    assert_eq!(Unit::Bytes.format_range(150e3, 3.1e6), "0.1 to 3.1 MB");
    assert_eq!(Unit::Share.format_range(0.0, 0.04), "0 to 4 %");
    assert_eq!(Unit::Files.format_range(1.0, 1.0), "1 file");
    assert_eq!(Unit::Seconds.format(0.455), "0.5 s");
}

#[test]
fn a_matrix_pads_short_rows_and_cuts_long_ones() {
    let mut matrix = FeatureMatrix::new(2);
    matrix.push([1.0]);
    matrix.push([1.0, 2.0, 3.0]);
    assert_eq!(matrix.view().dim(), (2, 2));
    assert!(matrix.view()[[0, 1]].is_nan());
    assert!((matrix.view()[[1, 1]] - 2.0).abs() < f64::EPSILON);
}
