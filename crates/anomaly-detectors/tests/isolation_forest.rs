//! The isolation forest against the paper, and against itself.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::float_cmp, reason = "equal to the last bit is what is asked")]

use std::collections::HashSet;

use anomaly_detectors::ndarray::{Array2, array};
use anomaly_detectors::{
    DetectorError, Fit, FittedIsolationForest, ForestScoring, IsolationForestParams, Score,
};

fn fit(params: IsolationForestParams, data: &Array2<f64>) -> FittedIsolationForest {
    params.check().unwrap().fit(data.view()).unwrap()
}

fn wave(rows: usize, columns: usize) -> Array2<f64> {
    // Quarters are exact: the same numbers on every platform.
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        ((row * (2 * column + 3)) % 101) as f64 / 4.0 + ((row + column) % 7) as f64 / 2.0
    })
}

#[test]
fn two_rows_always_take_one_step() {
    let forest = fit(IsolationForestParams::plain(), &array![[1.0], [2.0]]);
    let scores = forest.score(array![[0.0], [1.5], [9.0]].view()).unwrap();
    // E(h) = 1 = c(2), and 2^-1.
    assert_eq!(scores, array![0.5, 0.5, 0.5]);
    // However close they are.
    let close = array![[1.0], [1.0_f64.next_up()]];
    let forest = fit(IsolationForestParams::plain(), &close);
    assert_eq!(forest.score(close.view()).unwrap(), array![0.5, 0.5]);
}

#[test]
fn three_rows_take_the_steps_that_chance_gives_them() {
    // The first split falls below 1 with a chance of 0.1 and isolates 0, else it isolates 10. The
    // other two rows take a second step.
    let data = array![[0.0], [1.0], [10.0]];
    let forest = fit(IsolationForestParams::plain().trees(10_000), &data);
    let average_path_length = 1.207_392_357_589_623;
    for (score, expected) in forest
        .score(data.view())
        .unwrap()
        .iter()
        .zip([1.9, 2.0, 1.1])
    {
        let steps = -score.log2() * average_path_length;
        // Five standard deviations of the mean of 10,000 trees.
        assert!(
            (steps - expected).abs() < 0.015,
            "{steps} steps, not {expected}"
        );
    }
}

#[test]
fn equal_rows_score_one_half() {
    let data = Array2::from_elem((40, 3), 7.0);
    let forest = fit(IsolationForestParams::plain(), &data);
    let scores = forest
        .score(array![[7.0, 7.0, 7.0], [0.0, 9.0, f64::NAN]].view())
        .unwrap();
    assert!(
        scores.iter().all(|score| (score - 0.5).abs() < 1e-14),
        "{scores}"
    );
}

#[test]
fn a_missing_value_is_read_as_the_middle_one() {
    let data = wave(99, 2);
    let mut first: Vec<f64> = data.column(0).to_vec();
    first.sort_by(f64::total_cmp);
    let forest = fit(IsolationForestParams::plain(), &data);
    let missing = forest.score_row(array![f64::NAN, 3.0].view()).unwrap();
    let middle = forest.score_row(array![first[49], 3.0].view()).unwrap();
    assert_eq!(missing, middle);
}

#[test]
fn neighbouring_seeds_share_no_tree() {
    let data = wave(300, 3);
    let mut seen = HashSet::new();
    for seed in 0..8 {
        let forest = fit(IsolationForestParams::plain().trees(50).seed(seed), &data);
        let stored = serde_json::to_value(&forest).unwrap();
        for tree in stored["trees"].as_array().unwrap() {
            assert!(
                seen.insert(tree.to_string()),
                "a tree of seed {seed} was there before"
            );
        }
    }
    let again = fit(IsolationForestParams::plain().trees(50).seed(3), &data);
    assert_eq!(
        again,
        fit(IsolationForestParams::plain().trees(50).seed(3), &data)
    );
}

#[test]
fn a_seed_gives_the_same_forest_for_ever() {
    let mut data = wave(500, 3);
    data[[17, 1]] = f64::NAN;
    data[[18, 2]] = f64::INFINITY;
    let forest = fit(IsolationForestParams::plain().seed(42), &data);
    let scores = forest.score(data.view()).unwrap();
    let golden = [0, 17, 18, 499].map(|row| scores[row]);
    assert_eq!(
        golden,
        [
            0.649_494_926_680_983_7,
            0.463_061_527_501_635_65,
            0.678_997_803_123_740_3,
            0.458_513_465_925_750_9
        ]
    );
}

#[test]
fn a_default_forest_is_the_same_for_ever() {
    let mut data = wave(500, 3);
    data[[17, 1]] = f64::NAN;
    data[[18, 2]] = f64::INFINITY;
    let forest = fit(IsolationForestParams::default().seed(42), &data);
    let scores = forest.score(data.view()).unwrap();
    let golden = [0, 17, 18, 499].map(|row| scores[row]);
    assert_eq!(
        golden,
        [
            3.684_174_877_730_600_7,
            -0.112_428_106_866_071_58,
            11.626_497_552_240_084,
            -0.646_584_112_448_396
        ]
    );
}

