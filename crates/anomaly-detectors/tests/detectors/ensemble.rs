//! What holds for ensembles on any data.

use anomaly_detectors::ndarray::{Array2, Axis, array, concatenate};
use anomaly_detectors::{
    Ecod, Ensemble, EnsembleMember, EnsembleParams, Fit, FittedEnsemble, IsolationForestParams,
    Mahalanobis, MahalanobisParams, NearestNeighboursParams, Score, ZScore,
};
use proptest::prelude::*;

use crate::data::{any_number, bits, matrix, slope};
use crate::stored::refusal;

/// The default's members with less work.
fn quick() -> EnsembleParams {
    let forest = IsolationForestParams::default().trees(9);
    let neighbours = NearestNeighboursParams::default().samples(5).trim(0.0);
    EnsembleParams::default().members([
        EnsembleMember::IsolationForest(forest.check().unwrap()),
        EnsembleMember::NearestNeighbours(neighbours.check().unwrap()),
        EnsembleMember::Mahalanobis(Mahalanobis::default()),
    ])
}

fn fit(params: EnsembleParams, data: &Array2<f64>) -> FittedEnsemble {
    params.check().unwrap().fit(data.view()).unwrap()
}

/// Minus the logarithm of the share of `history` that is at least `score`, ties by half.
fn surprise(history: &[f64], score: f64) -> f64 {
    let higher = history.iter().filter(|other| **other > score).count() as f64;
    let equal = history.iter().filter(|other| **other == score).count() as f64;
    -((higher + 0.5 * equal) / history.len() as f64).ln()
}

proptest! {
    #[test]
    fn contributions_make_the_score(
        (history, new) in (1..5_usize).prop_flat_map(|columns| (
            matrix(2..40_usize, Just(columns), any_number()),
            matrix(0..20_usize, Just(columns), any_number()),
        ))
    ) {
        let usual = fit(quick(), &history);
        for row in new.rows() {
            let score = usual.score_row(row).unwrap();
            let contributions = usual.explain(row).unwrap();
            prop_assert!(score >= 0.0 && contributions.iter().all(|part| *part >= 0.0));
            prop_assert!((contributions.sum() - score).abs() <= 1e-12 * score, "{contributions} {score}");
        }
    }

    /// Of members that draw nothing and leave nothing out, the score can be told from theirs.
    #[test]
    fn a_score_is_the_mean_surprise_of_the_members(
        data in matrix(2..60_usize, 1..4_usize, -10.0..10.0),
    ) {
        let members = [EnsembleMember::ZScore(ZScore::default()), EnsembleMember::Ecod(Ecod::default())];
        let scores = fit(EnsembleParams::default().members(members), &data).score(data.view()).unwrap();
        let z = ZScore::default().fit(data.view()).unwrap().score(data.view()).unwrap().to_vec();
        let ecod = Ecod::default().fit(data.view()).unwrap().score(data.view()).unwrap().to_vec();
        for (row, score) in scores.iter().enumerate() {
            let expected = 0.5 * (surprise(&z, z[row]) + surprise(&ecod, ecod[row]));
            // Between the scores that are kept, a sixteenth at most.
            prop_assert!((score - expected).abs() <= 1.0 / 16.0, "{score} {expected}");
        }
    }
}

/// A member of an ensemble of its own ranks rows as it does alone, beyond the history too.
#[test]
fn one_member_ranks_as_it_does_alone() {
    let history = slope(5_000, 3);
    let far = Array2::from_shape_fn((200, 3), |(row, column)| {
        150.0 * 1.1_f64.powi(i32::try_from(row).unwrap()) * (column as f64 - 0.9)
    });
    let rows = concatenate(Axis(0), &[history.view(), far.view()]).unwrap();
    let alone = Mahalanobis::default().fit(history.view()).unwrap();
    let members = [EnsembleMember::Mahalanobis(Mahalanobis::default())];
    let ensemble = fit(EnsembleParams::default().members(members), &history);
    let alone = alone.score(rows.view()).unwrap();
    let ensemble = ensemble.score(rows.view()).unwrap();
    let mut order: Vec<usize> = (0..rows.nrows()).collect();
    order.sort_by(|&a, &b| alone[a].total_cmp(&alone[b]));
    for pair in order.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        assert!(ensemble[low] <= ensemble[high]);
        // Ties are ties alone, or at the lower end.
        assert!(
            alone[low] == alone[high] || ensemble[low] < ensemble[high] || ensemble[high] < 1e-3
        );
    }
}

/// A fifth of the history is a tight group off the line: usual to what learns from it as well.
#[test]
fn the_first_member_keeps_a_group_of_anomalies_from_the_others() {
    let mut data = slope(300, 2);
    for row in 240..300 {
        data[[row, 0]] = 400.0 + (row % 7) as f64;
        data[[row, 1]] = -300.0 + (row % 5) as f64;
    }
    let last = || {
        let params = MahalanobisParams::default().trim(0.0);
        EnsembleMember::Mahalanobis(params.check().unwrap())
    };
    let first = EnsembleMember::ModifiedZScore(anomaly_detectors::ModifiedZScore::default());
    let found = |trim| {
        let members = [first.clone(), last()];
        let usual = fit(EnsembleParams::default().members(members).trim(trim), &data);
        let stored = serde_json::to_value(&usual).unwrap();
        let means = &stored["members"][1][0]["mahalanobis"]["means"];
        means[0].as_f64().unwrap().abs()
    };
    assert!(
        2.0 * found(0.25) < found(0.0),
        "{} {}",
        found(0.25),
        found(0.0)
    );
}

