//! One source, read again and again.

use std::convert::Infallible;
use std::thread;
use std::time::Duration;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{BackupJob, Severity};
use anomaly_notify::Backoff;
use anomaly_service::Novelty;
use anomaly_settings::Role;
use anomaly_storage::AuditEntry;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::error::GatherError;
use super::mark::{Files, Mark, Unsettled, keep_files};
use super::options::GatherOptions;
use super::out::{Out, Piece, Tally};
use super::read::{After, Before, read};
use super::state::Condition;
use crate::app::{App, now};
use crate::problem::Problem;

/// A source that could not be read is tried again after so long, then after twice as long, ...
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// ... up to this, or its usual wait where that is longer.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(30);
/// So many failures in a row are told: one may be a restart over there.
const TOLD_AFTER: u32 = 2;
/// How often it is asked whether gathering is on again.
const OFF: Duration = Duration::from_secs(1);

/// A source, and what this process knows of it.
struct Source {
    app: App,
    options: GatherOptions,
    mark: Mark,
    files: Files,
    unsettled: Vec<Unsettled>,
    failures: u32,
    /// Since when it cannot be read.
    failing_since: Option<DateTime<Utc>>,
    /// A thread that was given up, and may still be at it.
    left: Option<oneshot::Receiver<Result<After, GatherError>>>,
    readings: u64,
    is_read: IsRead,
}

/// Held by each thread that reads: the other end is closed once all have ended.
pub(crate) type IsRead = mpsc::Sender<Infallible>;

/// What was kept of what a source gave.
#[derive(Debug, Default)]
struct Kept {
    new_jobs: u64,
    known: u64,
    /// What cannot be told from other jobs, and so was not kept.
    refused: Tally,
}

/// Reads a source on its schedule, until the service ends. However long it takes, and whatever it
/// does, nothing else waits for it.
pub(crate) async fn poll(app: App, options: GatherOptions, is_read: IsRead) {
    let asked = app.source_states.asked(&options.name);
    let mut source = Source {
        app,
        options,
        mark: Mark::default(),
        files: Files::new(),
        unsettled: Vec::new(),
        failures: 0,
        failing_since: None,
        left: None,
        readings: 0,
        is_read,
    };
    while let Err(problem) = source.remember().await {
        tracing::warn!(
            detail = problem.detail(),
            "cannot look how far a source was read"
        );
        sleep(OFF).await;
    }
    loop {
        while !source.app.readers.settings().is_on(Role::Gather) {
            source.change(|state| state.next_at = None);
            sleep(OFF).await;
        }
        let wait = source.turn().await;
        source.change(|state| state.next_at = Some(now() + wait));
        tokio::select! {
            () = sleep(wait.to_std().unwrap_or_default()) => {}
            () = asked.notified() => {}
        }
    }
}

impl Source {
    fn change(&self, change: impl FnOnce(&mut super::SourceState)) {
        self.app.source_states.change(&self.options.name, change);
    }

    /// Finds out how far it was read before.
    async fn remember(&mut self) -> Result<(), Problem> {
        let options = self.options.clone();
        let kept = self
            .app
            .readers
            .read(move |service| Mark::load(service, &options))
            .await?;
        (self.mark, self.files) = kept;
        self.failing_since = self.mark.degraded_since;
        self.change(|state| {
            state.succeeded_at = self.mark.succeeded_at;
            state.latest = self.mark.latest;
        });
        Ok(())
    }

    /// Reads it once, and says how long to wait for the next time.
    async fn turn(&mut self) -> TimeDelta {
        self.readings += 1;
        self.change(|state| {
            state.is_reading = true;
            state.next_at = None;
        });
        let begun_at = now();
        let mut kept = Kept::default();
        let read = self.read(begun_at, &mut kept).await;
        let outcome = if read.is_ok() { "ok" } else { "failed" };
        self.app
            .meters
            .source_was_read(&self.options.name, outcome, kept.new_jobs, kept.known);
        self.change(|state| {
            state.is_reading = false;
            state.new_jobs += kept.new_jobs;
            state.known = kept.known;
        });
        match read {
            Ok(mut tally) => {
                tally.add(kept.refused, "");
                self.succeed(begun_at, tally).await
            }
            // Somebody switched gathering off meanwhile: that says nothing about the source.
            Err(_) if !self.app.readers.settings().is_on(Role::Gather) => TimeDelta::zero(),
            Err(error) => self.fail(&error).await,
        }
    }

