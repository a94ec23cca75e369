//! Readers that hold records back until what belongs together is there.

use crate::netbackup::families::Families;
use crate::netbackup::images::Images;
use crate::{Record, Records, SourceError};

/// What holds records back.
pub(super) trait Gather {
    /// The next record that is not held back.
    fn next(&mut self) -> Option<Record>;

    /// Holds nothing back any more: nothing more comes, or, if the input is cut, nothing more that
    /// can be read.
    fn finish(&mut self, is_cut: bool);
}

/// The records that come out of `held` while `take` puts more in; `take` says whether there may be
/// more. What is held back when reading fails comes before the error. Without any record, the
/// input is `empty`.
pub(super) fn records<'a, G: Gather + 'a>(
    mut held: G,
    mut take: impl FnMut(&mut G) -> Result<bool, SourceError> + 'a,
    empty: SourceError,
) -> Records<'a> {
    let mut empty = Some(empty);
    let mut end = None;
    let mut next = move || loop {
        if let Some(record) = held.next() {
            empty = None;
            return Ok(Some(record));
        }
        match end.take() {
            Some(Ok(())) => return empty.take().map_or(Ok(None), Err),
            Some(Err(error)) => return Err(error),
            None => {}
        }
        match take(&mut held) {
            Ok(true) => continue,
            Ok(false) => end = Some(Ok(())),
            Err(error) => end = Some(Err(error)),
        }
        held.finish(matches!(end, Some(Err(_))));
    };
    Box::new(std::iter::from_fn(move || next().transpose()))
}

/// Jobs and images in one input.
#[derive(Debug, Default)]
pub(super) struct JobsAndImages {
    pub(super) jobs: Families,
    pub(super) images: Images,
}

impl Gather for JobsAndImages {
    fn next(&mut self) -> Option<Record> {
        self.jobs.next().or_else(|| self.images.next())
    }

    fn finish(&mut self, is_cut: bool) {
        self.jobs.finish(is_cut);
        self.images.finish(is_cut);
    }
}
