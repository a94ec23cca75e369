//! Jobs that do not come.

use anomaly_engine::{OURSELVES, Overdue, missed_job};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{Severity, StreamKey, Verdict};
use anomaly_storage::{AuditEntry, Read, Stored};

use super::AnomalyService;
use crate::session::{Session, read_status};
use crate::ticks::{NOTE, Ticks};
use crate::{ServiceError, TickReport};

/// Streams that are asked in one transaction.
const PAGE: usize = 500;
/// Fewer overdue streams are each a matter of its own.
const FEW: u64 = 20;
/// A clock that is corrected by less was not set back.
const CORRECTED: TimeDelta = TimeDelta::hours(1);

/// A stream that is due, with its status.
type Due = Stored<(StreamKey, String)>;

/// Streams of which a job is overdue.
#[derive(Debug, Clone, Copy, Default)]
struct Late {
    /// When their jobs were due at the latest.
    until: Option<DateTime<Utc>>,
    streams: u64,
    /// Of so many that are waited for.
    watched: u64,
}

impl Late {
    fn are_most(&self) -> bool {
        self.streams > FEW && self.streams * 2 > self.watched
    }

    /// Up to `limit` streams that are due by `now` and are none of these.
    fn others_due(
        &self,
        store: &(impl Read + ?Sized),
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Due>, ServiceError> {
        // Those due first come first.
        let these = match self.until {
            Some(until) => usize::try_from(store.count_due_streams(until)?).unwrap_or(usize::MAX),
            None => 0,
        };
        let mut due = store.due_streams(now, limit.saturating_add(these))?;
        due.drain(..these.min(due.len()));
        Ok(due)
    }
}

impl AnomalyService {
    /// Asks which jobs that were due by `now`, by the caller's clock, have not come, and makes an
    /// anomaly of each: once, until the stream's next job. `told` is called with each, once it is
    /// stored.
    ///
    /// To be called regularly, such as once a minute. Whoever calls it after a pause gets the answer
    /// with the next call, so that what came meanwhile can be handed over before. When most streams
    /// are overdue at once, it is not they: none of these is reported by itself, and the audit log has
    /// a system event of high severity. They are held until most of them have come again; streams
    /// that become overdue meanwhile are asked by themselves, or are the next event. A clock that was
    /// set back concludes nothing.
    ///
    /// Streams are found by the time at which they are due: those that are not cost nothing.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store fails; what `told` has been called with is kept.
    pub fn tick(
        &mut self,
        now: DateTime<Utc>,
        mut told: impl FnMut(&Verdict),
    ) -> Result<TickReport, ServiceError> {
        let mut report = TickReport::default();
        let before = Ticks::read(&*self.store)?;
        let mut ticks = Ticks {
            last: Some(now),
            ..before
        };
        if before.last.is_some_and(|last| last - now > CORRECTED) {
            report.clock_was_set_back = true;
            self.note_clock(now, before.last)?;
            return self.note_ticks(now, ticks, report);
        }
        let mut held = self.held(before.silent_until(), now)?;
        let mut late = self.late(now, &held)?;
        // Some are asked earlier than they can be overdue, or are excluded by now: they do not count.
        if (held.are_most() || late.are_most()) && self.put_off(now, before.last)? {
            held = self.held(before.silent_until(), now)?;
            late = self.late(now, &held)?;
        }
        let seems_silent = late.are_most();
        // The second tick in a row that finds it so is believed.
        let is_news = seems_silent && before.fleet_seemed_silent;
        let silent = held.streams + if seems_silent { late.streams } else { 0 };
        report.silent_fleet = (silent > 0).then_some(silent);
        ticks.fleet_seemed_silent = seems_silent && !is_news;
        ticks.fleet_is_silent = held.streams > 0 || is_news;
        ticks.silent_until = if is_news { Some(now) } else { held.until };
        if is_news {
            self.note_silent_fleet(now, silent)?;
        }
        if late.streams > 0 && !seems_silent {
            while self.tick_page(now, before.last, &held, &mut report, &mut told)? {}
        }
        self.note_ticks(now, ticks, report)
    }

