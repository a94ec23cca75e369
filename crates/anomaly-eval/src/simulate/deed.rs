//! Doing it: what a scenario does to the files of a client.

use super::client::Client;
use super::content::Content;
use super::random::bytes;
use super::scenario::{Deed, Fault, Manner, Target};

/// The extension that ransomware gives, that of archives, and the first of an imported project.
const LOCKED: u32 = 1000;
const ARCHIVE: u32 = 90;
const IMPORTED: u32 = 200;

const HEAD_BYTES: f64 = 4096.0;
const BASE64_GROWTH: f64 = 4.0 / 3.0;
const GZIP: f64 = 0.35;

/// Does the deed to this many files that it has not been done to, and says to how many.
pub(super) fn do_to(client: &mut Client, deed: Deed, count: usize) -> usize {
    let chosen = choose(client, deed, count);
    let tree = &mut client.tree;
    let size_of = |client: &Client| -> u64 {
        chosen
            .iter()
            .map(|&place| client.tree.files[place].bytes)
            .sum()
    };
    match deed {
        Deed::Encrypt {
            manner, renames, ..
        } => {
            for &place in &chosen {
                encrypt(client, place, manner);
            }
            if renames {
                // A renamed file goes to the end, and the last one takes its place.
                for &place in chosen.iter().rev() {
                    client.tree.rename(place, LOCKED);
                }
            }
        }
        Deed::Delete | Deed::Fault(Fault::ReadErrors | Fault::Shrunk | Fault::Emptied) => {
            for &place in chosen.iter().rev() {
                tree.remove(place);
            }
        }
        Deed::Truncate => {
            for &place in &chosen {
                tree.rewrite(place, 0, Content::ZERO, 0);
            }
        }
        Deed::Wipe => {
            for &place in &chosen {
                let size = tree.files[place].bytes;
                // Blocks of zeros are all the same: next to nothing is new.
                tree.rewrite(place, size, Content::ZERO, size.min(64 << 10) / 16);
            }
        }
        Deed::ArchiveThenDelete => {
            let packed = packed_bytes(client, &chosen);
            for &place in chosen.iter().rev() {
                client.tree.remove(place);
            }
            client.tree.add(packed, Content::ARCHIVE, ARCHIVE, packed);
        }
        Deed::Stage => {
            let packed = packed_bytes(client, &chosen);
            client.tree.add(packed, Content::ARCHIVE, ARCHIVE, packed);
            return 1;
        }
        Deed::Copy => {
            for &place in &chosen {
                let file = client.tree.files[place].clone();
                for _ in 0..2 {
                    client.tree.add(file.bytes, file.content, file.extension, 0);
                }
            }
            return 2 * chosen.len();
        }
        Deed::Rename => {
            for &place in chosen.iter().rev() {
                tree.rename(place, LOCKED);
            }
        }
        Deed::Import => {
            let mean = size_of(client) / chosen.len().max(1) as u64;
            for &place in &chosen {
                let content = client.tree.files[place].content;
                let size = bytes(mean as f64 * client.random.log_normal(0.8)).max(1);
                let extension = IMPORTED + u32::try_from(client.random.below(6)).unwrap_or(0);
                client.tree.add(size, content, extension, size);
            }
        }
        Deed::Touch => {
            for &place in &chosen {
                let file = tree.files[place].clone();
                tree.rewrite(place, file.bytes, file.content, 0);
            }
        }
        Deed::Compress => {
            for &place in chosen.iter().rev() {
                if let Some(file) = client.tree.remove(place) {
                    let size = bytes(file.bytes as f64 * GZIP).max(1);
                    client.tree.add(size, Content::ARCHIVE, ARCHIVE, size);
                }
            }
        }
        Deed::Fault(_) => return 0,
    }
    chosen.len()
}

/// The places of the files, rising.
fn choose(client: &mut Client, deed: Deed, count: usize) -> Vec<usize> {
    let files = &client.tree.files;
    let mut places: Vec<usize> = (0..files.len())
        .filter(|&place| !files[place].is_attacked)
        .collect();
    let count = count.min(places.len());
    if let Deed::Encrypt {
        target: Target::Largest,
        ..
    } = deed
    {
        places.sort_by_key(|&place| std::cmp::Reverse(files[place].bytes));
    } else {
        // The beginning of a shuffle: Fisher and Yates.
        for place in 0..count {
            let other = place + client.random.below(places.len() - place);
            places.swap(place, other);
        }
    }
    places.truncate(count);
    places.sort_unstable();
    places
}

fn encrypt(client: &mut Client, place: usize, manner: Manner) {
    let Some(file) = client.tree.files.get_mut(place) else {
        return;
    };
    file.is_attacked = true;
    let (size, before) = (file.bytes, file.content);
    let (after, other, share) = match manner {
        Manner::Full => (size, Content::CIPHER, 1.0),
        Manner::Head => (
            size,
            Content::CIPHER,
            (HEAD_BYTES / size.max(1) as f64).min(1.0),
        ),
        Manner::Intermittent => (size, Content::CIPHER, 0.5),
        Manner::Base64 => (bytes(size as f64 * BASE64_GROWTH), Content::BASE64, 1.0),
    };
    let fresh = bytes(after as f64 * share);
    client
        .tree
        .rewrite(place, after, before.with(other, share), fresh);
}

/// What the files take in an archive.
fn packed_bytes(client: &Client, places: &[usize]) -> u64 {
    let files = places.iter().map(|&place| &client.tree.files[place]);
    let packed: f64 = files
        .map(|file| file.bytes as f64 * file.content.stored_share)
        .sum();
    bytes(packed).max(1)
}
