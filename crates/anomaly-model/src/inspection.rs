//! What was seen by looking into the written files, and which files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::numbers::bits;
use crate::words::words;

/// What was seen by looking into the new and changed files of a job, beside the numbers of
/// [`ContentStatistics`](crate::ContentStatistics): what contradicts itself, what is called like
/// the work of an attacker, and which files those are.
///
/// What a writer did not look for is `None`, never 0. Lists, and the entropy of files, are checked
/// when the job that holds them is built.
///
/// ```
/// use anomaly_model::FileInspection;
///
/// let inspection: FileInspection = serde_json::from_str(
///     r#"{"written_files":3,"written_extensions":{"docx":2,"lockbit":1},
///         "notable_files":[{"path":"a.docx.lockbit","change":"new","reasons":["looks_random"]}]}"#,
/// )?;
/// assert_eq!(inspection.written_extensions["lockbit"], 1);
/// assert_eq!(inspection.ransom_note_files, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FileInspection {
    /// New and changed files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_files: Option<u64>,
    /// New and changed files of which bytes were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub examined_files: Option<u64>,
    /// Files and directories that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable_files: Option<u64>,
    /// Files that vanished, or changed while they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsteady_files: Option<u64>,
    /// Files whose bytes contradict the type that their name or their beginning promises.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contradicting_files: Option<u64>,
    /// Files of which some parts look random and others do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partly_random_files: Option<u64>,
    /// Files that look like random bytes written in fewer symbols, such as Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded_files: Option<u64>,
    /// Files that could be random and are too small to tell, even together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undecided_files: Option<u64>,
    /// Files with a name that ransom notes have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ransom_note_files: Option<u64>,
    /// How many new and changed files have each extension, in lower case; `""` for none. The most
    /// frequent ones, at most [`MOST_EXTENSIONS`](Self::MOST_EXTENSIONS).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub written_extensions: BTreeMap<String, u64>,
    /// How the attributes of the new and changed files are distributed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<AttributeHistograms>,
    /// The files that weigh most, the weightiest first, at most
    /// [`MOST_FILES`](Self::MOST_FILES).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notable_files: Vec<NotableFile>,
}

impl FileInspection {
    /// The most files that an inspection names.
    pub const MOST_FILES: usize = 20;
    /// The most extensions that an inspection counts.
    pub const MOST_EXTENSIONS: usize = 64;

    /// Checks what the types do not: that lists and text are no longer than they may be, and that
    /// entropy is.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
        at_most("notable_files", self.notable_files.len(), Self::MOST_FILES)?;
        at_most(
            "written_extensions",
            self.written_extensions.len(),
            Self::MOST_EXTENSIONS,
        )?;
        for extension in self.written_extensions.keys() {
            at_most("written_extensions", extension.len(), MOST_EXTENSION_BYTES)?;
        }
        for file in &self.notable_files {
            file.check()?;
        }
        match &self.attributes {
            Some(attributes) => attributes.check(),
            None => Ok(()),
        }
    }
}

/// The longest extension that is kept, in bytes.
const MOST_EXTENSION_BYTES: usize = 255;

/// How many new and changed files have an attribute in each of a fixed list of ranges.
///
/// The ranges are the writer's, and the same for all of its jobs; those of `anomaly-features` stand
/// in its documentation. An attribute that was not read has no ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AttributeHistograms {
    /// By the time since the last access.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_age: Vec<u64>,
    /// By the time since the last change of attributes or content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub change_age: Vec<u64>,
    /// By the time since the last modification of the content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modification_age: Vec<u64>,
    /// By extension.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extension: Vec<u64>,
    /// By permission bits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permission: Vec<u64>,
    /// By size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub size: Vec<u64>,
}

impl AttributeHistograms {
    /// The most ranges that an attribute has.
    pub const MOST_RANGES: usize = 64;

