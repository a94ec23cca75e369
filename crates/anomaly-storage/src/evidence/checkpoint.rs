//! What is kept elsewhere to prove later that the log is still the same.

use std::str::FromStr;

use super::note::{Note, Signature, decode, encode};
use super::{LogHead, SigningKey, VerifyingKey};

/// Why a checkpoint proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The text is no checkpoint.
    #[error("this is no checkpoint of a log")]
    Malformed,
    /// No signature below it is of the key.
    #[error(
        "the checkpoint is not signed by {name}: it is of another log, was changed, or the key is another one"
    )]
    NotSigned {
        /// The name of the key.
        name: String,
    },
}

/// The head of the log at some time, signed: a signed note of origin, size and root (C2SP
/// tlog-checkpoint).
///
/// Kept where whoever changes the database cannot change it, it proves what the log was:
/// everything recorded before it, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    head: LogHead,
    note: Note,
}

impl Checkpoint {
    /// Signs a head. The origin is the name of the key.
    #[must_use]
    pub fn sign(head: LogHead, key: &SigningKey) -> Self {
        let text = format!("{}\n{}\n{}\n", key.name(), head.size, encode(&head.root));
        let signature = Signature {
            name: key.name().to_owned(),
            bytes: key.sign(&text),
        };
        let note = Note {
            text,
            signatures: vec![signature],
        };
        Self { head, note }
    }

    /// Reads every checkpoint of a file that others were added to, in the file's order.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] when there is none, or something else between them.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, CheckpointError> {
        // A note ends with the last of its signatures: what follows begins the next one.
        let mut all = Vec::new();
        let (mut note, mut is_signed) = (String::new(), false);
        for line in text.split_inclusive('\n') {
            let is_signature = line.starts_with('\u{2014}');
            if is_signed && !is_signature {
                all.push(note.parse()?);
                note.clear();
            }
            is_signed = is_signature;
            if !(note.is_empty() && line == "\n") {
                note += line;
            }
        }
        if !note.is_empty() {
            all.push(note.parse()?);
        }
        if all.is_empty() {
            return Err(CheckpointError::Malformed);
        }
        Ok(all)
    }

    /// What the log was, if `key` has signed that.
    ///
    /// # Errors
    /// [`CheckpointError::NotSigned`] when it has not.
    pub fn verified_by(&self, key: &VerifyingKey) -> Result<LogHead, CheckpointError> {
        let text = &self.note.text;
        let mut signatures = self.note.signatures.iter();
        let is_signed = signatures.any(|one| key.has_signed(text, &one.name, &one.bytes));
        let of_this_log = text.lines().next() == Some(key.name());
        if is_signed && of_this_log {
            Ok(self.head)
        } else {
            let name = key.name().to_owned();
            Err(CheckpointError::NotSigned { name })
        }
    }
}

/// Its text, which ends with a line break.
impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.note.fmt(f)
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let read = || {
            let note = Note::parse(text)?;
            let mut lines = note.text.lines();
            let _origin = lines.next().filter(|origin| !origin.is_empty())?;
            let size = lines.next()?;
            let root = decode(lines.next()?)?.try_into().ok()?;
            // Written as it is read, or two texts would say the same.
            let size = size
                .parse()
                .ok()
                .filter(|number: &u64| number.to_string() == size)?;
            let head = LogHead { size, root };
            Some(Self { head, note })
        };
        read().ok_or(CheckpointError::Malformed)
    }
}
