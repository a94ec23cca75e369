//! Data that go a little with every job are reported before much is gone: `docs/guarantees.md`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "sizes of tests are small"
)]

mod common;

use anomaly_engine::{Engine, StreamModel};
use anomaly_model::{AnomalyKind, BackupImage, BackupJob, JobStatus, Verdict};
use common::builder;
use proptest::prelude::*;

/// A stream that grows, whose images vary by noise, and from which somebody deletes.
#[derive(Debug, Clone)]
struct Stream {
    files: f64,
    bytes: f64,
    /// Growth of files and data, a part per job.
    growth: f64,
    /// Files and data of each image differ from what is there by up to this part.
    noise: f64,
    /// Whether they always differ by that part, up or down, which is the worst case.
    harsh: bool,
    seed: u64,
    jobs: u64,
}

impl Stream {
    /// Between -1 and 1 (`SplitMix64`: Steele, Lea, Flood, OOPSLA 2014).
    fn random(&mut self) -> f64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// The next image, after `share` of the files and of the data was deleted.
    fn next(&mut self, share: f64) -> BackupImage {
        let left = (1.0 - share) * (1.0 + self.growth);
        self.files *= left;
        self.bytes *= left;
        self.jobs += 1;
        let (mut files, mut bytes) = (self.random(), self.random());
        if self.harsh {
            (files, bytes) = (files.signum(), bytes.signum());
        }
        BackupImage::default()
            .file_count((self.files * (1.0 + self.noise * files)) as u64)
            .image_bytes((self.bytes * (1.0 + self.noise * bytes)) as u64)
    }

    fn job(&mut self, share: f64) -> BackupJob {
        let image = self.next(share);
        self.job_of(image)
    }

    fn job_of(&self, image: BackupImage) -> BackupJob {
        builder(self.jobs).image(image).build().unwrap()
    }

    /// A job that saw only a part of what is there.
    fn dip(&mut self, part: f64) -> BackupJob {
        let image = self.next(0.0);
        let seen = |number: Option<u64>| (number.unwrap() as f64 * part) as u64;
        let image = image.file_count(seen(image.file_count));
        self.job_of(image.image_bytes(seen(image.image_bytes)))
    }
}

/// The share that is deleted with each job: constant, or growing.
#[derive(Debug, Clone, Copy)]
struct Drip {
    first: f64,
    last: f64,
    /// Jobs from the first share to the last.
    rise_jobs: u64,
}

impl Drip {
    fn share(self, job: u64) -> f64 {
        let way = (job as f64 / self.rise_jobs as f64).min(1.0);
        self.first + (self.last - self.first) * way
    }
}

fn stream() -> impl Strategy<Value = Stream> {
    (
        1_000.0..1e7_f64,
        1e6..1e13_f64,
        0.0..0.01_f64,
        0.0..0.02_f64,
        any::<(bool, u64)>(),
    )
        .prop_map(|(files, bytes, growth, noise, (harsh, seed))| Stream {
            files,
            bytes,
            growth,
            noise: if harsh { 0.02 } else { noise },
            harsh,
            seed,
            jobs: 0,
        })
}

/// Constant or growing, from half a percent of the files and the data with each job to 8 %.
fn drip() -> impl Strategy<Value = Drip> {
    let constant = (0.005..0.08_f64).prop_map(|share| Drip {
        first: share,
        last: share,
        rise_jobs: 1,
    });
    let growing = (0.005..0.08_f64, 0.005..0.08_f64, 1..40_u64);
    let growing = growing.prop_map(|(one, other, rise_jobs)| Drip {
        first: one.min(other),
        last: one.max(other),
        rise_jobs,
    });
    prop_oneof![constant, growing]
}

/// A loss, by whatever name.
fn is_loss(verdict: &Verdict) -> bool {
    matches!(
        verdict.kind(),
        Some(AnomalyKind::SlowDrift | AnomalyKind::MassDeletion | AnomalyKind::Shrinkage)
    )
}

