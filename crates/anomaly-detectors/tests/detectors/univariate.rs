//! What holds for the detectors that judge each column by itself.

use anomaly_detectors::ndarray::{Array1, Array2, Axis, array};
use anomaly_detectors::tail::Side;
use anomaly_detectors::{
    Aggregation, Baseline, Fit, FittedIqr, FittedUnivariate, FittedZScore, Iqr, IqrParams,
    MAX_DISTANCE, ModifiedZScore, ModifiedZScoreParams, Score, Univariate, ZScore, ZScoreParams,
};
use proptest::prelude::*;

use crate::data::{any_number, bits, matrix, slope};
use crate::stored::refusal;

const AGGREGATIONS: [Aggregation; 3] = [
    Aggregation::Max,
    Aggregation::SumOfSquares,
    Aggregation::LogSum,
];

fn univariate(aggregation: Aggregation) -> (ZScore, ModifiedZScore, Iqr) {
    let z_score = ZScoreParams::default().aggregation(aggregation);
    let modified = ModifiedZScoreParams::default().aggregation(aggregation);
    let iqr = IqrParams::default().aggregation(aggregation);
    (
        z_score.check().unwrap(),
        modified.check().unwrap(),
        iqr.check().unwrap(),
    )
}

/// The three detectors with every aggregation, fitted.
fn fit_all(data: &Array2<f64>) -> Vec<Box<dyn Score>> {
    let mut fitted: Vec<Box<dyn Score>> = Vec::new();
    for aggregation in AGGREGATIONS {
        let (z_score, modified, iqr) = univariate(aggregation);
        fitted.push(Box::new(z_score.fit(data.view()).unwrap()));
        fitted.push(Box::new(modified.fit(data.view()).unwrap()));
        fitted.push(Box::new(iqr.fit(data.view()).unwrap()));
    }
    fitted
}

proptest! {
    #[test]
    fn a_missing_value_adds_nothing(
        data in matrix(2..30_usize, Just(3), any_number()),
        row in matrix(Just(1), Just(3), any_number()),
    ) {
        let mut holey = row.clone();
        holey[[0, 1]] = f64::NAN;
        let (z_score, modified, iqr) = univariate(Aggregation::LogSum);
        let rest = data.select(Axis(1), &[0, 2]);
        let row = row.select(Axis(1), &[0, 2]);
        adds_nothing(&z_score, (&data, &holey), (&rest, &row))?;
        adds_nothing(&modified, (&data, &holey), (&rest, &row))?;
        adds_nothing(&iqr, (&data, &holey), (&rest, &row))?;
    }

    #[test]
    fn the_order_of_history_does_not_matter_to_univariate_detectors(
        (data, shuffled) in matrix(2..30_usize, Just(2), any_number()).prop_flat_map(|data| {
            let order = Just((0..data.nrows()).collect::<Vec<_>>()).prop_shuffle();
            let shuffled = order.prop_map({
                let data = data.clone();
                move |order| data.select(Axis(0), &order)
            });
            (Just(data), shuffled)
        })
    ) {
        let (z_score, modified, iqr) = univariate(Aggregation::LogSum);
        prop_assert_eq!(modified.fit(data.view()), modified.fit(shuffled.view()));
        prop_assert_eq!(iqr.fit(data.view()), iqr.fit(shuffled.view()));
        let ours = z_score.fit(data.view()).unwrap();
        let theirs = z_score.fit(shuffled.view()).unwrap();
        for (a, b) in ours.baselines().iter().zip(theirs.baselines()) {
            let largest = a.location().abs().max(a.scale());
            prop_assert!((a.location() - b.location()).abs() <= 1e-14 * largest);
            prop_assert!((a.scale() - b.scale()).abs() <= 1e-14 * largest);
        }
    }

    #[test]
    fn units_do_not_matter(
        data in matrix(3..30_usize, Just(2), -10.0..10.0),
        exponent in -300..300_i32,
        shift in -100.0..100.0,
    ) {
        let scaled = &data * 2_f64.powi(exponent);
        for (ours, theirs) in fit_all(&data).iter().zip(fit_all(&scaled)) {
            let scores = bits(&ours.score(data.view()).unwrap());
            prop_assert_eq!(bits(&theirs.score(scaled.view()).unwrap()), scores);
        }

        let shifted = &data + shift;
        let (z_score, modified, iqr) = univariate(Aggregation::Max);
        same_after_shift(&z_score, &data, &shifted)?;
        same_after_shift(&modified, &data, &shifted)?;
        same_after_shift(&iqr, &data, &shifted)?;
    }

    #[test]
    fn contributions_make_the_score(data in matrix(2..40_usize, 1..5_usize, -10.0..10.0)) {
        for aggregation in AGGREGATIONS {
            let (_, modified, _) = univariate(aggregation);
            let usual = modified.fit(data.view()).unwrap();
            for row in data.rows() {
                let contributions = usual.explain(row).unwrap();
                let whole = match aggregation {
                    Aggregation::Max => contributions.fold(0.0, |a: f64, &b| a.max(b)),
                    _ => contributions.sum(),
                };
                let score = usual.score_row(row).unwrap();
                prop_assert!((whole - score).abs() <= 1e-12 * (1.0 + score));
            }
        }
    }

    #[test]
    fn farther_out_is_never_less_strange(
        data in matrix(2..30_usize, Just(2), any_number()),
        other in any_number(),
        mut values in proptest::collection::vec(any_number(), 2..10),
    ) {
        values.retain(|value| !value.is_nan());
        for detector in fit_all(&data) {
            let score = |value: f64| {
                detector.score_row(Array1::from(vec![value, other]).view()).unwrap()
            };
            for pair in values.windows(2) {
                let (low, high) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
                let middle = f64::midpoint(low, high);
                if middle.is_finite() {
                    // Scores rise with the distance from the location, on both sides of it.
                    let ends = score(low).max(score(high));
                    prop_assert!(score(middle) <= ends * (1.0 + 1e-12), "{detector:?} {low} {high}");
                }
            }
        }
    }
}

