//! The columns of one record of `bpdbjobs`.

use std::borrow::Cow;
use std::str::FromStr;

use crate::netbackup::column::Column;

/// The columns of a record, as they are written.
///
/// A comma separates two columns unless an odd number of backslashes stands before it: within a
/// value, `\,` is a comma and `\\` a backslash.
#[derive(Debug)]
pub(super) struct Columns<'a>(Vec<&'a str>);

impl<'a> Columns<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut columns = Vec::with_capacity(72);
        let (mut start, mut escaped) = (0, false);
        for (i, byte) in text.bytes().enumerate() {
            if byte == b',' && !escaped {
                columns.push(&text[start..i]);
                start = i + 1;
            }
            escaped = byte == b'\\' && !escaped;
        }
        columns.push(&text[start..]);
        Self(columns)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The column at `index`, from 0, as it is written; empty if there is none.
    pub(super) fn raw(&self, index: usize) -> &'a str {
        self.0.get(index).copied().unwrap_or_default()
    }

    /// The columns from `index` on.
    pub(super) fn from(&self, index: usize) -> &[&'a str] {
        self.0.get(index..).unwrap_or_default()
    }

    /// The text of a column, without blanks around it; `None` if there is nothing in it.
    pub(super) fn text(&self, column: Column) -> Option<Cow<'a, str>> {
        let raw = self.raw(column.index).trim();
        (!raw.is_empty()).then(|| unescaped(raw))
    }

    /// The number in a column; `None` if there is nothing in it.
    pub(super) fn number(&self, column: Column) -> Result<Option<u64>, String> {
        let raw = self.raw(column.index).trim();
        (!raw.is_empty()).then(|| column.number(raw)).transpose()
    }
}

/// Whether a column ends in a line.
pub(super) fn has_separator(line: &str) -> bool {
    let mut escaped = false;
    line.bytes().any(|byte| {
        let separates = byte == b',' && !escaped;
        escaped = byte == b'\\' && !escaped;
        separates
    })
}

/// A number, or nothing.
pub(super) fn number_or_nothing<T: FromStr>(raw: &str) -> Result<Option<T>, T::Err> {
    let raw = raw.trim();
    (!raw.is_empty()).then(|| raw.parse()).transpose()
}

fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(char) = chars.next() {
        let next = chars
            .peek()
            .copied()
            .filter(|next| matches!(next, ',' | '\\'));
        match next {
            Some(next) if char == '\\' => {
                text.push(next);
                chars.next();
            }
            _ => text.push(char),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::{Columns, unescaped};

    #[test]
    fn an_escaped_comma_is_part_of_a_value() {
        let columns = Columns::new(r"a,b\,c,C:\\,d\\\,e,,\\\\");
        assert_eq!(
            columns.from(0),
            ["a", r"b\,c", r"C:\\", r"d\\\,e", "", r"\\\\"]
        );
        assert_eq!(unescaped(r"d\\\,e"), r"d\,e");
        // A backslash that escapes nothing is itself.
        assert_eq!(unescaped(r"C:\Temp\x\"), r"C:\Temp\x\");
    }
}
