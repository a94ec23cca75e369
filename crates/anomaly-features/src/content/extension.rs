//! Extensions of file names, and how many files have each.

use serde::{Deserialize, Serialize};

use super::sketch::{Sketch, stable_hash};

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
    match name_of(path).rsplit_once('.') {
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

/// The last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
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
/// Extensions are kept as 64-bit hashes of their lower case, without their names. Numbers in them
/// tell no kinds of files apart: those of digits alone, such as the numbers of rotated logs, count as
/// one, and so do those that differ in runs of two and more digits alone, such as dates, or the sizes
/// in the names of mails. One digit is part of a kind's name, as in `mp3`.
///
/// At most [`MOST_EXTENSIONS`](Self::MOST_EXTENSIONS) are kept, those with the smallest hashes: which
/// ones does not depend on the order in which they come, and what is said of the mix then goes by
/// them. Those that files have now go before those that files had once, which are forgotten where
/// there is no room.
///
/// It serialises to a limit and sorted pairs of hash and count, in any format of serde.
///
/// ```
/// use anomaly_features::content::ExtensionMix;
///
/// let mut before = ExtensionMix::default();
/// before.add("txt");
/// before.add("docx");
/// let mut after = ExtensionMix::default();
/// after.add("TXT");
/// after.add("lockbit");
/// assert!(before.has_seen("Txt") && !before.has_seen("lockbit"));
/// assert_eq!(before.shift(&after), Some(0.5));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "StoredMix", into = "StoredMix")]
pub struct ExtensionMix {
    counts: Sketch<u64, { ExtensionMix::MOST_EXTENSIONS }>,
}

/// Extensions of digits alone are this one, and longer numbers in others.
const DIGITS: &[u8] = b"0";

impl ExtensionMix {
    /// The most extensions that are kept.
    pub const MOST_EXTENSIONS: usize = 16_384;

    /// Counts one more file of this extension; `""` for none.
    pub fn add(&mut self, extension: &str) {
        if let Some(count) = self.counts.entry(hash(extension), || 0) {
            *count += 1;
        }
    }

    /// Adds the files of another mix.
    pub fn merge(&mut self, other: Self) {
        self.counts
            .merge(other.counts, |mine, other| *mine += other);
    }

    /// Whether files of this extension were ever seen, as far as that is remembered, or could be among
    /// more extensions than are kept. A file without an extension is nothing unseen.
    #[must_use]
    pub fn has_seen(&self, extension: &str) -> bool {
        let hash = hash(extension);
        extension.is_empty() || !self.counts.keeps(hash) || self.counts.get(hash).is_some()
    }

    /// How many different extensions the files have now; files without one have none.
    #[must_use]
    pub fn extension_count(&self) -> u64 {
        let none = hash("");
        let kept = self
            .counts
            .iter()
            .filter(|(hash, count)| **count > 0 && *hash != none);
        self.counts.of_all(kept.count() as u64)
    }

    /// Total variation distance to another mix, 0 to 1: the share of files whose extension would
    /// have to change. `None` if one of them has no files.
    #[must_use]
    pub fn shift(&self, other: &Self) -> Option<f64> {
        let both = |hash: u64| self.counts.keeps(hash) && other.counts.keeps(hash);
        let files = |mix: &Self| -> u64 {
            let kept = mix.counts.iter().filter(|(hash, _)| both(*hash));
            kept.map(|(_, count)| *count).sum()
        };
        let (here, there) = (files(self), files(other));
        if here == 0 || there == 0 {
            return None;
        }
        let share = |mix: &Self, hash: u64, files: u64| {
            mix.counts
                .get(hash)
                .map_or(0.0, |count| *count as f64 / files as f64)
        };
        // Each extension that lost its share to others, once.
        let lost = self
            .counts
            .iter()
            .filter(|(hash, _)| both(*hash))
            .map(|(hash, _)| (share(self, hash, here) - share(other, hash, there)).max(0.0));
        Some(lost.sum::<f64>().min(1.0))
    }

    /// The same files, with the extensions that `earlier` knew remembered as seen, as long as there
    /// is room. What was once too much for `earlier` is no matter any more: else a night with more
    /// extensions than are kept would hide new ones for ever.
    pub(super) fn remembering(mut self, earlier: &Self) -> Self {
        self.counts
            .fill(earlier.counts.iter().map(|(hash, _)| hash));
        self
    }
}

fn hash(extension: &str) -> u64 {
    if !extension.is_empty() && extension.bytes().all(|byte| byte.is_ascii_digit()) {
        return stable_hash(DIGITS.iter().copied());
    }
    let two_digits = |two: &[u8]| two.iter().all(u8::is_ascii_digit);
    if !extension.as_bytes().windows(2).any(two_digits) {
        return hash_of_lower_case(extension);
    }
    let lower = extension.to_lowercase();
    let runs = lower
        .as_bytes()
        .chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit());
    let plain = runs.flat_map(|run| match run {
        [digit, _, ..] if digit.is_ascii_digit() => DIGITS,
        run => run,
    });
    stable_hash(plain.copied())
}

/// A stable hash of an extension in lower case.
pub(super) fn hash_of_lower_case(extension: &str) -> u64 {
    if extension.is_ascii() {
        return stable_hash(extension.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    stable_hash(extension.to_lowercase().bytes())
}

/// How a mix is written.
#[derive(Serialize, Deserialize)]
struct StoredMix {
    limit: Option<u64>,
    counts: Vec<(u64, u64)>,
}

impl From<ExtensionMix> for StoredMix {
    fn from(mix: ExtensionMix) -> Self {
        Self {
            limit: mix.counts.limit(),
            counts: mix
                .counts
                .iter()
                .map(|(hash, count)| (hash, *count))
                .collect(),
        }
    }
}

impl From<StoredMix> for ExtensionMix {
    fn from(stored: StoredMix) -> Self {
        Self {
            counts: Sketch::from_parts(stored.limit, stored.counts.into_iter().collect()),
        }
    }
}
