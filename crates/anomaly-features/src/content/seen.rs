//! The files of a job, added up.

use std::collections::BTreeMap;
use std::sync::Arc;

use anomaly_model::{
    BackupImage, ContentStatistics, FileChange, FileInspection, FileReason, NotableFile,
};

use super::attributes::Attributes;
use super::extension::{ExtensionMix, extension_of, hash_of_lower_case};
use super::mean::Moments;
use super::nature::{Nature, Undecided};
use super::notable::{Notable, bounded, weight};
use super::note::RansomNotes;
use super::observation::{DenseBy, FileObservation};
use super::pool::Pool;
use super::renamed::SizePairs;
use super::sketch::Sketch;
use super::stored::StoredStatistics;
use crate::SuspiciousExtensions;

/// What is known before the files of a job are looked at. Shared by all threads that look.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    started_at_seconds: Option<i64>,
    extensions_before: Option<ExtensionMix>,
    suspicious: SuspiciousExtensions,
    notes: RansomNotes,
}

impl Inspection {
    /// Nothing is known: no ages of files, no extension is unseen, and the shipped list of suspicious
    /// extensions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// When the job started, in seconds since 1970: ages of files are counted from there.
    #[must_use]
    pub fn started_at_seconds(mut self, seconds: i64) -> Self {
        self.started_at_seconds = Some(seconds);
        self
    }

    /// The extensions of the image before: what [`Inspected::extensions`] was then.
    #[must_use]
    pub fn extensions_before(mut self, mix: ExtensionMix) -> Self {
        self.extensions_before = Some(mix);
        self
    }

    /// The extensions that are suspicious, instead of the shipped ones.
    #[must_use]
    pub fn suspicious(mut self, suspicious: SuspiciousExtensions) -> Self {
        self.suspicious = suspicious;
        self
    }
}

/// Names of extensions of written files that are kept while files are added.
const MOST_WRITTEN_EXTENSIONS: usize = 16_384;
/// Entropy, in bits, above which the job format calls a file's entropy high.
const HIGH_ENTROPY_BITS: f64 = 7.9;

/// The files of a job, added up one by one.
///
/// Each thread that looks has its own; [`merge`](Self::merge) brings them together. Neither the
/// order of files nor that of threads changes the result: sums are of whole numbers. Memory is
/// bounded, whatever the number of files, to some 10 MB.
///
/// ```
/// use std::sync::Arc;
///
/// use anomaly_features::content::{
///     BlockStatistics, FileObservation, FilesSeen, Inspection, Sampling,
/// };
/// use anomaly_model::{FileChange, FileReason};
///
/// let mut statistics = BlockStatistics::new(Sampling::Full, None);
/// statistics.update(b"Dear all, please find the minutes attached. Regards.");
/// let found = statistics.finish();
///
/// let mut seen = FilesSeen::new(Arc::new(Inspection::new()));
/// let mut file = FileObservation::new("a/HOW_TO_DECRYPT_FILES.txt", FileChange::New);
/// file.size_bytes = Some(found.size_bytes);
/// file.statistics = Some(&found);
/// seen.observe(&file);
///
/// let job = seen.finish();
/// assert_eq!(job.image.files_new, Some(1));
/// assert_eq!(job.image.content.unwrap().written_bytes, Some(52));
/// assert_eq!(job.files.ransom_note_files, Some(1));
/// assert_eq!(job.files.notable_files[0].reasons, [FileReason::RansomNote]);
/// ```
#[derive(Debug, Clone)]
pub struct FilesSeen {
    inspection: Arc<Inspection>,
    sums: Sums,
    /// Entropy in bits, of new and of changed files, and its change.
    entropy_new: Moments,
    entropy_changed: Moments,
    entropy_delta: Moments,
    /// Files that could be random and are too small to tell alone.
    pool: Pool,
    extensions: ExtensionMix,
    written_extensions: Sketch<(String, u64), MOST_WRITTEN_EXTENSIONS>,
    /// The same of listed extensions, all of them.
    listed_extensions: BTreeMap<String, u64>,
    attributes: Attributes,
    sizes: SizePairs,
    notable: Notable,
}

