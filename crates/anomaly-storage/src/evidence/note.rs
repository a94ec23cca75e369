//! Signed notes: a text with signatures below it (C2SP signed-note).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What begins each line of a signature: an em dash and a space.
const MARK: &str = "\u{2014} ";

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// One signature below a note: whose it is by name, and the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// A text, which ends with a line break, and the signatures below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) signatures: Vec<Signature>,
}

impl Note {
    /// Reads a note; `None` when it is none.
    pub(super) fn parse(note: &str) -> Option<Self> {
        let (text, below) = note.rsplit_once("\n\n")?;
        let signatures = below.strip_suffix('\n')?.split('\n').map(|line| {
            let (name, bytes) = line.strip_prefix(MARK)?.split_once(' ')?;
            Some(Signature {
                name: name.to_owned(),
                bytes: decode(bytes)?,
            })
        });
        Some(Self {
            text: format!("{text}\n"),
            signatures: signatures.collect::<Option<_>>()?,
        })
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Signature { name, bytes } in &self.signatures {
            writeln!(f, "{MARK}{name} {}", encode(bytes))?;
        }
        Ok(())
    }
}
