//! A million jobs of 10,000 streams in a hundred days, of which one in twenty is strange.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;
use benches::failure::Failure;
use benches::fleet;
use serde_json::json;

pub(crate) const STREAMS: u64 = 10_000;
const DAYS: u64 = 100;

/// The number of today, counted from 1970.
pub(crate) fn today() -> u64 {
    let now = DateTime::<Utc>::from(SystemTime::now());
    u64::try_from(now.timestamp() / 86_400).unwrap_or_default()
}

/// A job of a day; one in twenty failed.
pub(crate) fn job(stream: u64, day: u64) -> Result<BackupJob, Failure> {
    let job = fleet::job(stream, day)?;
    if !(stream * 7 + day * 3).is_multiple_of(20) {
        return Ok(job);
    }
    let mut record = serde_json::to_value(job)?;
    record["status"] = json!("failed");
    Ok(serde_json::from_value(record)?)
}

/// Makes the database, unless it is there.
pub(crate) fn make(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let part = path.with_extension("part");
    for ending in ["part", "part-wal", "part-shm"] {
        _ = fs::remove_file(path.with_extension(ending));
    }
    eprintln!("making {}", path.display());
    let mut service = AnomalyService::open(&part, Settings::default())?;
    let mut anomalies = 0;
    for day in today() - DAYS..today() {
        let jobs: Result<Vec<_>, _> = (0..STREAMS).map(|stream| job(stream, day)).collect();
        let summary = service.observe_all(jobs?, |observed| {
            anomalies += u64::from(observed.verdict.is_anomalous());
        })?;
        if summary.new_jobs != STREAMS {
            return Err(format!("only {} jobs of a day are new", summary.new_jobs).into());
        }
    }
    drop(service);
    eprintln!("{} jobs, {anomalies} anomalies", DAYS * STREAMS);
    Ok(fs::rename(part, path)?)
}