/// Defines plain counts that are added field by field. They stay at the highest number rather than
/// begin anew: sizes come from outside.
macro_rules! sums {
    ($($(#[$doc:meta])* $field:ident,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        struct Sums { $($(#[$doc])* $field: u64,)* }

        impl Sums {
            fn merge(&mut self, other: &Self) {
                $(self.$field = self.$field.saturating_add(other.$field);)*
            }
        }
    };
}

sums! {
    image_bytes,
    file_count,
    directory_count,
    files_new,
    files_changed,
    files_unmodified,
    files_deleted,
    unreadable,
    unsteady,
    examined,
    high_entropy_new,
    high_entropy_changed,
    random,
    partly_random,
    encoded,
    contradicting,
    notes,
    emptied,
    unseen_extension,
    renamed,
    written_bytes,
    deleted_bytes,
    /// Bytes of written files that were examined, in part at least.
    sampled_bytes,
    /// Of those, how many are printable.
    printable_bytes,
}

/// Adds a size that comes from outside.
fn add(sum: &mut u64, bytes: u64) {
    *sum = sum.saturating_add(bytes);
}

impl FilesSeen {
    /// No file yet.
    #[must_use]
    pub fn new(inspection: Arc<Inspection>) -> Self {
        Self {
            inspection,
            sums: Sums::default(),
            entropy_new: Moments::default(),
            entropy_changed: Moments::default(),
            entropy_delta: Moments::default(),
            pool: Pool::default(),
            extensions: ExtensionMix::default(),
            written_extensions: Sketch::default(),
            listed_extensions: BTreeMap::new(),
            attributes: Attributes::default(),
            sizes: SizePairs::default(),
            notable: Notable::default(),
        }
    }

    /// Adds a file: each new, changed, renamed, unmodified and deleted one, once.
    ///
    /// What is not known of a file is left out of the means that need it; a file of unknown size
    /// counts as one of no bytes.
    pub fn observe(&mut self, file: &FileObservation<'_>) {
        let size_bytes = file.size_bytes.unwrap_or(0);
        let size_bytes_before = file.size_bytes_before.unwrap_or(0);
        let sums = &mut self.sums;
        match file.change {
            FileChange::New => sums.files_new += 1,
            FileChange::Changed => {
                sums.files_changed += 1;
                add(&mut sums.deleted_bytes, size_bytes_before);
            }
            FileChange::Renamed => {
                sums.files_new += 1;
                sums.files_deleted += 1;
                add(&mut sums.deleted_bytes, size_bytes_before);
            }
            FileChange::Deleted => {
                sums.files_deleted += 1;
                add(&mut sums.deleted_bytes, size_bytes_before);
                self.sizes.add_vanished(file.path, size_bytes_before);
                return;
            }
            _ => sums.files_unmodified += 1,
        }
        sums.file_count += 1;
        add(&mut sums.image_bytes, size_bytes);
        if !file.path.is_empty() {
            self.extensions.add(extension_of(file.path));
        }
        if file.is_written() {
            self.observe_written(file, size_bytes);
        }
    }

    fn observe_written(&mut self, file: &FileObservation<'_>, size_bytes: u64) {
        add(&mut self.sums.written_bytes, size_bytes);
        self.sums.emptied += u64::from(file.size_bytes == Some(0));
        self.attributes
            .add(file, self.inspection.started_at_seconds);
        self.observe_content(file, size_bytes);

        let mut reasons = file.reasons_of_content();
        let extension = extension_of(file.path);
        let family = self.count_extension(extension);
        if family.is_some() {
            reasons.push(FileReason::SuspiciousExtension);
        }
        let is_new = file.change != FileChange::Changed;
        let before = &self.inspection.extensions_before;
        if is_new
            && before
                .as_ref()
                .is_some_and(|before| !before.has_seen(extension))
        {
            self.sums.unseen_extension += 1;
            reasons.push(FileReason::UnseenExtension);
        }
        let is_note = self.inspection.notes.family_of(file.path).is_some();
        if is_note {
            self.sums.notes += 1;
            reasons.push(FileReason::RansomNote);
        }
        if is_new {
            let kept_its_size = file.size_bytes == file.size_bytes_before;
            if file.previous_path.is_none() && file.change == FileChange::New {
                self.sizes.add_new(file.path, size_bytes);
            } else if kept_its_size && file.size_bytes.is_some() {
                self.sums.renamed += 1;
                reasons.push(FileReason::Renamed);
            }
        }
        if !reasons.is_empty() {
            self.note(file, reasons, is_note);
        }
    }

    fn observe_content(&mut self, file: &FileObservation<'_>, size_bytes: u64) {
        let Some(found) = file.statistics else {
            return;
        };
        let sums = &mut self.sums;
        sums.random += u64::from(file.is_random());
        sums.partly_random += u64::from(found.nature == Nature::PartlyRandom);
        let is_encoded = matches!(found.nature, Nature::Encoded(_))
            || found.encoded_block_share.is_some_and(|share| share >= 0.5);
        sums.encoded += u64::from(is_encoded);
        sums.contradicting += u64::from(file.contradicts_type());
        if found.nature == Nature::Undecided(Undecided::TooFewBytes) {
            self.pool.add(found.examined_bytes, found.squares);
        }
        if found.examined_bytes == 0 {
            return;
        }
        sums.examined += 1;
        add(&mut sums.sampled_bytes, size_bytes);
        let printable = u128::from(found.printable_bytes) * u128::from(size_bytes);
        let printable = printable / u128::from(found.examined_bytes);
        add(
            &mut sums.printable_bytes,
            u64::try_from(printable).unwrap_or(u64::MAX),
        );
        let is_high = u64::from(found.entropy_bits > HIGH_ENTROPY_BITS);
        if file.change == FileChange::Changed {
            self.entropy_changed.add(found.entropy_bits);
            sums.high_entropy_changed += is_high;
            if let Some(delta) = file.entropy_delta_bits() {
                self.entropy_delta.add(delta);
            }
        } else {
            self.entropy_new.add(found.entropy_bits);
            sums.high_entropy_new += is_high;
        }
    }

    /// Counts the extension of a written file; its family if it is listed.
    fn count_extension(&mut self, extension: &str) -> Option<&'static str> {
        let family = self.inspection.suspicious.family_of(extension);
        let lower = || extension.to_lowercase();
        if family.is_some() {
            *self.listed_extensions.entry(lower()).or_insert(0) += 1;
        } else if let Some((_, files)) = self
            .written_extensions
            .entry(hash_of_lower_case(extension), || (lower(), 0))
        {
            *files += 1;
        }
        family
    }

    /// Keeps a file that is notable, if it weighs enough.
    fn note(&mut self, file: &FileObservation<'_>, mut reasons: Vec<FileReason>, is_note: bool) {
        reasons.sort_by_key(|reason| std::cmp::Reverse(weight(*reason)));
        let by_reasons: u32 = reasons.iter().map(|reason| weight(*reason)).sum();
        // Nothing else explains it.
        let weight = by_reasons + u32::from(file.dense_by() == Some(DenseBy::Encryption));
        let size_bytes = file.size_bytes.unwrap_or(0);
        self.notable
            .add(weight, size_bytes, file.path, is_note, || {
                let mut notable = NotableFile::new(bounded(file.path), file.change, reasons);
                notable.previous_path = file.previous_path.map(bounded);
                notable.size_bytes = file.size_bytes;
                let examined = file.statistics.filter(|found| found.examined_bytes > 0);
                notable.entropy_bits = examined.map(|found| found.entropy_bits);
                let before = file.before.filter(|before| before.is_known());
                notable.entropy_bits_before = before.map(StoredStatistics::entropy_bits);
                notable
            });
    }

    /// Adds a directory of the image.
    pub fn observe_directory(&mut self) {
        self.sums.directory_count += 1;
    }

    /// Adds a file or directory that could not be read.
    pub fn observe_unreadable(&mut self) {
        self.sums.unreadable += 1;
    }

    /// Adds a file that vanished, or changed while it was read.
    pub fn observe_unsteady(&mut self) {
        self.sums.unsteady += 1;
    }

    /// Adds what another thread saw.
    pub fn merge(&mut self, other: Self) {
        self.sums.merge(&other.sums);
        self.entropy_new.merge(&other.entropy_new);
        self.entropy_changed.merge(&other.entropy_changed);
        self.entropy_delta.merge(&other.entropy_delta);
        self.pool.merge(&other.pool);
        self.extensions.merge(other.extensions);
        self.written_extensions
            .merge(other.written_extensions, |mine, other| mine.1 += other.1);
        for (extension, files) in other.listed_extensions {
            *self.listed_extensions.entry(extension).or_insert(0) += files;
        }
        self.attributes.merge(&other.attributes);
        self.sizes.merge(other.sizes);
        self.notable.merge(other.notable);
    }

    /// What the job wrote.
    #[must_use]
    pub fn finish(mut self) -> Inspected {
        self.note_renamed();
        let content = self.content();
        let sums = self.sums;
        let image = BackupImage::default()
            .image_bytes(sums.image_bytes)
            .file_count(sums.file_count)
            .files_new(sums.files_new)
            .files_changed(sums.files_changed)
            .files_unmodified(sums.files_unmodified)
            .files_deleted(sums.files_deleted)
            .directory_count(sums.directory_count)
            .content(content);

        let mut files = FileInspection::default();
        files.written_files = Some(sums.files_new + sums.files_changed);
        files.examined_files = Some(sums.examined);
        files.unreadable_files = Some(sums.unreadable);
        files.unsteady_files = Some(sums.unsteady);
        files.contradicting_files = Some(sums.contradicting);
        files.partly_random_files = Some(sums.partly_random);
        files.encoded_files = Some(sums.encoded);
        files.undecided_files = Some(self.pool.undecided_files());
        files.ransom_note_files = Some(sums.notes);
        files.written_extensions = most_frequent(&self.written_extensions, self.listed_extensions);
        files.attributes = Some(self.attributes.histograms());
        files.notable_files = self.notable.into_files();

        let extensions = match &self.inspection.extensions_before {
            Some(before) => self.extensions.remembering(before),
            None => self.extensions,
        };
        Inspected {
            image,
            files,
            extensions,
        }
    }

    fn content(&self) -> ContentStatistics {
        let sums = &self.sums;
        let mut entropy = self.entropy_new;
        entropy.merge(&self.entropy_changed);
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let before = self.inspection.extensions_before.as_ref();
        let unseen = before.map(|_| sums.unseen_extension);
        ContentStatistics::default()
            .mean_entropy_bits(entropy.mean())
            .mean_entropy_bits_new(self.entropy_new.mean())
            .mean_entropy_bits_changed(self.entropy_changed.mean())
            .entropy_delta_bits_changed(self.entropy_delta.mean())
            .entropy_sd_bits(entropy.deviation())
            .printable_share(share(sums.printable_bytes, sums.sampled_bytes))
            .random_files(sums.random + self.pool.random_files())
            .high_entropy_share_new(share(sums.high_entropy_new, self.entropy_new.count()))
            .high_entropy_share_changed(share(
                sums.high_entropy_changed,
                self.entropy_changed.count(),
            ))
            .unseen_extension_files(unseen)
            .unseen_extension_share_new(unseen.and_then(|unseen| share(unseen, sums.files_new)))
            .extension_count(self.extensions.extension_count())
            .extension_shift(before.and_then(|before| before.shift(&self.extensions)))
            .renamed_files(sums.renamed + self.sizes.count())
            .emptied_files(sums.emptied)
            .written_bytes(sums.written_bytes)
            .deleted_bytes(sums.deleted_bytes)
    }

    /// Names some of the files that have the size of a vanished one.
    fn note_renamed(&mut self) {
        for pair in self.sizes.pairs() {
            let previous_path = pair.vanished.map(bounded);
            if let Some(file) = self.notable.get_mut(pair.new) {
                file.reasons.push(FileReason::Renamed);
                file.previous_path = previous_path;
                continue;
            }
            let weight = weight(FileReason::Renamed);
            self.notable
                .add(weight, pair.size_bytes, pair.new, false, || {
                    let reasons = vec![FileReason::Renamed];
                    let mut file =
                        NotableFile::new(bounded(pair.new), FileChange::Renamed, reasons);
                    file.previous_path = previous_path;
                    file.size_bytes = Some(pair.size_bytes);
                    file
                });
        }
    }
}

/// The most frequent extensions, and before them the listed ones, as many as a job may have.
fn most_frequent(
    written: &Sketch<(String, u64), MOST_WRITTEN_EXTENSIONS>,
    listed: BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let most = FileInspection::MOST_EXTENSIONS;
    let by_frequency = |files: Vec<(String, u64)>, most: usize| {
        let mut files = files;
        files.sort_by(|(name, files), (other, others)| others.cmp(files).then(name.cmp(other)));
        files.truncate(most);
        files
    };
    let listed = by_frequency(listed.into_iter().collect(), most);
    let others = written.iter().map(|(_, entry)| entry.clone()).collect();
    let others = by_frequency(others, most - listed.len());
    listed.into_iter().chain(others).collect()
}

/// What a job wrote.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Inspected {
    /// The counts of files, the size of the image, and the statistics of the written content.
    /// What a walk cannot know, such as the bytes transferred, is `None`.
    pub image: BackupImage,
    /// What was seen beside numbers, and the files that weigh most.
    pub files: FileInspection,
    /// The extensions of this image, and all that were seen before: to be kept for the next job.
    pub extensions: ExtensionMix,
}
