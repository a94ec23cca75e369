//! What happened to the watching itself, as sinks and the bell tell it.

use anomaly_notify::{SystemKind, SystemNews};
use anomaly_settings::Role;
use anomaly_storage::AuditEntry;

use crate::account;

/// What an entry of the audit log says of Backwatch itself; `None` for what is done every day.
pub(crate) fn system_news(entry: &AuditEntry) -> Option<SystemNews> {
    let severity = entry.severity?;
    let role = Role::of_key(&entry.subject);
    let account = account::in_words(entry);
    let kind = match (entry.what.as_str(), role) {
        ("clock_set_back", _) => SystemKind::ClockSetBack,
        ("silent_fleet", _) => SystemKind::SilentFleet,
        ("source_degraded", _) => SystemKind::SourceDegraded,
        ("source_recovered", _) => SystemKind::SourceRecovered,
        ("wrong_codes", _) => SystemKind::WrongCodes,
        ("loosening", Some(_)) => SystemKind::SwitchedOff,
        ("settings" | "loosening_ended", Some(_)) => SystemKind::SwitchedOn,
        _ if account.is_some() => SystemKind::AccountChanged,
        _ => SystemKind::SettingsLoosened,
    };
    let summary = account.unwrap_or_else(|| in_words(entry, kind, role));
    Some(SystemNews::new(kind, severity, &entry.subject, summary).done_by(&entry.who))
}

fn in_words(entry: &AuditEntry, kind: SystemKind, role: Option<Role>) -> String {
    let AuditEntry { who, subject, .. } = entry;
    let what = match (kind, role, entry.what.as_str()) {
        (SystemKind::SwitchedOff, Some(role), _) => role.off_in_words().to_owned(),
        (SystemKind::SwitchedOn, Some(role), _) => format!("The part `{role}` is on again."),
        (_, _, "loosening") => format!("{who} loosened {subject}."),
        (_, _, "loosening_proposed") => {
            format!("{who} asks to loosen {subject}: a second person has to approve.")
        }
        (_, _, "forget") => format!("{who} had all forgotten that was learnt of {subject}."),
        (_, _, "population") => format!("{who} has jobs judged by another population."),
        (_, _, "settings") => {
            "The first settings of this database are looser than the default.".to_owned()
        }
        // What Backwatch notes itself gives its reason in a sentence.
        (_, _, what) => match &entry.reason {
            Some(reason) => return reason.clone(),
            None => format!("{}: {subject}.", what.replace('_', " ")),
        },
    };
    match &entry.reason {
        Some(reason) => format!("{what} Why: {reason}"),
        None => what,
    }
}
