//! What is known of streams in general: learnt, stored, judged by.
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

use std::sync::Arc;

use anomaly_engine::{Engine, LearnError, PastStream, Population, PopulationError, StreamModel};
use anomaly_model::{BackupImage, BackupJob, JobStatus};
use common::{builder, sample};

/// A stream on which little happens: half a percent changes on a usual day.
fn quiet_stream(seed: u64, jobs: u64) -> Vec<BackupJob> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = move |below: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    };
    let image = |number, random: &mut dyn FnMut(u64) -> u64| {
        let changed = 20 + random(40);
        BackupImage::default()
            .image_bytes(1_000_000_000 + number * 200_000)
            .file_count(10_000 + number)
            .transferred_bytes(changed * 100_000)
            .files_new(1 + random(3))
            .files_changed(changed)
            .files_deleted(random(2))
    };
    (0..jobs)
        .map(|number| {
            builder(number)
                .image(image(number, &mut random))
                .build()
                .unwrap()
        })
        .collect()
}

fn quiet_streams(streams: u64, jobs: u64) -> Vec<Vec<BackupJob>> {
    (0..streams).map(|seed| quiet_stream(seed, jobs)).collect()
}

fn learn<'a>(
    streams: impl IntoIterator<Item = &'a Vec<BackupJob>>,
) -> Result<Population, LearnError> {
    let past = |jobs: &'a Vec<BackupJob>| {
        let mut past = PastStream::default();
        for job in jobs {
            past.push(job, true);
        }
        past
    };
    let streams: Vec<PastStream> = streams.into_iter().map(past).collect();
    Population::learn(&streams)
}

/// The p-values of jobs of one stream; `None` where there is none.
fn p_values(population: &Population, jobs: &[BackupJob]) -> Vec<Option<f64>> {
    let engine = Engine::default().with_population(Arc::new(population.clone()));
    let mut model = StreamModel::default();
    jobs.iter()
        .map(|job| Some(engine.judge(job, &mut model).p_value?.get()))
        .collect()
}

/// Jobs of many kinds: the sample's, an attack among them.
fn mixed_jobs() -> Vec<BackupJob> {
    let mut jobs = quiet_stream(77, 30);
    jobs.extend(sample());
    jobs
}

fn assert_alike(one: &[Option<f64>], other: &[Option<f64>], tolerance: f64) {
    assert_eq!(one.len(), other.len());
    for (index, pair) in one.iter().zip(other).enumerate() {
        match pair {
            (Some(one), Some(other)) => assert!(
                (one - other).abs() <= tolerance * one,
                "job {index}: {one} and {other}"
            ),
            (one, other) => assert_eq!(one, other, "job {index}"),
        }
    }
}

#[test]
fn too_little_is_refused() {
    let streams = quiet_streams(4, 60);
    // Short streams and such as left no images do not count.
    let short = quiet_streams(9, 8);
    let failed: Vec<Vec<BackupJob>> = (0..9)
        .map(|_| {
            let failed = |number| builder(number).status(JobStatus::Failed).build().unwrap();
            (0..60).map(failed).collect()
        })
        .collect();
    let error = learn(streams.iter().chain(&short).chain(&failed)).unwrap_err();
    assert!(matches!(error, LearnError::TooFewStreams { found: 4 }));
    assert_eq!(
        error.to_string(),
        "streams with at least 10 images after their first: 4, and a population takes 5"
    );
    let error = learn(&quiet_streams(5, 20)).unwrap_err();
    assert!(matches!(error, LearnError::TooFewJobs), "{error}");
    assert!(error.to_string().contains("100 are needed"), "{error}");
}

/// A population has a table of each stream, and counts its images; what left none, and what was an
/// upheaval or came before a stream had settled, says nothing of how loud usual jobs are.
#[test]
fn what_a_population_is_learnt_from() {
    let streams = quiet_streams(6, 60);
    // Every job but the first, which has none before it.
    let text = learn(&streams).unwrap().to_json();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["jobs"], 6 * 59);
    let tables = file["statistics"].as_array().unwrap();
    let most = tables
        .iter()
        .map(|table| table["streams"].as_array().unwrap().len())
        .max();
    assert_eq!(most, Some(6));

    let learnt_where = |ordinary: &dyn Fn(usize) -> bool, more: &[BackupJob]| {
        let past = streams.iter().map(|jobs| {
            let mut past = PastStream::default();
            for (index, job) in jobs.iter().chain(more).enumerate() {
                past.push(job, ordinary(index));
            }
            past
        });
        Population::learn(&past.collect::<Vec<_>>())
            .unwrap()
            .to_json()
    };
    let image = BackupImage::default()
        .image_bytes(500_000_000)
        .file_count(9_000);
    let failed = builder(60).image(image).status(JobStatus::Failed);
    let empty = builder(61).image(image.image_bytes(0).file_count(0));
    let no_images = [failed.build().unwrap(), empty.build().unwrap()];
    assert_eq!(learnt_where(&|_| true, &no_images), text);
    assert_eq!(learnt_where(&|index| index >= 14, &[]), text);
    assert_ne!(learnt_where(&|index| index >= 15, &[]), text);
    assert_ne!(learnt_where(&|index| index < 59, &[]), text);
}

