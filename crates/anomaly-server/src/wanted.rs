//! Settings that somebody asks for, looked at before anything is done.

use std::collections::BTreeMap;
use std::path::Path;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_settings::{Layers, Parts, Settings, SettingsError};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::problem::{Problem, Wrong};

/// Parts of the settings that are to be something else, in the order in which they were asked for;
/// `None` for the default, or no such scope.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) parts: Vec<(String, Option<Value>)>,
}

impl Wanted {
    /// Takes keys and what each is to be; a `null` is the default.
    pub(crate) fn of_keys(keys: &BTreeMap<String, Value>) -> Result<Self, Vec<Wrong>> {
        let mut parts = Vec::new();
        let mut wrong = Vec::new();
        for (key, value) in keys {
            // JSON's numbers, words and lists are TOML's.
            let text = (!value.is_null()).then(|| value.to_string());
            match value_of(key, text.as_deref()) {
                Ok(value) => parts.push((key.clone(), value)),
                Err(errors) => wrong.extend(errors),
            }
        }
        if wrong.is_empty() {
            Ok(Self { parts })
        } else {
            Err(wrong)
        }
    }

    /// Adds scopes as the file writes them under `[[scope]]`; one that changes nothing is to go.
    /// `until` is the end of those that have none of their own.
    pub(crate) fn add_scopes(
        &mut self,
        scopes: Vec<Value>,
        until: Option<DateTime<Utc>>,
    ) -> Result<(), Vec<Wrong>> {
        let mut wrong = Vec::new();
        for mut scope in scopes {
            let has_end = |scope: &Value| scope.get("until").is_some_and(|end| !end.is_null());
            if let Some(until) = until.filter(|_| !has_end(&scope))
                && let Some(scope) = scope.as_object_mut()
            {
                scope.insert("until".to_owned(), json!(until));
            }
            let text = toml::to_string(&json!({ "scope": [scope] })).unwrap_or_default();
            match scope_of(&text) {
                Ok(part) => self.parts.push(part),
                Err(errors) => wrong.extend(errors),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The scope of a text as the file writes it.
    pub(crate) fn of_scope(text: &str) -> Result<Self, Vec<Wrong>> {
        Ok(Self {
            parts: vec![scope_of(text)?],
        })
    }

    /// What is set above what the database keeps, and so cannot be changed in it.
    pub(crate) fn fixed(&self, layers: &Layers) -> Vec<Wrong> {
        let fixed = self.parts.iter().filter_map(|(part, _)| {
            let place = layers.place_of(part)?;
            Some(Wrong {
                part: part.clone(),
                code: "setting_fixed",
                detail: format!("`{part}` is set by {place}, which wins: change it there."),
                allowed: None,
            })
        });
        fixed.collect()
    }

    /// The settings that hold, with what is wanted.
    pub(crate) fn over(&self, holding: &Settings) -> Settings {
        let mut parts: Parts = holding.parts();
        let defaults = Settings::default().parts();
        for (part, value) in &self.parts {
            let value = value.clone().or_else(|| defaults.get(part).cloned());
            parts.set(part, value);
        }
        Settings::of_parts(&parts)
    }
}

/// What a key is set to by a text as TOML has it; `None` for the default.
pub(crate) fn value_of(key: &str, text: Option<&str>) -> Result<Option<Value>, Vec<Wrong>> {
    let known = Settings::keys().iter().any(|known| known.name == key);
    if text.is_none() && known {
        return Ok(None);
    }
    let flag = (key.to_owned(), text.unwrap_or_default().to_owned());
    let settings = Settings::load(None, [], &[flag]).map_err(|error| wrong(key, &error))?;
    Ok(settings.parts().get(key).cloned())
}

/// The part that a text with one `[[scope]]` in it is.
fn scope_of(text: &str) -> Result<(String, Option<Value>), Vec<Wrong>> {
    let settings = Settings::parse(Path::new("scope"), text).map_err(|e| wrong("scope", &e))?;
    let [scope] = settings.scopes.as_slice() else {
        return Err(vec![Wrong {
            part: "scope".to_owned(),
            code: "setting_not_allowed",
            detail: "This is no scope: it names jobs, and what changes for them.".to_owned(),
            allowed: None,
        }]);
    };
    let part = scope.part_name();
    let parts = settings.parts();
    let others = Settings::default().parts().differences(&parts);
    if let Some(other) = others.iter().find(|other| other.part != part) {
        return Err(vec![Wrong {
            part: "scope".to_owned(),
            code: "setting_not_allowed",
            detail: format!("`{}` is no part of the scope.", other.part),
            allowed: None,
        }]);
    }
    let value = parts.get(&part).cloned();
    let changes_something = |value: &Value| value.get("detection").is_some();
    Ok((part, value.filter(changes_something)))
}

/// All that is wrong with what was to be set.
fn wrong(part: &str, error: &SettingsError) -> Vec<Wrong> {
    let one = |part: &str, code, detail, allowed| {
        vec![Wrong {
            part: part.to_owned(),
            code,
            detail,
            allowed,
        }]
    };
    let in_scope = |key: &str| key.strip_prefix("scope.").unwrap_or(key).to_owned();
    match error {
        SettingsError::Several { errors } => {
            errors.iter().flat_map(|error| wrong(part, error)).collect()
        }
        SettingsError::Value {
            key,
            value,
            allowed,
            ..
        } => {
            let key = in_scope(key);
            let detail = format!("`{key}` is {value}: must be {allowed}.");
            one(part, "setting_not_allowed", detail, Some(allowed.clone()))
        }
        SettingsError::UnknownKey { key, nearest, .. } => {
            let nearest = nearest.as_ref().map(|nearest| in_scope(nearest));
            let nearest = nearest.map_or(String::new(), |name| format!(" Did you mean `{name}`?"));
            let detail = format!("There is no setting `{}`.{nearest}", in_scope(key));
            one(part, "setting_unknown", detail, None)
        }
        SettingsError::EmptyScope { .. } => {
            let names = anomaly_settings::Scope::NAMES.join(", ");
            let detail = format!("The scope names nothing: name at least one of {names}.");
            one(part, "setting_not_allowed", detail, None)
        }
        SettingsError::Syntax { message, .. } => {
            let detail = format!("It cannot be read: {message}.");
            one(part, "setting_not_allowed", detail, None)
        }
        other => one(part, "setting_not_allowed", other.to_string(), None),
    }
}

/// What is wrong with a change, as a problem; `None` if nothing is.
pub(crate) fn problem(errors: Vec<Wrong>) -> Option<Problem> {
    let first = errors.first()?;
    let (status, code) = match errors.iter().find(|one| one.code == "setting_fixed") {
        Some(fixed) => (StatusCode::CONFLICT, fixed.code),
        None => (StatusCode::UNPROCESSABLE_ENTITY, first.code),
    };
    let detail: Vec<&str> = errors.iter().map(|one| one.detail.as_str()).collect();
    let detail = detail.join(" ");
    Some(Problem::new(status, code, detail).with_errors(errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: Value) -> Result<Wanted, Vec<Wrong>> {
        Wanted::of_keys(&serde_json::from_value(keys).unwrap())
    }

    #[test]
    fn values_become_what_the_settings_hold() {
        let wanted = keys(
            json!({ "detection.alarm_budget": 2, "detection.rules.clock": null,
            "detection.detectors": ["iqr"] }),
        )
        .unwrap();
        let settings = wanted.over(&Settings::default());
        let budget = anomaly_settings::AlarmBudget::new(2.0).unwrap();
        assert_eq!(settings.detection.alarm_budget, budget);
        assert_eq!(wanted.parts[2].1, None);
        assert_eq!(wanted.parts[0].1, Some(json!(2.0)));
    }

    #[test]
    fn what_is_wrong_names_the_key_and_what_is_allowed() {
        let wrong = keys(
            json!({ "detection.alarm_budget": 99, "detection.alarm_budge": 1,
            "review.endless": "yes", "seed": null, "detection.seed": {"a": 1} }),
        )
        .unwrap_err();
        let codes: Vec<_> = wrong
            .iter()
            .map(|one| (one.part.as_str(), one.code))
            .collect();
        assert_eq!(
            codes,
            [
                ("detection.alarm_budge", "setting_unknown"),
                ("detection.alarm_budget", "setting_not_allowed"),
                ("detection.seed", "setting_not_allowed"),
                ("review.endless", "setting_not_allowed"),
                ("seed", "setting_unknown"),
            ]
        );
        assert_eq!(
            wrong[1].allowed.as_deref(),
            Some("a number from 0.01 to 36.5")
        );
        assert!(
            wrong[0].detail.contains("`detection.alarm_budget`"),
            "{wrong:?}"
        );
    }

    #[test]
    fn scopes_are_set_and_go() {
        let mut wanted = Wanted::default();
        let scopes = vec![
            json!({ "client": "a", "detection": { "enabled": false } }),
            json!({ "client": "b" }),
        ];
        wanted.add_scopes(scopes, None).unwrap();
        assert_eq!(wanted.parts[0].0, "scope client a");
        assert_eq!(wanted.parts[1], ("scope client b".to_owned(), None));
        let mut before = Settings::default();
        before
            .scopes
            .push(serde_json::from_value(json!({ "client": "b" })).unwrap());
        assert_eq!(wanted.over(&before).scopes.len(), 1);
        for bad in [
            json!({ "detection": { "enabled": false } }),
            json!({ "client": "a", "detection": { "enabled": 3 } }),
            json!({ "client": "a", "streams": {} }),
            json!(3),
            json!({ "client": null }),
        ] {
            assert!(wanted.add_scopes(vec![bad.clone()], None).is_err(), "{bad}");
        }
    }
}
