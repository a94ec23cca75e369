//! NetBackup's REST interface, read a page at a time.

mod address;
mod page;
mod request;

use std::io::{self, BufRead, Read};

use crate::{RemoteError, RemoteOptions};

use page::{Next, Page};
use request::Requests;

pub(crate) use address::NetBackupAddress;

/// The pages of a list, one after another.
pub(crate) struct NetBackup {
    requests: Requests,
    /// The page that is read, ...
    text: Vec<u8>,
    /// ... of which so much was.
    read: usize,
    /// Where the page after it begins; `None` after the last one.
    next: Option<Next>,
}

impl NetBackup {
    /// Asks for the first page.
    pub(crate) fn open(
        address: &NetBackupAddress,
        options: &RemoteOptions,
    ) -> Result<Self, RemoteError> {
        let mut pages = Self {
            requests: Requests::new(address, options)?,
            text: Vec::new(),
            read: 0,
            next: None,
        };
        pages.turn_to(&Next::First)?;
        Ok(pages)
    }

    fn turn_to(&mut self, place: &Next) -> Result<(), RemoteError> {
        let Page { text, next } = self.requests.page(place)?;
        // A list that leads back to where it was would never end.
        if next.as_ref() == Some(place) {
            return Err(RemoteError::NotAPage {
                reason: "the next page is the same again".to_owned(),
            });
        }
        (self.text, self.read, self.next) = (text, 0, next);
        self.text.push(b'\n');
        Ok(())
    }
}

impl BufRead for NetBackup {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read == self.text.len()
            && let Some(next) = self.next.take()
        {
            self.turn_to(&next).map_err(io::Error::other)?;
        }
        Ok(&self.text[self.read..])
    }

    fn consume(&mut self, bytes: usize) {
        self.read = (self.read + bytes).min(self.text.len());
    }
}

impl Read for NetBackup {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}
