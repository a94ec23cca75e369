//! A state that cannot be used is refused and left as it is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod tree;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use anomaly_walk::{Walk, WalkError, WalkOptions};
use rustix::fs::{CWD, Mode, mkfifoat};
use tree::{Tree, run};

/// A tree of a few files, walked once, and the bytes of its state.
fn walked() -> (Tree, Vec<u8>) {
    let tree = Tree::new();
    for number in 0..5 {
        tree.write(format!("a/{number}.txt"), "some text", number);
        tree.write(format!("b/c/{number}.txt"), "some other text", number);
    }
    tree.walk();
    let state = fs::read(&tree.state).unwrap();
    (tree, state)
}

/// The error that a walk with this state gives, having left it as it is.
fn refused(tree: &Tree, state: &[u8]) -> WalkError {
    fs::write(&tree.state, state).unwrap();
    let error = Walk::new(tree.options()).unwrap_err();
    assert_eq!(fs::read(&tree.state).unwrap(), state);
    error
}

#[test]
fn a_truncated_state_is_refused() {
    let (tree, state) = walked();
    for length in 0..state.len() {
        let error = refused(&tree, &state[..length]);
        let named = error
            .to_string()
            .contains(&tree.state.display().to_string());
        assert!(named, "{error}");
        match error {
            WalkError::NotAState { .. } => assert!(length < 8),
            WalkError::DamagedState { .. } => assert!(length >= 8),
            error => panic!("{length}: {error}"),
        }
    }
    assert!(matches!(
        refused(&tree, b"jobs: 3\n"),
        WalkError::NotAState { .. }
    ));
    // The whole one is not.
    fs::write(&tree.state, &state).unwrap();
    assert_eq!(tree.walk().changes(), (0, 0, 10, 0));
}

#[test]
fn a_damaged_state_is_refused() {
    let (tree, state) = walked();
    for place in 0..state.len() {
        for bit in [0x01, 0x80] {
            let mut state = state.clone();
            state[place] ^= bit;
            match refused(&tree, &state) {
                WalkError::NotAState { .. } => assert!(place < 8),
                WalkError::NewerState { .. } => assert!((8..10).contains(&place)),
                WalkError::DamagedState { .. } => assert!(place >= 8),
                error => panic!("{place}: {error}"),
            }
        }
    }
}

#[test]
fn a_state_of_a_newer_version_is_refused() {
    let (tree, mut state) = walked();
    // Nothing behind the format is as this version knows it.
    state[8..10].copy_from_slice(&2_u16.to_le_bytes());
    state.truncate(100);
    let error = refused(&tree, &state);
    assert!(matches!(
        error,
        WalkError::NewerState {
            found: 2,
            known: 1,
            ..
        }
    ));
    assert!(error.to_string().contains("update this program"), "{error}");
}

#[test]
fn a_state_of_another_directory_is_refused() {
    let (tree, state) = walked();
    let other = tree.path("b");
    let error = Walk::new(WalkOptions::new(&other, &tree.state, tree::later())).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, WalkError::OtherDirectory { .. }), "{text}");
    assert!(text.contains(&format!(
        "is of {}, not of {}",
        tree.root.display(),
        other.display()
    )));
    assert_eq!(fs::read(&tree.state).unwrap(), state);
}

#[test]
fn two_walks_do_not_share_a_state() {
    let tree = Tree::new();
    let walk = Walk::new(tree.options()).unwrap();
    let second = || Walk::new(tree.options());
    assert!(matches!(second(), Err(WalkError::StateInUse { .. })));
    let walked = walk.run().unwrap();
    assert!(matches!(second(), Err(WalkError::StateInUse { .. })));
    // A dry run takes nothing and disturbs nobody.
    assert!(run(tree.options().dry_run(true)).is_ok());
    walked.commit().unwrap();
    assert!(second().is_ok());
}

#[test]
fn only_a_commit_writes_and_only_for_its_user() {
    let tree = Tree::new();
    let there = || {
        let entries = fs::read_dir(tree.scratch.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    drop(run(tree.options().dry_run(true)).unwrap());
    assert_eq!(there(), ["root"]);
    drop(run(tree.options()).unwrap());
    assert_eq!(there(), ["root", "state.lock"]);
    run(tree.options()).unwrap().commit().unwrap();
    assert_eq!(there(), ["root", "state", "state.lock"]);
    for file in [&tree.state, &tree.scratch.path().join("state.lock")] {
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

/// What a killed walk left is in nobody's way, whatever it is.
#[test]
fn what_a_killed_walk_left_is_replaced() {
    let (tree, _) = walked();
    let new = tree.scratch.path().join("state.new");
    let elsewhere = tree.scratch.path().join("elsewhere");
    fs::write(&elsewhere, "precious").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &new).unwrap();
    assert_eq!(tree.walk().changes(), (0, 0, 10, 0));
    assert_eq!(fs::read(&elsewhere).unwrap(), b"precious");
    assert!(!new.exists());
}

#[test]
fn a_state_that_cannot_be_a_file_is_refused() {
    let tree = Tree::new();
    let refused = |state: &str| {
        let state = tree.scratch.path().join(state);
        Walk::new(WalkOptions::new(&tree.root, state, tree::later())).unwrap_err()
    };
    assert!(matches!(refused(".."), WalkError::StatePath { .. }));
    assert!(matches!(refused("root"), WalkError::NotAState { .. }));
    // Neither is waited for, or followed.
    mkfifoat(CWD, tree.scratch.path().join("pipe"), Mode::RWXU).unwrap();
    assert!(matches!(refused("pipe"), WalkError::NotAState { .. }));
    mkfifoat(CWD, tree.scratch.path().join("one.lock"), Mode::RWXU).unwrap();
    assert!(matches!(refused("one"), WalkError::State { .. }));
    symlink("elsewhere", tree.scratch.path().join("two.lock")).unwrap();
    assert!(matches!(refused("two"), WalkError::State { .. }));
    assert!(!tree.scratch.path().join("elsewhere").exists());
    let error = refused("missing/state").to_string();
    assert!(error.contains("its directory must exist"), "{error}");
}

/// At most 24 bytes a file where directories have at least four of them.
#[test]
fn a_state_takes_few_bytes_a_file() {
    let tree = Tree::new();
    let files = 50 * 4;
    for directory in 0..50_u64 {
        for file in 0..4_u64 {
            // Sizes like those of real files: most of them some kilobytes.
            let size = 100 << (file * 3 + directory % 3);
            tree.write(format!("{directory}/{file}.dat"), vec![b'x'; size], 0);
        }
    }
    // The summary and the list's ends are the same for any number of files.
    let whole = |tree: &Tree| {
        tree.walk();
        fs::metadata(&tree.state).unwrap().len()
    };
    let empty = Tree::new();
    empty.write("only.dat", "x", 0);
    let bytes = whole(&tree) - whole(&empty);
    assert!(bytes <= 24 * files, "{bytes} bytes for {files} files");
}
