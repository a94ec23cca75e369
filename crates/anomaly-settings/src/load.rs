//! Reading the layers: file, environment and flags, each over the ones before.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::DeValue;

use crate::error::{cut, one_or_several};
use crate::guard::GuardOverrides;
use crate::incidents::IncidentOverrides;
use crate::review::ReviewOverrides;
use crate::roles::RoleOverrides;
use crate::section::{RawValue, Refusal};
use crate::storage::StorageOverrides;
use crate::streams::StreamOverrides;
use crate::{DetectionOverrides, Key, Place, Scope, Settings, SettingsError, file};

impl Settings {
    /// Reads the settings: flags win over the environment, the environment over the file, the file
    /// over the defaults.
    ///
    /// `environment` may hold any variables; those that begin with `BACKWATCH_` are settings, such
    /// as `BACKWATCH_DETECTION_ALARM_BUDGET`. `flags` are keys and values, such as
    /// `detection.alarm_budget` and `2`; of two for one key the later wins. Values of both are
    /// written as in TOML, and what is not TOML is taken as a string. Scopes are set in the file
    /// only.
    ///
    /// ```
    /// use anomaly_settings::Settings;
    ///
    /// let environment = [("BACKWATCH_DETECTION_SEED".to_owned(), "7".to_owned())];
    /// let flags = [("detection.detectors".to_owned(), r#"["iqr"]"#.to_owned())];
    /// let settings = Settings::load(None, environment, &flags)?;
    /// assert_eq!(settings.detection.seed, 7);
    /// assert_eq!(settings.detection.detectors.names().len(), 1);
    /// # Ok::<(), anomaly_settings::SettingsError>(())
    /// ```
    ///
    /// # Errors
    /// [`SettingsError`] when the file cannot be read or is not TOML, and for every key that does
    /// not exist, every value that is not allowed and every scope that names nothing; all that is
    /// wrong in one layer is told at once.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        Ok(Layers::read(file, environment, flags)?.over(Self::default()))
    }

    /// [`Settings::load`] with the environment of this process.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn load_here(
        file: Option<&Path>,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        Ok(Layers::read_here(file, flags)?.over(Self::default()))
    }

    /// Reads the text of a settings file; `path` is how messages name it.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let mut layers = Layers::default();
        file::read(path, text, &mut layers)?;
        Ok(layers.over(Self::default()))
    }
}

/// What file, environment and flags set, read once: it can then lie over the defaults, or over what a
/// database keeps.
///
/// ```
/// use anomaly_settings::{Layers, Settings};
///
/// let mut kept = Settings::default();
/// kept.detection.seed = 7;
/// kept.detection.rules.clock = false;
/// let flags = [("detection.rules.clock".to_owned(), "true".to_owned())];
/// let settings = Layers::read(None, [], &flags)?.over(kept);
/// assert_eq!((settings.detection.seed, settings.detection.rules.clock), (7, true));
/// # Ok::<(), anomaly_settings::SettingsError>(())
/// ```
#[derive(Debug, Default)]
pub struct Layers {
    detection: DetectionOverrides,
    streams: StreamOverrides,
    review: ReviewOverrides,
    incidents: IncidentOverrides,
    guard: GuardOverrides,
    roles: RoleOverrides,
    storage: StorageOverrides,
    pub(crate) scopes: Vec<Scope>,
    /// Where each part is set, by its name.
    pub(crate) places: BTreeMap<String, Place>,
    /// Sections of the file that are somebody else's.
    pub(crate) others: &'static [&'static str],
}

