//! Random numbers that are the same on every platform and for ever.

/// The generator `SplitMix64`: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014, with the constants of its reference implementation.
///
/// Own code, because a stored seed must give the same detector after any update of a library.
#[derive(Debug)]
pub(crate) struct SplitMix64 {
    state: u64,
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl SplitMix64 {
    /// The generator of part `index`, a tree or a subsample, of the detector with `seed`.
    ///
    /// Seed and index are hashed: to add one to the other would give neighbouring seeds nearly all
    /// parts in common.
    pub(crate) fn new(seed: u64, index: usize) -> Self {
        let mut detector = Self { state: seed };
        let index = (index as u64).wrapping_mul(GAMMA);
        Self {
            state: mix(detector.next().wrapping_add(index)),
        }
    }

    /// A whole number; all are equally likely.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// A whole number from 0 to `end - 1`. Numbers are equally likely to within `end / 2^64`.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// A number from `low` up to but not including `high`, where `low < high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        // 52 bits and a half: above 0, below 1, and exact.
        let part = ((self.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
        let span = high - low;
        let number = if span.is_finite() {
            low + span * part
        } else {
            low * (1.0 - part) + high * part
        };
        if number < high { number.max(low) } else { low }
    }

    /// A number of the standard normal distribution: Box and Muller, "A Note on the Generation of
    /// Random Normal Deviates", Annals of Mathematical Statistics 29 (1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(self.between(0.0, 1.0))).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.between(0.0, 1.0))
    }
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::SplitMix64;

    #[test]
    fn numbers_are_those_of_the_reference_implementation() {
        let mut random = SplitMix64 { state: 1_234_567 };
        let numbers: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn numbers_between_stay_between() {
        let mut random = SplitMix64::new(0, 0);
        for (low, high) in [
            (0.0, f64::from_bits(1)),
            (1.0, 1.0_f64.next_up()),
            (f64::MIN, f64::MAX),
            (-0.0, 1e-310),
        ] {
            for _ in 0..100 {
                let number = random.between(low, high);
                assert!(
                    low <= number && number < high,
                    "{number} of {low} to {high}"
                );
            }
        }
    }

    /// Where the span is beyond the largest number, numbers are spread as elsewhere.
    #[test]
    fn numbers_of_the_widest_span_are_spread_evenly() {
        let (mut near, mut far) = (SplitMix64::new(1, 0), SplitMix64::new(1, 0));
        for _ in 0..100 {
            let (near, far) = (near.between(-1.0, 1.0), far.between(f64::MIN, f64::MAX));
            assert!((far / f64::MAX - near).abs() < 1e-12, "{far} for {near}");
        }
    }
}
