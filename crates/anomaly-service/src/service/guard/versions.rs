//! The versions of the settings in a store: how they are read, and taken down with what has changed.

use anomaly_engine::OURSELVES;
use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_settings::{Parts, Role, Settings};
use anomaly_storage::{AuditEntry, Decision, PendingChange, Read, SettingsVersion, Transaction};
use serde_json::{Value, json};

use crate::ServiceError;
use crate::guard::{Asked, Loosening, LooseningState, Record, SettingsNews};

pub(super) fn version(store: &(impl Read + ?Sized)) -> Result<u64, ServiceError> {
    Ok(store.settings()?.map_or(0, |version| version.number))
}

pub(super) fn parsed(settings: Value) -> Result<Record, ServiceError> {
    let record: Record =
        serde_json::from_value(settings).map_err(|source| ServiceError::Record { source })?;
    Ok(record.completed())
}

pub(super) fn read(store: &(impl Read + ?Sized)) -> Result<Option<Record>, ServiceError> {
    let version = store.settings()?;
    version
        .map(|version| parsed(version.record.settings))
        .transpose()
}

/// Every version of the settings that was accepted, with the number of its leaf.
pub(crate) fn accepted_settings(
    store: &(impl Read + ?Sized),
) -> Result<Vec<(u64, Settings)>, ServiceError> {
    let versions = store.settings_versions()?.into_iter();
    let versions = versions.map(|stored| {
        let record = parsed(stored.record.settings)?;
        Ok((stored.number, record.settings()))
    });
    versions.collect()
}

pub(super) fn settled(
    store: &(impl Read + ?Sized),
    configured: &Settings,
    asked: &Asked<'_>,
) -> Result<(Record, Vec<SettingsNews>), ServiceError> {
    let configured: Parts = configured.parts();
    Ok(match read(store)? {
        None => {
            let (record, news) = Record::first(&configured);
            (record, vec![news])
        }
        Some(mut record) => {
            let news = record.settle(&configured, asked);
            (record, news)
        }
    })
}

/// Takes down what settings came to.
pub(super) fn write(
    transaction: &mut dyn Transaction,
    record: &mut Record,
    news: &mut [SettingsNews],
    asked: &Asked<'_>,
) -> Result<(), ServiceError> {
    let now = asked.now;
    record.reason = asked.reason.map(str::to_owned);
    transaction.set_now(now);
    for one in &mut *news {
        if let SettingsNews::Proposed(loosening) = one {
            let number = transaction.propose(&PendingChange {
                proposed_at: now,
                proposed_by: loosening.by.clone(),
                what: "settings".to_owned(),
                subject: loosening.part.clone(),
                reason: loosening.reason.clone(),
                change: json!({ "before": loosening.before, "after": loosening.after }),
                expires_at: lapses_at(loosening),
                decision: None,
            })?;
            record.number(&loosening.part, number);
            if let Some(numbered) = record.loosening(&loosening.part) {
                *loosening = numbered.clone();
            }
        }
        // What waited and is not asked for any more, or has lapsed, is decided by that.
        let part = match one {
            SettingsNews::First { .. } => None,
            SettingsNews::Changed { part, .. } => Some(part.as_str()),
            SettingsNews::Loosened(known)
            | SettingsNews::Proposed(known)
            | SettingsNews::Ended(known)
            | SettingsNews::Lapsed(known) => Some(known.part.as_str()),
        };
        let standing = part
            .and_then(|part| record.loosening(part))
            .map(|one| one.state);
        for waiting in transaction.pending()? {
            let is_this = matches!(
                standing,
                Some(LooseningState::Waits { proposal, .. }) if proposal == waiting.number
            );
            let what = waiting.record.what == "settings";
            if what && Some(waiting.record.subject.as_str()) == part && !is_this {
                let who = OURSELVES.to_owned();
                let decision = Decision {
                    at: now,
                    who,
                    accepted: false,
                };
                transaction.decide(waiting.number, &decision)?;
            }
        }
        transaction.audit(&audited(one, asked))?;
    }
    accept(transaction, record, asked.by, None, now)
}

fn lapses_at(loosening: &Loosening) -> Option<DateTime<Utc>> {
    match loosening.state {
        LooseningState::Waits { lapses_at, .. } => Some(lapses_at),
        _ => None,
    }
}

pub(super) fn accept(
    transaction: &mut dyn Transaction,
    record: &Record,
    by: &str,
    seconded_by: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), ServiceError> {
    let settings =
        serde_json::to_value(record).map_err(|source| ServiceError::Record { source })?;
    transaction.accept_settings(&SettingsVersion {
        accepted_at: now,
        accepted_by: by.to_owned(),
        seconded_by: seconded_by.map(str::to_owned),
        settings,
    })?;
    Ok(())
}

fn audited(news: &SettingsNews, asked: &Asked<'_>) -> AuditEntry {
    let Asked { by, now, .. } = *asked;
    match news {
        SettingsNews::First { looser } => {
            let entry = AuditEntry::new(now, by, "settings", "the first of this database");
            if looser.is_empty() {
                return entry;
            }
            let entry = entry.with_change(None, Some(json!({ "looser_than_default": looser })));
            entry.with_severity(Severity::Medium)
        }
        SettingsNews::Changed {
            part,
            before,
            after,
        } => {
            let entry = AuditEntry::new(now, by, "settings", part.clone());
            let mut entry = entry.with_change(before.clone(), after.clone());
            // That it is on again is told to whoever was told that it is off.
            if Role::of_key(part).is_some() {
                entry = entry.with_severity(Severity::Low);
            }
            match asked.reason {
                Some(reason) => entry.with_reason(reason),
                None => entry,
            }
        }
        SettingsNews::Loosened(known) => {
            entry(by, now, "loosening", known).with_severity(known.severity())
        }
        SettingsNews::Proposed(known) => {
            entry(by, now, "loosening_proposed", known).with_severity(known.severity())
        }
        SettingsNews::Ended(known) => {
            let entry = entry(OURSELVES, now, "loosening_ended", known);
            match Role::of_key(&known.part) {
                Some(_) => entry.with_severity(Severity::Low),
                None => entry,
            }
        }
        SettingsNews::Lapsed(known) => entry(OURSELVES, now, "loosening_lapsed", known),
    }
}

pub(super) fn entry(by: &str, now: DateTime<Utc>, what: &str, known: &Loosening) -> AuditEntry {
    let after = json!({
        "value": known.after,
        "until": known.until,
        "asked_by": known.by,
        "state": known.state,
    });
    let entry = AuditEntry::new(now, by, what, known.part.clone());
    let entry = entry.with_change(known.before.clone(), Some(after));
    match &known.reason {
        Some(reason) => entry.with_reason(reason.clone()),
        None => entry,
    }
}
