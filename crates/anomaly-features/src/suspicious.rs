//! Extensions that ransomware gives to files.

use std::collections::BTreeMap;

use anomaly_model::{BackupImage, BackupJob, FileInspection};

use crate::listed::entries;

const SHIPPED: &str = include_str!("data/suspicious-extensions.txt");

/// Extensions that ransomware gives to files, each with its family.
///
/// The shipped list has several hundred; its header says what is not in it, and why.
///
/// ```
/// use anomaly_features::SuspiciousExtensions;
///
/// let suspicious = SuspiciousExtensions::new(["mycrypt"], ["locked"]);
/// assert_eq!(suspicious.family_of("LockBit"), Some("LockBit"));
/// assert_eq!(suspicious.family_of(".mycrypt"), Some(SuspiciousExtensions::USER));
/// assert_eq!(suspicious.family_of("locked"), None);
/// assert_eq!(suspicious.family_of("docx"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspiciousExtensions(BTreeMap<String, &'static str>);

impl Default for SuspiciousExtensions {
    /// The shipped list.
    fn default() -> Self {
        Self::new([""; 0], [""; 0])
    }
}

impl SuspiciousExtensions {
    /// The family of extensions that the user listed.
    pub const USER: &'static str = "listed by the user";
    /// The least share of the written files that carry a listed extension, for an alarm, unless it is
    /// set higher.
    pub const LEAST_SHARE: f64 = 0.1;

    /// The shipped list with `include`, without `exclude`, which wins. Case and a leading dot do not
    /// matter.
    #[must_use]
    pub fn new<I, E>(
        include: impl IntoIterator<Item = I>,
        exclude: impl IntoIterator<Item = E>,
    ) -> Self
    where
        I: AsRef<str>,
        E: AsRef<str>,
    {
        let mut list: BTreeMap<String, &'static str> = entries(SHIPPED)
            .map(|(extension, family)| (extension.to_owned(), family))
            .collect();
        for extension in include {
            list.entry(key(extension.as_ref())).or_insert(Self::USER);
        }
        for extension in exclude {
            list.remove(&key(extension.as_ref()));
        }
        list.remove("");
        Self(list)
    }

    /// The family of an extension that is listed.
    #[must_use]
    pub fn family_of(&self, extension: &str) -> Option<&'static str> {
        self.0.get(&key(extension)).copied()
    }

    /// The extensions with their families, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.0
            .iter()
            .map(|(extension, family)| (extension.as_str(), *family))
    }

    /// What of a job's written files carries a listed extension; `None` if nobody looked into the job's
    /// files, or it wrote none.
    ///
    /// ```
    /// use anomaly_features::SuspiciousExtensions;
    /// use anomaly_model::chrono::DateTime;
    /// use anomaly_model::{BackupJob, FileInspection};
    ///
    /// let mut files = FileInspection::default();
    /// files.written_files = Some(40);
    /// files.written_extensions = [("docx".to_owned(), 35), ("lockbit".to_owned(), 5)].into();
    /// let job = BackupJob::builder("restic", "1", "mail01", "daily", DateTime::UNIX_EPOCH)
    ///     .inspection(files)
    ///     .build()?;
    /// let found = SuspiciousExtensions::default().found_in(&job).unwrap();
    /// assert_eq!(found.files, 5);
    /// assert!(found.raised(SuspiciousExtensions::LEAST_SHARE));
    /// assert!(!found.raised(0.25));
    /// # Ok::<(), anomaly_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn found_in<'a>(&self, job: &'a BackupJob) -> Option<SuspiciousFound<'a>> {
        let inspection = job.inspection()?;
        let written_files = written_files(job.image(), inspection);
        let mut extensions: Vec<_> = inspection
            .written_extensions
            .iter()
            .filter(|(_, files)| **files > 0)
            .filter_map(|(extension, files)| {
                let family = self.family_of(extension)?;
                Some((extension.as_str(), family, *files))
            })
            .collect();
        extensions.sort_by_key(|(_, _, files)| std::cmp::Reverse(*files));
        let files = sum(extensions.iter().map(|(_, _, files)| *files));
        (written_files > 0).then_some(SuspiciousFound {
            files,
            written_files,
            extensions,
        })
    }
}

/// The files of which the suspicious ones are a part: those that were seen, or that the tool says it
/// wrote.
fn written_files(image: &BackupImage, inspection: &FileInspection) -> u64 {
    let reported = || Some(image.files_new?.saturating_add(image.files_changed?));
    let listed = sum(inspection.written_extensions.values().copied());
    let written = inspection.written_files.or_else(reported);
    written.unwrap_or(0).max(listed)
}

