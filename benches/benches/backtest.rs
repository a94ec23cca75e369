//! A million stored jobs of 10,000 streams, replayed under other settings.
//!
//! `cargo bench -p benches --bench backtest`. The database, of DAYS (100) jobs for each stream, is
//! made first, in DIRECTORY (target/backtest), which keeps it for the next time.
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use anomaly_service::settings::{AlarmBudget, Settings};
use anomaly_service::storage::SqliteStore;
use anomaly_service::{AnomalyService, Backtest};
use benches::fleet::job;

const STREAMS: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    let days: u64 = variable("DAYS", "100").parse()?;
    let directory = variable("DIRECTORY", "target/backtest");
    std::fs::create_dir_all(&directory)?;
    let path = Path::new(&directory).join(format!("{days}.db"));
    if !path.exists() {
        make(&path, days)?;
    }
    let mut other = Settings::default();
    other.detection.alarm_budget = AlarmBudget::new(0.2)?;
    let backtest = Backtest::new(Settings::default(), other);
    let begin = Instant::now();
    let report = backtest.run(
        || SqliteStore::open_existing(&path),
        |_| ControlFlow::Continue(()),
    )?;
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{} jobs of {} streams in {seconds:.1} s: {} anomalies before, {} after; stored differently: {}; \
         {} MB of database, {} of memory",
        report.jobs,
        report.streams,
        report.before.anomalies,
        report.after.anomalies,
        report.stored.only_stored + report.stored.only_replayed,
        std::fs::metadata(&path)?.len() / 1_000_000,
        peak_memory(),
    );
    Ok(())
}

fn make(path: &Path, days: u64) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let part = path.with_extension("part");
    let mut service = AnomalyService::open(&part, Settings::default())?;
    for day in 0..days {
        let jobs: Vec<_> = (0..STREAMS)
            .map(|stream| job(stream, day))
            .collect::<Result<_, _>>()?;
        service.observe_all(jobs, |_| ())?;
    }
    drop(service);
    std::fs::rename(&part, path)?;
    println!("made in {:.0} s", begin.elapsed().as_secs_f64());
    Ok(())
}

/// The most memory that was held, where the system says.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("an unknown amount").trim().to_owned()
}
