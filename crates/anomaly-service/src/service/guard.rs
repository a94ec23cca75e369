//! Settings with versions, and the guard over what makes Backwatch see less.

mod versions;

use anomaly_engine::OURSELVES;
use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_settings::Settings;
use anomaly_storage::{AuditEntry, AuditQuery, Decision, PendingChange, SettingsVersion, Stored};
use serde_json::Value;

use self::versions::{accept, entry, parsed, read, settled, version, write};
use super::AnomalyService;
use crate::guard::{Asked, Loosening, Record, SettingsNews, is_same_person};
use crate::{ServiceError, SettingsRefused};

pub(crate) use self::versions::accepted_settings;

/// What holds in a store, and what is guarded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GuardReport {
    /// The settings that hold.
    pub settings: Settings,
    /// What was loosened, whether it holds or not.
    pub loosenings: Vec<Loosening>,
    /// What has changed since the last time.
    pub news: Vec<SettingsNews>,
}

/// A change of the settings that a store keeps: of one part, or of several at once.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsRequest {
    /// Which parts are to be what: keys such as `detection.alarm_budget`, or scopes as
    /// [`Parts`](anomaly_settings::Parts) names them. `None` for the default, or no such scope.
    pub parts: Vec<(String, Option<Value>)>,
    /// The name of whoever asks; it may not be empty.
    pub by: String,
    /// What to give as the reason, in the versions and in the audit log.
    pub reason: Option<String>,
    /// Until when, for what of it loosens; as the settings say when not given.
    pub until: Option<DateTime<Utc>>,
}

/// One version of the settings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SettingsRevision {
    /// Its number in the log.
    pub number: u64,
    /// When it was taken down.
    pub at: DateTime<Utc>,
    /// Who asked.
    pub by: String,
    /// Who approved, where a second person was needed.
    pub seconded_by: Option<String>,
    /// The reason that was given.
    pub reason: Option<String>,
    /// What holds since then and did not before; of the first, what differs from the defaults.
    pub changes: Vec<anomaly_settings::Difference>,
}