    /// The attributes with their names, in a fixed order.
    #[must_use]
    pub fn all(&self) -> [(&'static str, &[u64]); 6] {
        [
            ("access_age", &self.access_age),
            ("change_age", &self.change_age),
            ("modification_age", &self.modification_age),
            ("extension", &self.extension),
            ("permission", &self.permission),
            ("size", &self.size),
        ]
    }

    fn check(&self) -> Result<(), ModelError> {
        self.all()
            .into_iter()
            .try_for_each(|(name, ranges)| at_most(name, ranges.len(), Self::MOST_RANGES))
    }
}

/// A file that shows what a job did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotableFile {
    /// Where it is, as the tool writes paths; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// What it was called before, if it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
    /// What happened to it.
    pub change: FileChange,
    /// What is notable about it, the weightiest first.
    pub reasons: Vec<FileReason>,
    /// Its size now, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Entropy of its bytes now, 0 to 8 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy_bits: Option<f64>,
    /// Entropy of its bytes in the image before, 0 to 8 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy_bits_before: Option<f64>,
}

impl NotableFile {
    /// The longest path that is kept, in bytes.
    pub const MOST_PATH_BYTES: usize = 4_096;

    /// A file, and what is notable about it.
    #[must_use]
    pub fn new(path: impl Into<String>, change: FileChange, reasons: Vec<FileReason>) -> Self {
        Self {
            path: path.into(),
            previous_path: None,
            change,
            reasons,
            size_bytes: None,
            entropy_bits: None,
            entropy_bits_before: None,
        }
    }

    fn check(&self) -> Result<(), ModelError> {
        at_most("path", self.path.len(), Self::MOST_PATH_BYTES)?;
        let before = self.previous_path.as_ref().map_or(0, String::len);
        at_most("previous_path", before, Self::MOST_PATH_BYTES)?;
        at_most("reasons", self.reasons.len(), FileReason::ALL.len())?;
        let entropies = [
            ("entropy_bits", self.entropy_bits),
            ("entropy_bits_before", self.entropy_bits_before),
        ];
        for (field, found) in entropies {
            if let Some(found) = found {
                bits::check(&found.into(), field)?;
            }
        }
        Ok(())
    }
}

words! {
    /// What happened to a file since the image before.
    pub enum FileChange, "change" {
        /// It was not there.
        New = "new",
        /// Its content or attributes are others.
        Changed = "changed",
        /// It was there under another name.
        Renamed = "renamed",
        /// It is gone.
        Deleted = "deleted",
        /// It is as it was.
        Unmodified = "unmodified",
    }
}

words! {
    /// What is notable about a file.
    pub enum FileReason, "reason" {
        /// It has a name that ransom notes have.
        RansomNote = "ransom_note",
        /// Its extension is one that ransomware gives to files.
        SuspiciousExtension = "suspicious_extension",
        /// Its bytes contradict the type that its name or its beginning promises.
        ContradictsType = "contradicts_type",
        /// Its bytes look random, as ciphertext does.
        LooksRandom = "looks_random",
        /// Some of its parts look random and others do not.
        PartlyRandom = "partly_random",
        /// It looks like random bytes written in fewer symbols, such as Base64.
        Encoded = "encoded",
        /// Its entropy rose against the version before.
        EntropyRose = "entropy_rose",
        /// It changed, though its size and its time of modification are as before.
        SecretlyChanged = "secretly_changed",
        /// It was written with length 0, and had content before.
        Emptied = "emptied",
        /// Its extension was never seen here.
        UnseenExtension = "unseen_extension",
        /// It has the size of one that vanished, under another name.
        Renamed = "renamed",
    }
}

impl FileReason {
    /// The reason as people read it, behind the name of a file.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::RansomNote => "called like a ransom note",
            Self::SuspiciousExtension => "has an extension of ransomware",
            Self::ContradictsType => "is not what its name or beginning says",
            Self::LooksRandom => "looks random",
            Self::PartlyRandom => "looks random in parts",
            Self::Encoded => "looks like encoded random data",
            Self::EntropyRose => "entropy rose",
            Self::SecretlyChanged => "changed, though size and time are as before",
            Self::Emptied => "emptied",
            Self::UnseenExtension => "of a kind never seen here",
            Self::Renamed => "renamed",
        }
    }
}

fn at_most(field: &'static str, found: usize, most: usize) -> Result<(), ModelError> {
    if found <= most {
        return Ok(());
    }
    let found = format!("{found} long");
    Err(ModelError::invalid(
        field,
        &found,
        format!("at most {most} long"),
    ))
}
