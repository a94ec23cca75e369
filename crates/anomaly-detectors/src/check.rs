//! The checks that all detectors share.

use crate::DetectorError;

/// The fewest rows from which a scale or a split can be learnt.
pub(crate) const FEWEST_ROWS: usize = 2;

/// How parameters become a detector, which is a tuple of them, and how they are told again: both are
/// its stored form, which is checked when it is read.
macro_rules! checked_params {
    ($detector:ident, $params:ident) => {
        impl TryFrom<$params> for $detector {
            type Error = $crate::DetectorError;

            fn try_from(params: $params) -> Result<Self, $crate::DetectorError> {
                params.check()
            }
        }

        impl From<$detector> for $params {
            fn from(detector: $detector) -> Self {
                detector.0
            }
        }
    };
}
pub(crate) use checked_params;

pub(crate) fn parameter(
    parameter: &'static str,
    value: impl ToString + Copy,
    allowed: bool,
    expected: &'static str,
) -> Result<(), DetectorError> {
    if allowed {
        return Ok(());
    }
    Err(DetectorError::InvalidParameter {
        parameter,
        value: value.to_string(),
        expected,
    })
}

pub(crate) fn history(detector: &'static str, rows: usize) -> Result<(), DetectorError> {
    if rows >= FEWEST_ROWS {
        return Ok(());
    }
    Err(DetectorError::NotEnoughHistory {
        detector,
        rows,
        needed: FEWEST_ROWS,
    })
}

pub(crate) fn width(fitted: usize, given: usize) -> Result<(), DetectorError> {
    if fitted == given {
        return Ok(());
    }
    Err(DetectorError::WidthMismatch { fitted, given })
}

pub(crate) fn output(rows: usize, given: usize) -> Result<(), DetectorError> {
    if rows == given {
        return Ok(());
    }
    Err(DetectorError::OutputLength { rows, given })
}

/// Whether a stored state is of this detector and of a version that this crate reads.
pub(crate) fn state(
    detector: &'static str,
    version: u32,
    found_detector: &str,
    found_version: u32,
) -> Result<(), DetectorError> {
    if found_detector != detector {
        let reason = format!("it is the state of {found_detector:.40}");
        return Err(DetectorError::invalid_state(detector, reason));
    }
    if found_version != version {
        let reason = format!("it is of version {found_version}, this program reads {version}");
        return Err(DetectorError::invalid_state(detector, reason));
    }
    Ok(())
}

/// Checks the parameter that all univariate detectors have.
pub(crate) fn min_scale(min_scale: f64) -> Result<(), DetectorError> {
    let allowed = min_scale.is_finite() && min_scale >= 0.0;
    parameter("min_scale", min_scale, allowed, "finite and not negative")
}
