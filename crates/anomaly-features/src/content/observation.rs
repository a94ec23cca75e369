//! What was seen of one file.

use anomaly_model::{FileChange, FileReason};

use super::extension::{extension_of, name_of};
use super::nature::Nature;
use super::statistics::FileStatistics;
use super::stored::StoredStatistics;

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
    /// Where it is, with `/` or `\` between names; bytes that are not UTF-8 replaced. `""` for a
    /// deleted or unmodified file whose name is not known any more.
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

    /// What made the bytes dense: they were compressed, or encrypted, or it cannot be told. `None`
    /// if they are not dense, or were so before, or nothing is known of them.
    ///
    /// - A compressed format by magic number, with the end that this format has, or bytes that are
    ///   dense but not random: compression.
    /// - Random bytes that contradict the name's type or their own beginning: encryption.
    /// - Random bytes in the place of plain ones that would have become a fifth smaller at least when
    ///   compressed, by their entropy, and that did not become smaller at all: encryption.
    /// - Everything else that is random: cannot be told. A good compressor's output without its magic
    ///   number is like ciphertext in every respect.
    #[must_use]
    pub fn dense_by(&self) -> Option<DenseBy> {
        let found = self.statistics?;
        let was_dense = self
            .before
            .is_some_and(|before| before.was_random() || before.was_compressed());
        let is_random = found.nature.is_random();
        if was_dense && !(is_random && found.contradicts(extension_of(self.path))) {
            return None;
        }
        match found.nature {
            Nature::Compressed => Some(DenseBy::Compression),
            _ if !is_random => None,
            _ if found.contradicts(extension_of(self.path)) => Some(DenseBy::Encryption),
            _ => {
                let compressible = |before: StoredStatistics| {
                    before.was_plain() && before.entropy_bits() <= 0.8 * 8.0
                };
                let kept_its_size = self
                    .size_bytes
                    .zip(self.size_bytes_before)
                    .is_some_and(|(now, before)| now >= before);
                Some(match self.before {
                    Some(before) if compressible(before) && kept_its_size => DenseBy::Encryption,
                    _ => DenseBy::CannotTell,
                })
            }
        }
    }

    /// Whether the file was written: new, changed, or renamed.
    pub(super) fn is_written(&self) -> bool {
        matches!(
            self.change,
            FileChange::New | FileChange::Changed | FileChange::Renamed
        )
    }

    /// Whether the bytes became random, in whatever symbols or in parts, or are so in a file that
    /// was not known before.
    ///
    /// Parts of many ordinary formats are random: they count where the file's type has none, where
    /// the beginning is random and no magic number says why, and where the version before had none.
    pub(super) fn is_random(&self) -> bool {
        let Some(found) = self.statistics else {
            return false;
        };
        let before = self.before.filter(|before| before.is_known());
        match found.nature {
            Nature::Random => true,
            Nature::Encoded(_) => !found.is_armoured(),
            Nature::PartlyRandom => {
                let are_new = |before: StoredStatistics| {
                    !before.was_random() && !before.was_compressed()
                        || found.stored().has_new_random_parts(before)
                };
                before.is_some_and(are_new)
                    || found.is_random_without_a_type()
                    || found.contradicts(extension_of(self.path))
            }
            _ => {
                found.has_encoded_parts()
                    && before.is_some_and(|before| !before.had_encoded_parts())
            }
        }
    }

    /// Whether size and time of modification are as before and the content is not: equal bytes have
    /// equal statistics.
    pub(super) fn is_secretly_changed(&self) -> bool {
        let same = |now: Option<i64>, before: Option<i64>| now.is_some() && now == before;
        self.change == FileChange::Changed
            && self.size_bytes.is_some()
            && self.size_bytes == self.size_bytes_before
            && same(self.modified_seconds, self.modified_seconds_before)
            && self
                .statistics
                .zip(self.before)
                .is_some_and(|(now, before)| before.is_known() && now.stored() != before)
    }

    /// The change of entropy against the version before, in bits.
    pub(super) fn entropy_delta_bits(&self) -> Option<f64> {
        let before = self.before.filter(|before| before.is_known())?;
        let now = self.statistics.filter(|now| now.examined_bytes > 0)?;
        Some(now.entropy_bits - before.entropy_bits())
    }

    /// Whether the entropy rose by more than versions of ordinary files differ by. Of a few bytes it
    /// says nothing.
    fn has_risen_entropy(&self) -> bool {
        let least = |bytes: Option<u64>| bytes.is_some_and(|bytes| bytes >= FEWEST_BYTES);
        least(self.size_bytes_before)
            && least(self.statistics.map(|found| found.examined_bytes))
            && self
                .entropy_delta_bits()
                .is_some_and(|delta| delta >= LEAST_RISE_BITS)
    }

    /// Whether the file was written with length 0 and had content before.
    pub(super) fn is_emptied(&self) -> bool {
        self.is_written() && self.size_bytes == Some(0) && self.size_bytes_before.unwrap_or(0) > 0
    }

    /// Whether the name's type, or the bytes' beginning, is contradicted by the bytes. Companion
    /// files of macOS (`._name`) have the extension of a file that they are not.
    pub(super) fn contradicts_type(&self) -> bool {
        self.statistics.is_some_and(|found| {
            !name_of(self.path).starts_with("._") && found.contradicts(extension_of(self.path))
        })
    }

    /// What is notable about the bytes, each compared with the version before where that is known.
    pub(super) fn reasons_of_content(&self) -> Vec<FileReason> {
        let mut reasons = Vec::new();
        let mut add = |reason, holds: bool| {
            if holds {
                reasons.push(reason);
            }
        };
        if !self.is_written() {
            return reasons;
        }
        let random = if self.is_random() {
            self.statistics
        } else {
            None
        };
        if let Some(found) = random {
            let reason = match found.nature {
                Nature::Random => FileReason::LooksRandom,
                Nature::PartlyRandom => FileReason::PartlyRandom,
                _ => FileReason::Encoded,
            };
            // A file that was of this nature all along is nothing to name.
            let was_so = self.before.is_some_and(|before| {
                before.is_like(found.stored()) && !found.stored().has_new_random_parts(before)
            });
            add(reason, !was_so || self.contradicts_type());
        }
        add(FileReason::ContradictsType, self.contradicts_type());
        add(FileReason::EntropyRose, self.has_risen_entropy());
        add(FileReason::SecretlyChanged, self.is_secretly_changed());
        add(FileReason::Emptied, self.is_emptied());
        reasons
    }
}

/// Versions of ordinary files differ by less.
const LEAST_RISE_BITS: f64 = 0.5;
/// The entropy of fewer bytes is that of a few words.
const FEWEST_BYTES: u64 = 512;

/// What made bytes dense; see [`FileObservation::dense_by`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenseBy {
    /// They were compressed, or are dense as sound and pictures are.
    Compression,
    /// They were encrypted.
    Encryption,
    /// They may have been either: what was seen fits both.
    CannotTell,
}
