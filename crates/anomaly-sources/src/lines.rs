//! Lines of text, one at a time, none longer than it may be.

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
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: Input<'a>, options: &ReadOptions) -> Self {
        Self {
            text: input.text,
            next: input.line,
            max_bytes: options.max_record_bytes,
            buffer: Vec::new(),
        }
    }

    /// The next line that is not blank, without its end; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> Result<Option<RawRecord<'_>>, SourceError> {
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
            let ended = self.buffer.pop_if(|last| *last == b'\n').is_some();
            if !ended && limited.limit() == 0 {
                self.text.skip_until(b'\n').map_err(unreadable)?;
            } else {
                self.buffer.pop_if(|last| *last == b'\r');
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
        }
        let place = Place::line(self.next - 1);
        Ok(Some(RawRecord::new(place, &self.buffer, self.max_bytes)))
    }
}
