//! What is stored scores the same, or is refused.

use std::fmt::Debug;

use anomaly_detectors::ndarray::Array2;
use anomaly_detectors::{DetectorError, Score};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::{any_number, bits, matrix, slope};
use crate::every::every_detector;

proptest! {
    #[test]
    fn what_is_stored_scores_the_same(data in matrix(2..40_usize, 0..5_usize, any_number())) {
        for detector in every_detector() {
            let fitted = (detector.fit)(data.view()).unwrap();
            let (json, bytes) = (fitted.to_json(), fitted.to_bytes());
            let scores = bits(&fitted.score(data.view()).unwrap());
            for read in [(detector.from_json)(&json), (detector.from_bytes)(&bytes)] {
                let read = read.unwrap();
                prop_assert_eq!(bits(&read.score(data.view()).unwrap()), scores.clone());
                prop_assert_eq!(&read.to_json(), &json);
                prop_assert_eq!(&read.to_bytes(), &bytes);
            }
        }
    }

    #[test]
    fn a_damaged_store_is_refused_or_harmless(
        data in matrix(4..40_usize, 1..4_usize, -10.0..10.0),
        damages in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for detector in every_detector() {
            let mut bytes = (detector.fit)(data.view()).unwrap().to_bytes();
            for (place, byte) in &damages {
                let at = place.index(bytes.len());
                bytes[at] = *byte;
            }
            if let Ok(read) = (detector.from_bytes)(&bytes) {
                harmless(&*read, &data)?;
            }
        }
    }
}

/// Why a stored detector cannot be read.
pub(crate) fn refusal<F: DeserializeOwned + Debug>(json: &str) -> String {
    serde_json::from_str::<F>(json).unwrap_err().to_string()
}

/// Whether a detector is refused after the first number `from` of its stored form is made `to`: for
/// numbers that JSON does not have.
pub(crate) fn is_refused_with<F: Serialize + DeserializeOwned>(
    fitted: &F,
    from: f64,
    to: f64,
) -> bool {
    let mut bytes = postcard::to_stdvec(fitted).unwrap();
    assert!(postcard::from_bytes::<F>(&bytes).is_ok());
    let from = from.to_le_bytes();
    let place = bytes.windows(8).position(|window| window == from).unwrap();
    bytes[place..place + 8].copy_from_slice(&to.to_le_bytes());
    postcard::from_bytes::<F>(&bytes).is_err()
}

fn harmless(detector: &dyn Score, data: &Array2<f64>) -> Result<(), TestCaseError> {
    match detector.score(data.view()) {
        Ok(scores) => {
            prop_assert!(scores.iter().all(|score| score.is_finite()), "{scores}");
            let contributions = detector.explain(data.row(0)).unwrap();
            prop_assert!(
                contributions.iter().all(|part| part.is_finite()),
                "{contributions}"
            );
        }
        Err(error) => {
            let other_width = matches!(error, DetectorError::WidthMismatch { .. });
            prop_assert!(other_width, "{error}");
        }
    }
    Ok(())
}

#[test]
fn another_detector_or_version_is_refused() {
    for detector in every_detector() {
        let stored = (detector.fit)(slope(10, 2).view()).unwrap().to_json();
        let value: serde_json::Value = serde_json::from_str(&stored).unwrap();
        let name = value["detector"].as_str().unwrap();
        for (key, other, reason) in [
            ("detector", "\"other\"", "it is the state of other"),
            ("version", "99", "it is of version 99, this program reads "),
        ] {
            let changed = stored.replacen(
                &format!("\"{key}\":{}", value[key]),
                &format!("\"{key}\":{other}"),
                1,
            );
            let error = (detector.from_json)(&changed).unwrap_err();
            let expected = format!("the stored {name} cannot be used: {reason}");
            assert!(error.starts_with(&expected), "{}: {error}", detector.name);
        }
    }
}
