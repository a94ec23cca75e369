//! The morning after: what happened, from where to restore, what a person decides, and how much of it
//! all was watched.
//!
//! Run it with `cargo run --example review_and_recover -- examples/data/fileserver.ndjson`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example speaks to its reader"
)]

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use anomaly_service::model::{Review, ReviewScope, ReviewStatus, Undo};
use anomaly_service::settings::Settings;
use anomaly_service::storage::{AnomalyQuery, IncidentQuery};
use anomaly_service::{AnomalyService, ReviewRequest, ServiceError};
use anomaly_sources::{Format, ReadOptions, Record, read};
use chrono::{DateTime, TimeDelta, Utc};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("name a file of job records")?;
    // A service on a database takes the same calls: `AnomalyService::open`.
    let mut service = AnomalyService::in_memory(Settings::default());
    let mut now = DateTime::UNIX_EPOCH;
    let file = BufReader::new(File::open(&path)?);
    for record in read(file, Format::Ndjson, &ReadOptions::default())? {
        match record? {
            Record::Job(job) => {
                now = now.max(job.value.started_at() + TimeDelta::hours(8));
                service.observe(&job.value)?;
            }
            Record::Bad(error) => eprintln!("{path}: {error}; skipped"),
            _ => {}
        }
    }

    // One page for whatever belongs together, with the image to restore of each stream that it hit.
    for report in service.incidents(&IncidentQuery::default().open(true))? {
        let incident = &report.incident;
        let (severity, kind) = (incident.severity(), incident.kind());
        let clients = incident.clients.names.len();
        println!(
            "incident {}: {severity} {kind}, {clients} client(s)",
            report.number
        );
        for client in &incident.clients.names {
            for point in service.recovery_points(client, Some(report.number))? {
                match &point.image {
                    Some(image) => println!(
                        "  {}: restore {} of {}, confidence {}; {} later images are suspect",
                        point.stream,
                        image.job.key.job_id,
                        image.job.started_at,
                        image.confidence,
                        point.suspects.len()
                    ),
                    None => println!("  {}: no image to restore from", point.stream),
                }
                for reason in &point.reasons {
                    println!("    {reason}");
                }
            }
        }
    }

    decide(&mut service, now)?;

    // Nothing found is worth what was looked at.
    let fleet = service.coverage(now)?;
    println!(
        "{} streams: {} judged, {} warming up, {} silent, {} blind to something",
        fleet.streams, fleet.judged, fleet.warming_up, fleet.silent, fleet.blind
    );
    // Called every minute, this tells of jobs that do not come, each once.
    let ticked = service.tick(now, |verdict| println!("{}", verdict.summary))?;
    println!("{} missed, {} may be", ticked.missed, ticked.waiting);
    Ok(())
}

/// What a person decides about the newest anomaly, and takes back.
fn decide(service: &mut AnomalyService, now: DateTime<Utc>) -> Result<(), Box<dyn Error>> {
    let newest = service.anomalies(&AnomalyQuery::default().limit(1))?;
    let Some(anomaly) = newest.first() else {
        return Ok(());
    };
    let job = anomaly.verdict.key();

    // It was usual, and so is what is like it, for 90 days and up to a tenth more.
    let usual = service
        .false_positive("ada", now, ReviewScope::ThisStream)
        .with_reason("the archive was packed anew");
    let reviewed = service.review(&job, &usual)?;
    println!("{}, learnt: {}", reviewed.review.status, reviewed.learnt);

    // Someone who saw the same page a moment earlier is told, and overwrites nothing.
    let confirmed = Review::new(ReviewStatus::Confirmed, "eve", now);
    let blindly = ReviewRequest::decide(job.clone(), confirmed).expecting(None);
    match service.review_one(blindly) {
        Err(ServiceError::Review(refused)) => println!("refused: {refused}"),
        answer => _ = answer?,
    }

    // Taken back, it is as if it had never been decided.
    let back = service.take_back(&job, &Undo::new("ada", now))?;
    println!("{}, forgotten: {}", back.review.status, back.unlearnt);
    Ok(())
}
