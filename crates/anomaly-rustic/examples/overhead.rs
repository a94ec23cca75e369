//! What looking at the bytes costs: backs a directory up into fresh repositories, by turns without
//! and with looking, and compares the processor time.
//!
//! `cargo run --release --manifest-path crates/anomaly-rustic/Cargo.toml --example overhead -- \
//!  DIRECTORY [ROUNDS]`
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use anomaly_rustic::InspectedSource;
use anomaly_rustic::content::{Inspection, Sampling};
use cpu_time::ProcessTime;
use rustic_backend::BackendOptions;
use rustic_core::{
    BackupOptions, ConfigOptions, Credentials, KeyOptions, LocalSource, LocalSourceFilterOptions,
    LocalSourceSaveOptions, ReadSource, Repository, RepositoryOptions, SnapshotOptions,
};

const WAYS: [(&str, Option<Sampling>); 3] = [
    ("without looking", None),
    ("every 64 KiB a block", Some(Sampling::Strided { seed: 0 })),
    ("all bytes", Some(Sampling::Full)),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let directory = arguments
        .next()
        .ok_or("usage: overhead DIRECTORY [ROUNDS]")?;
    let directory = fs::canonicalize(directory)?;
    let rounds: usize = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;

    let mut times: [Vec<Duration>; 3] = Default::default();
    // The first round fills the page cache, and does not count.
    for round in 0..=rounds {
        for ((_, sampling), times) in WAYS.iter().zip(&mut times) {
            let time = back_up(&directory, *sampling)?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let [plain, strided, full] = times.each_mut().map(median);
    for ((name, _), time) in WAYS.iter().zip([plain, strided, full]) {
        let more = 100.0 * (time.as_secs_f64() / plain.as_secs_f64() - 1.0);
        println!(
            "{name:22} {:7.2} s of processor time, {more:+.1} %",
            time.as_secs_f64()
        );
    }
    Ok(())
}

fn back_up(directory: &Path, sampling: Option<Sampling>) -> Result<Duration, Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let backends = BackendOptions::default()
        .repository(place.path().to_string_lossy())
        .to_backends()?;
    let repository = Repository::new(&RepositoryOptions::default().no_cache(true), &backends)?
        .init(
            &Credentials::password("overhead"),
            &KeyOptions::default(),
            &ConfigOptions::default(),
        )?
        .to_indexed_ids()?;
    let paths = [directory.to_owned()];
    let source = LocalSource::new(
        LocalSourceSaveOptions::default(),
        &rustic_core::Excludes::default(),
        &LocalSourceFilterOptions::default(),
        &paths,
    )?;
    let start = ProcessTime::now();
    match sampling {
        None => archive(&repository, &source, &paths)?,
        Some(sampling) => {
            let nothing_before = |_: &Path| None;
            let source = InspectedSource::new(source, sampling, Inspection::new(), nothing_before);
            archive(&repository, &source, &paths)?;
            drop(source.take());
        }
    }
    Ok(start.elapsed())
}

fn archive<S: rustic_core::IndexedIds, R>(
    repository: &Repository<S>,
    source: &R,
    paths: &[PathBuf],
) -> Result<(), Box<dyn Error>>
where
    R: ReadSource + 'static,
    R::Open: Send,
    R::Iter: Send,
{
    let snapshot = SnapshotOptions::default().to_snapshot()?;
    repository.archive(&BackupOptions::default(), source, snapshot, paths)?;
    Ok(())
}