/// Whether rows with a missing value in column 1 score as rows without that column do.
fn adds_nothing<D: Univariate>(
    detector: &D,
    (data, holey): (&Array2<f64>, &Array2<f64>),
    (rest, row): (&Array2<f64>, &Array2<f64>),
) -> Result<(), TestCaseError> {
    let with = detector.fit(data.view()).unwrap();
    let without = detector.fit(rest.view()).unwrap();
    prop_assert_eq!(with.score(holey.view()), without.score(row.view()));
    prop_assert_eq!(with.explain(holey.row(0)).unwrap()[1].to_bits(), 0);
    prop_assert_eq!(with.p_value(1, f64::NAN, Side::Both), None);
    Ok(())
}

fn same_after_shift<D: Univariate>(
    detector: &D,
    data: &Array2<f64>,
    shifted: &Array2<f64>,
) -> Result<(), TestCaseError> {
    let (a, b) = (
        detector.fit(data.view()).unwrap(),
        detector.fit(shifted.view()).unwrap(),
    );
    let scores = a.score(data.view()).unwrap();
    for (index, (score, other)) in scores
        .iter()
        .zip(b.score(shifted.view()).unwrap())
        .enumerate()
    {
        // What rounding to the shifted numbers costs, in scales.
        let finest = a
            .baselines()
            .iter()
            .map(Baseline::scale)
            .fold(f64::MAX, f64::min);
        let lost = 1e-12 / finest * (1.0 + score);
        prop_assert!(
            (score - other).abs() <= lost,
            "row {index}: {score} {other}"
        );
    }
    Ok(())
}

#[test]
fn numbers_near_the_largest_keep_their_proportions() {
    let unit = 2_f64.powi(1020);
    let (history, new) = (array![[9.0], [9.5], [8.0], [-9.0]], array![[-15.0], [15.0]]);
    let usual = ZScore::default().fit(history.view()).unwrap();
    let huge = ZScore::default().fit((&history * unit).view()).unwrap();
    // From the mean, 4.4 units, to -15 units is farther than the largest number.
    let scores = usual.score(new.view()).unwrap();
    assert_eq!(
        bits(&scores),
        bits(&huge.score((&new * unit).view()).unwrap())
    );
}

