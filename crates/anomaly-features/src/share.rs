//! How much of the data each kind of attack could have hit.

use anomaly_model::{BackupImage, BackupJob};

use crate::{Previous, Unit, feature};

macro_rules! shares {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $label:literal;)*) => {
        /// A part of the data, 0 to 1, that a job changed in one particular way.
        ///
        /// Each is an upper bound: at most so much was hit, if this job was that attack.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Share { $($(#[$doc])* $variant,)* }

        impl Share {
            /// Every share, in a fixed order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The name in findings and stored tables.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// How people call it.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }
        }
    };
}

shares! {
    /// Data sent beyond the image's growth, of the image: `(transferred - grown) / image`.
    /// An import grows the image, encryption does not.
    Rewritten = "rewritten_share", "data rewritten";
    /// Files changed, or replaced under another name, of all files.
    Touched = "touched_share", "files changed or replaced";
    /// The smaller of [`Rewritten`](Self::Rewritten) and [`Touched`](Self::Touched): a job that only
    /// touches files rewrites no data, and one that moves data touches no files.
    Overwritten = "overwritten_share", "data overwritten";
    /// What was overwritten and does not compress as this stream's data do: ciphertext does not.
    OverwrittenDense = "overwritten_dense_share", "data overwritten by incompressible data";
    /// Files replaced under another name, of all files.
    Replaced = "replaced_share", "files replaced";
    /// Growth of the image, of the image.
    Grown = "grown_share", "growth";
    /// Growth that more files do not explain and that does not compress: an archive.
    GrownDense = "grown_dense_share", "growth by few incompressible files";
    /// Growth that more files do not explain, in a job that wrote a random-looking file.
    GrownRandom = "grown_random_share", "growth by few random-looking files";
    /// Growth that needed no transfer: copies of what is there.
    Duplicated = "duplicated_share", "data added without transfer";
    /// Data gone, of the image before.
    LostBytes = "lost_bytes_share", "data lost";
    /// The smaller of data gone and files gone: one large file or many small ones are no deletion.
    Lost = "lost_share", "data and files lost";
    /// Changed or new files whose bytes look random, of all files.
    Random = "random_share", "random-looking files";
    /// Rise in entropy of the changed files, of the largest possible, times their share.
    EntropyRise = "entropy_rise_share", "rise in entropy";
    /// Fall in entropy of the changed files, of the largest possible, times their share.
    EntropyFall = "entropy_fall_share", "fall in entropy";
    /// New files of kinds that the client never had, of all files.
    UnseenKinds = "unseen_kinds_share", "files of kinds never seen here";
}

/// How people call the feature or share of this name, and what its number counts.
///
/// ```
/// use anomaly_features::{Unit, label};
/// assert_eq!(label("overwritten_share"), Some(("data overwritten", Unit::Share)));
/// assert_eq!(label("image_bytes"), Some(("image size", Unit::Bytes)));
/// ```
#[must_use]
pub fn label(name: &str) -> Option<(&'static str, Unit)> {
    let share = || Share::ALL.iter().find(|share| share.name() == name);
    let told = || TOLD.iter().find(|(told, ..)| *told == name);
    feature(name)
        .map(|feature| (feature.label, feature.unit))
        .or_else(|| share().map(|share| (share.label(), Unit::Share)))
        .or_else(|| told().map(|&(_, label, unit)| (label, unit)))
}

/// What rules tell of beside features and shares.
const TOLD: &[(&str, &str, Unit)] = &[
    (
        "attribute_divergence_bits",
        "difference of files' attributes",
        Unit::Bits,
    ),
    (
        "suspicious_extension_files",
        "files with extensions of ransomware",
        Unit::Files,
    ),
    (
        "ransom_note_files",
        "files called like ransom notes",
        Unit::Files,
    ),
];

/// Transfers below this say nothing about how data compress.
const SMALL_TRANSFER_BYTES: u64 = 65_536;
/// Data that usually keep more than this part when compressed tell nothing by not compressing.
const INCOMPRESSIBLE: f64 = 0.97;
/// Entropy, in bits per byte, below which a rise or fall counts in full.
const LEAST_ROOM_BITS: f64 = 0.5;
/// The largest entropy of a byte.
const MOST_BITS: f64 = 8.0;

/// What is usual in a stream, as far as its jobs have shown it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Usual {
    /// The part of the new data that is left when it is stored, see [`compression`]; without it the
    /// shares that go by it are missing.
    pub compression: Option<f64>,
    /// The largest image, in bytes and files, of a stream whose images hold everything at times and
    /// changes only at others: what is there, of which the shares are parts. What is lost is not
    /// known in such a stream.
    pub whole: Option<(u64, u64)>,
}

impl Usual {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(compression: Option<f64>, whole: Option<(u64, u64)>) -> Self {
        Self { compression, whole }
    }
}

/// The shares of one job; those that take what the tool did not report are missing, never 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffectedShares([Option<f64>; Share::COUNT]);

