//! A tree of files, and what changed in it since the last job.

use std::collections::{BTreeMap, BTreeSet};

use super::content::Content;

/// A file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct File {
    /// Tells files apart, whatever their name: a restored file has the number that it had.
    number: u64,
    pub(super) bytes: u64,
    pub(super) content: Content,
    pub(super) extension: u32,
    /// An attack has been here.
    pub(super) is_attacked: bool,
    /// It has another name than in the last image, and is otherwise the same.
    is_renamed: bool,
    /// Bytes that no earlier image held.
    fresh_bytes: u64,
    since: Since,
}

/// What happened to a file since the last job.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Since {
    Nothing,
    New,
    /// It was so large, and looked so.
    Changed {
        bytes: u64,
        content: Content,
    },
}

/// A tree of files.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    next_number: u64,
    /// Files of the last image, their extensions, and those of all images.
    files_before: usize,
    extensions_before: BTreeMap<u32, usize>,
    extensions_seen: BTreeSet<u32>,
    deleted_files: u64,
    deleted_bytes: u64,
}

/// What a job sees of a tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) image_bytes: u64,
    pub(super) file_count: u64,
    pub(super) files_before: usize,
    pub(super) files_new: u64,
    pub(super) files_changed: u64,
    pub(super) files_deleted: u64,
    pub(super) fresh_bytes: u64,
    pub(super) stored_bytes: f64,
    pub(super) deleted_bytes: u64,
    pub(super) renamed_files: u64,
    pub(super) new: Vec<(u64, Content)>,
    /// Size and content, and how it looked before.
    pub(super) changed: Vec<(u64, Content, Content)>,
    pub(super) unseen_extension_files: u64,
    pub(super) extension_count: u64,
    pub(super) extension_shift: Option<f64>,
}

impl Tree {
    /// Adds a file, of which so many bytes are data that was never backed up.
    pub(super) fn add(&mut self, bytes: u64, content: Content, extension: u32, fresh_bytes: u64) {
        self.files.push(File {
            number: self.next_number,
            bytes,
            content,
            extension,
            is_attacked: false,
            is_renamed: false,
            fresh_bytes,
            since: Since::New,
        });
        self.next_number += 1;
    }

    /// Rewrites a file, of which so many bytes are then new data.
    pub(super) fn rewrite(&mut self, place: usize, bytes: u64, content: Content, fresh_bytes: u64) {
        let Some(file) = self.files.get_mut(place) else {
            return;
        };
        if file.since == Since::Nothing {
            file.since = Since::Changed {
                bytes: file.bytes,
                content: file.content,
            };
        }
        file.is_renamed = false;
        file.bytes = bytes;
        file.content = content;
        file.fresh_bytes = (file.fresh_bytes + fresh_bytes).min(bytes);
    }

    /// Takes a file away.
    pub(super) fn remove(&mut self, place: usize) -> Option<File> {
        if place >= self.files.len() {
            return None;
        }
        let file = self.files.swap_remove(place);
        match file.since {
            Since::New => {}
            Since::Nothing => {
                self.deleted_files += 1;
                self.deleted_bytes += file.bytes;
            }
            Since::Changed { bytes, .. } => {
                self.deleted_files += 1;
                self.deleted_bytes += bytes;
            }
        }
        Some(file)
    }

    /// Gives a file another name: to a backup tool, one is gone and another is there.
    pub(super) fn rename(&mut self, place: usize, extension: u32) {
        if let Some(file) = self.remove(place) {
            let is_renamed = file.since == Since::Nothing || file.is_renamed;
            self.add(file.bytes, file.content, extension, file.fresh_bytes);
            // What was written before it was renamed is data that it brings along.
            if let Some(renamed) = self.files.last_mut() {
                renamed.is_attacked = file.is_attacked;
                renamed.is_renamed = is_renamed;
            }
        }
    }

