//! A thread that lists directories and reads what is new or changed in them.

use std::borrow::Cow;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anomaly_features::content::{
    FileObservation, FileStatistics, FilesSeen, StoredStatistics, name_before_appended_extension,
};
use anomaly_model::FileChange;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, statat};
use rustix::io::Errno;

use crate::WalkError;
use crate::examine::{Examined, Examiner, open_directory};
use crate::metadata::Metadata;
use crate::shared::{Shared, lock};
use crate::state::entry::Entry;
use crate::warnings::WalkWarningKind;

/// Progress is told after so many files, and after each directory.
const FILES_BETWEEN_PROGRESS: u64 = 256;

/// A thread that lists directories and reads what is new or changed in them.
#[derive(Debug)]
pub(crate) struct Worker<'a> {
    shared: &'a Shared<'a>,
    examiner: Examiner<'a>,
    pub(crate) seen: FilesSeen,
    /// Files of which no progress was told.
    untold_files: u64,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(shared: &'a Shared<'a>) -> Self {
        Self {
            shared,
            examiner: Examiner::new(shared.sampling, shared.throttle.as_ref()),
            seen: FilesSeen::new(shared.inspection.clone()),
            untold_files: 0,
        }
    }

    /// Takes in a directory: compares its files with the state, reads what is new or changed, and
    /// writes the new state's part.
    pub(crate) fn visit(&mut self, path: &Path) -> Result<(), WalkError> {
        let directory = match open_directory(path) {
            Ok(directory) => directory,
            Err(error) => {
                self.shared
                    .note_unlisted(&mut self.seen, path, &error.into());
                return Ok(());
            }
        };
        let walk = self.shared.walk;
        let number = self.shared.directory(path);
        let old = match &walk.old {
            Some(old) => old.take(number)?.unwrap_or_default(),
            None => Vec::new(),
        };
        let mut listing = Listing {
            path,
            directory: directory.as_fd(),
            holds_state: walk.paths.state.parent() == Some(path),
            old: OldEntries::new(old),
            entries: Vec::new(),
        };
        let listed = self.list(&directory, &mut listing);
        self.tell_progress();
        let Listing {
            old, mut entries, ..
        } = listing;
        match listed {
            Ok(()) => old
                .left()
                .for_each(|gone| observe_deleted(&mut self.seen, &gone)),
            Err(error) => {
                let first_left = entries.len();
                entries.extend(old.left());
                for kept in &entries[first_left..] {
                    observe_kept(&mut self.seen, kept);
                }
                self.shared.note_unlisted(&mut self.seen, path, &error);
            }
        }
        if let Some(new) = &self.shared.new {
            entries.sort_unstable();
            let parent = match path.parent() {
                Some(parent) if path != walk.root => self.shared.directory(parent),
                _ => number,
            };
            lock(new).add(number, parent, &entries)?;
        }
        Ok(())
    }

    fn list(&mut self, directory: &OwnedFd, listing: &mut Listing<'_>) -> io::Result<()> {
        let names = Dir::new(directory.try_clone()?)?;
        for name in names {
            let name = name?;
            // Directories come by themselves; links, pipes, sockets and devices have no content.
            if matches!(name.file_type(), FileType::RegularFile | FileType::Unknown) {
                self.file(listing, name.file_name());
            }
        }
        Ok(())
    }

    fn file(&mut self, listing: &mut Listing<'_>, name: &CStr) {
        let walk = self.shared.walk;
        if listing.holds_state && walk.paths.include(&listing.path_of(name)) {
            return;
        }
        let exclude = &walk.exclude;
        if !exclude.is_empty() && exclude.matched(listing.path_of(name), false).is_ignore() {
            return;
        }
        let hash = walk.hash.name(name.to_bytes());
        let place = listing.old.find(hash);
        let metadata = match statat(listing.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Metadata::of(&stat),
            Err(Errno::NOENT) => return self.unsteady(listing, name),
            Err(error) => {
                if let Some(known) = listing.old.take(place) {
                    observe_kept(&mut self.seen, &known);
                    listing.entries.push(known);
                }
                return self.unreadable(listing, name, error);
            }
        };
        if !metadata.is_file {
            return;
        }
        self.untold_files += 1;
        if self.untold_files == FILES_BETWEEN_PROGRESS {
            self.tell_progress();
        }
        let now = Entry::unseen(
            hash,
            metadata.size_bytes,
            walk.hash.modified(metadata.modified),
            walk.hash.changed(metadata.changed),
        );
        match listing.old.get(place) {
            Some(old) if now.looks_untouched(&old) => {
                listing.entries.extend(listing.old.take(place));
                self.observe_unmodified(name, &metadata);
            }
            _ => self.written_file(listing, name, &metadata, now, place),
        }
    }

    /// Reads a file that is new or may have changed.
    fn written_file(
        &mut self,
        listing: &mut Listing<'_>,
        name: &CStr,
        metadata: &Metadata,
        now: Entry,
        place: Option<usize>,
    ) {
        let (statistics, is_steady) = match self.examiner.examine(listing.directory, name, metadata)
        {
            Examined::Steady(statistics) => (Some(statistics), true),
            Examined::Unsteady(statistics) => {
                self.unsteady(listing, name);
                (statistics, false)
            }
            // What was there before is then among what is left, and deleted.
            Examined::Vanished => return self.unsteady(listing, name),
            Examined::Unreadable(error) => {
                self.unreadable(listing, name, error);
                (None, false)
            }
        };
        let old = listing.old.take(place);
        let mut entry = self.remembered(now, old.as_ref(), statistics.as_ref());
        if !is_steady || metadata.changed >= self.shared.walk.settled_until {
            entry = entry.unsettled();
        }
        listing.entries.push(entry);
        let renamed = match old {
            None => self.renamed(listing, name),
            Some(_) => None,
        };
        let change = match (&old, &renamed) {
            (None, None) => FileChange::New,
            (None, Some(_)) => FileChange::Renamed,
            (Some(old), _) => entry.change_since(old),
        };
        if change == FileChange::Unmodified {
            return self.observe_unmodified(name, metadata);
        }
        let (previous_path, before) = match renamed {
            Some((path, before)) => (Some(path), Some(before)),
            None => (None, old),
        };
        let path = listing.path_of(name);
        let path = path.to_string_lossy();
        let previous_path = previous_path.as_deref().map(Path::to_string_lossy);
        let mut file = FileObservation::new(&path, change);
        file.previous_path = previous_path.as_deref();
        file.size_bytes = Some(metadata.size_bytes);
        file.accessed_seconds = Some(metadata.accessed_seconds);
        file.changed_seconds = Some(metadata.changed.seconds);
        file.modified_seconds = Some(metadata.modified.seconds);
        file.permissions = Some(metadata.permissions);
        file.statistics = statistics.as_ref();
        if let Some(before) = &before {
            file.size_bytes_before = Some(before.size_bytes());
            file.before = before.statistics().and_then(StoredStatistics::from_bytes);
            // All that is known of the time before is whether it is the same.
            file.modified_seconds_before = entry
                .modified_with(before)
                .then_some(metadata.modified.seconds);
        }
        self.seen.observe(&file);
    }

    /// What is kept of a file: what was found in it now, or else before, if it looks the same.
    fn remembered(
        &self,
        now: Entry,
        old: Option<&Entry>,
        statistics: Option<&FileStatistics>,
    ) -> Entry {
        match (statistics, old) {
            (Some(found), _) => now.seen(
                self.shared.walk.options.sampling.number(),
                found.fingerprint,
                found.stored().to_bytes(),
            ),
            (None, Some(old)) if now.looks_like(old) => now.seen_as(old),
            (None, _) => now,
        }
    }

    /// The file that a new one replaces, if it has the name of one that is gone, with an extension
    /// appended.
    fn renamed(&self, listing: &mut Listing<'_>, name: &CStr) -> Option<(PathBuf, Entry)> {
        name_before_appended_extension(&lossy(name))?;
        // The same in the bytes of the name, which need not be text.
        let bytes = name.to_bytes();
        let before = &bytes[..bytes.iter().rposition(|byte| *byte == b'.')?];
        let place = listing.old.find(self.shared.walk.hash.name(before));
        place?;
        match statat(listing.directory, before, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {
                let path = listing.path.join(OsStr::from_bytes(before));
                Some((path, listing.old.take(place)?))
            }
            _ => None,
        }
    }

    fn observe_unmodified(&mut self, name: &CStr, metadata: &Metadata) {
        let name = lossy(name);
        let mut file = FileObservation::new(&name, FileChange::Unmodified);
        file.size_bytes = Some(metadata.size_bytes);
        self.seen.observe(&file);
    }

    fn unsteady(&mut self, listing: &Listing<'_>, name: &CStr) {
        self.seen.observe_unsteady();
        self.shared
            .warn(WalkWarningKind::Unsteady, &listing.path_of(name), None);
    }

    fn unreadable(&mut self, listing: &Listing<'_>, name: &CStr, error: Errno) {
        self.seen.observe_unreadable();
        let reason = io::Error::from(error).to_string();
        let path = listing.path_of(name);
        self.shared
            .warn(WalkWarningKind::Unreadable, &path, Some(reason));
    }

    fn tell_progress(&mut self) {
        let files = std::mem::take(&mut self.untold_files);
        let read_bytes = std::mem::take(&mut self.examiner.read_bytes);
        self.shared.progress.add(files, read_bytes);
    }
}