impl AffectedShares {
    /// The shares of `job` against the stream's image before it.
    ///
    /// For a job without an image before it, or whose image is known to hold changes only, nothing
    /// is known.
    #[must_use]
    pub fn of(job: &BackupJob, previous: Option<&Previous>, usual: &Usual) -> Self {
        Self::of_visible(job, previous, usual, |_| false)
    }

    /// The same, as if the fields that are left out had not been reported. Fields are named as in the
    /// job format; a share's own name leaves that share out.
    ///
    /// Parts of the files stay parts of all files when `file_count` is left out: it is then not asked
    /// how many there were before.
    #[must_use]
    pub fn of_visible(
        job: &BackupJob,
        previous: Option<&Previous>,
        usual: &Usual,
        left_out: impl Fn(&str) -> bool,
    ) -> Self {
        let mut shares = Self([None; Share::COUNT]);
        let Some(previous) = previous.filter(|_| !job.schedule().holds_changes_only()) else {
            return shares;
        };
        let image = visible(job.image(), &left_out);
        let mut previous = *previous;
        if left_out("file_count") {
            previous.file_count = None;
        }
        shares.set_sizes(&image, &previous, usual);
        shares.set_content(&image, usual);
        // Where no file changed its entropy is known not to have changed, unless nobody is to look.
        let no_entropy = left_out("entropy_delta_bits_changed");
        for (value, &share) in shares.0.iter_mut().zip(Share::ALL) {
            let of_entropy = matches!(share, Share::EntropyRise | Share::EntropyFall);
            if left_out(share.name()) || of_entropy && no_entropy {
                *value = None;
            }
        }
        shares
    }

    /// A share, if what it takes was reported.
    #[must_use]
    pub fn get(&self, share: Share) -> Option<f64> {
        self.0[share as usize]
    }

    /// Whether no share is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    fn set(&mut self, share: Share, value: Option<f64>) {
        self.0[share as usize] = value.map(|value| value.clamp(0.0, 1.0));
    }

    /// The smaller of two shares; missing if one is.
    fn both(&self, one: Share, other: Share) -> Option<f64> {
        Some(self.get(one)?.min(self.get(other)?))
    }

    fn set_sizes(&mut self, image: &BackupImage, previous: &Previous, usual: &Usual) {
        let (whole_bytes, whole_files) = usual.whole.unwrap_or_default();
        let files = files_of(image, usual);
        if let (Some(replaced), Some(changed), Some(files)) = (
            files_replaced(image, previous, usual),
            image.files_changed,
            files,
        ) {
            self.set(Share::Replaced, Some(replaced as f64 / files));
            self.set(
                Share::Touched,
                Some((replaced as f64 + changed as f64) / files),
            );
        }
        let (Some(bytes), Some(before)) = (image.image_bytes, previous.image_bytes) else {
            return;
        };
        let (bytes, before) = (bytes as f64, before as f64);
        let size = bytes.max(whole_bytes as f64).max(1.0);
        let grown_bytes = (bytes - before).max(0.0);
        let grown = grown_bytes / size;
        self.set(Share::Grown, Some(grown));
        // What an image of changes lacks is not lost.
        let lost = (before - bytes).max(0.0) / before.max(1.0);
        self.set(Share::LostBytes, usual.whole.is_none().then_some(lost));
        let change_of_files = image
            .file_count
            .zip(previous.file_count)
            .map(|(now, before)| {
                let (now, before, whole) = (now as f64, before as f64, whole_files as f64);
                (
                    (now - before).max(0.0) / now.max(whole).max(1.0),
                    (before - now).max(0.0) / before.max(1.0),
                )
            });
        let lost_bytes = self.get(Share::LostBytes);
        self.set(
            Share::Lost,
            lost_bytes
                .zip(change_of_files)
                .map(|(bytes, (_, files))| bytes.min(files)),
        );
        // Growth of the data beyond that of the number of files.
        let by_few_files = change_of_files.map(|(grown_files, _)| (grown - grown_files).max(0.0));
        let random = image.content.and_then(|content| content.random_files);
        self.set(
            Share::GrownRandom,
            by_few_files
                .zip(random)
                .map(|(grown, random)| if random > 0 { grown } else { 0.0 }),
        );
        let Some(transferred) = transferred(image) else {
            return;
        };
        let rewritten = rewritten(transferred, grown_bytes, size, before);
        self.set(Share::Rewritten, Some(rewritten));
        self.set(Share::Duplicated, Some((grown_bytes - transferred) / size));
        self.set(
            Share::Overwritten,
            self.both(Share::Rewritten, Share::Touched),
        );
        let dense = dense_bytes(image, usual.compression).map(|dense| (dense / size).min(1.0));
        self.set(
            Share::OverwrittenDense,
            self.get(Share::Overwritten)
                .zip(dense)
                .map(|(part, dense)| part.min(dense)),
        );
        self.set(
            Share::GrownDense,
            by_few_files
                .zip(dense)
                .map(|(grown, dense)| grown.min(dense)),
        );
    }

    fn set_content(&mut self, image: &BackupImage, usual: &Usual) {
        let (Some(content), Some(files)) = (image.content.as_ref(), files_of(image, usual)) else {
            return;
        };
        let of_files = |count: Option<u64>| count.map(|count| (count as f64 / files).min(1.0));
        let touched = self.get(Share::Touched).unwrap_or(1.0);
        self.set(
            Share::Random,
            of_files(content.random_files).map(|random| random.min(touched)),
        );
        self.set(Share::UnseenKinds, of_files(content.unseen_extension_files));
        let Some(changed) = of_files(image.files_changed) else {
            return;
        };
        // Where no file changed, none changed its entropy.
        let (rise, fall) = match (
            content.entropy_delta_bits_changed,
            content.mean_entropy_bits_changed,
        ) {
            (Some(delta), Some(now)) => {
                let before = now - delta;
                (
                    delta.max(0.0) / (MOST_BITS - before).max(LEAST_ROOM_BITS),
                    (-delta).max(0.0) / before.max(LEAST_ROOM_BITS),
                )
            }
            _ if changed > 0.0 => return,
            _ => (0.0, 0.0),
        };
        self.set(Share::EntropyRise, Some(changed * rise));
        self.set(Share::EntropyFall, Some(changed * fall));
    }
}