    async fn read(&mut self, now: DateTime<Utc>, kept: &mut Kept) -> Result<Tally, GatherError> {
        if let Some(left) = &mut self.left {
            if matches!(left.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
                return Err(GatherError::StillReading);
            }
            self.left = None;
        }
        let before = Before {
            mark: self.mark.clone(),
            files: self.files.clone(),
            unsettled: self.unsettled.clone(),
            now,
        };
        let (out, mut pieces) = Out::new();
        let (answer, mut answered) = oneshot::channel();
        let (options, is_read) = (self.options.clone(), self.is_read.clone());
        thread::Builder::new()
            .name(format!("gather {}", options.name))
            .spawn(move || {
                // Nobody may be there to hear it.
                _ = answer.send(read(&options, before, out));
                drop(is_read);
            })
            .map_err(GatherError::Thread)?;
        // A tool that takes too long is killed, and a server given up, before this is over.
        let limit = Duration::from_secs(u64::from(self.options.kind.timeout_seconds()) * 3 + 30);
        loop {
            match timeout(limit, pieces.recv()).await {
                Ok(Some(piece)) => self.keep(piece, &mut pieces, kept).await?,
                Ok(None) => break,
                Err(_) => {
                    self.left = Some(answered);
                    return Err(GatherError::NoAnswer { limit });
                }
            }
        }
        match timeout(limit, &mut answered).await {
            Ok(Ok(after)) => {
                let After { tally, unsettled } = after?;
                self.unsettled = unsettled;
                Ok(tally)
            }
            Ok(Err(_)) => Err(GatherError::Stopped),
            Err(_) => {
                self.left = Some(answered);
                Err(GatherError::NoAnswer { limit })
            }
        }
    }

    /// Has a piece kept. While this takes its time, the thread that reads waits.
    async fn keep(
        &mut self,
        piece: Piece,
        pieces: &mut mpsc::Receiver<Piece>,
        kept: &mut Kept,
    ) -> Result<(), GatherError> {
        if !self.app.readers.settings().is_on(Role::Gather) {
            pieces.close();
            return Err(Problem::not_gathered().into());
        }
        match piece {
            Piece::Jobs(jobs) => self.observe(jobs, kept).await?,
            Piece::Files(files) => {
                let (options, note) = (self.options.clone(), files.clone());
                let keep = move |service: &mut _| keep_files(service, &options, &note);
                self.app.writer.run_patiently(keep).await?;
                self.files = files;
            }
        }
        Ok(())
    }

    async fn observe(&self, jobs: Vec<BackupJob>, kept: &mut Kept) -> Result<(), Problem> {
        let asked = self.app.readers.read(move |service| {
            let mut new = Vec::new();
            let mut known = 0;
            let mut not_kept = Vec::new();
            for job in jobs {
                match service.novelty(&job)? {
                    Novelty::New => new.push(job),
                    Novelty::Known => known += 1,
                    Novelty::NotKept(why) => not_kept.push((job.job_id().clone(), why)),
                }
            }
            Ok((new, known, not_kept))
        });
        let (new, known, not_kept) = asked.await?;
        kept.known += known;
        for (job, why) in not_kept {
            kept.refused.refuse(&format!("job {job}: {why}"));
        }
        if new.is_empty() {
            return Ok(());
        }
        let observed = self.app.writer.observe_patiently(new).await?;
        self.app.note_job();
        for one in observed {
            if let Some(why) = &one.not_kept {
                let job = &one.verdict.job_id;
                kept.refused.refuse(&format!("job {job}: {why}"));
            } else if one.already_known {
                kept.known += 1;
            } else {
                kept.new_jobs += 1;
            }
        }
        Ok(())
    }

