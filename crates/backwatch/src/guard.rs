//! What is said of settings that make Backwatch see less.

use std::fmt::Write as _;
use std::time::SystemTime;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::{AnomalyService, GuardReport, Loosening, LooseningState, SettingsNews};
use anomaly_settings::{Difference, Layers};
use serde_json::Value;

use crate::exit::Failure;
use crate::report::text::when;
use crate::terminal::{information, warning};

/// The user who runs the program, by the system and not by what the environment says.
pub(crate) fn user() -> Option<String> {
    let name = whoami::username().ok()?;
    (!name.trim().is_empty()).then_some(name)
}

/// Has a service judge by what is configured, as far as its guard allows, and says what is new.
pub(crate) fn settle(
    service: &mut AnomalyService,
    layers: &Layers,
    now: DateTime<Utc>,
) -> Result<GuardReport, Failure> {
    let configured = &layers.over(service.kept_settings()?);
    let by = user().unwrap_or_else(|| "backwatch".to_owned());
    let report = service.settle_settings(configured, &by, now)?;
    report.news.iter().for_each(say);
    Ok(report)
}

/// Takes down by which population jobs are judged, where that is another than before.
pub(crate) fn note_population(
    service: &mut AnomalyService,
    fingerprint: Option<&str>,
) -> Result<(), Failure> {
    let by = user().unwrap_or_else(|| "backwatch".to_owned());
    if service.note_population(fingerprint, &by, SystemTime::now().into())? {
        warning(
            "jobs are judged by another population than before; recorded as a system event of medium \
             severity",
        );
    }
    Ok(())
}

fn say(news: &SettingsNews) {
    match news {
        SettingsNews::First { looser } if !looser.is_empty() => information(&format!(
            "the first settings of this database, looser than the defaults in: {}",
            looser.join(", ")
        )),
        SettingsNews::Loosened(one) => warning(&format!(
            "the settings see less than before: {}; recorded as a system event of {} severity",
            in_words(one),
            one.severity()
        )),
        SettingsNews::Proposed(one) => warning(&format!(
            "the settings would see less than before: {}; judged as before until someone else \
             approves: see `backwatch settings pending`",
            in_words(one)
        )),
        SettingsNews::Ended(one) => warning(&format!(
            "a loosening has ended, though it is still asked for: {}; judged as before it: take it \
             out, or ask for it again with `backwatch settings set`",
            in_words(one)
        )),
        SettingsNews::Lapsed(one) => warning(&format!(
            "nobody has approved in time: {}; judged as before",
            in_words(one)
        )),
        _ => {}
    }
}

/// A part of the settings, from what to what it changes.
pub(crate) fn changed(change: &Difference) -> String {
    let Difference {
        part,
        before,
        after,
        ..
    } = change;
    let (before, after) = (value(before.as_ref()), value(after.as_ref()));
    let loosens = if change.loosens { " (loosens)" } else { "" };
    format!("{part}: {before} -> {after}{loosens}")
}

fn value(value: Option<&Value>) -> String {
    value.map_or("none".to_owned(), Value::to_string)
}

/// What is loosened from what to what, by whom and until when.
pub(crate) fn in_words(one: &Loosening) -> String {
    let mut text = format!(
        "{} from {} to {}, by {}",
        one.part,
        value(one.before.as_ref()),
        value(one.after.as_ref()),
        one.by
    );
    if let Some(name) = &one.seconded_by {
        _ = write!(text, " and {name}");
    }
    let end = one.until.map(when);
    match (one.state, end) {
        (LooseningState::Holds, Some(end)) => _ = write!(text, ", until {end}"),
        (LooseningState::Holds, None) => text.push_str(", without an end"),
        (LooseningState::Waits { proposal, .. }, _) => {
            _ = write!(text, ", waits for a second person as number {proposal}");
        }
        (LooseningState::Ended, Some(end)) => _ = write!(text, ", ended {end}"),
        (LooseningState::Refused, _) => text.push_str(", refused"),
        _ => {}
    }
    text
}
