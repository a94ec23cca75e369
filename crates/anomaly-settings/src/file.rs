//! The file layer: TOML, with the place of everything that is wrong.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use toml::de::{DeTable, DeValue};

use crate::error::{cut, nearest, one_or_several};
use crate::load::Layers;
use crate::section::{RawValue, Refusal};
use crate::{Place, Scope, Settings, SettingsError};

/// Reads `text`, the content of the file `path`, over what `layers` hold.
pub(crate) fn read(path: &Path, text: &str, layers: &mut Layers) -> Result<(), SettingsError> {
    let mut file = File {
        path,
        text,
        errors: Vec::new(),
        places: BTreeMap::new(),
    };
    let mut root = DeTable::parse(text)
        .map_err(|error| SettingsError::Syntax {
            place: file.place(&error.span().unwrap_or_default()),
            message: error.message().to_owned(),
        })?
        .into_inner();
    for section in layers.others.iter().copied() {
        root.remove(section);
    }
    if let Some(scopes) = root.remove("scope") {
        layers.scopes = file.scopes(scopes);
    }
    file.section("", root, &mut |key, value| layers.set(key, value));
    layers.places.extend(file.places);
    one_or_several(file.errors)
}

/// Sets the key of this full name.
type Set<'s> = &'s mut dyn FnMut(&str, RawValue<'_>) -> Result<(), Refusal>;

struct File<'a> {
    path: &'a Path,
    text: &'a str,
    errors: Vec<SettingsError>,
    /// Where each part is set: keys of the fleet, and scopes as a whole.
    places: BTreeMap<String, Place>,
}

impl File<'_> {
    /// Sets every key of `table`, which is the section `name`; the root's name is empty.
    fn section(&mut self, name: &str, table: DeTable<'_>, set: Set<'_>) {
        for (key, value) in table {
            let full = full_name(name, key.get_ref());
            let span = value.span();
            if !is_section(&full) {
                match set(&full, value) {
                    // Keys of a scope are no parts of their own.
                    Ok(()) if !full.starts_with("scope.") => {
                        let place = self.place(&key.span());
                        self.places.insert(full, place);
                    }
                    Ok(()) => {}
                    Err(Refusal::UnknownKey) => self.unknown_key(&key.span(), full, name),
                    Err(Refusal::Value { allowed }) => self.wrong_value(&span, full, allowed),
                }
            } else if let DeValue::Table(inner) = value.into_inner() {
                self.section(&full, inner, set);
            } else {
                let allowed = format!("a table: [{full}]");
                self.wrong_value(&span, full, allowed);
            }
        }
    }

    fn scopes(&mut self, value: RawValue<'_>) -> Vec<Scope> {
        let span = value.span();
        let DeValue::Array(tables) = value.into_inner() else {
            self.not_a_scope(&span);
            return Vec::new();
        };
        let scopes = tables.into_iter().map(|table| self.scope(table));
        scopes.collect()
    }

    fn scope(&mut self, value: RawValue<'_>) -> Scope {
        let span = value.span();
        let mut scope = Scope::default();
        let DeValue::Table(table) = value.into_inner() else {
            self.not_a_scope(&span);
            return scope;
        };
        let errors_before = self.errors.len();
        self.section("scope", table, &mut |key, value| scope.set(key, value));
        // A name that was refused is told already.
        if scope.names_nothing() && self.errors.len() == errors_before {
            let place = self.place(&span);
            self.errors.push(SettingsError::EmptyScope { place });
        }
        let place = self.place(&span);
        self.places.entry(scope.part_name()).or_insert(place);
        scope
    }

    fn not_a_scope(&mut self, span: &Range<usize>) {
        let allowed = "tables, each headed [[scope]]".to_owned();
        self.wrong_value(span, "scope".to_owned(), allowed);
    }

    fn wrong_value(&mut self, span: &Range<usize>, key: String, allowed: String) {
        self.errors.push(SettingsError::Value {
            place: self.place(span),
            key,
            value: cut(self.text.get(span.clone()).unwrap_or_default()),
            allowed,
        });
    }

    fn unknown_key(&mut self, span: &Range<usize>, key: String, section: &str) {
        let place = self.place(span);
        let nearest = nearest(&key, &KEYS_AND_SECTIONS);
        let allowed = children(section);
        self.errors.push(SettingsError::UnknownKey {
            place,
            key,
            nearest,
            allowed,
        });
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        // Editors do not show a byte order mark.
        let line = before[line_start..].trim_start_matches('\u{feff}');
        Place::File {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

/// The full name of `key` in `section`. A key that needs quotes in TOML is shown in them: a dot in
/// it is not one between keys.
fn full_name(section: &str, key: &str) -> String {
    let dot = if section.is_empty() { "" } else { "." };
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        format!("{section}{dot}{key}")
    } else {
        format!("{section}{dot}{key:?}")
    }
}

/// The full names of everything that a file can hold, each section before its keys.
static KEYS_AND_SECTIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let fleet = || Settings::keys().iter().map(|key| key.name.to_owned());
    let scope_names = Scope::NAMES.iter().chain(&["until"]);
    let scope_names = scope_names.map(|name| format!("scope.{name}"));
    let scope_detection = fleet()
        .filter(|name| name.starts_with("detection."))
        .map(|name| format!("scope.{name}"));
    let mut all: Vec<String> = Vec::new();
    for key in fleet().chain(scope_names).chain(scope_detection) {
        let sections = key.match_indices('.').map(|(dot, _)| key[..dot].to_owned());
        for name in sections.chain([key.clone()]) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
    }
    all
});

fn is_section(name: &str) -> bool {
    let inside = format!("{name}.");
    KEYS_AND_SECTIONS.iter().any(|key| key.starts_with(&inside))
}

/// The names that `section` holds, without its own; the root's is empty.
fn children(section: &str) -> Vec<String> {
    KEYS_AND_SECTIONS
        .iter()
        .map(|key| key.rsplit_once('.').unwrap_or(("", key)))
        .filter(|(parent, _)| *parent == section)
        .map(|(_, name)| name.to_owned())
        .collect()
}
