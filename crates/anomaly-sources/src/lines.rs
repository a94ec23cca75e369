//! Lines of text, one at a time, none longer than it may be.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use crate::input::Text;
use crate::raw_record::RawRecord;
use crate::{Input, Place, ReadOptions, SourceError};

/// The lines of an input that are not blank.
pub(crate) struct Lines<'a> {
    text: Text<'a>,
    /// The line that is read next, from 1.
    next: u64,
    max_bytes: usize,
    buffer: Vec<u8>,
    has_end: bool,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: Input<'a>, options: &ReadOptions) -> Self {
        Self {
            text: input.text,
            next: input.line,
            max_bytes: options.max_record_bytes,
            buffer: Vec::new(),
            has_end: true,
        }
    }

    /// Whether the last line had an end: without one, the input may have been cut there.
    pub(crate) fn has_end(&self) -> bool {
        self.has_end
    }

    /// The next line that is not blank, without its end; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> Result<Option<RawRecord<'_>>, SourceError> {
        let max_bytes = self.max_bytes;
        let line = self.next_bytes()?;
        Ok(line.map(|(place, bytes)| RawRecord::new(place, bytes, max_bytes)))
    }

    /// Like [`Self::next`], whatever the line is made of. More than the most bytes that a record
    /// may have are cut, but one of them.
    pub(crate) fn next_bytes(&mut self) -> Result<Option<(Place, &[u8])>, SourceError> {
        loop {
            let line = self.next;
            let unreadable = |source| SourceError::Unreadable { line, source };
            self.buffer.clear();
            // Room for the line and for CR LF; what fills it without an end is too long.
            let room = (self.max_bytes as u64).saturating_add(2);
            let mut limited = (&mut self.text).take(room);
            if limited
                .read_until(b'\n', &mut self.buffer)
                .map_err(unreadable)?
                == 0
            {
                return Ok(None);
            }
            self.next += 1;
            self.has_end = self.buffer.pop_if(|last| *last == b'\n').is_some();
            if !self.has_end && limited.limit() == 0 {
                self.text.skip_until(b'\n').map_err(unreadable)?;
            } else {
                self.buffer.pop_if(|last| *last == b'\r');
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
        }
        let place = Place::line(self.next - 1);
        Ok(Some((place, &self.buffer)))
    }
}

/// A line as text, with a replacement character for each byte that is none.
pub(crate) fn text(line: &[u8]) -> Cow<'_, str> {
    // Nearly every line is text, which this finds out faster.
    std::str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed)
}