impl AnomalyService {
    /// What is set in the store itself, over the defaults: what a settings file is to lie over.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn kept_settings(&self) -> Result<Settings, ServiceError> {
        let record = read(&*self.store)?.unwrap_or_default();
        Ok(Settings::of_parts(&record.kept))
    }

    /// Takes in the settings that are configured now, and judges by what then holds.
    ///
    /// They are held against those that held the last time. A change that makes Backwatch see less,
    /// or people heed less of it, is a system event of the audit log of at least medium severity;
    /// holds for a time, after which what stood before holds again by itself; and waits for a
    /// second person where the settings that held ask for one. Any other change holds at once. The
    /// first settings of a store are no change.
    ///
    /// To be called after opening, with the settings that files and the like say, and the user who
    /// runs the program. What is changed while a program runs has no part in what it does: the next
    /// one that calls this takes it in.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store fails; then nothing was changed.
    pub fn settle_settings(
        &mut self,
        configured: &Settings,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<GuardReport, ServiceError> {
        let report = self.guarded(configured, now)?;
        let report = if report.news.is_empty() {
            report
        } else {
            let asked = Asked {
                by,
                reason: None,
                now,
                until: None,
            };
            let mut transaction = self.store.transaction()?;
            let (mut record, mut news) = settled(&*transaction, configured, &asked)?;
            if news.is_empty() {
                drop(transaction);
            } else {
                write(&mut *transaction, &mut record, &mut news, &asked)?;
                transaction.commit()?;
            }
            report_of(&record, news)
        };
        self.engine.set_settings(report.settings.clone());
        Ok(report)
    }

    /// What [`settle_settings`](Self::settle_settings) would come to, without taking it down: for
    /// programs that only look.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn guarded(
        &self,
        configured: &Settings,
        now: DateTime<Utc>,
    ) -> Result<GuardReport, ServiceError> {
        let asked = Asked {
            by: OURSELVES,
            reason: None,
            now,
            until: None,
        };
        let (record, news) = settled(&*self.store, configured, &asked)?;
        Ok(report_of(&record, news))
    }

    /// Judges from now on by the settings that [`guarded`](Self::guarded) finds to hold, and takes
    /// nothing down either.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn look_by(
        &mut self,
        configured: &Settings,
        now: DateTime<Utc>,
    ) -> Result<GuardReport, ServiceError> {
        let report = self.guarded(configured, now)?;
        self.engine.set_settings(report.settings.clone());
        Ok(report)
    }

    /// Changes the settings that the store keeps: all that is asked for, or nothing. Each part is
    /// answered for in its place: it holds, or waits for a second person, by the guard that held
    /// before. A loosening that holds is renewed when it is asked for again.
    ///
    /// With `expected`, the number of the [version](Self::settings_version) that whoever asks has
    /// seen, nothing changes when another one is there by now.
    ///
    /// A settings file lies over what the store keeps: where it sets the same, it wins.
    ///
    /// # Errors
    /// [`ServiceError::Settings`] when it is refused, and [`ServiceError::Store`] when the store
    /// fails; then nothing was changed.
    pub fn set_settings(
        &mut self,
        request: &SettingsRequest,
        expected: Option<u64>,
        now: DateTime<Utc>,
    ) -> Result<Vec<SettingsNews>, ServiceError> {
        let mut transaction = self.store.transaction()?;
        if expected.is_some() && expected != Some(version(&*transaction)?) {
            return Err(SettingsRefused::Changed.into());
        }
        let (mut record, first) = if let Some(record) = read(&*transaction)? {
            (record, None)
        } else {
            let (record, first) = Record::first(&Settings::default().parts());
            (record, Some(first))
        };
        let mut news = Vec::from_iter(first);
        let before = news.len();
        news.extend(changes(&mut record, request, now)?);
        let asked = asked(request, now);
        write(&mut *transaction, &mut record, &mut news, &asked)?;
        transaction.commit()?;
        self.engine.set_settings(record.settings());
        Ok(news.split_off(before))
    }

    /// The number of the version of the settings that was taken down last; 0 before the first.
    ///
    /// It grows with whatever is asked for, decided, or ends.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn settings_version(&self) -> Result<u64, ServiceError> {
        version(&*self.store)
    }

    /// Approves of a loosening that waits, or refuses it. Nobody approves of what they asked for
    /// themselves, as far as names tell; to refuse it is to take it back.
    ///
    /// # Errors
    /// [`ServiceError::Settings`] when nothing waits under this number, its time is over, or the
    /// same person asked; and [`ServiceError::Store`] when the store fails. Then nothing was
    /// changed.
    pub fn decide_setting(
        &mut self,
        proposal: u64,
        accepted: bool,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Loosening, ServiceError> {
        let mut transaction = self.store.transaction()?;
        let nothing = || ServiceError::from(SettingsRefused::NothingWaits { proposal });
        let change = transaction.proposal(proposal)?;
        let change = change.filter(|change| change.decision.is_none());
        let change = change.ok_or_else(nothing)?;
        if by.trim().is_empty() {
            return Err(SettingsRefused::Nameless.into());
        }
        if accepted && is_same_person(by, &change.proposed_by) {
            let by = change.proposed_by;
            return Err(SettingsRefused::SamePerson { by }.into());
        }
        if accepted && change.expires_at.is_some_and(|end| end <= now) {
            return Err(SettingsRefused::Lapsed { proposal }.into());
        }
        let mut record = read(&*transaction)?.ok_or_else(nothing)?;
        let loosening = record.decide(proposal, accepted, by, now);
        let loosening = loosening.ok_or_else(nothing)?;
        record.reason.clone_from(&loosening.reason);
        transaction.set_now(now);
        let who = by.to_owned();
        let decision = Decision {
            at: now,
            who,
            accepted,
        };
        transaction.decide(proposal, &decision)?;
        let entry = if accepted {
            entry(by, now, "loosening", &loosening).with_severity(loosening.severity())
        } else {
            entry(by, now, "loosening_refused", &loosening)
        };
        transaction.audit(&entry)?;
        let seconded_by = accepted.then_some(by);
        accept(
            &mut *transaction,
            &record,
            &change.proposed_by,
            seconded_by,
            now,
        )?;
        transaction.commit()?;
        self.engine.set_settings(record.settings());
        Ok(loosening)
    }

    /// What waits for a second person, oldest first.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn pending_settings(&self) -> Result<Vec<Stored<PendingChange>>, ServiceError> {
        Ok(self.store.pending()?)
    }

    /// The settings that hold, without what was loosened until before `now`; the defaults if none
    /// were ever taken in.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn settings_in_force(&self, now: DateTime<Utc>) -> Result<Settings, ServiceError> {
        let mut record = read(&*self.store)?.unwrap_or_default().completed();
        for one in &record.loosenings {
            if one.holds() && one.until.is_some_and(|until| until <= now) {
                record.effective.set(&one.part, one.before.clone());
            }
        }
        Ok(record.settings())
    }

    /// Every version of the settings, oldest first.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn settings_history(&self) -> Result<Vec<SettingsRevision>, ServiceError> {
        let mut before = Settings::default().parts();
        let mut revisions = Vec::new();
        for stored in self.store.settings_versions()? {
            let SettingsVersion {
                accepted_at,
                accepted_by,
                seconded_by,
                settings,
            } = stored.record;
            let Record {
                effective: after,
                reason,
                ..
            } = parsed(settings)?;
            revisions.push(SettingsRevision {
                number: stored.number,
                at: accepted_at,
                by: accepted_by,
                seconded_by,
                reason,
                changes: before.differences(&after),
            });
            before = after;
        }
        Ok(revisions)
    }

    /// Takes down by which population jobs are judged from now on, where that is another than before: by
    /// the name that is given, such as a hash of it, or by the shipped one. It is a system event of
    /// medium severity, because another one can make anything usual. Says whether it was news.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store fails.
    pub fn note_population(
        &mut self,
        name: Option<&str>,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, ServiceError> {
        const WHAT: &str = "population";
        let last = AuditQuery::default().what(WHAT.to_owned()).limit(1);
        let before = self.store.audit_entries(&last)?.pop();
        let before = before.and_then(|stored| stored.record.after);
        let after = name.map(Value::from);
        if before == after {
            return Ok(false);
        }
        let entry = AuditEntry::new(now, by, WHAT, "of all streams")
            .with_severity(Severity::Medium)
            .with_change(before, after);
        self.note(&entry)?;
        Ok(true)
    }

    /// Takes down that a drill took place: who had it done, with which attack, on what, and what
    /// came of it.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store fails.
    pub fn note_drill(
        &mut self,
        by: &str,
        now: DateTime<Utc>,
        subject: &str,
        outcome: Value,
    ) -> Result<(), ServiceError> {
        let entry = AuditEntry::new(now, by, "drill", subject).with_change(None, Some(outcome));
        self.note(&entry)
    }
}

