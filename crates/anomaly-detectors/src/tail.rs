//! From scores and distances to p-values.
//!
//! | what there is | what gives the p-value |
//! |---|---|
//! | scores of a history, from 8 on | [`TailCalibrator`]; [`cross_fitted_scores`] makes the scores |
//! | many scores of usual rows | [`conformal_p_value`]: by counting, whatever the distribution |
//! | a distance in standard deviations, of normal data | [`predictive_t_tail`], [`student_t_tail`] |
//! | several p-values of one thing | [`harmonic_mean_p_value`], [`cauchy_p_value`]: they may depend |
//! | one p-value each of many things | [`discoveries`]: which are real (Benjamini and Hochberg) |
//!
//! All functions here are pure, take any number, and give a probability above 0 and at most 1. What
//! says nothing (NaN, no observations) gives 1: no evidence. Only the critical values go the other
//! way, from a probability to a distance.
//!
//! Student's t and the normal distribution are those of `statrs`, which uses the platform's
//! logarithm and exponential: the last digits of a p-value may differ between platforms.

mod calibrator;
mod cauchy;
mod conformal;
mod cross_fitted;
mod false_discovery;
mod harmonic_mean;
mod predictive;
mod student_t;

pub use calibrator::{FittedTailCalibrator, TailCalibrator, TailCalibratorParams, TailPrior};
pub use cauchy::cauchy_p_value;
pub use conformal::conformal_p_value;
pub use cross_fitted::cross_fitted_scores;
pub use false_discovery::discoveries;
pub use harmonic_mean::harmonic_mean_p_value;
pub(crate) use predictive::predictive_t_critical_value;
pub use predictive::{Efficiency, predictive_t_tail};
pub use student_t::{Side, student_t_critical_value, student_t_tail};

/// The nearest probability above 0 and at most 1; 1 for NaN.
fn probability(p_value: f64) -> f64 {
    if p_value.is_nan() {
        1.0
    } else {
        p_value.clamp(f64::MIN_POSITIVE, 1.0)
    }
}