/// The environment of this process.
///
/// `std::env::vars` panics on text that is not Unicode. No key or value needs any, so what is lost here
/// is refused later.
fn environment_here() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(variable, value)| {
        (
            variable.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}

impl Layers {
    /// Reads what [`Settings::load`] reads.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        Self::default().read_all(file, environment, flags)
    }

    /// [`Layers::read_here`] of a file that a program shares with the settings: `others` are the
    /// sections of it that the program reads itself, and that are passed over here.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn read_shared(
        file: Option<&Path>,
        others: &'static [&'static str],
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        let layers = Self {
            others,
            ..Self::default()
        };
        layers.read_all(file, environment_here(), flags)
    }

    fn read_all(
        mut self,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read {
                path: path.to_owned(),
                source,
            })?;
            file::read(path, &text, &mut self)?;
        }
        self.read_environment(environment)?;
        self.read_flags(flags)?;
        Ok(self)
    }

    /// [`Layers::read`] with the environment of this process.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn read_here(
        file: Option<&Path>,
        flags: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        Self::read(file, environment_here(), flags)
    }

    /// These settings, with what was set over them. Scopes come after those that are there.
    #[must_use]
    pub fn over(&self, mut settings: Settings) -> Settings {
        self.detection.apply_to(&mut settings.detection);
        self.streams.apply_to(&mut settings.streams);
        self.review.apply_to(&mut settings.review);
        self.incidents.apply_to(&mut settings.incidents);
        self.guard.apply_to(&mut settings.guard);
        self.roles.apply_to(&mut settings.roles);
        self.storage.apply_to(&mut settings.storage);
        settings.scopes.extend(self.scopes.iter().cloned());
        settings
    }

    /// Where a part is set that these layers set, a key or a scope as [`Parts`](crate::Parts) names it:
    /// whatever lies under them has no say about it. `None` for any other.
    ///
    /// ```
    /// use anomaly_settings::Layers;
    ///
    /// let flags = [("detection.seed".to_owned(), "7".to_owned())];
    /// let layers = Layers::read(None, [], &flags)?;
    /// let place = layers.place_of("detection.seed").map(ToString::to_string);
    /// assert_eq!(place.as_deref(), Some("--set"));
    /// assert_eq!(layers.place_of("detection.enabled"), None);
    /// # Ok::<(), anomaly_settings::SettingsError>(())
    /// ```
    #[must_use]
    pub fn place_of(&self, part: &str) -> Option<&Place> {
        self.places.get(part)
    }

    /// Sets the key of this full name, over what an earlier layer set.
    pub(crate) fn set(&mut self, key: &str, value: RawValue<'_>) -> Result<(), Refusal> {
        match key.split('.').next() {
            Some("detection") => self.detection.set(key, value),
            Some("review") => self.review.set(key, value),
            Some("guard") => self.guard.set(key, value),
            Some("roles") => self.roles.set(key, value),
            Some("storage") => self.storage.set(key, value),
            Some("incidents") => self.incidents.set(key, value),
            _ => self.streams.set(key, value),
        }
    }

    fn read_environment(
        &mut self,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), SettingsError> {
        let set = |(variable, text): (String, String)| self.set_variable(variable, &text).err();
        let settings = environment
            .into_iter()
            .filter(|(variable, _)| variable.starts_with(Key::ENVIRONMENT_PREFIX));
        one_or_several(settings.filter_map(set).collect())
    }

    fn set_variable(&mut self, variable: String, text: &str) -> Result<(), SettingsError> {
        let place = Place::Environment {
            variable: variable.clone(),
        };
        let mut keys = Settings::keys().iter();
        let Some(key) = keys.find(|key| key.environment_variable() == variable) else {
            let all = Settings::keys().iter().map(Key::environment_variable);
            return Err(SettingsError::unknown_key(place, variable, all.collect()));
        };
        self.set_text(place, key.name, text)
    }

    fn read_flags(&mut self, flags: &[(String, String)]) -> Result<(), SettingsError> {
        let set = |(key, text): &(String, String)| self.set_text(Place::Flag, key, text).err();
        one_or_several(flags.iter().filter_map(set).collect())
    }

    fn set_text(&mut self, place: Place, key: &str, text: &str) -> Result<(), SettingsError> {
        let toml = DeValue::parse(text);
        let shown = match &toml {
            Ok(_) => cut(text),
            Err(_) => cut(&format!("{text:?}")),
        };
        let bare_word = |_| Spanned::new(0..text.len(), DeValue::String(text.into()));
        let value = toml.unwrap_or_else(bare_word);
        let set = self.set(key, value);
        if set.is_ok() {
            self.places.insert(key.to_owned(), place.clone());
        }
        set.map_err(|refusal| match refusal {
            Refusal::UnknownKey => {
                let all = Settings::keys()
                    .iter()
                    .map(|key| key.name.to_owned())
                    .collect();
                SettingsError::unknown_key(place, key.to_owned(), all)
            }
            Refusal::Value { allowed } => SettingsError::Value {
                place,
                key: key.to_owned(),
                value: shown,
                allowed,
            },
        })
    }
}
