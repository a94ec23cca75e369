//! Jobs that do not come.

use anomaly_engine::{Overdue, missed_job};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{Severity, Verdict};
use anomaly_storage::AuditEntry;

use super::AnomalyService;
use crate::session::{OURSELVES, Session, read_status};
use crate::ticks::{NOTE, Ticks};
use crate::{ServiceError, TickReport};

/// Streams that are asked in one transaction.
const PAGE: usize = 500;
/// Fewer overdue streams are each a matter of its own.
const FEW: u64 = 20;
/// A clock that is corrected by less was not set back.
const CORRECTED: TimeDelta = TimeDelta::hours(1);

impl AnomalyService {
    /// Asks which jobs that were due by `now`, by the caller's clock, have not come, and makes an
    /// anomaly of each: once, until the stream's next job. `told` is called with each, once it is
    /// stored.
    ///
    /// To be called regularly, such as once a minute. Whoever calls it after a pause gets the answer
    /// with the next call, so that what came meanwhile can be handed over before. When most streams
    /// are overdue at once, it is not they: no stream is reported by itself, and the audit log has a
    /// system event of high severity. A clock that was set back concludes nothing.
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
        let mut overdue = self.store.count_due_streams(now)?;
        report.silent_fleet = self.silent_fleet(overdue)?;
        // Some are asked earlier than they can be overdue: they do not count.
        while report.silent_fleet.is_some() && self.put_off(now, before.last)? {
            overdue = self.store.count_due_streams(now)?;
            report.silent_fleet = self.silent_fleet(overdue)?;
        }
        ticks.fleet_seemed_silent = report.silent_fleet.is_some();
        if let Some(overdue) = report.silent_fleet {
            // The second tick in a row that finds it so is believed.
            ticks.fleet_is_silent = before.fleet_is_silent || before.fleet_seemed_silent;
            if ticks.fleet_is_silent && !before.fleet_is_silent {
                self.note_silent_fleet(now, overdue)?;
            }
            return self.note_ticks(now, ticks, report);
        }
        ticks.fleet_is_silent = false;
        while overdue > 0 && self.tick_page(now, before.last, &mut report, &mut told)? {}
        self.note_ticks(now, ticks, report)
    }

    /// How many streams are overdue, if those are most of those that are waited for.
    fn silent_fleet(&self, overdue: u64) -> Result<Option<u64>, ServiceError> {
        if overdue <= FEW {
            return Ok(None);
        }
        let watched = self.store.count_due_streams(DateTime::<Utc>::MAX_UTC)?;
        Ok((overdue * 2 > watched).then_some(overdue))
    }

    /// Asks those streams that are due longest, and notes when to ask those again that are not
    /// overdue; says whether there were any.
    fn put_off(
        &mut self,
        now: DateTime<Utc>,
        last: Option<DateTime<Utc>>,
    ) -> Result<bool, ServiceError> {
        let settings = self.engine.settings();
        let mut session = Session::begin(&self.engine, &mut *self.store)?;
        let mut any = false;
        for stored in session.transaction.due_streams(now, PAGE)? {
            let (stream, text) = stored.record;
            let Some(status) = read_status(&stream, &text) else {
                continue;
            };
            if let Overdue::Not { again_at } = status.overdue(settings, now, last) {
                session.put_status(&stream, &status, again_at)?;
                any = true;
            }
        }
        if any {
            session.commit()?;
        }
        Ok(any)
    }

    /// Asks some of the streams that are due; says whether there may be more.
    fn tick_page(
        &mut self,
        now: DateTime<Utc>,
        last: Option<DateTime<Utc>>,
        report: &mut TickReport,
        told: &mut impl FnMut(&Verdict),
    ) -> Result<bool, ServiceError> {
        let settings = self.engine.settings();
        let mut missed = Vec::new();
        let mut session = Session::begin(&self.engine, &mut *self.store)?;
        session.transaction.set_now(now);
        let due = session.transaction.due_streams(now, PAGE)?;
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

    fn note(&mut self, entry: &AuditEntry) -> Result<(), ServiceError> {
        let mut transaction = self.store.transaction()?;
        transaction.set_now(entry.at);
        transaction.audit(entry)?;
        Ok(transaction.commit()?)
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
