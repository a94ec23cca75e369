//! A walk that is killed at any moment leaves the old state or the new one, whole.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod tree;

use std::env;
use std::io::{Read as _, Write as _, stdout};
use std::process::{Command, Stdio};

use anomaly_model::chrono::DateTime;
use anomaly_walk::{Walk, WalkOptions};
use tree::Tree;

const ROOT: &str = "BACKWATCH_TEST_ROOT";
const STATE: &str = "BACKWATCH_TEST_STATE";
/// The time of the child's first walk.
const FIRST: &str = "BACKWATCH_TEST_FIRST";
const KILLS: usize = 40;

/// The child: walks and commits, time and again, and says so, until it is killed.
#[test]
fn walk_until_killed() {
    let Some(first) = env::var_os(FIRST) else {
        return;
    };
    let (root, state) = (env::var_os(ROOT).unwrap(), env::var_os(STATE).unwrap());
    let first: i64 = first.to_str().unwrap().parse().unwrap();
    let say = |text: &str| {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes()).unwrap();
        out.flush().unwrap();
    };
    for second in first.. {
        let started_at = DateTime::from_timestamp(second, 0).unwrap();
        let walk = Walk::new(WalkOptions::new(&root, &state, started_at)).unwrap();
        let walked = walk.run_with(&|_| say(".")).unwrap();
        say("-");
        walked.commit().unwrap();
        say(&format!("{second}\n"));
    }
}

#[test]
fn a_killed_walk_leaves_a_whole_state() {
    let tree = Tree::new();
    for number in 0..400 {
        tree.write(format!("{}/{number}.txt", number % 40), "some text", number);
    }
    tree.walk();
    let remembered = || {
        let walk = Walk::new(tree.options().dry_run(true)).unwrap();
        let walked = walk.run().unwrap();
        // Whatever state it is, it is that of this tree.
        assert_eq!(tree::Seen::of(&walked).changes(), (0, 0, 400, 0));
        walked.previous().unwrap().timestamp()
    };
    let mut random = 0x9e37_79b9_u32;
    for _ in 0..KILLS {
        let before = remembered();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "walk_until_killed", "--nocapture"])
            .env(ROOT, &tree.root)
            .env(STATE, &tree.state)
            .env(FIRST, (before + 1).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = child.stdout.take().unwrap();
        // Where it is killed is left to chance, and to where it is then.
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut head = vec![0; (random >> 20) as usize % 400];
        told.read_exact(&mut head).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let mut text = String::from_utf8(head).unwrap();
        told.read_to_string(&mut text).unwrap();
        let told = text.lines().rev().find_map(|line| {
            let (_, second) = line.rsplit_once('-')?;
            second.parse::<i64>().ok()
        });
        let told = told.unwrap_or(before);
        // It may have been killed between the commit and the word of it.
        let found = remembered();
        assert!(
            (told..=told + 1).contains(&found),
            "{found} after {told}: {text}"
        );
    }
    // Nobody holds the lock of a process that is gone.
    assert_eq!(tree.walk().changes(), (0, 0, 400, 0));
}
