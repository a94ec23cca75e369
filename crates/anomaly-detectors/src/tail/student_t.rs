//! Tail probabilities of Student's t.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::probability;

/// On which side of the usual a value is suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Only large values.
    Above,
    /// Only small values.
    Below,
    /// Large and small values alike.
    #[default]
    Both,
}

impl Side {
    /// The distance in the suspicious direction: negative for a value on the harmless side.
    pub(crate) fn outward(self, z: f64) -> f64 {
        match self {
            Self::Above => z,
            Self::Below => -z,
            Self::Both => z.abs(),
        }
    }
}

/// How often a variable with Student's t distribution is at least as far out as `z` on `side`.
///
/// Infinite degrees of freedom make it the standard normal distribution. Degrees of freedom that
/// are not above 0 give 1.
///
/// ```
/// use anomaly_detectors::tail::{Side, student_t_tail};
///
/// let p = student_t_tail(2.228, 10.0, Side::Both);
/// assert!((p - 0.05).abs() < 1e-4);
/// assert!(student_t_tail(2.228, 10.0, Side::Below) > 0.97);
/// ```
#[must_use]
pub fn student_t_tail(z: f64, degrees_of_freedom: f64, side: Side) -> f64 {
    let Ok(distribution) = StudentsT::new(0.0, 1.0, degrees_of_freedom) else {
        return 1.0;
    };
    if z.is_nan() {
        return 1.0;
    }
    // Beyond this, squares overflow.
    let tail = distribution.sf(side.outward(z).clamp(-1e150, 1e150));
    probability(match side {
        Side::Both => 2.0 * tail,
        Side::Above | Side::Below => tail,
    })
}

/// Farther out than any score: where [`student_t_critical_value`] stops looking.
const FARTHEST: f64 = 1e150;

/// How far out on `side` a variable with Student's t distribution is with a chance of just `rate`:
/// the inverse of [`student_t_tail`], to the last digits that it has itself.
///
/// `rate` is 1e-300 to 1/2. The value is from 0, or, with [`Side::Below`], at most 0; with
/// [`Side::Both`] it is the larger of the two. Infinite degrees of freedom are allowed.
///
/// `None` for a rate out of range, degrees of freedom that are not above 0, and a value beyond
/// 1e150, which only degrees of freedom far below 1 have.
///
/// ```
/// use anomaly_detectors::tail::{Side, student_t_critical_value};
///
/// let critical = student_t_critical_value(0.05, 10.0, Side::Both);
/// assert!(critical.is_some_and(|z| (z - 2.228).abs() < 1e-3));
/// assert_eq!(student_t_critical_value(0.0, 10.0, Side::Both), None);
/// ```
#[must_use]
pub fn student_t_critical_value(rate: f64, degrees_of_freedom: f64, side: Side) -> Option<f64> {
    let possible = (1e-300..=0.5).contains(&rate);
    let outer = match side {
        Side::Below => -1.0,
        Side::Above | Side::Both => 1.0,
    };
    let is_reached = |z: f64| student_t_tail(outer * z, degrees_of_freedom, side) <= rate;
    // Degrees of freedom that are 0, less, or no number reach no rate.
    if !possible || !is_reached(FARTHEST) {
        return None;
    }
    // Floats from 0 are ordered as their bits are, so that halving the bits finds the nearest of
    // all sizes in 63 steps. The inverse of `statrs` is off by orders of magnitude below 3 degrees
    // of freedom, which short histories have.
    let (mut near, mut far) = (0_u64, FARTHEST.to_bits());
    while near < far {
        let middle = near + (far - near) / 2;
        if is_reached(f64::from_bits(middle)) {
            far = middle;
        } else {
            near = middle + 1;
        }
    }
    Some(outer * f64::from_bits(far))
}
