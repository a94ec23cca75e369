//! What was seen of one file.

use anomaly_model::FileChange;

use super::{FileStatistics, StoredStatistics};

/// What was seen of one file, against the image before.
///
/// What is not known is `None`.
///
/// ```
/// use anomaly_features::content::FileObservation;
/// use anomaly_model::FileChange;
///
/// let mut seen = FileObservation::new("home/a.docx.lockbit", FileChange::New);
/// seen.size_bytes = Some(48_213);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FileObservation<'a> {
    /// Where it is, with `/` or `\` between names; bytes that are not UTF-8 replaced.
    pub path: &'a str,
    /// What it was called before, if it is known to be a file of the image before under another
    /// name. See [`name_before_appended_extension`](super::name_before_appended_extension).
    pub previous_path: Option<&'a str>,
    /// What happened to it. [`FileChange::Renamed`] stands for the new name and the old one at once:
    /// do not observe the old one as deleted too.
    pub change: FileChange,
    /// Its size now; `None` or 0 if it is deleted.
    pub size_bytes: Option<u64>,
    /// Its size in the image before, of a changed, renamed or deleted file.
    pub size_bytes_before: Option<u64>,
    /// When it was last read, in seconds since 1970.
    pub accessed_seconds: Option<i64>,
    /// When its content or attributes last changed, in seconds since 1970.
    pub changed_seconds: Option<i64>,
    /// When its content was last modified, in seconds since 1970.
    pub modified_seconds: Option<i64>,
    /// The time of modification that it had in the image before.
    pub modified_seconds_before: Option<i64>,
    /// Its permission bits, as `chmod` takes them: `0o7777`.
    pub permissions: Option<u32>,
    /// What was found in its bytes, of a new, changed or renamed file.
    pub statistics: Option<&'a FileStatistics>,
    /// What was found in its bytes in the image before.
    pub before: Option<StoredStatistics>,
}

impl<'a> FileObservation<'a> {
    /// A file of which nothing more is known.
    #[must_use]
    pub fn new(path: &'a str, change: FileChange) -> Self {
        Self {
            path,
            previous_path: None,
            change,
            size_bytes: None,
            size_bytes_before: None,
            accessed_seconds: None,
            changed_seconds: None,
            modified_seconds: None,
            modified_seconds_before: None,
            permissions: None,
            statistics: None,
            before: None,
        }
    }
}