/// The part of a job's new data that was left when it was stored: `stored / transferred`.
///
/// `None` if the tool does not report both, or sent too little to tell.
#[must_use]
pub fn compression(job: &BackupJob) -> Option<f64> {
    let transferred = job.image().transferred_bytes?;
    let stored = job.image().stored_bytes?;
    (transferred >= SMALL_TRANSFER_BYTES).then(|| stored as f64 / transferred as f64)
}

/// What of the image may be looked at.
fn visible(image: &BackupImage, left_out: impl Fn(&str) -> bool) -> BackupImage {
    fn hide<T>(value: &mut Option<T>, is_left_out: bool) {
        if is_left_out {
            *value = None;
        }
    }
    let mut image = *image;
    hide(&mut image.image_bytes, left_out("image_bytes"));
    hide(&mut image.transferred_bytes, left_out("transferred_bytes"));
    hide(&mut image.stored_bytes, left_out("stored_bytes"));
    hide(&mut image.dedup_ratio, left_out("dedup_ratio"));
    hide(&mut image.files_new, left_out("files_new"));
    hide(&mut image.files_changed, left_out("files_changed"));
    hide(&mut image.files_deleted, left_out("files_deleted"));
    if let Some(content) = &mut image.content {
        hide(&mut content.random_files, left_out("random_files"));
        hide(
            &mut content.unseen_extension_files,
            left_out("unseen_extension_files"),
        );
        hide(
            &mut content.entropy_delta_bits_changed,
            left_out("entropy_delta_bits_changed"),
        );
    }
    image
}

/// What was sent beyond the growth of an image, as a part of it; below 0 where less was sent. Half of
/// the image before bounds the divisor: what little is left after a deletion does not look rewritten.
pub(crate) fn rewritten(transferred: f64, grown: f64, image: f64, before: f64) -> f64 {
    (transferred - grown) / image.max(before / 2.0)
}

/// What was sent: as reported, or as the deduplication ratio tells.
pub(crate) fn transferred(image: &BackupImage) -> Option<f64> {
    let derived = || Some(image.image_bytes? as f64 * (1.0 - image.dedup_ratio?));
    image
        .transferred_bytes
        .map(|bytes| bytes as f64)
        .or_else(derived)
}

/// The files that were replaced under another name: as many as are new where as many are gone.
///
/// Few tools say how many are gone; the number of files before and after does. Not where an image holds
/// changes only at times, nor where every file is new: then the tool has compared with nothing.
fn files_replaced(image: &BackupImage, previous: &Previous, usual: &Usual) -> Option<u64> {
    let new = image.files_new?;
    let gone = || {
        let now = image.file_count?;
        let is_known = usual.whole.is_none() && new < now;
        let at_most = previous
            .file_count
            .filter(|_| is_known)?
            .saturating_add(new);
        Some(at_most.saturating_sub(now))
    };
    Some(new.min(image.files_deleted.or_else(gone)?))
}

/// How much of what was stored must be data that do not compress at all, if the rest compresses as
/// usual: from `stored = usual * (transferred - dense) + dense`.
fn dense_bytes(image: &BackupImage, usual: Option<f64>) -> Option<f64> {
    let usual = usual.filter(|usual| *usual < INCOMPRESSIBLE)?;
    let (stored, transferred) = (image.stored_bytes? as f64, image.transferred_bytes? as f64);
    Some((stored - usual * transferred).max(0.0) / (1.0 - usual))
}

/// The files of which shares are parts.
fn files_of(image: &BackupImage, usual: &Usual) -> Option<f64> {
    let whole = usual.whole.map_or(0, |(_, files)| files);
    image.file_count.map(|files| at_least_one(files.max(whole)))
}

fn at_least_one(count: u64) -> f64 {
    count.max(1) as f64
}
