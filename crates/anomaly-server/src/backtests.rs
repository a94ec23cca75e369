//! Other settings against the past, beside the daily work: one at a time, the last few kept.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::{Backtest, BacktestReport, ServiceError};
use anomaly_settings::{Difference, Settings};
use anomaly_storage::SqliteStore;
use axum::http::StatusCode;

use crate::app::now;
use crate::problem::Problem;
use crate::wanted::Wanted;

/// What is kept; the oldest goes.
const KEPT: usize = 8;

/// What a backtest compares.
#[derive(Debug)]
pub(crate) struct Question {
    /// Who asks.
    pub(crate) by: String,
    /// The settings that hold.
    pub(crate) today: Settings,
    /// Their version: what it found is about a change of these and no others.
    pub(crate) version: u64,
    /// What is to be different.
    pub(crate) wanted: Wanted,
    /// Only jobs that started at this time or later are counted.
    pub(crate) since: Option<DateTime<Utc>>,
    /// Only jobs that started before this time are counted.
    pub(crate) until: Option<DateTime<Utc>>,
}

/// A backtest that runs, or has run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) by: String,
    pub(crate) asked_at: DateTime<Utc>,
    pub(crate) version: u64,
    pub(crate) wanted: Wanted,
    /// What differs from what holds.
    pub(crate) differences: Vec<Difference>,
    done: AtomicU64,
    of_at_most: AtomicU64,
    is_stopped: AtomicBool,
    end: Mutex<Option<(DateTime<Utc>, End)>>,
}

/// How one has ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Done(Arc<BacktestReport>),
    Failed,
    Cancelled,
}

impl Run {
    pub(crate) fn end(&self) -> Option<(DateTime<Utc>, End)> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.clone()
    }

    /// Records that were replayed, and how many there are at most.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let of = self.of_at_most.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed).min(of), of)
    }

    /// `running`, `done`, `failed` or `cancelled`.
    pub(crate) fn state(&self) -> &'static str {
        match self.end() {
            None => "running",
            Some((_, End::Done(_))) => "done",
            Some((_, End::Failed)) => "failed",
            Some((_, End::Cancelled)) => "cancelled",
        }
    }

    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn finish(&self, end: End) {
        let mut known = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert((now(), end));
    }

    fn replay(&self, database: PathBuf, backtest: &Backtest) -> Result<End, ServiceError> {
        let store = SqliteStore::open_existing(database)?;
        let found = backtest.run_on(&store, |progress| {
            self.done.store(progress.done, Ordering::Relaxed);
            self.of_at_most
                .store(progress.of_at_most, Ordering::Relaxed);
            if self.is_stopped.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        match found {
            Ok(report) => Ok(End::Done(Arc::new(report))),
            Err(ServiceError::BrokenOff) => Ok(End::Cancelled),
            Err(error) => Err(error),
        }
    }
}

/// The last few, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Backtests {
    runs: Mutex<VecDeque<Arc<Run>>>,
}

impl Backtests {
    /// Starts one, in a thread and over a connection of its own, which holds no lock.
    ///
    /// # Errors
    /// A problem while another one runs.
    pub(crate) fn start(&self, database: PathBuf, question: Question) -> Result<Arc<Run>, Problem> {
        let Question {
            by,
            today,
            version,
            wanted,
            since,
            until,
        } = question;
        let other = wanted.over(&today);
        let run = Arc::new(Run {
            id: id()?,
            by,
            asked_at: now(),
            version,
            differences: today.parts().differences(&other.parts()),
            wanted,
            done: AtomicU64::new(0),
            of_at_most: AtomicU64::new(0),
            is_stopped: AtomicBool::new(false),
            end: Mutex::default(),
        });
        let backtest = Backtest::new(today, other).since(since).until(until);
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = runs.iter().find(|run| run.end().is_none()) {
            let detail = format!(
                "A backtest of {} runs: wait for it, or stop it. It is {}.",
                other.by, other.id
            );
            let problem = Problem::new(StatusCode::CONFLICT, "backtest_running", detail);
            return Err(problem);
        }
        let thread = thread::Builder::new().name("backtest".into());
        // Should it panic, it has failed.
        let ending = Ending(Arc::clone(&run));
        let spawned = thread.spawn(move || match ending.0.replay(database, &backtest) {
            Ok(end) => ending.0.finish(end),
            Err(error) => tracing::error!(%error, "a backtest failed"),
        });
        spawned.map_err(|error| Problem::internal(&error.to_string()))?;
        while runs.len() >= KEPT {
            runs.pop_front();
        }
        runs.push_back(Arc::clone(&run));
        Ok(run)
    }

