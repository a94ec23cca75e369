//! A history of jobs from a file, judged in order and in one call: what `backwatch scan` does, in
//! twenty lines.
//!
//! Run it with `cargo run --example judge_a_history -- examples/data/fileserver.ndjson`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example speaks to its reader"
)]

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use anomaly_service::AnomalyService;
use anomaly_service::settings::Settings;
use anomaly_sources::{Format, ReadOptions, Record, read};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("name a file of job records")?;
    let mut service = AnomalyService::in_memory(Settings::default());
    let file = BufReader::new(File::open(&path)?);
    let mut jobs = Vec::new();
    for record in read(file, Format::Ndjson, &ReadOptions::default())? {
        match record? {
            Record::Job(job) => jobs.push(job.value),
            Record::Bad(error) => eprintln!("{path}: {error}; skipped"),
            _ => {}
        }
    }
    // A thousand jobs share a commit, which is most of the time when the history is in a database.
    let judged = service.observe_all(jobs, |observed| {
        let verdict = observed.verdict;
        println!("{}  {}", verdict.started_at, verdict.summary);
    })?;
    println!("{} jobs judged", judged.new_jobs);
    Ok(())
}
