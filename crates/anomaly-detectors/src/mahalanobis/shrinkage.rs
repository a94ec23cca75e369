//! A covariance that few rows cannot spoil.

use super::moments::Moments;
use super::triangle::Triangle;

/// The least part that is shrunk: no variance in any direction is smaller than this part of the
/// mean variance.
const LEAST_SHRINKAGE: f64 = 1e-6;

/// `(1 - s)` times the covariance plus `s` times the mean variance on its diagonal, with `s` as in
/// Ledoit and Wolf (2004), at least [`LEAST_SHRINKAGE`].
///
/// The mean variance is that of the columns that vary, so that one that does not changes nothing for
/// the others.
pub(super) fn shrink(moments: &Moments) -> Triangle {
    let mut covariance = moments.covariance.clone();
    let varying = || covariance.diagonal().filter(|&variance| variance > 0.0);
    let count = varying().count().max(1) as f64;
    let mean_variance = varying().sum::<f64>() / count;
    let shrinkage = if covariance.is_whole() {
        shrinkage(moments, mean_variance).max(LEAST_SHRINKAGE)
    } else {
        LEAST_SHRINKAGE
    };
    covariance.scale(1.0 - shrinkage);
    let added = shrinkage * mean_variance;
    for column in 0..moments.means.len() {
        *covariance.diagonal_mut(column) += added;
    }
    covariance
}

/// The part that is best shrunk, 0 to 1: how uncertain the covariance is, in parts of how far it is
/// from equal variances without correlation.
fn shrinkage(moments: &Moments, mean_variance: f64) -> f64 {
    let (mut norm, mut distance) = (0.0, 0.0);
    for column in 0..moments.means.len() {
        let Some((variance, covariances)) = moments.covariance.column(column).split_first() else {
            continue;
        };
        let twice: f64 = 2.0 * covariances.iter().map(|entry| entry * entry).sum::<f64>();
        norm += variance * variance + twice;
        if *variance > 0.0 {
            distance += (variance - mean_variance) * (variance - mean_variance) + twice;
        }
    }
    if distance <= 0.0 {
        return 1.0;
    }
    let uncertainty = (moments.fourth_moment - norm) / moments.rows as f64;
    (uncertainty / distance).clamp(0.0, 1.0)
}