fn asked(request: &SettingsRequest, now: DateTime<Utc>) -> Asked<'_> {
    Asked {
        by: &request.by,
        reason: request.reason.as_deref(),
        now,
        until: request.until,
    }
}

/// Makes the changes that are asked for, or has them wait.
fn changes(
    record: &mut Record,
    request: &SettingsRequest,
    now: DateTime<Utc>,
) -> Result<Vec<SettingsNews>, ServiceError> {
    let guard = record.guard();
    if request.by.trim().is_empty() {
        return Err(SettingsRefused::Nameless.into());
    }
    if let Some(until) = request.until {
        let longest = TimeDelta::days(guard.longest_days.get().into());
        let latest = now.checked_add_signed(longest);
        if until <= now {
            return Err(SettingsRefused::EndIsPast.into());
        }
        if let Some(latest) = latest.filter(|latest| until > *latest && !guard.endless) {
            return Err(SettingsRefused::TooLong { latest }.into());
        }
    }
    let defaults = Settings::default().parts();
    let mut news = Vec::new();
    for (part, value) in &request.parts {
        let default = defaults.get(part).cloned();
        let wanted = value.clone().or_else(|| default.clone());
        let kept = wanted
            .clone()
            .filter(|value| Some(value) != default.as_ref());
        record.kept.set(part, kept);
        let known = Settings::of_parts(&record.kept).parts();
        let kept = record.kept.get(part);
        if kept.is_some_and(|value| known.get(part) != Some(value)) {
            let part = part.clone();
            return Err(SettingsRefused::Unknown { part }.into());
        }
        news.push(record.change(&guard, part, wanted, &asked(request, now)));
    }
    // A scope has an end of its own, whatever it does.
    let is_key = |(part, _): &(String, Option<Value>)| defaults.get(part).is_some();
    let is_plain = |news: &SettingsNews| matches!(news, SettingsNews::Changed { .. });
    if request.until.is_some() && request.parts.iter().all(is_key) && news.iter().all(is_plain) {
        return Err(SettingsRefused::NothingToEnd.into());
    }
    Ok(news)
}

fn report_of(record: &Record, news: Vec<SettingsNews>) -> GuardReport {
    GuardReport {
        settings: record.settings(),
        loosenings: record.loosenings.clone(),
        news,
    }
}
