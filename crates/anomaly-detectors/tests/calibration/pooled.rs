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

/// At a nominal 1 %, after 20 values.
struct Alarms {
    /// False ones, in percent.
    rate: f64,
    /// How far the rate of one stream is from 1 %: root of the mean square.
    off: f64,
    /// The share of jumps that are found.
    found: f64,
}

fn after_20_values(kind: Kind, prior: TailPrior, jump: f64) -> Alarms {
    const STREAMS: usize = 1_500;
    const NEXT: usize = 60;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let (mut rate, mut off, mut found) = (0.0, 0.0, 0.0);
    for _ in 0..STREAMS {
        let (history, next) = series(kind, 20, NEXT, &mut random).values();
        let fitted = fit(prior, &history);
        let percent = 100.0 * alarms(&fitted, &next, 0.01) as f64 / NEXT as f64;
        let jumped: Vec<f64> = next.iter().map(|value| value + jump).collect();
        rate += percent;
        off += (percent - 1.0).powi(2);
        found += alarms(&fitted, &jumped, 0.01) as f64 / NEXT as f64;
    }
    let count = STREAMS as f64;
    Alarms {
        rate: rate / count,
        off: (off / count).sqrt(),
        found: found / count,
    }
}

/// Thirty streams tell a new one more about its tail than its own 20 values do.
#[test]
fn other_streams_find_more_jumps() {
    for (kind, deviation, gain) in [
        (Kind::Normal, 1.0, 0.15),
        (Kind::StudentT(3), 1.7, 0.1),
        (Kind::StudentT(2), 2.5, 0.05),
    ] {
        let alone = after_20_values(kind, TailPrior::default(), 4.0 * deviation);
        let pooled = after_20_values(kind, pooled_prior(kind), 4.0 * deviation);
        let (before, after) = (alone.found, pooled.found);
        assert!(after > before + gain, "{before} {after} of {kind:?}");
        assert!(
            (0.5..=2.0).contains(&pooled.rate),
            "{} of {kind:?}",
            pooled.rate
        );
        if kind != Kind::Normal {
            // Heavy tails are known for what they are.
            let (before, after) = (alone.off, pooled.off);
            assert!(after < 0.9 * before, "{before} {after} of {kind:?}");
        }
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
