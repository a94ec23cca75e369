//! New files that have the size of a vanished one.

use super::notable::bounded;
use super::sketch::{Sketch, mixed};

/// Smaller files have each other's sizes by chance.
const FEWEST_BYTES: u64 = 4_096;
/// When more files than this have one size, it is the size of a kind of file, such as a segment of
/// a log.
const MOST_OF_A_SIZE: u32 = 8;
/// The most sizes that are kept.
const MOST_SIZES: usize = 65_536;
/// The most sizes whose files' names are kept.
const MOST_NAMED: usize = 256;

/// Counts new and vanished files by size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SizePairs {
    sizes: Sketch<Count, MOST_SIZES>,
    names: Sketch<Names, MOST_NAMED>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Count {
    new: u32,
    vanished: u32,
}

/// Of several files the first in the order of names, so that the order of coming does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Names {
    size_bytes: u64,
    new: Option<String>,
    vanished: Option<String>,
}

/// A new file that has the size of a vanished one.
pub(super) struct Pair<'a> {
    pub(super) size_bytes: u64,
    pub(super) new: &'a str,
    pub(super) vanished: Option<&'a str>,
}

impl SizePairs {
    pub(super) fn add_new(&mut self, path: &str, size_bytes: u64) {
        self.add(
            size_bytes,
            |count| count.new = count.new.saturating_add(1),
            |names| &mut names.new,
            path,
        );
    }

    pub(super) fn add_vanished(&mut self, path: &str, size_bytes: u64) {
        self.add(
            size_bytes,
            |count| count.vanished = count.vanished.saturating_add(1),
            |names| &mut names.vanished,
            path,
        );
    }

    fn add(
        &mut self,
        size_bytes: u64,
        count: impl FnOnce(&mut Count),
        name: impl FnOnce(&mut Names) -> &mut Option<String>,
        path: &str,
    ) {
        if size_bytes < FEWEST_BYTES {
            return;
        }
        let hash = mixed(size_bytes);
        if let Some(of_size) = self.sizes.entry(hash, Count::default) {
            count(of_size);
        }
        let new = || Names {
            size_bytes,
            ..Names::default()
        };
        // A path that its owner does not know is empty.
        if let Some(names) = self.names.entry(hash, new).filter(|_| !path.is_empty()) {
            let name = name(names);
            if name.as_deref().is_none_or(|kept| path < kept) {
                *name = Some(bounded(path));
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.sizes.merge(other.sizes, |mine, other| {
            mine.new = mine.new.saturating_add(other.new);
            mine.vanished = mine.vanished.saturating_add(other.vanished);
        });
        self.names.merge(other.names, |mine, other| {
            mine.new = first(mine.new.take(), other.new);
            mine.vanished = first(mine.vanished.take(), other.vanished);
        });
    }

    /// How many files were renamed: of each size that as many files lost as gained it, up to
    /// [`MOST_OF_A_SIZE`], all. Where more sizes came than are kept, those that are speak for all.
    pub(super) fn count(&self) -> u64 {
        let counts = self.sizes.iter().map(|(_, count)| count);
        let paired = counts.filter(|count| count.is_paired());
        let kept: u64 = paired.map(|count| u64::from(count.new)).sum();
        self.sizes.of_all(kept)
    }

    /// Some of the pairs: those of one file each whose new name is known.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.names.iter().filter_map(|(hash, names)| {
            let one = Count {
                new: 1,
                vanished: 1,
            };
            (self.sizes.get(hash) == Some(&one)).then_some(())?;
            Some(Pair {
                size_bytes: names.size_bytes,
                new: names.new.as_deref()?,
                vanished: names.vanished.as_deref(),
            })
        })
    }
}

impl Count {
    fn is_paired(self) -> bool {
        self.new == self.vanished && self.new <= MOST_OF_A_SIZE
    }
}

fn first(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