fn sum(files: impl Iterator<Item = u64>) -> u64 {
    files.fold(0, u64::saturating_add)
}

/// The files of a job that carry a listed extension; see [`SuspiciousExtensions::found_in`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SuspiciousFound<'a> {
    /// How many.
    pub files: u64,
    /// Of how many that the job wrote; at least 1.
    pub written_files: u64,
    /// Each listed extension with its family and the number of its files, the most frequent first.
    pub extensions: Vec<(&'a str, &'static str, u64)>,
}

impl SuspiciousFound<'_> {
    /// The same without the extensions of which so many files are usual, as `is_usual` says.
    #[must_use]
    pub fn without(mut self, is_usual: impl Fn(&str, u64) -> bool) -> Self {
        self.extensions
            .retain(|&(extension, _, files)| !is_usual(extension, files));
        self.files = sum(self.extensions.iter().map(|(_, _, files)| *files));
        self
    }

    /// Their share of the written files, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.files as f64 / self.written_files as f64
    }

    /// Whether their share is at least this; less than [`SuspiciousExtensions::LEAST_SHARE`] is taken
    /// for that, as no list is free of chance, and more than 1 for 1.
    #[must_use]
    pub fn raised(&self, least_share: f64) -> bool {
        self.files > 0 && self.share() >= least_share.clamp(SuspiciousExtensions::LEAST_SHARE, 1.0)
    }
}

fn key(extension: &str) -> String {
    extension.trim_start_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use anomaly_model::chrono::DateTime;

    use super::*;

    #[test]
    fn the_shipped_list_is_sorted_in_lower_case_and_names_a_family() {
        let keys: Vec<_> = entries(SHIPPED).map(|(extension, _)| extension).collect();
        assert!(keys.is_sorted_by(|one, next| one < next));
        for (extension, family) in entries(SHIPPED) {
            assert_eq!(key(extension), extension);
            assert!(!family.is_empty() && !extension.contains(char::is_whitespace));
            // Each must be one that a name can carry.
            #[cfg(feature = "content")]
            assert_eq!(
                crate::content::extension_of(&format!("a.{extension}")),
                extension
            );
        }
        assert_eq!(
            keys.len(),
            SHIPPED
                .lines()
                .filter(|line| !line.starts_with('#'))
                .count()
        );
    }

    #[test]
    fn extensions_of_common_formats_are_not_listed() {
        let list = SuspiciousExtensions::default();
        let common = "7z aes avi bak bmp c cfg conf crypt12 csv db dll doc docx enc exe flac gif go \
            gpg gz h html ini iso jar java jpeg jpg js json key lock log md mdb mov mp3 mp4 o odt \
            ogg old pdf pgp php png ppt pptx ps1 pst py rar rb rs rtf so sql sqlite svg tar tiff \
            tmp toml ts ttf txt vbs vmdk wav webm webp xls xlsx xml xz yaml yml zip zst";
        for extension in common.split_whitespace() {
            assert_eq!(list.family_of(extension), None, "{extension}");
        }
    }

    #[test]
    fn a_tenth_of_the_files_raises_and_exclusion_wins() {
        let list = SuspiciousExtensions::new([".Mine"], ["mine", "AKIRA"]);
        assert_eq!(list.family_of("mine"), None);
        assert_eq!(list.family_of("akira"), None);
        let job = |files: &FileInspection, image: BackupImage| {
            BackupJob::builder("restic", "1", "mail01", "daily", DateTime::UNIX_EPOCH)
                .image(image)
                .inspection(files.clone())
                .build()
                .unwrap()
        };
        let none = BackupImage::default();
        let raised = |files: &FileInspection, least_share| {
            let job = job(files, none);
            list.found_in(&job).unwrap().raised(least_share)
        };
        let mut files = FileInspection::default();
        assert_eq!(list.found_in(&job(&files, none)), None);
        files.written_files = Some(100);
        files.written_extensions = [("lockbit".to_owned(), 9), ("akira".to_owned(), 50)].into();
        assert!(!raised(&files, 0.0));
        files.written_extensions.insert("lockbit".to_owned(), 10);
        assert!(raised(&files, 0.0));
        assert!(!raised(&files, 1.5));

        // Who counts suspicious files alone leaves it to the tool to say how many there were.
        files.written_files = None;
        files.written_extensions = [("lockbit".to_owned(), 9)].into();
        assert!(raised(&files, 1.0));
        let told = job(&files, none.files_new(60).files_changed(31));
        assert!(!list.found_in(&told).unwrap().raised(0.0));
    }
}
