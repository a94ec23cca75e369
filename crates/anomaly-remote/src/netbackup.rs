//! NetBackup's REST interface, read a page at a time.

mod address;
mod page;
mod request;

use std::io;

use crate::pieces::Source;
use crate::{RemoteError, RemoteOptions};

use page::{Next, Page};
use request::Requests;

pub(crate) use address::NetBackupAddress;

/// The pages of a list, one after another.
pub(crate) struct NetBackup {
    requests: Requests,
    /// The first page, until it is read.
    first: Option<Page>,
    /// Where the page after the last one that was read begins; `None` at the end.
    next: Option<Next>,
}

impl NetBackup {
    /// Asks for the first page.
    pub(crate) fn open(
        address: &NetBackupAddress,
        options: &RemoteOptions,
    ) -> Result<Self, RemoteError> {
        let mut requests = Requests::new(address, options)?;
        let first = page(&mut requests, &Next::First)?;
        Ok(Self {
            requests,
            first: Some(first),
            next: None,
        })
    }
}

fn page(requests: &mut Requests, place: &Next) -> Result<Page, RemoteError> {
    let page = requests.page(place)?;
    // A list that leads back to where it was would never end.
    if page.next.as_ref() == Some(place) {
        return Err(RemoteError::NotAPage {
            reason: "the next page is the same again".to_owned(),
        });
    }
    Ok(page)
}

/// A page.
impl Source for NetBackup {
    fn next(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        let page = match (self.first.take(), &self.next) {
            (Some(first), _) => first,
            (None, Some(place)) => page(&mut self.requests, place).map_err(io::Error::other)?,
            (None, None) => return Ok(()),
        };
        (*text, self.next) = (page.text, page.next);
        text.push(b'\n');
        Ok(())
    }
}
