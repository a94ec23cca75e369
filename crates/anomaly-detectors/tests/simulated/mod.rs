//! Series of known kinds.

use anomaly_detectors::series::{Point, SeasonalBaselineParams};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Normal,
    /// Student's t with three degrees of freedom.
    HeavyTails,
    Lognormal,
    /// Deviation 3 on weekends, 1 on other days.
    WeekendNoise,
    /// An autoregression of order 1 with this correlation.
    Correlated(f64),
    /// A weekly pattern, less what a seasonal baseline learnt from the reference.
    WeekRemoved,
    /// Seven of ten values are 0.
    Tied,
}

/// A normal variable, as the sum of twelve uniform ones (exact to far beyond four deviations here).
pub(crate) fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

/// `reference + later` observations without any change, of which the first are the reference.
pub(crate) fn series(
    kind: Kind,
    reference: usize,
    later: usize,
    random: &mut impl Rng,
) -> Vec<f64> {
    let first = random.random_range(0..7_usize);
    let week: Vec<f64> = (0..7).map(|_| 2.0 * normal(random)).collect();
    let mut last = normal(random);
    let values = (first..first + reference + later).map(|day| {
        let error = normal(random);
        match kind {
            Kind::Normal => error,
            Kind::HeavyTails => {
                let squares = (0..3).map(|_| normal(random).powi(2)).sum::<f64>();
                error / (squares / 3.0).sqrt()
            }
            Kind::Lognormal => error.exp(),
            Kind::WeekendNoise => error * if day % 7 < 5 { 1.0 } else { 3.0 },
            Kind::Correlated(correlation) => {
                last = correlation * last + (1.0 - correlation * correlation).sqrt() * error;
                last
            }
            Kind::WeekRemoved => error + week[day % 7],
            Kind::Tied => error.max(0.5244) - 0.5244,
        }
    });
    let values: Vec<f64> = values.collect();
    if kind == Kind::WeekRemoved {
        return without_week(&values, reference);
    }
    values
}

fn without_week(values: &[f64], reference: usize) -> Vec<f64> {
    let points: Vec<Point> = (0_u32..)
        .zip(values)
        .map(|(day, &value)| Point::new(day.into(), value))
        .collect();
    let params = SeasonalBaselineParams::default().trend(false).check();
    let usual = params.unwrap().fit(&points[..reference]).unwrap();
    let rest = |point: &Point| point.value - usual.expected(point);
    points.iter().map(rest).collect()
}

/// The kinds for which false alarms at a nominal 1 % are promised, and after how long references.
pub(crate) fn promised() -> impl Iterator<Item = (Kind, usize)> {
    let kinds = [
        Kind::Normal,
        Kind::HeavyTails,
        Kind::Lognormal,
        Kind::WeekendNoise,
        Kind::Correlated(0.3),
        Kind::Tied,
        Kind::WeekRemoved,
    ];
    let every = kinds
        .into_iter()
        .flat_map(|kind| [20, 60, 100].map(|reference| (kind, reference)));
    // Of a week that was seen not three times nothing is learnt.
    every.filter(|&(kind, reference)| kind != Kind::WeekRemoved || reference > 20)
}

/// Shares in percent of series without a change whose p-value is at most 0.01, one for each time
/// after the reference. `fit` makes of a reference what takes further values and gives the p-value.
pub(crate) fn alarm_percents<const TIMES: usize, G: FnMut(&[f64]) -> f64>(
    fit: impl Fn(&[f64]) -> G,
    kind: Kind,
    reference: usize,
    times: [usize; TIMES],
) -> [f64; TIMES] {
    const ROUNDS: u32 = 2_000;
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let mut alarms = [0; TIMES];
    for _ in 0..ROUNDS {
        let values = series(kind, reference, times[TIMES - 1], &mut random);
        let (history, mut later) = values.split_at(reference);
        let mut stream = fit(history);
        for (index, time) in times.into_iter().enumerate() {
            let before = values.len() - reference - later.len();
            let (next, rest) = later.split_at(time - before);
            alarms[index] += u32::from(stream(next) <= 0.01);
            later = rest;
        }
    }
    alarms.map(|count| f64::from(count) * 100.0 / f64::from(ROUNDS))
}

/// How long after a change normal series of deviation 1 have a p-value of at most 0.01, ascending,
/// for 500 of them; at most 100 observations. They run for 30 observations after the reference before
/// `change(time)` is added.
pub(crate) fn delays<G: FnMut(&[f64]) -> f64>(
    fit: impl Fn(&[f64]) -> G,
    reference: usize,
    change: impl Fn(f64) -> f64,
) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(23);
    let mut delays: Vec<usize> = (0..500)
        .map(|_| {
            let values = series(Kind::Normal, reference, 130, &mut random);
            let mut stream = fit(&values[..reference]);
            stream(&values[reference..reference + 30]);
            let mut times = 1..=100;
            let found = times.find(|&time| {
                stream(&[values[reference + 29 + time] + change(time as f64)]) <= 0.01
            });
            found.unwrap_or(100)
        })
        .collect();
    delays.sort_unstable();
    delays
}

/// The share of delays of at most `most`.
pub(crate) fn share(delays: &[usize], most: usize) -> f64 {
    delays.partition_point(|&delay| delay <= most) as f64 / delays.len() as f64
}

/// A number of any size, or none.
pub(crate) fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1e3..1e3_f64,
        2 => (0..3_i32).prop_map(f64::from),
        1 => any::<f64>(),
        1 => prop_oneof![
            Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(f64::MAX),
            Just(f64::MIN), Just(5e-324), Just(-0.0),
        ],
    ]
}

/// Equal to about the last digits, on the scale of the smaller one's logarithm.
pub(crate) fn close(a: f64, b: f64) -> bool {
    (a.ln() - b.ln()).abs() <= 1e-6 * (1.0 - a.ln().min(b.ln()))
}