/// A part of what is there that goes unseen on one day.
fn dip() -> impl Strategy<Value = Option<(u64, f64)>> {
    proptest::option::of((0..30_u64, 0.1..0.9_f64))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// The guarantee: whatever the stream and the drip, a loss is told while more than 70 % of what
    /// there was is left, as long as the loss outruns growth by a quarter of a percent with each
    /// job. One day on which only a part was seen, before or meanwhile, changes nothing about it.
    #[test]
    fn what_goes_by_and_by_is_told_before_a_third_is_gone(
        mut stream in stream(),
        drip in drip(),
        history in 14..60_u64,
        dip in dip(),
    ) {
        let (engine, mut model) = (Engine::default(), StreamModel::default());
        stream.growth = stream.growth.min(drip.first - 0.0025);
        for _ in 0..history {
            let verdict = engine.judge(&stream.job(0.0), &mut model);
            prop_assert!(!is_loss(&verdict), "nothing is lost yet: {}", verdict.summary);
        }
        let there = stream.bytes;
        let mut told = false;
        for job in 0.. {
            if let Some((_, part)) = dip.filter(|(day, _)| *day == job) {
                let verdict = engine.judge(&stream.dip(part), &mut model);
                // That much is gone on that day says nothing of what went by and by; that it does
                // counts.
                told |= verdict.kind() == Some(AnomalyKind::SlowDrift);
            }
            let job = stream.job(drip.share(job));
            if stream.bytes <= 0.7 * there {
                break;
            }
            let verdict = engine.judge(&job, &mut model);
            told |= is_loss(&verdict);
            if told {
                break;
            }
        }
        prop_assert!(told, "{:.0} of {there:.0} bytes are left", stream.bytes);
    }

    /// What grows and is never deleted from is not lost, however long it is watched.
    #[test]
    fn nothing_is_lost_that_is_there(mut stream in stream()) {
        let (engine, mut model) = (Engine::default(), StreamModel::default());
        for _ in 0..150 {
            let verdict = engine.judge(&stream.job(0.0), &mut model);
            prop_assert!(!is_loss(&verdict), "{}", verdict.summary);
        }
    }
}

fn even(growth: f64) -> Stream {
    Stream {
        files: 50_000.0,
        bytes: 1e10,
        growth,
        noise: 0.002,
        harsh: false,
        seed: 1,
        jobs: 0,
    }
}

/// The jobs on which a loss was told, and the last sentence.
fn told(engine: &Engine, model: &mut StreamModel, jobs: &[BackupJob]) -> (Vec<usize>, String) {
    let (mut told, mut last) = (Vec::new(), String::new());
    for (index, job) in jobs.iter().enumerate() {
        let verdict = engine.judge(job, model);
        if is_loss(&verdict) {
            told.push(index);
            last = verdict.summary;
        }
    }
    (told, last)
}

fn jobs(stream: &mut Stream, count: usize, share: f64) -> Vec<BackupJob> {
    (0..count).map(|_| stream.job(share)).collect()
}

/// Losing step by step moves nothing that is compared with: while the most is remembered, each
/// further tenth of it that goes is told again, in parts of the most that there was.
#[test]
fn step_by_step_does_not_become_usual() {
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    let mut stream = even(0.0);
    assert_eq!(
        told(&engine, &mut model, &jobs(&mut stream, 20, 0.0)).0,
        Vec::<usize>::new()
    );
    // A hundred jobs of the 120 that are remembered: 63 % goes.
    let losing = jobs(&mut stream, 99, 0.01);
    let (days, last) = told(&engine, &mut model, &losing);
    assert_eq!(days.len(), 5, "after 15 % and each further 10 %: {days:?}");
    assert_eq!(
        last,
        "Little by little, 58 % of the data and 58 % of the files have gone since this stream held most."
    );
}

/// What came back, or was accepted as the new size long enough to be all that is remembered, is news
/// when it goes again.
#[test]
fn what_came_back_is_told_when_it_goes_again() {
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    let mut stream = even(0.0);
    let mut all = jobs(&mut stream, 20, 0.0);
    for _ in 0..2 {
        all.extend(jobs(&mut stream, 24, 0.01));
        (stream.files, stream.bytes) = (50_000.0, 1e10);
        all.extend(jobs(&mut stream, 10, 0.0));
    }
    let (days, _) = told(&engine, &mut model, &all);
    assert_eq!(days.len(), 2, "{days:?}");
}

/// A source that is never read to its end loses what goes all the same; what cannot be read from
/// one day on is not lost.
#[test]
fn a_partial_job_hides_no_slow_loss() {
    let partial = |image: &BackupJob| {
        BackupJob::builder(
            "restic",
            image.job_id().as_str(),
            "mail01",
            "daily",
            image.started_at(),
        )
        .status(JobStatus::Partial)
        .image(*image.image())
        .build()
        .unwrap()
    };
    let (engine, mut model) = (Engine::default(), StreamModel::default());
    let mut stream = even(0.0);
    let mut all = jobs(&mut stream, 20, 0.0);
    all.extend(jobs(&mut stream, 20, 0.01));
    let all: Vec<BackupJob> = all.iter().map(partial).collect();
    let (days, _) = told(&engine, &mut model, &all);
    assert!(days.first().is_some_and(|day| *day < 40), "{days:?}");
}
