//! Settings of a store: what holds, what was loosened until when, and what waits for a second person.

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_settings::{GuardSettings, Parts, Role, Scope, Settings};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A proposal that nobody has decided lapses after so long.
const LAPSES: TimeDelta = TimeDelta::days(30);

/// A change of settings by which less is seen, or less is heeded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Loosening {
    /// What: a key such as `detection.alarm_budget`, or a scope such as `scope client mail01`.
    pub part: String,
    /// What stood there before, and holds again in the end.
    pub before: Option<Value>,
    /// What is asked for.
    pub after: Option<Value>,
    /// Who asked: a name, or the user who ran the program when a file changed.
    pub by: String,
    /// What whoever asked gave as the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was asked for; once it holds, since when it does.
    pub since: DateTime<Utc>,
    /// Until when it holds; `None` for no end.
    pub until: Option<DateTime<Utc>>,
    /// Who approved of it, where a second person was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconded_by: Option<String>,
    /// What became of it.
    pub state: LooseningState,
}

/// What became of a loosening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LooseningState {
    /// It holds.
    Holds,
    /// It waits for a second person; what stood before holds.
    Waits {
        /// The number to approve or refuse it by.
        proposal: u64,
        /// When nobody may approve of it any more.
        lapses_at: DateTime<Utc>,
    },
    /// Its time is over; what stood before holds, though it is still asked for.
    Ended,
    /// Someone refused it, or nobody approved in time; what stood before holds, though it is still
    /// asked for.
    Refused,
}

impl Loosening {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.state == LooseningState::Holds
    }

    /// How much it matters: at least medium.
    #[must_use]
    pub fn severity(&self) -> Severity {
        if Role::of_key(&self.part).is_some() || self.part.starts_with("guard.") {
            Severity::High
        } else {
            Severity::Medium
        }
    }
}

/// What a store keeps of its settings, in each version.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What holds.
    pub(crate) effective: Parts,
    /// What was set in the store itself; it lies over the defaults and under a file.
    #[serde(default)]
    pub(crate) kept: Parts,
    #[serde(default)]
    pub(crate) loosenings: Vec<Loosening>,
    /// Why this version is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Something that settings came to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SettingsNews {
    /// They are the first of the store; these parts are looser than the defaults.
    First {
        /// Keys and scopes.
        looser: Vec<String>,
    },
    /// A part changed, and loosens nothing; or what did not hold is not asked for any more, and
    /// nothing changes.
    Changed {
        /// Its key or scope.
        part: String,
        /// Its value before; `None` for a scope that was not there.
        before: Option<Value>,
        /// Its value now; `None` for a scope that is not there any more.
        after: Option<Value>,
    },
    /// A part was loosened.
    Loosened(Loosening),
    /// A loosening waits for a second person.
    Proposed(Loosening),
    /// The time of a loosening is over.
    Ended(Loosening),
    /// Nobody has approved of a loosening in time.
    Lapsed(Loosening),
}

/// Who asks for what, and when.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a> {
    pub(crate) by: &'a str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) now: DateTime<Utc>,
    /// Until when, if that is said.
    pub(crate) until: Option<DateTime<Utc>>,
}

impl Record {
    /// As it was stored, with the defaults of keys that were not known then.
    pub(crate) fn completed(mut self) -> Self {
        self.effective = Settings::of_parts(&self.effective).parts();
        self
    }

    pub(crate) fn guard(&self) -> GuardSettings {
        Settings::of_parts(&self.effective).guard
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::of_parts(&self.effective)
    }

    pub(crate) fn loosening(&self, part: &str) -> Option<&Loosening> {
        self.loosenings.iter().find(|one| one.part == part)
    }

    /// What would hold if every loosening that holds had ended.
    fn without_loosenings(&self) -> Parts {
        let mut parts = self.effective.clone();
        for one in self.loosenings.iter().filter(|one| one.holds()) {
            parts.set(&one.part, one.before.clone());
        }
        parts
    }

    /// The first settings of a store: no change, so that nothing of them ends.
    pub(crate) fn first(configured: &Parts) -> (Self, SettingsNews) {
        let defaults = Settings::default().parts();
        let looser = defaults.differences(configured).into_iter();
        let looser = looser.filter(|one| one.loosens).map(|one| one.part);
        let news = SettingsNews::First {
            looser: looser.collect(),
        };
        let record = Self {
            effective: configured.clone(),
            ..Self::default()
        };
        (record, news)
    }

    /// Takes in what is configured now: what is no loosening holds at once, what is one is guarded,
    /// and those whose time is over end. The news are empty when nothing changed.
    pub(crate) fn settle(&mut self, configured: &Parts, asked: &Asked<'_>) -> Vec<SettingsNews> {
        let guard = self.guard();
        let mut names: Vec<String> = configured
            .names()
            .chain(self.effective.names())
            .chain(self.loosenings.iter().map(|one| one.part.as_str()))
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut news = Vec::new();
        for part in names {
            let wanted = configured.get(&part).cloned();
            match self.loosening(&part) {
                Some(known) if known.after == wanted => {
                    news.extend(self.let_time_pass(&part, asked.now));
                }
                None if self.effective.get(&part) == wanted.as_ref() => {}
                _ => news.push(self.change(&guard, &part, wanted, asked)),
            }
        }
        news
    }