    pub(crate) fn get(&self, id: &str) -> Result<Arc<Run>, Problem> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let run = runs.iter().find(|run| run.id == id);
        run.cloned().ok_or_else(|| Problem::not_found("backtest"))
    }

    /// The one that runs.
    pub(crate) fn running(&self) -> Option<Arc<Run>> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter().find(|run| run.end().is_none()).cloned()
    }

    /// Stops one that runs, or forgets one that has run.
    pub(crate) fn remove(&self, id: &str) -> Result<(), Problem> {
        let run = self.get(id)?;
        if run.end().is_none() {
            run.stop();
        } else {
            let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
            runs.retain(|run| run.id != id);
        }
        Ok(())
    }

    /// Stops what runs: the service ends.
    pub(crate) fn stop_all(&self) {
        if let Some(run) = self.running() {
            run.stop();
        }
    }
}

/// Has a run end with whatever thread it runs on.
struct Ending(Arc<Run>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.finish(End::Failed);
    }
}

/// Random, so that an address that was kept shows nothing else after a restart.
fn id() -> Result<String, Problem> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| Problem::internal(&error.to_string()))?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use anomaly_service::AnomalyService;
    use serde_json::json;

    use super::*;

    fn question() -> Question {
        Question {
            by: "ann".into(),
            today: Settings::default(),
            version: 1,
            wanted: Wanted {
                parts: vec![("detection.enabled".into(), Some(json!(false)))],
            },
            since: None,
            until: None,
        }
    }

    fn run(id: &str) -> Run {
        Run {
            id: id.into(),
            by: "bob".into(),
            asked_at: now(),
            version: 1,
            wanted: Wanted::default(),
            differences: Vec::new(),
            done: AtomicU64::new(0),
            of_at_most: AtomicU64::new(0),
            is_stopped: AtomicBool::new(false),
            end: Mutex::default(),
        }
    }

    fn ended(run: &Run) -> &'static str {
        while run.end().is_none() {
            thread::yield_now();
        }
        run.state()
    }

    #[test]
    fn one_runs_at_a_time_and_the_last_few_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("db");
        drop(AnomalyService::open(&database, Settings::default()).unwrap());
        let backtests = Backtests::default();
        let first = backtests.start(database.clone(), question()).unwrap();
        assert_eq!(ended(&first), "done");
        // One that does not end.
        let endless = Arc::new(run("endless"));
        backtests
            .runs
            .lock()
            .unwrap()
            .push_back(Arc::clone(&endless));
        let refused = backtests.start(database.clone(), question()).unwrap_err();
        assert_eq!(refused.status(), StatusCode::CONFLICT);
        assert!(refused.detail().contains("endless"), "{}", refused.detail());
        backtests.remove("endless").unwrap();
        assert!(endless.is_stopped.load(Ordering::Relaxed));
        endless.finish(End::Cancelled);
        for _ in 0..KEPT {
            let run = backtests.start(database.clone(), question()).unwrap();
            assert_eq!(ended(&run), "done");
        }
        assert!(backtests.get(&first.id).is_err());
        assert!(backtests.get("endless").is_err());
        assert_eq!(backtests.runs.lock().unwrap().len(), KEPT);
    }

    #[test]
    fn one_that_is_stopped_finds_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("db");
        let mut service = AnomalyService::open(&database, Settings::default()).unwrap();
        let job = json!({ "source": "restic", "job_id": "1", "client": "mail01", "policy": "daily",
            "started_at": "2026-11-01T22:00:00Z", "status": "succeeded" });
        service
            .observe(&serde_json::from_value(job).unwrap())
            .unwrap();
        let backtest = Backtest::new(Settings::default(), Settings::default());
        let stopped = run("stopped");
        let replayed = stopped.replay(database.clone(), &backtest).unwrap();
        assert!(matches!(replayed, End::Done(_)), "{replayed:?}");
        assert_eq!(stopped.progress().0, 1);
        stopped.stop();
        let replayed = stopped.replay(database, &backtest).unwrap();
        assert!(matches!(replayed, End::Cancelled), "{replayed:?}");
    }

    #[test]
    fn one_that_cannot_read_has_failed() {
        let backtests = Backtests::default();
        let run = backtests.start("/nowhere/db".into(), question()).unwrap();
        assert_eq!(ended(&run), "failed");
    }
}