#[test]
fn members_named_twice_and_neighbouring_seeds_differ() {
    let data = slope(100, 3);
    let forest = || {
        let params = IsolationForestParams::default().trees(3);
        EnsembleMember::IsolationForest(params.check().unwrap())
    };
    let fitted = |seed| {
        fit(
            EnsembleParams::default()
                .members([forest(), forest()])
                .seed(seed),
            &data,
        )
    };
    let member = |seed: u64, index: usize| {
        serde_json::to_value(fitted(seed)).unwrap()["members"][index].to_string()
    };
    let all: std::collections::BTreeSet<String> = (0..2)
        .flat_map(|seed| [member(seed, 0), member(seed, 1)])
        .collect();
    assert_eq!(all.len(), 4);
    assert_eq!(fitted(1), fitted(1));
}

#[test]
fn what_is_missing_in_every_row_changes_nothing() {
    let data = slope(60, 2);
    let holey = concatenate(
        Axis(1),
        &[data.view(), Array2::from_elem((60, 1), f64::NAN).view()],
    )
    .unwrap();
    let members = [
        EnsembleMember::Mahalanobis(Mahalanobis::default()),
        EnsembleMember::Ecod(Ecod::default()),
    ];
    let scores = |data: &Array2<f64>| {
        bits(
            &fit(EnsembleParams::default().members(members.clone()), data)
                .score(data.view())
                .unwrap(),
        )
    };
    assert_eq!(scores(&holey), scores(&data));
}

#[test]
fn members_are_checked() {
    let none = EnsembleParams::default().members([]).check().unwrap_err();
    assert_eq!(
        none.to_string(),
        "`members` is 0: must be a list of 1 to 16 detectors"
    );
    let error = |json: &str| {
        serde_json::from_str::<Ensemble>(json)
            .unwrap_err()
            .to_string()
    };
    let nested = error(r#"{"members":[{"isolation-forest":{"trees":0}}]}"#);
    assert!(
        nested.starts_with("`trees` is 0: must be 1 to 10000"),
        "{nested}"
    );
    let unknown = error(r#"{"members":[{"magic":{}}]}"#);
    assert!(unknown.starts_with("unknown variant `magic`"), "{unknown}");
}

#[test]
fn what_no_fit_can_give_is_refused() {
    let members = [
        EnsembleMember::Ecod(Ecod::default()),
        EnsembleMember::ZScore(ZScore::default()),
    ];
    let usual = fit(
        EnsembleParams::default().members(members),
        &array![[1.0], [2.0], [4.0]],
    );
    let stored = serde_json::to_value(&usual).unwrap();
    let two_columns = fit(quick(), &slope(5, 2));
    let two_columns = serde_json::to_value(&two_columns).unwrap();
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut stored = stored.clone();
        change(&mut stored["members"]);
        refusal::<FittedEnsemble>(&stored.to_string())
    };
    let curve = "a member's scores of the history are from no fit";
    for (error, expected) in [
        (
            changed(&|members| drop(members.as_array_mut().unwrap().pop())),
            "it has 1 of 2 members",
        ),
        (
            changed(&|members| members[1] = two_columns["members"][0].clone()),
            "its members were fitted on different columns",
        ),
        (
            changed(&|members| members[0][1]["scores"][0] = 1e9.into()),
            curve,
        ),
        (
            changed(&|members| members[0][1]["scores"][0] = members[0][1]["scores"][1].clone()),
            curve,
        ),
        (
            changed(&|members| members[0][1]["surprises"][0] = (-1.0).into()),
            curve,
        ),
        (
            changed(&|members| drop(members[0][1]["scores"].as_array_mut().unwrap().pop())),
            curve,
        ),
        (
            changed(&|members| {
                members[0][1]["scores"] = serde_json::json!([]);
                members[0][1]["surprises"] = serde_json::json!([]);
            }),
            curve,
        ),
    ] {
        let expected = format!("the stored ensemble cannot be used: {expected}; fit it again");
        assert!(error.starts_with(&expected), "{error}");
    }
}

/// Of a history above 16,384 rows, as many say how rare a score is: the highest is more surprising
/// than all of them but half of its own row.
#[test]
fn so_many_rows_and_no_more_say_how_rare_a_score_is() {
    for (rows, counted) in [(300, 300.0), (16_384, 16_384.0), (20_000, 16_384.0)] {
        let history = Array2::from_shape_fn((rows, 1), |(row, _)| (row * row) as f64);
        let members = [EnsembleMember::ZScore(ZScore::default())];
        let usual = fit(EnsembleParams::default().members(members), &history);
        let stored = serde_json::to_value(&usual).unwrap();
        let surprises = stored["members"][0][1]["surprises"].as_array().unwrap();
        let highest = surprises.last().unwrap().as_f64().unwrap();
        let expected = f64::ln(2.0 * counted);
        assert!((highest - expected).abs() < 1e-9, "{highest} of {rows}");
    }
}