#[test]
fn stored_baselines_are_checked() {
    let data = Array2::from_shape_fn((10, 2), |(row, column)| (row * (column + 2) % 7) as f64);
    let iqr = serde_json::to_string(&Iqr::default().fit(data.view()).unwrap()).unwrap();
    let impossible = iqr.replace(r#""columns":[[2.625,"#, r#""columns":[[2.625,-"#);
    for (error, expected) in [
        (
            refusal::<FittedZScore>(&iqr.replace(r#""k":1.5,"#, "")),
            "the stored z-score cannot be used: it is the state of iqr; fit it again",
        ),
        (
            refusal::<FittedIqr>(&impossible),
            "the stored baseline cannot be used: location 2.625 and scale -5.5 are from no fit; fit it again",
        ),
    ] {
        assert!(error.starts_with(expected), "{error}");
    }
}

/// Numbers of the standard normal distribution, evenly: Box and Muller (1958) on a grid.
fn normal_values() -> Array2<f64> {
    const STEPS: usize = 150;
    Array2::from_shape_fn((STEPS * STEPS, 1), |(place, _)| {
        let part = |step: usize| (step as f64 + 0.5) / STEPS as f64;
        let radius = (-2.0 * part(place / STEPS).ln()).sqrt();
        radius * (std::f64::consts::TAU * part(place % STEPS)).cos()
    })
}

fn scale_is_as_it_says<D: Univariate + Fit<Fitted = FittedUnivariate<D>>>(detector: &D) {
    let usual = detector.fit(normal_values().view()).unwrap();
    let baseline = usual.baselines()[0];
    let expected = detector.deviations_per_scale();
    assert!(
        (baseline.scale() / expected - 1.0).abs() < 0.01,
        "{baseline:?}"
    );
    for side in [Side::Above, Side::Below, Side::Both] {
        for rate in [1e-12, 1e-6, 0.001, 0.05, 0.5] {
            let critical = usual.critical_distance(0, rate, side).unwrap();
            assert_eq!(critical < 0.0, side == Side::Below && rate < 0.5);
            let value = baseline.location() + critical * baseline.scale();
            let chance = usual.p_value(0, value, side).unwrap();
            assert!((chance / rate - 1.0).abs() < 1e-6, "{chance} for {rate}");
        }
        for rate in [1e-13, 0.51, f64::NAN] {
            assert_eq!(usual.critical_distance(0, rate, side), None);
        }
        assert_eq!(usual.critical_distance(1, 0.05, side), None);
    }
    // Nine equal values: a new one has a chance of a tenth, and no smaller rate can be kept.
    let constant = detector.fit(Array2::ones((9, 1)).view()).unwrap();
    let critical = |rate, side| constant.critical_distance(0, rate, side);
    assert_eq!(critical(0.1, Side::Below), Some(-MAX_DISTANCE));
    assert_eq!(critical(0.1, Side::Both), Some(MAX_DISTANCE));
    assert_eq!(critical(0.099, Side::Both), None);
}

/// A scale is so many standard deviations of normal values, and a critical distance is where the
/// p-value is the rate.
#[test]
fn a_scale_and_a_critical_distance_are_what_they_say() {
    let (z_score, modified, iqr) = univariate(Aggregation::LogSum);
    scale_is_as_it_says(&z_score);
    scale_is_as_it_says(&modified);
    scale_is_as_it_says(&iqr);
    let wide = IqrParams::default().k(3.0).check().unwrap();
    scale_is_as_it_says(&wide);
    let usual = wide.fit(normal_values().view()).unwrap();
    let (low, high) = usual.fences(0).unwrap();
    let distances = [low, high].map(|fence| usual.distances(array![fence].view()).unwrap()[0]);
    assert!((distances[0] + 1.0).abs() < 1e-12 && (distances[1] - 1.0).abs() < 1e-12);
    assert_eq!(usual.fences(1), None);
}

/// The largest distance is the score, where that was asked for.
#[test]
fn the_aggregation_is_the_one_that_was_asked_for() {
    let data = array![[1.0, 5.0], [2.0, 7.0], [3.0, 4.0], [4.0, 9.0], [6.0, 8.0]];
    let row = array![11.0, 2.0];
    let (z_score, modified, iqr) = univariate(Aggregation::Max);
    let largest = |distances: Array1<f64>| distances.fold(0.0_f64, |most, z| most.max(z.abs()));
    let z_score = z_score.fit(data.view()).unwrap();
    let modified = modified.fit(data.view()).unwrap();
    let iqr = iqr.fit(data.view()).unwrap();
    let expected = [
        largest(z_score.distances(row.view()).unwrap()),
        largest(modified.distances(row.view()).unwrap()),
        largest(iqr.distances(row.view()).unwrap()),
    ];
    let found = [&z_score as &dyn Score, &modified, &iqr]
        .map(|usual| usual.score(row.view().insert_axis(Axis(0))).unwrap()[0]);
    assert_eq!(found, expected);
}

/// In units so small that squares vanish, and so large that they overflow, scores are the same.
#[test]
fn the_smallest_and_the_largest_units_do_not_matter() {
    let data = slope(30, 2);
    for exponent in [-900, 900] {
        let scaled = &data * 2_f64.powi(exponent);
        for (ours, theirs) in fit_all(&data).iter().zip(fit_all(&scaled)) {
            let scores = bits(&ours.score(data.view()).unwrap());
            assert_eq!(bits(&theirs.score(scaled.view()).unwrap()), scores);
        }
    }
}

#[test]
fn a_baseline_of_no_fit_is_refused() {
    let (nan, infinity) = (f64::NAN, f64::INFINITY);
    let read = |location: f64, scale: f64| {
        let bytes = postcard::to_stdvec(&(location, scale, 5_usize)).unwrap();
        postcard::from_bytes::<Baseline>(&bytes).is_ok()
    };
    assert!(read(3.0, 1.0) && read(-3.0, 0.0));
    for (location, scale) in [
        (infinity, 1.0),
        (nan, 1.0),
        (3.0, infinity),
        (3.0, nan),
        (3.0, -1.0),
    ] {
        assert!(!read(location, scale), "{location} {scale}");
    }
}
