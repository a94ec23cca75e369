//! P-values and critical distances of the univariate detectors hold for short histories.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use anomaly_detectors::ndarray::{Array1, Array2, array};
use anomaly_detectors::tail::Side;
use anomaly_detectors::{
    Fit, FittedUnivariate, Iqr, MAX_DISTANCE, ModifiedZScore, Univariate, ZScore,
};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use statrs::distribution::{ContinuousCDF, Normal};

const COLUMNS: usize = 20_000;
const SIDES: [Side; 3] = [Side::Above, Side::Below, Side::Both];

/// Normal columns, and the next value of each.
struct Columns {
    history: Array2<f64>,
    next: Array1<f64>,
}

fn normal_columns(observations: usize) -> Columns {
    let normal = Normal::standard();
    let mut random = ChaCha8Rng::seed_from_u64(observations as u64);
    let mut draw = || normal.inverse_cdf(random.random_range(1e-12..1.0));
    Columns {
        history: Array2::from_shape_simple_fn((observations, COLUMNS), &mut draw),
        next: Array1::from_shape_simple_fn(COLUMNS, &mut draw),
    }
}

/// How often the next value is as far out as a threshold, which the fitted detector gives.
fn false_alarms<D: Univariate>(
    detector: &D,
    columns: &Columns,
    threshold: impl FnOnce(&FittedUnivariate<D>) -> f64,
) -> f64 {
    let usual = detector.fit(columns.history.view()).unwrap();
    let threshold = threshold(&usual);
    let distances = usual.distances(columns.next.view()).unwrap();
    let alarms = distances.iter().filter(|z| z.abs() >= threshold).count();
    alarms as f64 / COLUMNS as f64
}

fn one_percent_means_one_percent<D: Univariate>(detector: &D) {
    let mut fixed = Vec::new();
    for observations in [20, 40, 60, 100] {
        let columns = normal_columns(observations);
        // All columns have as many observations, and so the same critical distance.
        let rate = false_alarms(detector, &columns, |usual| {
            usual.critical_distance(0, 0.01, Side::Both).unwrap()
        });
        // Four standard deviations of a rate of 1 % are 0.28 %.
        assert!((0.005..0.02).contains(&rate), "{rate} of {observations}");
        let three_and_a_half = 3.5 / detector.deviations_per_scale();
        fixed.push(false_alarms(detector, &columns, |_| three_and_a_half));
    }
    // Of normal values 0.047 % are 3.5 standard deviations out.
    assert!(fixed[0] > 4.0 * 0.000_465, "{fixed:?}");
    assert!(fixed[0] > 2.0 * fixed[3], "{fixed:?}");
}

#[test]
fn a_rate_is_kept_where_a_fixed_threshold_misfires() {
    one_percent_means_one_percent(&ZScore::default());
    one_percent_means_one_percent(&ModifiedZScore::default());
    one_percent_means_one_percent(&Iqr::default());
}

fn the_p_value_there_is_the_rate<D: Univariate>(
    detector: &D,
    data: &Array2<f64>,
    rate: f64,
) -> Result<(), TestCaseError> {
    let usual = detector.fit(data.view()).unwrap();
    let baseline = usual.baselines()[0];
    for side in SIDES {
        let critical = usual.critical_distance(0, rate, side).unwrap();
        prop_assert_eq!(critical < 0.0, side == Side::Below && critical != 0.0);
        let value = critical.mul_add(baseline.scale(), baseline.location());
        let p_value = usual.p_value(0, value, side).unwrap();
        prop_assert!((p_value / rate - 1.0).abs() < 1e-9, "{p_value} of {rate}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn at_the_critical_distance_the_p_value_is_the_rate(
        seed in any::<u64>(),
        observations in 3..300_usize,
        exponent in -11.9..-0.31,
    ) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let data = Array2::from_shape_simple_fn((observations, 1), || random.random_range(-1.0..1.0));
        let rate = 10_f64.powf(exponent);
        the_p_value_there_is_the_rate(&ZScore::default(), &data, rate)?;
        the_p_value_there_is_the_rate(&ModifiedZScore::default(), &data, rate)?;
        the_p_value_there_is_the_rate(&Iqr::default(), &data, rate)?;
    }
}

#[test]
fn what_has_no_critical_distance() {
    let nan = f64::NAN;
    let data = array![[1.0, 5.0, nan], [2.0, 5.0, nan], [4.0, 5.0, nan]];
    let usual = ModifiedZScore::default().fit(data.view()).unwrap();
    let critical = |column, rate, side| usual.critical_distance(column, rate, side);
    for rate in [0.0, 1e-13, 0.51, 1.0, -1.0, nan, f64::INFINITY] {
        assert_eq!(critical(0, rate, Side::Both), None, "{rate}");
    }
    // The median of a value is exceeded half of the time.
    assert_eq!(critical(0, 0.5, Side::Above), Some(0.0));
    // Two values are enough.
    let of_two = ModifiedZScore::default().fit(array![[1.0], [2.0]].view());
    let of_two = of_two.unwrap().critical_distance(0, 0.1, Side::Both);
    assert!(of_two > critical(0, 0.1, Side::Both), "{of_two:?}");
    // Three equal values say that another one comes at most every fourth time.
    assert_eq!(critical(1, 0.25, Side::Above), Some(MAX_DISTANCE));
    assert_eq!(critical(1, 0.25, Side::Below), Some(-MAX_DISTANCE));
    assert_eq!(critical(1, 0.24, Side::Both), None);
    assert_eq!(critical(2, 0.25, Side::Both), None);
    assert_eq!(critical(3, 0.25, Side::Both), None);
}
