//! What a reading hands over, a bounded piece at a time.

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_sources::{Reader, Record, SourceError};
use tokio::sync::mpsc;

use super::error::{GatherError, one_line};
use super::mark::Files;

/// Jobs that are handed over at once.
const PIECE: usize = 500;
/// Reasons of refusals that are kept to be shown.
const MOST_REASONS: usize = 5;

/// What goes from the thread that reads to the task that has it kept.
#[derive(Debug)]
pub(super) enum Piece {
    /// Jobs, to be judged.
    Jobs(Vec<BackupJob>),
    /// Files that need not be read again, once the jobs before are kept.
    Files(Files),
}

/// What a reading came to, beside its jobs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Records that are no finished backups.
    pub(crate) skipped: u64,
    /// Records and files that cannot be used.
    pub(crate) refused: u64,
    /// Why, of the first ones.
    pub(crate) reasons: Vec<String>,
    /// The end of the newest job, or the start of one whose end is not known.
    pub(crate) latest: Option<DateTime<Utc>>,
    /// Files that are being written.
    pub(crate) unsettled: u64,
}

impl Tally {
    pub(super) fn refuse(&mut self, reason: &str) {
        self.refused += 1;
        if self.reasons.len() < MOST_REASONS {
            self.reasons.push(one_line(reason));
        }
    }

    /// Adds what was counted apart; `name` is that of the file that it was in, if it was in one.
    pub(super) fn add(&mut self, other: Self, name: &str) {
        self.skipped += other.skipped;
        self.refused += other.refused;
        self.latest = self.latest.max(other.latest);
        for reason in other.reasons {
            if self.reasons.len() < MOST_REASONS {
                let colon = if name.is_empty() { "" } else { ": " };
                self.reasons
                    .push(one_line(&format!("{name}{colon}{reason}")));
            }
        }
    }
}

/// Where the thread that reads puts what it reads.
#[derive(Debug)]
pub(super) struct Out {
    sender: mpsc::Sender<Piece>,
    jobs: Vec<BackupJob>,
    pub(super) tally: Tally,
}

impl Out {
    /// With the other end.
    pub(super) fn new() -> (Self, mpsc::Receiver<Piece>) {
        // One is worked on while the next is read: no more is held.
        let (sender, receiver) = mpsc::channel(1);
        let out = Self {
            sender,
            jobs: Vec::new(),
            tally: Tally::default(),
        };
        (out, receiver)
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.sender.is_closed()
    }

    /// Another look at whether somebody waits for it.
    pub(super) fn watch(&self) -> mpsc::Sender<Piece> {
        self.sender.clone()
    }

    /// Hands over what was read so far.
    pub(super) fn flush(&mut self) -> Result<(), GatherError> {
        let mut jobs = std::mem::take(&mut self.jobs);
        if jobs.is_empty() {
            return Ok(());
        }
        // Streams are judged in the order in which their jobs ran.
        jobs.sort_by_key(BackupJob::started_at);
        self.send(Piece::Jobs(jobs))
    }

    /// Says which files need not be read again.
    pub(super) fn done(&mut self, files: Files) -> Result<(), GatherError> {
        self.flush()?;
        self.send(Piece::Files(files))
    }

    fn send(&self, piece: Piece) -> Result<(), GatherError> {
        let sent = self.sender.blocking_send(piece);
        sent.map_err(|_| GatherError::Stopped)
    }

    /// Takes all that a reader gives. An empty list is no failure: there may be nothing yet.
    pub(super) fn take_all(&mut self, reader: Reader<'_>) -> Result<(), GatherError> {
        let mut tally = Tally::default();
        let taken = self.take(reader, &mut tally);
        self.tally.add(tally, "");
        taken
    }

    /// The same, counted apart.
    pub(super) fn take(
        &mut self,
        reader: Reader<'_>,
        tally: &mut Tally,
    ) -> Result<(), GatherError> {
        for record in reader {
            match record {
                Err(SourceError::Empty { .. }) => {}
                Err(error) => return Err(error.into()),
                Ok(Record::Job(job)) => {
                    let job = job.value;
                    let ended_at = job.ended_at().unwrap_or_else(|| job.started_at());
                    tally.latest = tally.latest.max(Some(ended_at));
                    self.jobs.push(job);
                    if self.jobs.len() >= PIECE {
                        self.flush()?;
                    }
                }
                Ok(Record::Skipped(_)) => tally.skipped += 1,
                Ok(Record::Bad(error)) => tally.refuse(&error.to_string()),
                Ok(_) => {}
            }
            if self.is_stopped() {
                return Err(GatherError::Stopped);
            }
        }
        Ok(())
    }
}
