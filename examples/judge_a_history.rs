//! A history of jobs from a file, judged in order: what `backwatch scan` does, in twenty lines.
//!
//! Run it with `cargo run --example judge_a_history -- examples/data/fileserver.ndjson`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks to its reader")]

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use anomaly_service::AnomalyService;
use anomaly_service::settings::Settings;
use anomaly_sources::{Format, ReadOptions, read};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a file of job records")?;
    let mut service = AnomalyService::in_memory(Settings::default());
    for record in read(BufReader::new(File::open(&path)?), Format::Ndjson, &ReadOptions::default())
    {
        match record {
            Ok(located) => {
                let verdict = service.observe(&located.value)?.verdict;
                println!("{}  {}", verdict.started_at, verdict.summary);
            }
            Err(error) => eprintln!("{path}:{error}; skipped"),
        }
    }
    Ok(())
}