    /// Makes the tree hold again what `earlier` held; its data is in earlier images.
    pub(super) fn restore(&mut self, earlier: &Self) {
        let wanted: BTreeMap<u64, &File> = earlier
            .files
            .iter()
            .map(|file| (file.number, file))
            .collect();
        for place in (0..self.files.len()).rev() {
            if !wanted.contains_key(&self.files[place].number) {
                self.remove(place);
            }
        }
        let mut here = BTreeSet::new();
        for place in 0..self.files.len() {
            let number = self.files[place].number;
            here.insert(number);
            let was = wanted[&number];
            if was.bytes != self.files[place].bytes || was.content != self.files[place].content {
                self.rewrite(place, was.bytes, was.content, 0);
            }
            self.files[place].is_attacked = false;
        }
        for (number, file) in wanted {
            if !here.contains(&number) {
                self.files.push(File {
                    fresh_bytes: 0,
                    is_renamed: false,
                    since: Since::New,
                    ..file.clone()
                });
            }
        }
        self.next_number = self.next_number.max(earlier.next_number);
    }

    pub(super) fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The share of the files that are new, changed or gone since the last job.
    pub(super) fn churn(&self) -> f64 {
        let touched = self
            .files
            .iter()
            .filter(|file| file.since != Since::Nothing)
            .count();
        (touched as f64 + self.deleted_files as f64) / self.files_before.max(1) as f64
    }

    /// What a job sees now; from here on, changes are those for the next one.
    pub(super) fn back_up(&mut self) -> Seen {
        let mut seen = Seen {
            file_count: self.files.len() as u64,
            files_before: self.files_before,
            files_deleted: self.deleted_files,
            deleted_bytes: self.deleted_bytes,
            ..Seen::default()
        };
        let mut extensions: BTreeMap<u32, usize> = BTreeMap::new();
        for file in &mut self.files {
            seen.image_bytes += file.bytes;
            *extensions.entry(file.extension).or_default() += 1;
            match file.since {
                Since::Nothing => continue,
                Since::New => {
                    seen.files_new += 1;
                    seen.renamed_files += u64::from(file.is_renamed);
                    let unseen = !self.extensions_seen.contains(&file.extension);
                    seen.unseen_extension_files += u64::from(unseen);
                    seen.new.push((file.bytes, file.content));
                }
                Since::Changed { bytes, content } => {
                    seen.files_changed += 1;
                    seen.deleted_bytes += bytes;
                    seen.changed.push((file.bytes, file.content, content));
                }
            }
            seen.fresh_bytes += file.fresh_bytes;
            seen.stored_bytes += file.fresh_bytes as f64 * file.content.stored_share;
            file.fresh_bytes = 0;
            file.since = Since::Nothing;
            file.is_renamed = false;
        }
        seen.extension_count = extensions.len() as u64;
        seen.extension_shift = shift(&self.extensions_before, &extensions);
        self.extensions_seen.extend(extensions.keys());
        self.extensions_before = extensions;
        self.files_before = self.files.len();
        (self.deleted_files, self.deleted_bytes) = (0, 0);
        seen
    }
}

/// The total variation distance between two mixes; `None` if there is nothing on one side.
fn shift(before: &BTreeMap<u32, usize>, now: &BTreeMap<u32, usize>) -> Option<f64> {
    let total = |mix: &BTreeMap<u32, usize>| mix.values().sum::<usize>() as f64;
    let (all_before, all_now) = (total(before), total(now));
    if all_before == 0.0 || all_now == 0.0 {
        return None;
    }
    let share = |mix: &BTreeMap<u32, usize>, extension: &u32, all: f64| {
        mix.get(extension).copied().unwrap_or(0) as f64 / all
    };
    let extensions: BTreeSet<&u32> = before.keys().chain(now.keys()).collect();
    let differences = extensions
        .into_iter()
        .map(|one| (share(before, one, all_before) - share(now, one, all_now)).abs());
    Some((differences.sum::<f64>() / 2.0).min(1.0))
}
