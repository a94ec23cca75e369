//! How far a job's features are from their usual levels.

use anomaly_detectors::tail::{Side, conformal_p_value, harmonic_mean_p_value, student_t_tail};
use anomaly_detectors::{
    Baseline, DetectorError, Fit, FittedUnivariate, IqrParams, IsolationForestParams,
    ModifiedZScoreParams, Score, Univariate, ZScoreParams,
};
use anomaly_features::{FEATURES, Feature, FeatureVector, Reading, Suspicion};
use anomaly_model::{Direction, Finding, PValue};
use anomaly_settings::{DetectionSettings, DetectorName};
use ndarray::{ArrayView1, ArrayView2};

use crate::history::{Coordinate, Lessons, value};
use crate::surprise::OUTSTANDING;

/// A feature with fewer learnt values than this does not judge.
const FEWEST_VALUES: usize = 8;
/// What jobs do varies with heavier tails than a normal distribution has: Student's t with four
/// degrees of freedom falls like a generalised Pareto tail of shape 1/4.
const TAIL_DEGREES: f64 = 4.0;
/// Tukey's fences call what lies outside them an outlier, and say nothing of what lies inside.
const INSIDE_FENCES: f64 = 1.0;
/// The usual range holds this share of the learnt jobs.
const USUAL_SHARE: f64 = 0.95;

/// How strange the levels of a job's features are, and which.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Levels {
    pub(crate) p_value: f64,
    /// Strongest first.
    pub(crate) findings: Vec<Finding>,
}

/// A feature that the job has a value of, and the history too.
struct Column {
    index: usize,
    feature: &'static Feature,
    reading: Reading,
    coordinate: f64,
}

/// Asks some detectors and combines what they say; `None` when no feature can be judged.
pub(crate) fn weigh(
    settings: &DetectionSettings,
    detectors: &[DetectorName],
    lessons: &Lessons<'_>,
    features: &FeatureVector,
    row: &[Coordinate],
) -> Option<Levels> {
    let columns = judged_columns(settings, lessons, features, row);
    if columns.is_empty() {
        return None;
    }
    let indices: Vec<usize> = columns.iter().map(|column| column.index).collect();
    let past = lessons.matrix(&indices);
    let past = past.view();
    let now: Vec<f64> = columns.iter().map(|column| column.coordinate).collect();

    let mut by_feature = vec![Vec::new(); columns.len()];
    let mut p_values = Vec::new();
    for &name in detectors {
        // A detector that cannot say anything adds nothing: too little history is an answer.
        let asked = match name {
            DetectorName::IsolationForest => {
                forest_p_value(settings, &past, &now).map(|p_value| p_values.push(p_value))
            }
            _ => own_p_values(name, settings, &past, &columns).map(|own| {
                for (said, p_value) in by_feature.iter_mut().zip(own) {
                    said.push(p_value);
                }
            }),
        };
        if let Err(error) = asked {
            tracing::debug!(detector = %name, %error, "cannot judge");
        }
    }
    let own: Vec<f64> = by_feature
        .iter()
        .zip(&columns)
        .zip(past.columns())
        .map(|((said, column), past)| harmonic_mean(said).max(rank_p_value(column, &past)))
        .collect();
    if by_feature.iter().any(|said| !said.is_empty()) {
        p_values.extend(&own);
    } else if 1.0 / (past.nrows() + 1) as f64 >= settings.p_value_threshold() {
        // The forest alone ranks the job among the learnt ones. Where not even the first rank would
        // be an alarm, calling the job normal would be saying too much.
        return None;
    }
    if p_values.is_empty() {
        return None;
    }
    Some(Levels {
        p_value: harmonic_mean(&p_values),
        findings: findings(lessons, &columns, &own),
    })
}

fn judged_columns(
    settings: &DetectionSettings,
    lessons: &Lessons<'_>,
    features: &FeatureVector,
    row: &[Coordinate],
) -> Vec<Column> {
    let excluded = |feature: &Feature| {
        settings
            .excluded_features
            .names()
            .iter()
            .any(|x| x.as_str() == feature.name)
    };
    FEATURES
        .iter()
        .zip(features.readings())
        .enumerate()
        .filter(|(_, (feature, _))| !excluded(feature))
        .filter_map(|(index, (feature, reading))| {
            let coordinate = value(row, index);
            let reading = reading.ok()?;
            let known = lessons.known(index) >= FEWEST_VALUES && !coordinate.is_nan();
            known.then_some(Column {
                index,
                feature,
                reading,
                coordinate,
            })
        })
        .collect()
}

