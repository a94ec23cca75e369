//! A text that comes in pieces, read as one.

use std::io::{self, BufRead, Read};

/// What a text comes from.
pub(crate) trait Source {
    /// Puts the next piece into `text`, which is empty; nothing at the end.
    fn next(&mut self, text: &mut Vec<u8>) -> io::Result<()>;
}

/// The pieces of a text, of which one is held at a time.
pub(crate) struct Pieces<S> {
    source: S,
    /// A piece, ...
    text: Vec<u8>,
    /// ... of which so much was read.
    read: usize,
}

impl<S> Pieces<S> {
    pub(crate) fn of(source: S) -> Self {
        Self {
            source,
            text: Vec::new(),
            read: 0,
        }
    }
}

impl<S: Source> BufRead for Pieces<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read == self.text.len() {
            self.read = 0;
            self.text.clear();
            self.source.next(&mut self.text)?;
        }
        Ok(&self.text[self.read..])
    }

    fn consume(&mut self, bytes: usize) {
        self.read = (self.read + bytes).min(self.text.len());
    }
}

impl<S: Source> Read for Pieces<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}
