//! The rules themselves: how strange a job is beside the jobs before it.

use anomaly_detectors::ndarray::{Array2, ArrayView1};
use anomaly_detectors::{
    Aggregation, ClusterDistanceParams, DetectorError, Fit, ModifiedZScoreParams, Score,
    ZScoreParams,
};

use super::attributes::Attributes;
use crate::median::median;

pub(super) fn cluster_distance(
    history: &[Attributes],
    job: &Attributes,
) -> Result<f64, DetectorError> {
    fitted(&ClusterDistanceParams::default().check()?, history, job)
}

pub(super) fn z_score(history: &[Attributes], job: &Attributes) -> Result<f64, DetectorError> {
    let params = ZScoreParams::default().aggregation(Aggregation::Max);
    fitted(&params.check()?, history, job)
}

pub(super) fn modified_z_score(
    history: &[Attributes],
    job: &Attributes,
) -> Result<f64, DetectorError> {
    let params = ModifiedZScoreParams::default().aggregation(Aggregation::Max);
    fitted(&params.check()?, history, job)
}

fn fitted(
    detector: &impl Fit,
    history: &[Attributes],
    job: &Attributes,
) -> Result<f64, DetectorError> {
    let rows: Array2<f64> = history
        .iter()
        .map(Attributes::row)
        .collect::<Vec<_>>()
        .into();
    detector
        .fit(rows.view())?
        .score_row(ArrayView1::from(&job.row()))
}

/// Above 1 beyond any of the limits.
pub(super) fn vault_for_unraid(history: &[Attributes], job: &Attributes) -> f64 {
    const RUNS: usize = 10;
    const MODIFIED_Z: f64 = 3.5;
    const GROWTH: f64 = 5.0;
    const SHRINKAGE: f64 = 0.5;
    let last = last(history, RUNS);
    let beside_usual = |value: fn(&Attributes) -> f64| {
        let now = value(job);
        let usual = median(last.iter().map(value));
        if usual.is_nan() || now.is_nan() || usual <= 0.0 {
            return 0.0;
        }
        let mad = median(last.iter().map(|job| (value(job) - usual).abs()));
        let modified_z = if mad > 0.0 {
            0.6745 * (now - usual).abs() / mad
        } else {
            0.0
        };
        let growth = now / usual / GROWTH;
        let shrinkage = SHRINKAGE * usual / now.max(f64::MIN_POSITIVE);
        (modified_z / MODIFIED_Z).max(growth).max(shrinkage)
    };
    beside_usual(|job| job.image_bytes).max(beside_usual(|job| job.duration_seconds))
}

/// Above 1 beyond either limit.
pub(super) fn npbackup(history: &[Attributes], job: &Attributes) -> f64 {
    const RUNS: usize = 5;
    const GROWTH: f64 = 0.5;
    const SHRINKAGE: f64 = 0.1;
    let last = last(history, RUNS);
    let mean = last.iter().map(|job| job.image_bytes).sum::<f64>() / last.len() as f64;
    let change = if mean > 0.0 {
        job.image_bytes / mean - 1.0
    } else {
        0.0
    };
    (change / GROWTH).max(-change / SHRINKAGE)
}

/// Above 1 beyond either limit.
pub(super) fn two_points(history: &[Attributes], job: &Attributes) -> f64 {
    const FILES_GONE: f64 = 0.5;
    const DATA_NEW: f64 = 0.8;
    let before = history.last().map_or(f64::NAN, |job| job.file_count);
    let gone = (before - job.file_count) / before / FILES_GONE;
    let new = job.transferred_bytes / job.image_bytes / DATA_NEW;
    // A share of nothing, or of what is not reported, is not a number, which `max` passes over.
    gone.max(new).max(0.0)
}

fn last(history: &[Attributes], runs: usize) -> &[Attributes] {
    &history[history.len().saturating_sub(runs)..]
}
