//! What can be wrong with settings.

use std::path::PathBuf;

use crate::Place;

/// Why settings could not be read or built.
///
/// Every message says where, names the key, shows the value and says what is allowed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file could not be read.
    #[error("{}: the settings file could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{place}: not valid TOML: {message}")]
    Syntax {
        /// Where the text stops being TOML.
        place: Place,
        /// What the parser met, and what it could read there instead.
        message: String,
    },
    /// There is no such key.
    #[error(
        "{place}: there is no setting `{key}`{} Allowed: {}",
        nearest.as_ref().map_or(".".to_owned(), |nearest| format!("; did you mean `{nearest}`?")),
        allowed.join(", ")
    )]
    UnknownKey {
        /// Where it stands.
        place: Place,
        /// The key, as it was written.
        key: String,
        /// The key most like it, if one is like it at all.
        nearest: Option<String>,
        /// The keys that exist there.
        allowed: Vec<String>,
    },
    /// A key holds a value of the wrong type or out of its range.
    #[error("{place}: `{key}` is {value}: must be {allowed}")]
    Value {
        /// Where the value stands.
        place: Place,
        /// The key in full, such as `detection.alarm_budget`.
        key: String,
        /// The value as it was written; long text is cut.
        value: String,
        /// What is allowed, in words.
        allowed: String,
    },
    /// A scope names nothing that it is for.
    #[error(
        "{place}: this [[scope]] names nothing: name at least one of {}, or set the keys under \
         [detection] to mean every job",
        crate::Scope::NAMES.join(", ")
    )]
    EmptyScope {
        /// Where the scope stands.
        place: Place,
    },
    /// Several things are wrong; each message is a line of this one.
    #[error("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several {
        /// The errors, in the order of the file or by the variables' names.
        errors: Vec<SettingsError>,
    },
    /// A value built in code is not allowed.
    #[error("`{name}` is {value}: must be {allowed}")]
    Invalid {
        /// The setting's name, without its section.
        name: &'static str,
        /// The value.
        value: String,
        /// What is allowed, in words.
        allowed: String,
    },
    /// The settings could not be written as TOML.
    #[error("the settings could not be written as TOML")]
    Write {
        /// What the writer said.
        source: toml::ser::Error,
    },
}

impl SettingsError {
    pub(crate) fn invalid(name: &'static str, value: String, allowed: String) -> Self {
        Self::Invalid {
            name,
            value,
            allowed,
        }
    }

    /// The error of a key that is none of `all`.
    pub(crate) fn unknown_key(place: Place, key: String, all: Vec<String>) -> Self {
        let nearest = nearest(&key, &all);
        Self::UnknownKey {
            place,
            key,
            nearest,
            allowed: all,
        }
    }

    /// Where it is, if it is in one place of a layer.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Syntax { place, .. }
            | Self::UnknownKey { place, .. }
            | Self::Value { place, .. }
            | Self::EmptyScope { place } => Some(place),
            Self::Read { .. }
            | Self::Several { .. }
            | Self::Invalid { .. }
            | Self::Write { .. } => None,
        }
    }
}

/// All that is wrong as one error, if anything is.
pub(crate) fn one_or_several(mut errors: Vec<SettingsError>) -> Result<(), SettingsError> {
    // Tables hand out their keys by name, and the environment its variables in no order.
    errors.sort_by(|a, b| a.place().cmp(&b.place()));
    match errors.pop() {
        None => Ok(()),
        Some(only) if errors.is_empty() => Err(only),
        Some(last) => {
            errors.push(last);
            Err(SettingsError::Several { errors })
        }
    }
}

/// A value as messages show it: one line, of some 60 characters at most.
pub(crate) fn cut(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// The name in `names` that `name` was probably meant to be: that of a key in another section, or
/// one that is two slips of the finger away at most.
pub(crate) fn nearest(name: &str, names: &[String]) -> Option<String> {
    const MOST_SLIPS: usize = 2;
    let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
    let has_key = |other: &&String| other.rsplit('.').next() == Some(key);
    let in_section = |other: &&String| has_key(other) && other.starts_with(section);
    let mut elsewhere = names.iter();
    if let Some(full) = elsewhere
        .clone()
        .find(in_section)
        .or(elsewhere.find(has_key))
    {
        return Some(full.clone());
    }
    names
        .iter()
        .filter(|section| !name.starts_with(&format!("{section}.")))
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(slips, _)| *slips <= MOST_SLIPS)
        .min()
        .map(|(_, other)| other.clone())
}
