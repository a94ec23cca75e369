//! What holds for isolation forests on any data.

use anomaly_detectors::ndarray::Array2;
use anomaly_detectors::{
    Fit, FittedIsolationForest, IsolationForest, IsolationForestParams, Score,
};
use proptest::prelude::*;

use crate::data::{bits, matrix};
use crate::stored::refusal;

fn forest(trees: usize) -> IsolationForest {
    let params = IsolationForestParams::default().max_samples(16);
    params.trees(trees).check().unwrap()
}

proptest! {
    #[test]
    fn contributions_make_the_score(data in matrix(2..40_usize, 1..5_usize, -10.0..10.0)) {
        let usual = forest(7).fit(data.view()).unwrap();
        for row in data.rows() {
            let whole = usual.explain(row).unwrap().sum();
            let score = usual.score_row(row).unwrap();
            prop_assert!((whole - (1.0 + score.log2())).abs() < 1e-12);
        }
    }

    #[test]
    fn units_do_not_matter(
        data in matrix(3..30_usize, Just(2), -10.0..10.0),
        exponent in -300..300_i32,
    ) {
        let scaled = &data * 2_f64.powi(exponent);
        let ours = forest(5).fit(data.view()).unwrap().score(data.view()).unwrap();
        let theirs = forest(5).fit(scaled.view()).unwrap().score(scaled.view()).unwrap();
        prop_assert_eq!(bits(&theirs), bits(&ours));
    }
}

#[test]
fn what_no_fit_can_give_is_refused() {
    let data = Array2::from_shape_fn((10, 2), |(row, column)| (row * (column + 2) % 7) as f64);
    let forest = serde_json::to_string(&forest(2).fit(data.view()).unwrap()).unwrap();
    let fewer = forest.replace(r#""trees":2"#, r#""trees":3"#);
    let deep: Vec<_> = [r#"{"Split":[0,0.5]}"#; 5]
        .into_iter()
        .chain([r#"{"Leaf":2}"#; 6])
        .collect();
    let trees = forest.find(r#""trees":["#).unwrap();
    let deep = format!(r#"{}"trees":[[{}],[]]}}"#, &forest[..trees], deep.join(","));
    let lost = forest.replace(r#""sample_rows":10"#, r#""sample_rows":11"#);

    for (error, expected) in [
        (
            refusal::<FittedIsolationForest>(&fewer),
            "the stored isolation-forest cannot be used: it has 2 of 3 trees; fit it again",
        ),
        (
            refusal::<FittedIsolationForest>(&deep),
            "the stored isolation-forest cannot be used: a split at depth 4 asks whether column 0 exceeds 0.5; fit it again",
        ),
        (
            refusal::<FittedIsolationForest>(&lost),
            "the stored isolation-forest cannot be used: a tree has lost rows; fit it again",
        ),
    ] {
        assert!(error.starts_with(expected), "{error}");
    }
}
