//! Who hands over jobs.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anomaly_model::{BackupJob, JobKey};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;
use benches::failure::Failure;
use serde_json::Value;

use crate::database::{STREAMS, job, today};
use crate::http::agent;
use crate::service::Service;

pub(crate) const POSTERS: u64 = 10;
/// Each poster hands over as many jobs at once, ten times a second.
const AT_ONCE: u64 = 10;
const EVERY: Duration = Duration::from_millis(100);

/// What became of what one poster handed over.
pub(crate) struct Sent {
    acknowledged: Vec<JobKey>,
    /// How long each answer took: that is when the jobs are on the disk.
    took: Vec<Duration>,
    /// Requests that were told to come again.
    refused: u64,
}

/// Hands over jobs of streams of its own, until it is over.
pub(crate) fn post(
    number: u64,
    service: &Service,
    key: &str,
    over: &AtomicBool,
) -> Result<Sent, Failure> {
    let agent = agent();
    let url = format!("{}/api/v1/jobs", service.base);
    let mut sent = Sent {
        acknowledged: Vec::new(),
        took: Vec::new(),
        refused: 0,
    };
    let begun = Instant::now();
    let mut turn = 0;
    while !over.load(Ordering::Relaxed) {
        // A poster that is late does not leave anything out.
        let due = EVERY * u32::try_from(turn)?;
        thread::sleep(due.saturating_sub(begun.elapsed()));
        let jobs = (0..AT_ONCE).map(|place| {
            let at = (turn * POSTERS + number) * AT_ONCE + place;
            let mut job = serde_json::to_value(job(at % STREAMS, today() + at / STREAMS)?)?;
            // Another run on the same database hands over other jobs.
            job["job_id"] = format!("{}-{at}", std::process::id()).into();
            Ok(job)
        });
        let jobs: Vec<Value> = jobs.collect::<Result<_, Failure>>()?;
        let lines = jobs.iter().map(Value::to_string).collect::<Vec<_>>();
        let asked = Instant::now();
        let answer = agent
            .post(&url)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/x-ndjson")
            .send(lines.join("\n"))?;
        turn += 1;
        if answer.status() != 200 {
            sent.refused += 1;
            continue;
        }
        sent.took.push(asked.elapsed());
        for job in jobs {
            let job: BackupJob = serde_json::from_value(job)?;
            sent.acknowledged.push(job.key());
        }
    }
    Ok(sent)
}

/// Says what was handed over, and looks for each job that was acknowledged.
pub(crate) fn report(sent: &[Sent], seconds: u64, database: &Path) -> Result<(), Failure> {
    let service = AnomalyService::open(database, Settings::default())?;
    let acknowledged: Vec<&JobKey> = sent.iter().flat_map(|sent| &sent.acknowledged).collect();
    let mut lost = 0;
    for key in &acknowledged {
        lost += u64::from(!service.records().is_known(key)?);
    }
    let mut took: Vec<Duration> = sent.iter().flat_map(|sent| sent.took.clone()).collect();
    took.sort_unstable();
    let at = |share: usize| {
        took.get(took.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "jobs: {} acknowledged in {seconds} s ({} a second), {lost} lost, {} requests refused; \
         an answer took {:.1?} at the median, {:.1?} at p99",
        acknowledged.len(),
        acknowledged.len() as u64 / seconds.max(1),
        sent.iter().map(|sent| sent.refused).sum::<u64>(),
        at(50),
        at(99),
    );
    Ok(())
}