/// How often a usual job lies at least as far out as this one, feature by feature, by one of the
/// detectors that judge each feature by itself.
///
/// Coordinates are in units of a feature's resolution, so no standard deviation is taken smaller
/// than 1.
fn own_p_values(
    name: DetectorName,
    settings: &DetectionSettings,
    past: &ArrayView2<'_, f64>,
    columns: &[Column],
) -> Result<Vec<f64>, DetectorError> {
    let past = past.view();
    Ok(match name {
        DetectorName::ZScore => {
            let fitted = ZScoreParams::default().min_scale(1.0).check()?.fit(past)?;
            tails(&fitted, 0.0, columns)
        }
        DetectorName::Iqr => {
            let params = IqrParams::default().k(settings.iqr_factor.get());
            // One scale is the way to the fence, not one standard deviation.
            let min_scale = params.check()?.deviations_per_scale();
            let fitted = params.min_scale(min_scale).check()?.fit(past)?;
            tails(&fitted, INSIDE_FENCES, columns)
        }
        _ => {
            let fitted = ModifiedZScoreParams::default()
                .min_scale(1.0)
                .check()?
                .fit(past)?;
            tails(&fitted, 0.0, columns)
        }
    })
}

/// The tail probability of each column; 1 for a value at most `silent` scales from the middle.
fn tails<D: Univariate>(fitted: &FittedUnivariate<D>, silent: f64, columns: &[Column]) -> Vec<f64> {
    let deviations = fitted.detector().deviations_per_scale();
    let tail = |baseline: &Baseline, column: &Column| {
        let distance = baseline.distance(column.coordinate);
        if distance.abs() <= silent {
            return 1.0;
        }
        let side = match column.feature.suspicion {
            Suspicion::Above => Side::Above,
            Suspicion::Below => Side::Below,
            _ => Side::Both,
        };
        // The job is a new draw: its distance also holds the error of the location.
        let draw = (1.0 + 1.0 / baseline.observations().max(1) as f64).sqrt();
        student_t_tail(distance * deviations / draw, TAIL_DEGREES, side)
    };
    fitted
        .baselines()
        .iter()
        .zip(columns)
        .map(|(baseline, column)| tail(baseline, column))
        .collect()
}

/// The least p-value of a job that is not the farthest out: with `k` of `n` learnt values at least
/// as far, at least `(k + 1) / (n + 1)`. What was seen before is as usual as it was often.
fn rank_p_value(column: &Column, past: &ArrayView1<'_, f64>) -> f64 {
    let count = |farther: &dyn Fn(f64) -> bool| past.iter().filter(|&&x| farther(x)).count();
    let above = || count(&|x| x >= column.coordinate);
    let below = || count(&|x| x <= column.coordinate);
    let (farther, sides) = match column.feature.suspicion {
        Suspicion::Above => (above(), 1),
        Suspicion::Below => (below(), 1),
        _ => (above().min(below()), 2),
    };
    if farther == 0 {
        return 0.0;
    }
    let known = count(&|x| !x.is_nan());
    ((sides * (farther + 1)) as f64 / (known + 1) as f64).min(1.0)
}

fn forest_p_value(
    settings: &DetectionSettings,
    past: &ArrayView2<'_, f64>,
    now: &[f64],
) -> Result<f64, DetectorError> {
    let forest = IsolationForestParams::plain()
        .trees(settings.forest_trees.get() as usize)
        .max_samples(settings.forest_samples.get() as usize)
        .seed(settings.seed)
        .check()?
        .fit(past.view())?;
    let mut scores = forest.score(past.view())?.to_vec();
    scores.sort_by(f64::total_cmp);
    Ok(conformal_p_value(
        forest.score_row(ArrayView1::from(now))?,
        &scores,
    ))
}

pub(crate) fn harmonic_mean(p_values: &[f64]) -> f64 {
    harmonic_mean_p_value(p_values, &[])
}

fn findings(lessons: &Lessons<'_>, columns: &[Column], own: &[f64]) -> Vec<Finding> {
    let mut strange: Vec<(&Column, f64)> = columns
        .iter()
        .zip(own.iter().copied())
        .filter(|(_, p_value)| *p_value < OUTSTANDING)
        .collect();
    strange.sort_by(|a, b| a.1.total_cmp(&b.1));
    strange
        .into_iter()
        .filter_map(|(column, p_value)| finding(lessons, column, p_value))
        .collect()
}

fn finding(lessons: &Lessons<'_>, column: &Column, p_value: f64) -> Option<Finding> {
    let usual = lessons.sorted_column(column.index);
    let at = |share: f64| quantile(&usual, share);
    let margin = (1.0 - USUAL_SHARE) / 2.0;
    let (low, median, high) = (at(margin)?, at(0.5)?, at(1.0 - margin)?);
    let direction = if column.coordinate >= median {
        Direction::Above
    } else {
        Direction::Below
    };
    let value_at = |coordinate| {
        rounded(
            column
                .feature
                .value_at(coordinate, column.reading.reference),
        )
    };
    let name = column.feature.feature_name().ok()?;
    let (usual, score) = (
        (value_at(low), value_at(high)),
        PValue::clamped(p_value).score(),
    );
    Some(Finding::new(
        name,
        column.reading.value,
        usual,
        direction,
        score,
    ))
}

/// The value below which this part of the others lies, of values in order; `None` of none.
pub(crate) fn quantile<T: Copy>(sorted: &[T], part: f64) -> Option<T> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = (part * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(index).copied()
}

/// Four significant digits: more would only show the precision in which jobs are remembered.
pub(crate) fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