/// Adds a file of which nobody knows what became, as what it was. Only hashes were kept of its name.
pub(crate) fn observe_kept(seen: &mut FilesSeen, entry: &Entry) {
    let mut file = FileObservation::new("", FileChange::Unmodified);
    file.size_bytes = Some(entry.size_bytes());
    seen.observe(&file);
}

/// Adds a file that is gone. Only hashes were kept of its name.
pub(crate) fn observe_deleted(seen: &mut FilesSeen, entry: &Entry) {
    let mut file = FileObservation::new("", FileChange::Deleted);
    file.size_bytes_before = Some(entry.size_bytes());
    file.before = entry.statistics().and_then(StoredStatistics::from_bytes);
    seen.observe(&file);
}

fn lossy(name: &CStr) -> Cow<'_, str> {
    String::from_utf8_lossy(name.to_bytes())
}

/// A directory while it is listed.
struct Listing<'a> {
    path: &'a Path,
    directory: BorrowedFd<'a>,
    holds_state: bool,
    old: OldEntries,
    /// What is remembered of its files, in the order of the listing.
    entries: Vec<Entry>,
}

impl Listing<'_> {
    fn path_of(&self, name: &CStr) -> PathBuf {
        self.path.join(OsStr::from_bytes(name.to_bytes()))
    }
}