    /// The streams that were reported together, as long as they are most of those that are waited for:
    /// once most have come, those that have not are each a matter of its own again.
    fn held(&self, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<Late, ServiceError> {
        // A clock that was ahead then tells nothing of what came due since.
        let Some(until) = until.map(|until| until.min(now)) else {
            return Ok(Late::default());
        };
        let held = self.late(until, &Late::default())?;
        Ok(if held.are_most() {
            held
        } else {
            Late::default()
        })
    }

    /// The streams that are overdue, beside those that are held.
    fn late(&self, until: DateTime<Utc>, held: &Late) -> Result<Late, ServiceError> {
        let streams = self.store.count_due_streams(until)?;
        let watched = self.store.count_due_streams(DateTime::<Utc>::MAX_UTC)?;
        Ok(Late {
            until: Some(until),
            streams: streams.saturating_sub(held.streams),
            watched: watched.saturating_sub(held.streams),
        })
    }

    /// Asks all streams that are due, and notes when to ask those again that are not overdue; says
    /// whether there were any.
    fn put_off(
        &mut self,
        now: DateTime<Utc>,
        last: Option<DateTime<Utc>>,
    ) -> Result<bool, ServiceError> {
        let settings = self.engine.settings();
        let again = |due: Due| {
            let (stream, text) = due.record;
            let status = read_status(&stream, &text)?;
            match status.overdue(settings, now, last) {
                Overdue::Not { again_at } => Some((stream, status, again_at)),
                Overdue::Wait | Overdue::Missed(_) => None,
            }
        };
        // Mostly there are none, and nothing is written.
        let due = self.store.due_streams(now, usize::MAX)?;
        if !due.into_iter().any(|due| again(due).is_some()) {
            return Ok(false);
        }
        let mut session = Session::begin(&self.engine, &mut *self.store)?;
        for due in session.transaction.due_streams(now, usize::MAX)? {
            if let Some((stream, status, again_at)) = again(due) {
                session.put_status(&stream, &status, again_at)?;
            }
        }
        session.commit()?;
        Ok(true)
    }

    /// Asks some of the streams that are due; says whether there may be more.
    fn tick_page(
        &mut self,
        now: DateTime<Utc>,
        last: Option<DateTime<Utc>>,
        held: &Late,
        report: &mut TickReport,
        told: &mut impl FnMut(&Verdict),
    ) -> Result<bool, ServiceError> {
        let settings = self.engine.settings();
        let mut missed = Vec::new();
        let mut session = Session::begin(&self.engine, &mut *self.store)?;
        session.transaction.set_now(now);
        let due = held.others_due(&*session.transaction, now, PAGE)?;
        if due.is_empty() {
            return Ok(false);
        }
        for stored in due {
            let (stream, text) = stored.record;
            let Some(mut status) = read_status(&stream, &text) else {
                session
                    .transaction
                    .put_stream_status(&stream, &text, None)?;
                continue;
            };
            match status.overdue(settings, now, last) {
                Overdue::Missed(silence) => {
                    status.note_missed(&silence, now);
                    match missed_job(stored.number, &status, &silence) {
                        Ok((job, verdict)) => {
                            if session.insert_missed(&stream, &job, &verdict, &status)? {
                                missed.push(verdict);
                            }
                        }
                        // Due in a year in which no job can be.
                        Err(error) => {
                            tracing::warn!(%stream, %error, "a missed job cannot be recorded");
                            session.put_status(&stream, &status, None)?;
                        }
                    }
                }
                Overdue::Wait => {
                    report.waiting += 1;
                    let again_at = now + TimeDelta::microseconds(1);
                    session.put_status(&stream, &status, Some(again_at))?;
                }
                Overdue::Not { again_at } => {
                    session.put_status(&stream, &status, again_at)?;
                }
            }
        }
        session.commit()?;
        report.missed += missed.len() as u64;
        missed.iter().for_each(told);
        Ok(true)
    }

    fn note_clock(
        &mut self,
        now: DateTime<Utc>,
        last: Option<DateTime<Utc>>,
    ) -> Result<(), ServiceError> {
        let entry = AuditEntry::new(now, OURSELVES, "clock_set_back", "the clock")
            .with_severity(Severity::Medium)
            .with_reason("the clock was set back since the last tick: nothing was concluded")
            .with_change(json(last), json(Some(now)));
        self.note(&entry)
    }

    fn note_silent_fleet(&mut self, now: DateTime<Utc>, overdue: u64) -> Result<(), ServiceError> {
        let reason = format!(
            "{overdue} streams are overdue, which is most of them: the clock is wrong, or jobs are \
             not handed over any more, or no backup runs"
        );
        let entry = AuditEntry::new(now, OURSELVES, "silent_fleet", "all streams")
            .with_severity(Severity::High)
            .with_reason(reason);
        self.note(&entry)
    }

    fn note_ticks(
        &mut self,
        now: DateTime<Utc>,
        ticks: Ticks,
        report: TickReport,
    ) -> Result<TickReport, ServiceError> {
        let note =
            serde_json::to_string(&ticks).map_err(|source| ServiceError::Record { source })?;
        let report = TickReport {
            watched: self.store.count_due_streams(DateTime::<Utc>::MAX_UTC)?,
            ..report
        };
        let mut transaction = self.store.transaction()?;
        transaction.put_note(NOTE, &note)?;
        transaction.commit()?;
        tracing::debug!(%now, ?report, "tick");
        Ok(report)
    }
}

fn json(time: Option<DateTime<Utc>>) -> Option<serde_json::Value> {
    serde_json::to_value(time?).ok()
}
