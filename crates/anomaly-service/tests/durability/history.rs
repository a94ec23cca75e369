//! A small fleet in which things happen, and a process that takes its jobs in.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anomaly_service::AnomalyService;
use anomaly_service::model::chrono::{DateTime, TimeDelta};
use anomaly_service::model::{BackupImage, BackupJob, JobKey, JobStatus};
use anomaly_service::settings::Settings;
use anomaly_service::storage::SqliteStore;

const DATABASE: &str = "BACKWATCH_TEST_DATABASE";
const BATCH_JOBS: &str = "BACKWATCH_TEST_BATCH_JOBS";

/// What a child ends with that could not go on.
pub(crate) const FAILED: i32 = 3;

pub(crate) fn jobs() -> Vec<BackupJob> {
    let day_and_client = (0..25_u64).flat_map(|day| (0..6_u64).map(move |client| (day, client)));
    day_and_client
        .map(|(day, client)| job(day, client))
        .collect()
}

/// Days that differ a little; of some clients one day is empty, failed, or far too large.
fn job(day: u64, client: u64) -> BackupJob {
    let wave = (day * 7 + client * 5) % 11;
    let mut image = BackupImage::default()
        .image_bytes(4_000_000_000 + client * 900_000_000 + wave * 3_000_000)
        .file_count(20_000 + client * 777 + wave)
        .transferred_bytes(50_000_000 + wave * 4_000_000);
    let mut status = JobStatus::Succeeded;
    match (client, day) {
        (1, 17) => image = image.image_bytes(0).file_count(0).transferred_bytes(0),
        (2, 18..=20) => image = image.transferred_bytes(3_900_000_000),
        (3, 21) => status = JobStatus::Failed,
        _ => {}
    }
    let started_at = DateTime::UNIX_EPOCH
        + TimeDelta::days(20_000 + day.cast_signed())
        + TimeDelta::minutes(client.cast_signed());
    let id = format!("{day}/{client}");
    BackupJob::builder("restic", id, format!("client{client}"), "daily", started_at)
        .ended_at(started_at + TimeDelta::seconds(100 + wave.cast_signed()))
        .status(status)
        .image(image)
        .build()
        .unwrap()
}

/// The verdicts of a run that nothing disturbs.
pub(crate) fn undisturbed() -> BTreeMap<JobKey, String> {
    let mut verdicts = BTreeMap::new();
    let mut service = AnomalyService::in_memory(Settings::default());
    service
        .observe_all(jobs(), |observed| {
            let verdict = serde_json::to_string(&observed.verdict).unwrap();
            verdicts.insert(observed.verdict.key(), verdict);
        })
        .unwrap();
    verdicts
}

/// The verdicts that are stored.
pub(crate) fn stored(path: &Path) -> BTreeMap<JobKey, String> {
    let service = AnomalyService::open(path, Settings::default()).unwrap();
    let verdicts = jobs().into_iter().filter_map(|job| {
        let verdict = service.verdict(&job.key()).unwrap()?;
        Some((job.key(), serde_json::to_string(&verdict).unwrap()))
    });
    verdicts.collect()
}

/// That the database is whole, and the log what was recorded.
pub(crate) fn assert_whole(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    assert_eq!(store.check().unwrap(), [""; 0]);
    assert_eq!(store.verify(&[]).unwrap().tampering, None);
}

/// The process that takes the jobs in: the tests start it, and only then it does anything. It tells
/// each job once it is stored.
#[test]
#[ignore = "started by the other tests"]
fn child() {
    let (Some(path), Some(batch_jobs)) = (env::var_os(DATABASE), env::var(BATCH_JOBS).ok()) else {
        return;
    };
    let tell = |job: &JobKey| {
        let mut output = std::io::stdout().lock();
        writeln!(output, "stored {}", job.job_id).unwrap();
        output.flush().unwrap();
    };
    let take_in = || {
        let mut service = AnomalyService::open(path, Settings::default())?;
        let jobs = jobs();
        // One at a time as hooks do, or many as an import does.
        match batch_jobs.parse().unwrap() {
            1 => {
                for job in &jobs {
                    service.observe(job)?;
                    tell(&job.key());
                }
            }
            batch => {
                for batch in jobs.chunks(batch) {
                    service.observe_all(batch.iter().cloned(), |observed| {
                        tell(&observed.verdict.key());
                    })?;
                }
            }
        }
        Ok::<(), anomaly_service::ServiceError>(())
    };
    if let Err(error) = take_in() {
        println!("{error}");
        std::process::exit(FAILED);
    }
}

/// What starts the child; `before` are words of a shell to be run before it.
pub(crate) fn command(before: &str, path: &Path, batch_jobs: usize) -> Command {
    let program = env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command
        .args([
            OsStr::new("-c"),
            OsStr::new(&format!("{before} exec \"$0\" \"$@\"")),
        ])
        .arg(program)
        .args(["--ignored", "--exact", "history::child", "--nocapture"])
        .env(DATABASE, path)
        .env(BATCH_JOBS, batch_jobs.to_string())
        .stdout(Stdio::piped());
    command
}

/// The job that a line of the child's says is stored.
pub(crate) fn told(line: &str) -> Option<&str> {
    // The test harness begins a line of its own.
    line.rsplit_once("stored ").map(|(_, job)| job)
}