#[test]
fn density_is_the_share_of_rows_over_the_share_of_room() {
    // One split, at t from 0 to 1: the row on its left has half of the rows in t of the range.
    let data = array![[0.0], [1.0]];
    let params = || IsolationForestParams::plain().trees(10_000);
    // The mean of -ln(0.5 / t), and of -ln(2 / (1 + t)).
    let ln_2 = std::f64::consts::LN_2;
    for (scoring, expected) in [
        (ForestScoring::Density, ln_2 - 1.0),
        (ForestScoring::AdjustedDensity, ln_2 - 1.0),
    ] {
        for score in fit(params().scoring(scoring), &data)
            .score(data.view())
            .unwrap()
        {
            // Five standard deviations of the mean of 10,000 logarithms of t.
            assert!((score - expected).abs() < 0.05, "{score}, not {expected}");
        }
    }
}

#[test]
fn columns_are_chosen_by_weight() {
    let data = wave(300, 4);
    let params = || IsolationForestParams::plain().trees(1_000);
    let forest = fit(params().column_weights([4.0, 0.0, 6.0, 10.0]), &data);
    let stored = serde_json::to_value(&forest).unwrap();
    for (column, expected) in [200, 0, 300, 500_usize].into_iter().enumerate() {
        let roots = stored["trees"].as_array().unwrap().iter();
        let count = roots
            .filter(|tree| tree["steps"][0]["Split"]["feature"] == column)
            .count();
        // Five standard deviations of a binomial count.
        assert!(count.abs_diff(expected) < 80, "{count} of column {column}");
    }

    let ignored = forest.explain(array![3.0, 9e9, 4.0, 5.0].view()).unwrap()[1];
    assert_eq!(ignored, 0.0);

    let error = params()
        .column_weights([1.0, 2.0])
        .check()
        .unwrap()
        .fit(data.view());
    let expected = "`column_weights` is 2 numbers for 4 columns: must be one per column, or none";
    assert_eq!(error.unwrap_err().to_string(), expected);
    for weights in [[0.0, 0.0], [1.0, -1.0], [f64::NAN, 1.0]] {
        let error = params().column_weights(weights).check().unwrap_err();
        assert!(matches!(error, DetectorError::InvalidParameter { .. }));
    }
}

#[test]
fn the_default_sees_a_row_that_is_odd_in_no_column() {
    // Two columns that go together, but for the last row.
    let mut data = Array2::from_shape_fn((400, 2), |(row, column)| {
        (row % 200) as f64 + (row * (column + 3) % 11) as f64
    });
    data[[399, 0]] = 170.0;
    data[[399, 1]] = 40.0;
    let forest = fit(IsolationForestParams::default(), &data);
    let scores = forest.score(data.view()).unwrap();
    let stranger = scores.iter().filter(|&&score| score > scores[399]).count();
    assert_eq!(stranger, 0);
}

#[test]
fn many_rows_score_as_one_to_the_last_bit() {
    let plain = IsolationForestParams::plain;
    let default = IsolationForestParams::default;
    // Widths around those that the layouts for many rows are made for; trees too deep for them; more
    // thresholds than there are ranks for; values that tie; a last block that is not full.
    for (columns, params) in [
        (0, plain().trees(30)),
        (1, plain().trees(30)),
        (1, plain().trees(700)),
        (3, plain().trees(30).max_samples(700)),
        (8, plain().trees(30)),
        (9, plain().trees(30).max_samples(64)),
        (17, plain().trees(30)),
        (33, plain().trees(30)),
        (65, plain().trees(30)),
        (0, default().trees(30)),
        (1, default().trees(30)),
        (8, default().trees(30)),
        (9, default().trees(30)),
        (17, default().trees(30)),
        (64, default().trees(30)),
        (65, default().trees(30)),
        (5, default().trees(30).columns_per_split(3)),
        (5, default().trees(30).scoring(ForestScoring::Depth)),
        (
            5,
            default().trees(30).scoring(ForestScoring::AdjustedDensity),
        ),
    ] {
        let mut data = wave(2_100, columns);
        let forest = fit(params, &data);
        for (index, value) in data.iter_mut().enumerate() {
            match index % 97 {
                0 => *value = f64::NAN,
                1 => *value = f64::INFINITY,
                2 => *value = f64::NEG_INFINITY,
                3 => *value = -0.0,
                4 => *value = 0.0,
                _ => {}
            }
        }
        let together = forest.score(data.view()).unwrap();
        for (row, score) in data.rows().into_iter().zip(together) {
            assert_eq!(
                forest.score_row(row).unwrap().to_bits(),
                score.to_bits(),
                "{columns} columns"
            );
        }
    }
}

#[cfg(feature = "rayon")]
#[test]
fn the_number_of_threads_changes_nothing() {
    use anomaly_detectors::ndarray::Axis;

    let data = wave(2_100, 3);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let forest = fit(IsolationForestParams::plain(), &data);
            let scores = forest.score(data.view()).unwrap();
            let few = data.view().split_at(Axis(0), 1_001).0;
            let few = forest.score(few).unwrap();
            (forest, scores.mapv(f64::to_bits), few.mapv(f64::to_bits))
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(7));
}