    /// Ends a loosening whose time is over.
    fn let_time_pass(&mut self, part: &str, now: DateTime<Utc>) -> Option<SettingsNews> {
        let Self {
            effective,
            kept,
            loosenings,
            ..
        } = self;
        let known = loosenings.iter_mut().find(|one| one.part == part)?;
        let lapsed = match known.state {
            LooseningState::Holds if known.until.is_some_and(|until| until <= now) => false,
            LooseningState::Waits { lapses_at, .. } if lapses_at <= now => true,
            _ => return None,
        };
        known.state = if lapsed {
            LooseningState::Refused
        } else {
            LooseningState::Ended
        };
        effective.set(part, known.before.clone());
        forget_kept(kept, known);
        let known = known.clone();
        Some(if lapsed {
            SettingsNews::Lapsed(known)
        } else {
            SettingsNews::Ended(known)
        })
    }

    /// Changes a part, or has the change wait.
    pub(crate) fn change(
        &mut self,
        guard: &GuardSettings,
        part: &str,
        wanted: Option<Value>,
        asked: &Asked<'_>,
    ) -> SettingsNews {
        // What is loosened already is loosened from where it stood before.
        let before = match self.loosening(part) {
            Some(known) => known.before.clone(),
            None => self.effective.get(part).cloned(),
        };
        self.loosenings.retain(|one| one.part != part);
        let is_loosened = |mut was: Parts| {
            was.set(part, before.clone());
            let mut is = was.clone();
            is.set(part, wanted.clone());
            was.is_loosened(&is, part)
        };
        // What is no looser than a loosening that ends must not outlive it unnoticed.
        if !is_loosened(self.effective.clone()) && !is_loosened(self.without_loosenings()) {
            // A loosening that held and is taken back is a change of what held.
            let before = self.effective.get(part).cloned();
            self.effective.set(part, wanted.clone());
            let (part, after) = (part.to_owned(), wanted);
            return SettingsNews::Changed {
                part,
                before,
                after,
            };
        }
        let until = end(guard, asked, wanted.as_ref());
        let mut loosening = Loosening {
            part: part.to_owned(),
            before,
            after: wanted,
            by: asked.by.to_owned(),
            reason: asked.reason.map(str::to_owned),
            since: asked.now,
            until,
            seconded_by: None,
            state: LooseningState::Holds,
        };
        if guard.second_person {
            // Its time begins when it does; and the store gives the number.
            loosening.until = asked.until;
            loosening.state = LooseningState::Waits {
                proposal: 0,
                lapses_at: asked.now + LAPSES,
            };
            self.effective.set(part, loosening.before.clone());
            self.loosenings.push(loosening.clone());
            return SettingsNews::Proposed(loosening);
        }
        self.effective.set(part, loosening.after.clone());
        self.loosenings.push(loosening.clone());
        SettingsNews::Loosened(loosening)
    }

    /// Notes under which number a loosening waits.
    pub(crate) fn number(&mut self, part: &str, number: u64) {
        let known = self.loosenings.iter_mut().find(|one| one.part == part);
        if let Some(LooseningState::Waits { proposal, .. }) = known.map(|one| &mut one.state) {
            *proposal = number;
        }
    }

    /// Lets a loosening hold that waited, or not.
    pub(crate) fn decide(
        &mut self,
        number: u64,
        accepted: bool,
        by: &str,
        now: DateTime<Utc>,
    ) -> Option<Loosening> {
        let guard = self.guard();
        let Self {
            effective,
            kept,
            loosenings,
            ..
        } = self;
        let is_meant = |one: &&mut Loosening| matches!(one.state, LooseningState::Waits { proposal, .. } if proposal == number);
        let known = loosenings.iter_mut().find(is_meant)?;
        if accepted {
            let asked = Asked {
                by: &known.by,
                reason: None,
                now,
                until: known.until,
            };
            known.until = end(&guard, &asked, known.after.as_ref());
            known.since = now;
            known.seconded_by = Some(by.to_owned());
            known.state = LooseningState::Holds;
            effective.set(&known.part, known.after.clone());
        } else {
            known.state = LooseningState::Refused;
            forget_kept(kept, known);
        }
        Some(known.clone())
    }
}

/// What was set in the store for a time is not asked for any more. Where the store has nothing of it,
/// something else asked.
fn forget_kept(kept: &mut Parts, known: &Loosening) {
    let asked = kept.get(&known.part);
    if asked.is_some() && asked == known.after.as_ref() {
        let default = Settings::default().parts().get(&known.part).cloned();
        let before = known.before.clone();
        kept.set(
            &known.part,
            before.filter(|value| Some(value) != default.as_ref()),
        );
    }
}

/// Until when a loosening holds.
fn end(guard: &GuardSettings, asked: &Asked<'_>, value: Option<&Value>) -> Option<DateTime<Utc>> {
    let after = |days: u32| asked.now.checked_add_signed(TimeDelta::days(days.into()));
    let scope = value.and_then(|value| Scope::deserialize(value).ok());
    let own = scope.filter(|_| value.is_some_and(Value::is_object));
    let own = own.and_then(|scope| scope.until);
    let asked_until = asked.until.or(own);
    match asked_until {
        Some(until) if guard.endless => Some(until),
        Some(until) => after(guard.longest_days.get()).map(|latest| latest.min(until)),
        None if guard.endless => None,
        None => after(guard.expires_after_days.get().min(guard.longest_days.get())),
    }
}

/// Whether two names are of one person, as far as names tell.
///
/// ```
/// assert!(anomaly_service::is_same_person("Ann", "ann "));
/// assert!(!anomaly_service::is_same_person("ann", "bob"));
/// ```
#[must_use]
pub fn is_same_person(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}