    async fn succeed(&mut self, begun_at: DateTime<Utc>, tally: Tally) -> TimeDelta {
        self.mark.succeeded_at = Some(begun_at);
        self.mark.latest = self.mark.latest.max(tally.latest);
        let told_since = self.mark.degraded_since.take();
        let again_soon = tally.unsettled > 0;
        let latest = self.mark.latest;
        self.app
            .meters
            .source_gave(&self.options.name, tally.skipped, tally.refused);
        self.change(|state| {
            state.condition = Condition::Working;
            state.succeeded_at = Some(begun_at);
            state.latest = latest;
            state.skipped = tally.skipped;
            state.refused = tally.refused;
            state.reasons = tally.reasons;
            state.unsettled = tally.unsettled;
        });
        (self.failures, self.failing_since) = (0, None);
        let recovered = told_since.map(|since| {
            let name = &self.options.name;
            tracing::info!(source = name, %since, "a source can be read again");
            let reason = format!(
                "The source {name} can be read again. It could not since {}.",
                since.format("%Y-%m-%d %H:%M UTC")
            );
            AuditEntry::new(now(), "backwatch", "source_recovered", name.as_str())
                .with_severity(Severity::Low)
                .with_reason(reason)
        });
        self.keep_mark(recovered).await;
        let every = TimeDelta::seconds(self.options.every_seconds.into());
        match &self.options.kind {
            super::SourceKind::Directory(options) if again_soon => {
                every.min(TimeDelta::seconds(i64::from(options.settle_seconds).max(1)))
            }
            _ => jittered(every, self.seed()),
        }
    }

    async fn fail(&mut self, error: &GatherError) -> TimeDelta {
        let why = error.in_one_line();
        let name = self.options.name.clone();
        let since = *self.failing_since.get_or_insert_with(now);
        self.failures = self.failures.saturating_add(1);
        let failures = self.failures;
        tracing::warn!(source = name, failures, why, "a source cannot be read");
        self.change(|state| {
            state.condition = Condition::Degraded {
                since,
                why: why.clone(),
                failures,
            };
        });
        if failures >= TOLD_AFTER && self.mark.degraded_since.is_none() {
            self.mark.degraded_since = Some(since);
            let reason = format!(
                "The source {name} cannot be read since {}: {why}.",
                since.format("%Y-%m-%d %H:%M UTC")
            );
            let entry = AuditEntry::new(now(), "backwatch", "source_degraded", name)
                .with_severity(Severity::Medium)
                .with_reason(reason);
            self.keep_mark(Some(entry)).await;
        }
        let every = TimeDelta::seconds(self.options.every_seconds.into());
        let mut backoff = Backoff::default();
        backoff.first = FIRST_WAIT.min(every);
        backoff.longest = LONGEST_WAIT.max(every);
        backoff.give_up_after = TimeDelta::MAX;
        let at = now();
        backoff
            .next(failures, at, self.seed())
            .map_or(every, |next| next - at)
    }

    /// Keeps how far it was read, and what happened to it: both, or neither.
    async fn keep_mark(&self, happened: Option<AuditEntry>) {
        let (mark, options) = (self.mark.clone(), self.options.clone());
        let kept = self
            .app
            .writer
            .run_patiently(move |service| mark.keep(service, &options, happened.as_ref()))
            .await;
        if let Err(problem) = kept {
            let (source, detail) = (&self.options.name, problem.detail());
            tracing::warn!(source, detail, "cannot keep how far a source was read");
        }
    }

    /// Another number for each reading of each source.
    fn seed(&self) -> u64 {
        let name = self.options.name.bytes();
        name.fold(self.readings, |seed, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

/// A wait that is up to a tenth longer or shorter, so that not all sources are read at once.
fn jittered(wait: TimeDelta, seed: u64) -> TimeDelta {
    let tenth = wait.num_milliseconds() / 10;
    let spread = u64::try_from(2 * tenth + 1).unwrap_or(1);
    let more = i64::try_from(seed % spread).unwrap_or_default();
    wait + TimeDelta::milliseconds(more - tenth)
}
