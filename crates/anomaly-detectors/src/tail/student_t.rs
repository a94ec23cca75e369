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
