//! The files that weigh most.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anomaly_model::{FileInspection, FileReason, NotableFile};

/// Of the files that are named, at most so many for being notes, if others are left: every directory
/// may hold the same one.
const MOST_NOTES: usize = 4;

/// How much a reason says. What ordinary jobs have too says little.
pub(super) const fn weight(reason: FileReason) -> u32 {
    match reason {
        FileReason::RansomNote => 6,
        FileReason::SuspiciousExtension => 5,
        FileReason::ContradictsType => 4,
        FileReason::LooksRandom
        | FileReason::Encoded
        | FileReason::EntropyRose
        | FileReason::SecretlyChanged => 3,
        FileReason::PartlyRandom | FileReason::Emptied => 2,
        _ => 1,
    }
}

/// The files that weigh most, of any number.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Notable {
    notes: Heaviest,
    others: Heaviest,
}

/// How a file is ranked: by weight, then size, then name.
type Rank = (u32, u64, Reverse<String>);

#[derive(Debug, Clone, PartialEq, Default)]
struct Heaviest(BTreeMap<Rank, NotableFile>);

impl Heaviest {
    fn add(
        &mut self,
        weight: u32,
        size_bytes: u64,
        path: &str,
        file: impl FnOnce() -> NotableFile,
    ) {
        let full = self.0.len() >= FileInspection::MOST_FILES;
        let lightest = self.0.keys().next().filter(|_| full);
        let is_heavier = |(least, size, Reverse(name)): &Rank| {
            (weight, size_bytes, Reverse(path)) > (*least, *size, Reverse(name.as_str()))
        };
        if lightest.is_none_or(is_heavier) {
            let rank = (weight, size_bytes, Reverse(path.to_owned()));
            self.0.insert(rank, file());
            self.shrink();
        }
    }

    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.0.len() > FileInspection::MOST_FILES {
            self.0.pop_first();
        }
    }
}

impl Notable {
    /// Takes a file if it weighs enough; it is made only then.
    pub(super) fn add(
        &mut self,
        weight: u32,
        size_bytes: u64,
        path: &str,
        is_note: bool,
        file: impl FnOnce() -> NotableFile,
    ) {
        let heaviest = if is_note {
            &mut self.notes
        } else {
            &mut self.others
        };
        heaviest.add(weight, size_bytes, path, file);
    }

    /// A file that is kept.
    pub(super) fn get_mut(&mut self, path: &str) -> Option<&mut NotableFile> {
        let all = self.notes.0.iter_mut().chain(self.others.0.iter_mut());
        all.map(|(rank, file)| (&rank.2.0, file))
            .find_map(|(name, file)| (name == path).then_some(file))
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.notes.merge(other.notes);
        self.others.merge(other.others);
    }

    /// The weightiest first.
    pub(super) fn into_files(self) -> Vec<NotableFile> {
        let most = FileInspection::MOST_FILES;
        let others = self.others.0.len();
        let notes = self
            .notes
            .0
            .len()
            .min(MOST_NOTES.max(most - others.min(most)));
        let mut ranked: Vec<_> = self.notes.0.into_iter().rev().take(notes).collect();
        ranked.extend(self.others.0.into_iter().rev().take(most - notes));
        ranked.sort_by(|(one, _), (other, _)| other.cmp(one));
        ranked.into_iter().map(|(_, file)| file).collect()
    }
}

/// A path that is no longer than a job may hold: its end, which names the file.
pub(super) fn bounded(path: &str) -> String {
    let start = path.len().saturating_sub(NotableFile::MOST_PATH_BYTES);
    let start = (start..path.len()).find(|at| path.is_char_boundary(*at));
    path[start.unwrap_or(path.len())..].to_owned()
}
