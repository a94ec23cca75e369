//! The beginning of an input: is it text, and where does the text start?

use std::io::{BufRead, Chain, Cursor, Read};

use crate::SourceError;

/// A binary file has a NUL within so many bytes ...
const HEAD_BYTES: usize = 512;
/// ... or begins with so many that are not UTF-8. One bad byte further on spoils its record only.
const MAGIC_BYTES: usize = 4;
const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What is left of an input whose beginning was read.
pub(crate) type Text<R> = Chain<Cursor<Vec<u8>>, R>;

/// An input that begins with text, or is empty.
pub(crate) struct Opened<R> {
    /// All of it from the first character that is not blank, without a byte order mark.
    pub(crate) text: Text<R>,
    /// The line of that character, from 1.
    pub(crate) line: u64,
}

impl<R: BufRead> Opened<R> {
    pub(crate) fn new(mut input: R) -> Result<Self, SourceError> {
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
            text: Cursor::new(head).chain(input),
            line,
        })
    }

    /// The first bytes.
    pub(crate) fn head(&self) -> &[u8] {
        self.text.get_ref().0.get_ref()
    }

    pub(crate) fn not_empty(self) -> Result<Self, SourceError> {
        if self.head().is_empty() {
            Err(EMPTY)
        } else {
            Ok(self)
        }
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
    if head[..head.len().min(HEAD_BYTES)].contains(&0) {
        return not_text("it has NUL bytes at its beginning");
    }
    // A character that `magic` cuts in two is fine.
    if std::str::from_utf8(magic).is_err_and(|error| error.error_len().is_some()) {
        return not_text("it begins with bytes that are not UTF-8");
    }
    Ok(())
}

/// The first characters of `head`, to show what an input is.
pub(crate) fn shown(head: &[u8]) -> String {
    String::from_utf8_lossy(head).chars().take(20).collect()
}
