//! Settings in parts that can be told apart, changed and held back one by one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Loosens, Scope, Settings};

/// What the names of scopes begin with.
const SCOPE: &str = "scope ";

/// Settings in parts: each key of the fleet, and each scope as a whole, by name.
///
/// ```
/// use anomaly_settings::{AlarmBudget, Settings};
///
/// let before = Settings::default().parts();
/// let mut settings = Settings::default();
/// settings.detection.rules.clock = false;
/// let changes = before.differences(&settings.parts());
/// assert_eq!(changes[0].part, "detection.rules.clock");
/// assert!(changes[0].loosens);
/// # Ok::<(), anomaly_settings::SettingsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parts(BTreeMap<String, Value>);

/// A part that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Which: a key such as `detection.alarm_budget`, or a scope such as `scope client mail01`.
    pub part: String,
    /// What it was; `None` for a scope that was not there, or a key that was not known.
    pub before: Option<Value>,
    /// What it is; `None` for a scope that is gone.
    pub after: Option<Value>,
    /// Whether less is seen, or heeded, by it: see [`Loosens`].
    pub loosens: bool,
}

impl Settings {
    /// The settings in parts.
    #[must_use]
    pub fn parts(&self) -> Parts {
        // Settings are numbers, words, times and lists, all of which JSON can hold.
        let json = serde_json::to_value(self).unwrap_or_default();
        let mut parts = BTreeMap::new();
        for key in Self::keys() {
            if let Some(value) = json.pointer(&pointer(key.name)) {
                parts.insert(key.name.to_owned(), value.clone());
            }
        }
        let scopes = json.get("scope").and_then(Value::as_array);
        for (scope, value) in self.scopes.iter().zip(scopes.into_iter().flatten()) {
            let name = scope.part_name();
            // Of two that name the same the later one wins, and both are kept.
            let mut numbered = name.clone();
            let mut number = 1;
            while parts.contains_key(&numbered) {
                number += 1;
                numbered = format!("{name} ({number})");
            }
            parts.insert(numbered, value.clone());
        }
        Parts(parts)
    }

    /// The settings that these parts are, over the defaults. A part that this version does not know,
    /// or whose value it does not allow, is left out: a newer one wrote it.
    #[must_use]
    pub fn of_parts(parts: &Parts) -> Self {
        let mut parts: Vec<(&String, &Value)> = parts.0.iter().collect();
        parts.sort_by_key(|(name, _)| numbered(name));
        let mut json = Value::Object(Map::new());
        for (name, value) in &parts {
            put(&mut json, name, value);
        }
        if let Ok(settings) = Self::deserialize(&json) {
            return settings;
        }
        json = Value::Object(Map::new());
        for (name, value) in &parts {
            let before = json.clone();
            put(&mut json, name, value);
            if Self::deserialize(&json).is_err() {
                json = before;
            }
        }
        Self::deserialize(&json).unwrap_or_default()
    }
}

impl Scope {
    /// What [`Parts`] call it: `scope client mail01`. Of several in one place that name the same, only
    /// the first is called so.
    #[must_use]
    pub fn part_name(&self) -> String {
        format!("{SCOPE}{self}")
    }
}

impl Parts {
    /// A part.
    #[must_use]
    pub fn get(&self, part: &str) -> Option<&Value> {
        self.0.get(part)
    }

    /// Sets a part, or takes it away.
    pub fn set(&mut self, part: &str, value: Option<Value>) {
        match value {
            Some(value) => _ = self.0.insert(part.to_owned(), value),
            None => _ = self.0.remove(part),
        }
    }