/// A population that is stored and read back judges the same, to the five digits of the file; from
/// then on it is the file's, to the last bit.
#[test]
fn a_stored_population_judges_the_same() {
    for population in [learn(&quiet_streams(6, 60)).unwrap(), Population::default()] {
        let text = population.to_json();
        let back = Population::from_json(&text).unwrap();
        let jobs = mixed_jobs();
        assert_alike(&p_values(&population, &jobs), &p_values(&back, &jobs), 0.01);
        assert_eq!(back.to_json(), text);
        assert_eq!(Population::from_json(&back.to_json()).unwrap(), back);
    }
}

/// In whatever order streams are learnt, and tables are read, the verdicts are the same.
#[test]
fn the_order_of_reading_changes_nothing() {
    let jobs = mixed_jobs();
    let streams = quiet_streams(6, 60);
    let learnt = learn(&streams).unwrap();
    let reversed = learn(streams.iter().rev()).unwrap();
    assert_alike(&p_values(&learnt, &jobs), &p_values(&reversed, &jobs), 1e-9);

    let mut file: serde_json::Value = serde_json::from_str(&learnt.to_json()).unwrap();
    for tables in ["statistics", "views"] {
        file[tables].as_array_mut().unwrap().reverse();
    }
    // What a later version adds is left out.
    let later = serde_json::json!({"statistic": "later_share", "streams": []});
    file["statistics"].as_array_mut().unwrap().push(later);
    assert_eq!(
        Population::from_json(&file.to_string()).unwrap(),
        Population::from_json(&learnt.to_json()).unwrap()
    );
}

/// A number that cannot be in a population is refused, with the place where it stands.
#[test]
fn wrong_numbers_are_refused_with_their_place() {
    let good: serde_json::Value = serde_json::from_str(&Population::default().to_json()).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut bad = good.clone();
        change(&mut bad);
        Population::from_json(&bad.to_string())
            .unwrap_err()
            .to_string()
    };
    let statistic = good["statistics"][3]["statistic"].as_str().unwrap();
    let view = good["views"][1]["view"].as_str().unwrap();
    for (place, expected, error) in [
        (
            statistic,
            "a part from 0 to 1",
            refused(&|file| file["statistics"][3]["streams"][2][5] = 1.5.into()),
        ),
        (
            statistic,
            "a part from 0 to 1",
            refused(&|file| file["statistics"][3]["streams"][2][5] = (-0.1).into()),
        ),
        (
            statistic,
            "at most as large as the one before it",
            refused(&|file| {
                file["statistics"][3]["streams"][2][4] = 0.2.into();
                file["statistics"][3]["streams"][2][5] = 0.3.into();
            }),
        ),
        (
            view,
            "above 0",
            refused(&|file| file["views"][1]["mean_excess"] = 0.into()),
        ),
        (
            view,
            "at least as large as the one before it",
            refused(&|file| file["views"][1]["quantiles"][4] = (-99).into()),
        ),
    ] {
        assert!(
            error.starts_with(&format!("{place} of the population: ")),
            "{error}"
        );
        assert!(error.contains(expected), "{error}");
    }
    let error = refused(&|file| file["format"] = 2.into());
    assert!(
        error.contains("format 2") && error.contains("update"),
        "{error}"
    );
    for tables in ["statistics", "views"] {
        let error = refused(&|file| file[tables] = serde_json::json!([]));
        assert!(
            error.contains("holds no stream or no calibration"),
            "{error}"
        );
    }
    for text in ["", "{}", "[1, 2]", "{\"format\": 1}"] {
        assert!(matches!(
            Population::from_json(text),
            Err(PopulationError::Json(_))
        ));
    }
}

/// What an installation's own quiet streams show makes a change stand out in one of them that is
/// nothing in streams in general, from its first days on.
#[test]
fn an_own_population_sees_more() {
    let own = learn(&quiet_streams(8, 60)).unwrap();
    let mut jobs = quiet_stream(99, 8);
    let (last, image) = (jobs.len() as u64, *jobs.last().unwrap().image());
    let changed = image.files_changed(800).transferred_bytes(80_000_000);
    jobs.push(builder(last).image(changed).build().unwrap());
    let on_last = |population: &Population| {
        let engine = Engine::default().with_population(Arc::new(population.clone()));
        let mut model = StreamModel::default();
        let verdicts: Vec<_> = jobs
            .iter()
            .map(|job| engine.judge(job, &mut model))
            .collect();
        assert!(
            verdicts
                .iter()
                .rev()
                .skip(1)
                .all(|verdict| !verdict.is_anomalous())
        );
        verdicts.last().unwrap().clone()
    };
    let verdict = on_last(&own);
    assert!(verdict.is_anomalous(), "{:?}", verdict.p_value);
    assert!(!on_last(Population::shipped()).is_anomalous());
}
