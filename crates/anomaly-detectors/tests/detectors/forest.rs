//! What holds for isolation forests on any data.

use anomaly_detectors::ndarray::{Array1, Array2, ArrayView1};
use anomaly_detectors::{
    Fit, FittedIsolationForest, ForestScoring, IsolationForest, IsolationForestParams, Score,
};
use proptest::prelude::*;

use crate::data::{bits, matrix};
use crate::stored::{is_refused_with, refusal};

const SCORINGS: [ForestScoring; 4] = [
    ForestScoring::Depth,
    ForestScoring::Density,
    ForestScoring::AdjustedDensity,
    ForestScoring::DepthAndDensity,
];

fn forest(params: IsolationForestParams) -> IsolationForest {
    params.trees(7).max_samples(16).check().unwrap()
}

proptest! {
    #[test]
    fn contributions_make_the_difference_from_a_usual_row(
        data in matrix(2..40_usize, 1..5_usize, -10.0..10.0),
        columns_per_split in 1..4_usize,
    ) {
        for scoring in SCORINGS {
            let params = IsolationForestParams::default().columns_per_split(columns_per_split);
            let usual = forest(params.scoring(scoring)).fit(data.view()).unwrap();
            let missing = Array1::from_elem(data.ncols(), f64::NAN);
            let score = |row: ArrayView1<'_, f64>| usual.score_row(row).unwrap();
            for row in data.rows() {
                let mut row = row.to_owned();
                row[0] = f64::NAN;
                let contributions = usual.explain(row.view()).unwrap();
                prop_assert_eq!(contributions[0], 0.0);
                let difference = score(row.view()) - score(missing.view());
                prop_assert!((contributions.sum() - difference).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn units_do_not_matter(
        data in matrix(3..30_usize, Just(2), -10.0..10.0),
        exponent in -300..300_i32,
    ) {
        let scaled = &data * 2_f64.powi(exponent);
        for params in [IsolationForestParams::default(), IsolationForestParams::plain()] {
            let detector = forest(params);
            let ours = detector.fit(data.view()).unwrap().score(data.view()).unwrap();
            let theirs = detector.fit(scaled.view()).unwrap().score(scaled.view()).unwrap();
            prop_assert_eq!(bits(&theirs), bits(&ours));
        }
    }
}

#[test]
fn what_no_fit_can_give_is_refused() {
    let data = Array2::from_shape_fn((10, 2), |(row, column)| (row * (column + 2) % 7) as f64);
    let params = IsolationForestParams::default().trees(2);
    let forest = params.check().unwrap().fit(data.view()).unwrap();
    let forest = serde_json::to_string(&forest).unwrap();
    let fewer = forest.replace(r#""trees":2"#, r#""trees":3"#);
    let tree = |projections: &str, steps: &[&str]| {
        let trees = forest.find(r#""trees":["#).unwrap();
        let steps = steps.join(",");
        let tree = format!(r#"{{"projections":[{projections}],"steps":[{steps}]}}"#);
        format!(r#"{}"trees":[{tree},{tree}]}}"#, &forest[..trees])
    };
    let split = r#"{"Split":{"feature":0,"threshold":0.5,"left_share":0.5}}"#;
    let (leaf, empty) = (r#"{"Leaf":5}"#, r#"{"Leaf":0}"#);
    let lost = forest.replace(r#""sample_rows":10"#, r#""sample_rows":11"#);

    for (stored, expected) in [
        (fewer, "it has 2 of 3 trees"),
        (
            tree("", &[[split; 5].as_slice(), [leaf; 6].as_slice()].concat()),
            "a split at depth 4 asks whether feature 0 exceeds 0.5",
        ),
        (
            tree("", &[&split.replace("0,\"t", "2,\"t"), leaf, leaf]),
            "a split at depth 0 asks whether feature 2 exceeds 0.5",
        ),
        (
            tree(
                "",
                &[&split.replace("share\":0.5", "share\":1.0"), leaf, leaf],
            ),
            "a split leaves 1 of the range on its left",
        ),
        (
            tree("", &[split, empty, leaf]),
            "a split has no rows on one side",
        ),
        (
            tree("[0,1.0]", &[split, leaf, leaf]),
            "1 terms make no projections of 2",
        ),
        (
            tree("[0,1.0],[2,1.0]", &[split, leaf, leaf]),
            "a projection takes 1 of column 2",
        ),
        (tree("", &[split, leaf]), "a tree ends before its last leaf"),
        (
            tree("", &[leaf, leaf]),
            "a tree goes on after its last leaf",
        ),
        (lost, "a tree has lost rows"),
    ] {
        let error = refusal::<FittedIsolationForest>(&stored);
        let expected =
            format!("the stored isolation-forest cannot be used: {expected}; fit it again");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_usual_score_that_no_history_has_is_refused() {
    let data = Array2::from_shape_fn((30, 2), |(row, column)| (row * (column + 2) % 7) as f64);
    let params = IsolationForestParams::default().trees(2);
    let forest = params.check().unwrap().fit(data.view()).unwrap();
    let stored = serde_json::to_value(&forest).unwrap();
    for view in ["path_length", "log_density"] {
        for key in ["mean", "deviation"] {
            let number = stored["reference"][view][key].as_f64().unwrap();
            assert!(is_refused_with(&forest, number, f64::NEG_INFINITY));
            assert!(is_refused_with(&forest, number, f64::INFINITY));
        }
        let mut changed = stored.clone();
        changed["reference"][view]["deviation"] = (-1.0).into();
        let error = refusal::<FittedIsolationForest>(&changed.to_string());
        let expected = "the stored isolation-forest cannot be used: its history has no usual score";
        assert!(error.starts_with(expected), "{error}");
    }
}

/// Rows that differ in the last bit alone: their sums are often equal, and are no splits then. What is
/// stored of a tree is what its splits ask for.
#[test]
fn rows_that_hardly_differ_are_parted_by_what_is_stored() {
    let next = 1.0_f64.next_up();
    let data = Array2::from_shape_fn(
        (4, 2),
        |(row, column)| if row >> column & 1 == 0 { 1.0 } else { next },
    );
    let params = IsolationForestParams::default().trees(200);
    let forest = params.check().unwrap().fit(data.view()).unwrap();
    let stored = serde_json::to_value(&forest).unwrap();
    let (mut sums, mut columns) = (0, 0);
    for tree in stored["trees"].as_array().unwrap() {
        let splits = tree["steps"].as_array().unwrap().iter();
        let features = splits.filter_map(|step| step["Split"]["feature"].as_u64());
        let asked: std::collections::BTreeSet<u64> =
            features.filter(|feature| *feature >= 2).collect();
        let projections = tree["projections"].as_array().unwrap().len() / 2;
        assert_eq!(asked, (2..2 + projections as u64).collect());
        sums += projections;
        columns += tree["steps"].as_array().unwrap().len() / 2 - projections;
    }
    assert!(sums > 100 && columns > 100, "{sums} {columns}");
}