    /// The names of all parts, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is no part.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What differs in `after`, in the order of the names.
    #[must_use]
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let mut names: Vec<&str> = self.names().chain(after.names()).collect();
        names.sort_unstable();
        names.dedup();
        let differing = names
            .into_iter()
            .filter(|name| self.get(name) != after.get(name));
        let differences = differing.map(|name| Difference {
            part: name.to_owned(),
            before: self.get(name).cloned(),
            after: after.get(name).cloned(),
            loosens: self.is_loosened(after, name),
        });
        differences.collect()
    }

    /// Whether less is seen, or heeded, if this one part becomes what it is in `after`.
    ///
    /// What a scope sets is held against what held for its jobs without it: where several wider ones
    /// may, against each of them.
    #[must_use]
    pub fn is_loosened(&self, after: &Self, part: &str) -> bool {
        if let Some(loosens) = Loosens::of(part) {
            let default = Settings::default().parts();
            let value = |parts: &Self| parts.get(part).or(default.get(part)).cloned();
            return match (value(self), value(after)) {
                (Some(before), Some(after)) => loosens.by(&before, &after),
                _ => true,
            };
        }
        let scope = |parts: &Self| parts.get(part).and_then(read_scope);
        let (was, is) = (scope(self), scope(after));
        if !part.starts_with(SCOPE) || was.is_none() && is.is_none() {
            return self.get(part) != after.get(part);
        }
        let mut keys = Settings::keys().iter();
        keys.any(|key| {
            let set = |parts: &Self| parts.get(part)?.pointer(&pointer(key.name)).cloned();
            let loosens = |before: &Value, after: &Value| key.loosens.by(before, after);
            match (set(self), set(after)) {
                (None, None) => false,
                (Some(before), Some(now)) if loosens(&before, &now) => true,
                (Some(before), Some(now)) => {
                    let (was_until, is_until) = (until(was.as_ref()), until(is.as_ref()));
                    let longer = was_until.is_some_and(|was| is_until.is_none_or(|is| is > was));
                    let shorter = is_until.is_some_and(|is| was_until.is_none_or(|was| is < was));
                    let without = self.without(part, is.as_ref(), key.name);
                    longer && without.iter().any(|base| loosens(base, &now))
                        || shorter && without.iter().any(|base| loosens(&before, base))
                }
                (None, Some(now)) => {
                    let without = self.without(part, is.as_ref(), key.name);
                    without.iter().any(|base| loosens(base, &now))
                }
                (Some(before), None) => {
                    let without = self.without(part, was.as_ref(), key.name);
                    without.iter().any(|base| loosens(&before, base))
                }
            }
        })
    }

    /// What may hold of a key for the jobs of a scope without it.
    fn without(&self, part: &str, scope: Option<&Scope>, key: &str) -> Vec<Value> {
        let fleet = self.get(key).cloned();
        let fleet = fleet.or_else(|| Settings::default().parts().get(key).cloned());
        let others = self.0.iter().filter(|(name, _)| *name != part);
        let wider = others.filter(|(_, value)| {
            let other = read_scope(value);
            other
                .zip(scope)
                .is_some_and(|(other, scope)| other.may_meet(scope) && other.rank() <= scope.rank())
        });
        let set = wider.filter_map(|(_, value)| value.pointer(&pointer(key)).cloned());
        fleet.into_iter().chain(set).collect()
    }
}

/// What a scope names, and the how many-th of those that name it: of these the last one wins.
fn numbered(name: &str) -> (&str, u32) {
    let number = name.strip_suffix(')').and_then(|name| {
        let (named, number) = name.rsplit_once(" (")?;
        Some((named, number.parse().ok()?))
    });
    number.unwrap_or((name, 1))
}

fn until(
    scope: Option<&Scope>,
) -> Option<anomaly_model::chrono::DateTime<anomaly_model::chrono::Utc>> {
    scope.and_then(|scope| scope.until)
}

fn read_scope(value: &Value) -> Option<Scope> {
    value.is_object().then(|| Scope::deserialize(value).ok())?
}

fn pointer(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

/// Puts a part to where it is in settings.
fn put(json: &mut Value, name: &str, value: &Value) {
    if name.starts_with(SCOPE) {
        if let Some(root) = json.as_object_mut() {
            let scopes = root
                .entry("scope")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Some(scopes) = scopes.as_array_mut() {
                scopes.push(value.clone());
            }
        }
        return;
    }
    let mut place = json;
    for word in name.split('.') {
        let Some(table) = place.as_object_mut() else {
            return;
        };
        place = table
            .entry(word)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    *place = value.clone();
}
