//! P-values of the univariate detectors hold for short histories.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::ndarray::Array2;
use anomaly_detectors::tail::Side;
use anomaly_detectors::{Fit, Iqr, ModifiedZScore, Univariate, ZScore};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use statrs::distribution::{ContinuousCDF, Normal};

/// How often the next value of a normal column has a p-value of at most 1 %.
fn false_alarms<D: Univariate>(history: usize, detector: &D) -> f64 {
    const COLUMNS: usize = 8_000;
    let normal = Normal::standard();
    let mut random = ChaCha8Rng::seed_from_u64(history as u64);
    let mut draw = || normal.inverse_cdf(random.random_range(1e-12..1.0));

    let data = Array2::from_shape_simple_fn((history, COLUMNS), &mut draw);
    let usual = detector.fit(data.view()).unwrap();
    let alarms = (0..COLUMNS)
        .filter(|&column| usual.p_value(column, draw(), Side::Both).unwrap() <= 0.01)
        .count();
    alarms as f64 / COLUMNS as f64
}

#[test]
fn one_percent_means_one_percent() {
    // Four standard deviations of the rate are 0.44 %.
    for history in [20, 60] {
        for (rate, lowest) in [
            (false_alarms(history, &ZScore::default()), 0.0056),
            (false_alarms(history, &ModifiedZScore::default()), 0.0040),
            (false_alarms(history, &Iqr::default()), 0.0045),
        ] {
            assert!((lowest..0.0150).contains(&rate), "{rate} after {history}");
        }
    }
}
