//! Whatever happens to a tree, a walk counts what a plain recount does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use proptest::prelude::*;
use tree::Tree;
use walkdir::WalkDir;

/// Something that happens to a tree; what it cannot happen to it leaves alone.
#[derive(Debug, Clone)]
enum Deed {
    Write { path: PathBuf, bytes: usize },
    Remove { path: PathBuf },
    RemoveAll { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Touch { path: PathBuf },
    Link { path: PathBuf },
}

/// Paths of which some are directories of others.
fn path() -> impl Strategy<Value = PathBuf> {
    let name = prop_oneof![Just("a"), Just("b"), Just("c.txt"), Just("d.dat")];
    proptest::collection::vec(name, 1..4).prop_map(|names| names.iter().collect())
}

fn deed() -> impl Strategy<Value = Deed> {
    let bytes = prop_oneof![Just(0_usize), 1..100_usize, 4_000..30_000_usize];
    prop_oneof![
        4 => (path(), bytes).prop_map(|(path, bytes)| Deed::Write { path, bytes }),
        1 => path().prop_map(|path| Deed::Remove { path }),
        1 => path().prop_map(|path| Deed::RemoveAll { path }),
        1 => (path(), path()).prop_map(|(from, to)| Deed::Rename { from, to }),
        1 => path().prop_map(|path| Deed::Touch { path }),
        1 => path().prop_map(|path| Deed::Link { path }),
    ]
}

fn happen(tree: &Tree, deed: &Deed, time: u64) {
    let at = |path: &PathBuf| tree.path(path);
    // What stands in the way, stands in the way.
    _ = match deed {
        Deed::Write { path, bytes } => fs::create_dir_all(at(path).parent().unwrap())
            .and_then(|()| fs::write(at(path), vec![b'x'; *bytes]))
            .map(|()| tree::set_modified(&at(path), time)),
        Deed::Remove { path } => fs::remove_file(at(path)),
        Deed::RemoveAll { path } => fs::remove_dir_all(at(path)),
        Deed::Rename { from, to } => fs::rename(at(from), at(to)),
        Deed::Touch { path } if at(path).is_file() => {
            tree::set_modified(&at(path), time);
            Ok(())
        }
        Deed::Touch { .. } => Ok(()),
        Deed::Link { path } => std::os::unix::fs::symlink("a", at(path)),
    };
}

/// Size and time of modification of every file.
fn recount(tree: &Tree) -> (BTreeMap<PathBuf, (u64, i64)>, u64) {
    let (mut files, mut directories) = (BTreeMap::new(), 0);
    for entry in WalkDir::new(&tree.root) {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if entry.file_type().is_dir() {
            directories += 1;
        } else if entry.file_type().is_file() {
            files.insert(entry.into_path(), (metadata.len(), metadata.mtime()));
        }
    }
    (files, directories)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_walk_counts_what_a_recount_does(
        days in proptest::collection::vec(proptest::collection::vec(deed(), 0..25), 1..5),
    ) {
        let tree = Tree::new();
        let mut before = BTreeMap::new();
        let mut time = 0;
        for deeds in days {
            for deed in &deeds {
                time += 1;
                happen(&tree, deed, time);
            }
            let (after, directories) = recount(&tree);
            let seen = tree.walk();
            let of_both = |same: bool| {
                let both = after.iter().filter_map(|(path, now)| Some((now, before.get(path)?)));
                both.filter(|(now, then)| (now == then) == same).count() as u64
            };
            let only = |these: &BTreeMap<_, _>, those: &BTreeMap<_, _>| {
                these.keys().filter(|path| !those.contains_key(*path)).count() as u64
            };
            let counts = (only(&after, &before), of_both(false), of_both(true), only(&before, &after));
            prop_assert_eq!(seen.changes(), counts);
            prop_assert_eq!(seen.files, after.len() as u64);
            prop_assert_eq!(seen.directories, directories);
            prop_assert_eq!(seen.image_bytes, after.values().map(|(bytes, _)| bytes).sum::<u64>());
            prop_assert_eq!((seen.unreadable, seen.unsteady), (0, 0));
            before = after;
        }
    }
}
