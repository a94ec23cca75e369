//! The scale on which differences of a feature are compared.

/// How far 0 and 1 are kept from the ends of the logit scale.
const SHARE_MARGIN: f64 = 0.001;

/// The scale on which differences of a feature are compared.
///
/// `forward` maps a value to a coordinate in which a difference means the same everywhere;
/// `inverse` maps a coordinate back, to show a usual range in the feature's own unit. Both take
/// the job's reference: what the value is a ratio to, or a part of.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Transform {
    /// The value itself.
    Identity,
    /// `ln(1 + value / unit)`: ratios matter above `unit`, differences below it.
    Log {
        /// Values far below this are all alike.
        unit: f64,
    },
    /// `ln((value + unit) / (reference + unit))`: the change against the reference.
    LogRatio {
        /// Changes far below this do not count.
        unit: f64,
    },
    /// The logit of `value / reference`, 0.001 away from the ends: from 1 % to 2 % is as far as
    /// from 98 % to 99 %.
    Share,
}

impl Transform {
    /// The coordinate of `value`. A share outside 0..1 counts as the nearer end.
    #[must_use]
    pub fn forward(self, value: f64, reference: f64) -> f64 {
        match self {
            Self::Identity => value,
            Self::Log { unit } => (value / unit).ln_1p(),
            Self::LogRatio { unit } => ((value + unit) / (reference + unit)).ln(),
            Self::Share => {
                let share = if reference > 0.0 {
                    (value / reference).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let inner = (share + SHARE_MARGIN) / (1.0 + 2.0 * SHARE_MARGIN);
                (inner / (1.0 - inner)).ln()
            }
        }
    }

    /// The value at `coordinate`; undoes [`forward`](Self::forward).
    #[must_use]
    pub fn inverse(self, coordinate: f64, reference: f64) -> f64 {
        match self {
            Self::Identity => coordinate,
            Self::Log { unit } => coordinate.exp_m1() * unit,
            Self::LogRatio { unit } => (coordinate.exp() * (reference + unit) - unit).max(0.0),
            Self::Share => {
                let inner = 1.0 / (1.0 + (-coordinate).exp());
                let share = inner * (1.0 + 2.0 * SHARE_MARGIN) - SHARE_MARGIN;
                share.clamp(0.0, 1.0) * reference
            }
        }
    }
}
