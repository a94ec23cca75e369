//! Extensions of file names, as people list them.

use serde::{Deserialize, Deserializer, Serialize};

use crate::SettingsError;
use crate::knob::Knob;

/// The longest extension that is listed, in bytes.
const MOST_BYTES: usize = 255;

/// Extensions of file names: in lower case, without the dot before them, none twice.
///
/// ```
/// use anomaly_settings::Extensions;
///
/// let extensions = Extensions::new([".Locked".to_owned(), "crypt".to_owned()])?;
/// assert_eq!(extensions.names(), ["locked", "crypt"]);
/// # Ok::<(), anomaly_settings::SettingsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Extensions(Vec<String>);

impl Extensions {
    /// Takes the extensions, with or without a dot, in any case.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] when one is blank, has a dot or a slash in it, or is longer than
    /// 255 bytes.
    pub fn new(names: impl Into<Vec<String>>) -> Result<Self, SettingsError> {
        let mut extensions = Vec::new();
        for name in names.into() {
            let bare = name.trim().trim_start_matches('.').to_lowercase();
            if bare.is_empty() || bare.len() > MOST_BYTES || bare.contains(['.', '/', '\\']) {
                return Err(SettingsError::invalid("extensions", name, Self::allowed()));
            }
            if !extensions.contains(&bare) {
                extensions.push(bare);
            }
        }
        Ok(Self(extensions))
    }

    /// The extensions, in the order given.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl Knob for Extensions {
    const TOML_TYPE: &'static str = "array of strings";

    fn allowed() -> String {
        "a list of extensions such as \"locked\", each without a dot or a slash in it".to_owned()
    }
}

impl<'de> Deserialize<'de> for Extensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::<String>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
