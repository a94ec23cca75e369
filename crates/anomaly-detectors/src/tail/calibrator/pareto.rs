//! The generalised Pareto distribution, of a shape that is not 0.

/// How often an excess is at least `excess` scales: 0 to 1. `excess` is not negative.
pub(super) fn survival(excess: f64, shape: f64) -> f64 {
    libm::exp(-hazard(excess, shape))
}

/// Logarithm of the density of all `excesses`; minus infinity if one is beyond the end of the tail.
pub(super) fn ln_likelihood(excesses: &[f64], scale: f64, shape: f64) -> f64 {
    let hazards: f64 = excesses
        .iter()
        .map(|excess| hazard(excess / scale, shape))
        .sum();
    -(1.0 + shape) * hazards - excesses.len() as f64 * libm::log(scale)
}

/// Minus the logarithm of the survival: `ln(1 + shape excess) / shape`, infinite beyond the end of
/// a distribution that has one.
fn hazard(excess: f64, shape: f64) -> f64 {
    let inner = shape * excess;
    if inner <= -1.0 {
        return f64::INFINITY;
    }
    libm::log1p(inner) / shape
}
