//! What a prior learnt from other streams is good for.

use anomaly_detectors::tail::{FittedTailCalibrator, TailCalibratorParams, TailPrior};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::simulation::{Kind, alarms, normal, series};

fn fit(prior: TailPrior, scores: &[f64]) -> FittedTailCalibrator {
    let calibrator = TailCalibratorParams::default().prior(prior);
    calibrator.check().unwrap().fit(scores).unwrap()
}

/// Learnt from 30 streams of 60 values, each in a unit of its own.
fn pooled_prior(kind: Kind) -> TailPrior {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let streams: Vec<FittedTailCalibrator> = (0..30)
        .map(|_| {
            let unit = (3.0 * normal(&mut random)).exp();
            let (history, _) = series(kind, 60, 0, &mut random).values();
            let scores: Vec<f64> = history.iter().map(|value| unit * value).collect();
            fit(TailPrior::default(), &scores)
        })
        .collect();
    TailPrior::pooled(TailPrior::default(), &streams).unwrap()
}

/// What is called rare after 20 values.
struct Alarms {
    /// False ones, in percent.
    rate: f64,
    /// How far the rate of one stream is from 1 %: root of the mean square.
    off: f64,
    /// The share of jumps that are found.
    found: f64,
}

fn after_20_values(kind: Kind, prior: TailPrior, nominal: f64, jump: f64) -> Alarms {
    const STREAMS: usize = 1_500;
    const NEXT: usize = 60;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let (mut rate, mut off, mut found) = (0.0, 0.0, 0.0);
    for _ in 0..STREAMS {
        let (history, next) = series(kind, 20, NEXT, &mut random).values();
        let fitted = fit(prior, &history);
        let percent = 100.0 * alarms(&fitted, &next, nominal) as f64 / NEXT as f64;
        let jumped: Vec<f64> = next.iter().map(|value| value + jump).collect();
        rate += percent;
        off += (percent - 1.0).powi(2);
        found += alarms(&fitted, &jumped, nominal) as f64 / NEXT as f64;
    }
    let count = STREAMS as f64;
    Alarms {
        rate: rate / count,
        off: (off / count).sqrt(),
        found: found / count,
    }
}

/// Thirty streams tell a new one more about its tail than its own 20 values do. At the same nominal rate
/// a pooled prior also raises more false alarms on light tails, so power is compared where it raises no
/// more of them: at half the nominal rate.
#[test]
fn at_no_more_false_alarms_other_streams_find_more_jumps() {
    for (kind, jump, gain) in [
        (Kind::Normal, 4.0, 0.1),
        (Kind::StudentT(3), 6.8, 0.03),
        (Kind::Exponential, 4.0, 0.05),
        (Kind::Gamma, 5.6, 0.05),
        (Kind::Laplace, 5.6, 0.05),
    ] {
        let alone = after_20_values(kind, TailPrior::default(), 0.01, jump);
        let pooled = after_20_values(kind, pooled_prior(kind), 0.005, jump);
        let (before, after) = (alone.rate, pooled.rate);
        assert!(after < before + 0.1, "{before} {after} of {kind:?}");
        let (before, after) = (alone.found, pooled.found);
        assert!(after > before + gain, "{before} {after} of {kind:?}");
    }
}

/// Heavy tails come closer to their nominal rate. Light and skewed ones do not, but stay below 3 %.
#[test]
fn what_a_pooled_prior_does_to_false_alarms() {
    for kind in [Kind::StudentT(3), Kind::StudentT(2)] {
        let alone = after_20_values(kind, TailPrior::default(), 0.01, 0.0);
        let pooled = after_20_values(kind, pooled_prior(kind), 0.01, 0.0);
        let (before, after) = (alone.off, pooled.off);
        assert!(after < 0.9 * before, "{before} {after} of {kind:?}");
    }
    for kind in [
        Kind::Normal,
        Kind::Uniform,
        Kind::Exponential,
        Kind::Lognormal(1.0),
    ] {
        let pooled = after_20_values(kind, pooled_prior(kind), 0.01, 0.0);
        assert!(pooled.rate < 3.0, "{} of {kind:?}", pooled.rate);
    }
}

#[test]
fn what_says_nothing_teaches_nothing() {
    let base = TailPrior::default();
    let tied = fit(base, &[3.0; 40]);
    assert_eq!(TailPrior::pooled(base, [&tied, &tied]).unwrap(), base);
    assert_eq!(TailPrior::pooled(base, []).unwrap(), base);
    let mut wrong = base;
    wrong.shape = f64::NAN;
    assert!(TailPrior::pooled(wrong, []).is_err());
}
