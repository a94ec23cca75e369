//! Random numbers that are the same on every platform.

use std::f64::consts::TAU;

/// The generator `SplitMix64`: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014, with the constants of its reference implementation.
///
/// Own code, because a seed must give the same fleet after any update of a library.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: u64,
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// The generator of part `index` of what has this seed. Both are hashed, so that neighbouring
    /// seeds have no parts in common.
    pub(super) fn new(seed: u64, index: u64) -> Self {
        let mut whole = Self { state: seed };
        let part = index.wrapping_mul(GAMMA);
        Self {
            state: mix(whole.next().wrapping_add(part)),
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// A number above 0 and below 1.
    pub(super) fn unit(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number from 0 to `end - 1`; 0 if `end` is 0.
    #[expect(clippy::cast_possible_truncation, reason = "below `end`")]
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number with this mean: the one below it or the one above.
    pub(super) fn about(&mut self, mean: f64) -> usize {
        whole(mean.max(0.0) + self.unit())
    }

    /// A number of the standard normal distribution, by Box and Muller (1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(self.unit())).sqrt();
        radius * libm::cos(TAU * self.unit())
    }

    /// A positive number with median 1, whose logarithm has this standard deviation.
    pub(super) fn log_normal(&mut self, sd: f64) -> f64 {
        libm::exp(sd * self.normal())
    }
}

/// A number that is not negative, without its fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count or a size, far below 2^53"
)]
pub(super) fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

/// A size in bytes from a number that is not negative. A `usize` ends at 4 GiB on some machines.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size, far below 2^53"
)]
pub(super) fn bytes(number: f64) -> u64 {
    number.max(0.0) as u64
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}
