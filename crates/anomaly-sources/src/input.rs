//! The beginning of an input: is it text, and where does the text start?

use std::fmt;
use std::io::{BufRead, Cursor, Read};

use crate::SourceError;

/// A binary file has a NUL within so many bytes ...
const HEAD_BYTES: usize = 512;
/// ... or begins with so many that are not UTF-8. One bad byte further on spoils its record only.
const MAGIC_BYTES: usize = 4;
const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";
/// How files begin that a log rotation or an archive left compressed.
const COMPRESSED: [(&[u8], &str); 4] = [
    (
        b"\x1F\x8B",
        "it is compressed with gzip; read it through `zcat`",
    ),
    (
        b"\x28\xB5\x2F\xFD",
        "it is compressed with zstd; read it through `zstdcat`",
    ),
    (
        b"\xFD7zXZ\0",
        "it is compressed with xz; read it through `xzcat`",
    ),
    (b"PK\x03\x04", "it is a ZIP archive; unpack it"),
];

/// The text of an input.
pub(crate) type Text<'a> = Box<dyn BufRead + 'a>;

/// An input that begins with text, or is empty: what a [`Source`](crate::Source) opens.
pub struct Input<'a> {
    /// All of it from the first character that is not blank, without a byte order mark.
    pub(crate) text: Text<'a>,
    /// The line of that character, from 1.
    pub(crate) line: u64,
    /// The first bytes of it.
    pub(crate) head: Vec<u8>,
}

impl<'a> Input<'a> {
    /// Looks at the beginning of an input.
    ///
    /// # Errors
    /// [`SourceError`] when it is not text, or cannot be read.
    pub fn new(mut input: impl BufRead + 'a) -> Result<Self, SourceError> {
        let mut line = 1;
        let mut head = Vec::with_capacity(HEAD_BYTES);
        for byte in input.by_ref().bytes() {
            match byte.map_err(|source| SourceError::Unreadable { line, source })? {
                b'\n' if head.is_empty() => line += 1,
                byte if head.is_empty() && byte.is_ascii_whitespace() => {}
                byte => head.push(byte),
            }
            if head == UTF_8_MARK {
                head.clear();
            }
            if head.len() == HEAD_BYTES {
                break;
            }
        }
        check_text(&head)?;
        Ok(Self {
            text: Box::new(Cursor::new(head.clone()).chain(input)),
            line,
            head,
        })
    }

    /// Whether none of `bytes` is in the input, which is short enough that this is known.
    pub(crate) fn surely_lacks(&self, bytes: &[u8]) -> bool {
        self.head.len() < HEAD_BYTES && !self.head.iter().any(|byte| bytes.contains(byte))
    }

    /// Refuses an input whose lines end in carriage returns alone: all of it would be one line.
    pub(crate) fn with_line_feeds(self) -> Result<Self, SourceError> {
        check_line_feeds(&self.head).map(|()| self)
    }

    /// Refuses an input without text.
    pub(crate) fn not_empty(self) -> Result<Self, SourceError> {
        if self.head.is_empty() {
            Err(EMPTY)
        } else {
            Ok(self)
        }
    }
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (f.debug_struct("Input").field("line", &self.line)).finish_non_exhaustive()
    }
}

pub(crate) const EMPTY: SourceError = SourceError::Empty {
    reason: "the input is empty",
};

/// `head` from its first character that is not blank, without a byte order mark.
pub(crate) fn trim_start(head: &[u8]) -> &[u8] {
    let head = head.trim_ascii_start();
    head.strip_prefix(UTF_8_MARK)
        .unwrap_or(head)
        .trim_ascii_start()
}

/// Refuses an input that begins with `head` if it is not text.
pub(crate) fn check_text(head: &[u8]) -> Result<(), SourceError> {
    let not_text = |reason| Err(SourceError::NotText { reason });
    let magic = &head[..head.len().min(MAGIC_BYTES)];
    // What Windows PowerShell writes when the output of a command is redirected.
    if magic.starts_with(b"\xFF\xFE") || magic.starts_with(b"\xFE\xFF") {
        return not_text("it is UTF-16; convert it to UTF-8");
    }
    if let Some((_, reason)) = COMPRESSED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return not_text(reason);
    }
    if head[..head.len().min(HEAD_BYTES)].contains(&0) {
        return not_text("it has NUL bytes at its beginning");
    }
    // A character that `magic` cuts in two is fine.
    if std::str::from_utf8(magic).is_err_and(|error| error.error_len().is_some()) {
        return not_text("it begins with bytes that are not UTF-8");
    }
    Ok(())
}

/// Refuses an input that begins with `head` if its lines end in carriage returns alone.
pub(crate) fn check_line_feeds(head: &[u8]) -> Result<(), SourceError> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let is_return = |pair: &[u8]| pair[0] == b'\r' && pair[1] != b'\n';
    if head.windows(2).any(is_return) && !head.contains(&b'\n') {
        let reason = "its lines end in carriage returns alone; convert them to line feeds";
        return Err(SourceError::NotText { reason });
    }
    Ok(())
}

/// The first characters of `head`, to show what an input is.
pub(crate) fn shown(head: &[u8]) -> String {
    String::from_utf8_lossy(head).chars().take(20).collect()
}