/// The files that a directory had.
struct OldEntries {
    entries: Vec<Entry>,
    is_taken: Vec<bool>,
}

impl OldEntries {
    fn new(entries: Vec<Entry>) -> Self {
        let is_taken = vec![false; entries.len()];
        Self { entries, is_taken }
    }

    /// The place of a file that has not been taken.
    fn find(&self, name: u64) -> Option<usize> {
        let first = self.entries.partition_point(|entry| entry.name() < name);
        let same = self
            .entries
            .get(first..)?
            .iter()
            .zip(self.is_taken.get(first..)?);
        let same = same.take_while(|(entry, _)| entry.name() == name);
        let place = same.into_iter().position(|(_, is_taken)| !is_taken)?;
        Some(first + place)
    }

    fn get(&self, place: Option<usize>) -> Option<Entry> {
        self.entries.get(place?).copied()
    }

    fn take(&mut self, place: Option<usize>) -> Option<Entry> {
        *self.is_taken.get_mut(place?)? = true;
        self.get(place)
    }

    /// The files that nobody took.
    fn left(self) -> impl Iterator<Item = Entry> {
        let all = self.entries.into_iter().zip(self.is_taken);
        all.filter(|(_, is_taken)| !is_taken)
            .map(|(entry, _)| entry)
    }
}
