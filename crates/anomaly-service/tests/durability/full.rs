//! A full disk is an error; what was acknowledged before is kept, and what was not can be repeated.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::history::{FAILED, assert_whole, command, stored, told, undisturbed};

/// Runs the child on a database that has too little room, then on the same one with enough.
fn check(before: &str, path: &Path, make_room: impl FnOnce()) {
    for batch_jobs in [1, 40] {
        let output = command(before, path, batch_jobs).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(FAILED), "{text}");
        // No space, or no more than so many bytes: the system has two words for it.
        let is_told =
            text.contains("no space is left for") || text.contains("cannot use the database");
        assert!(is_told, "{text}");
        assert_whole(path);
        let verdicts = stored(path);
        let stored: BTreeSet<&str> = verdicts.keys().map(|job| job.job_id.as_str()).collect();
        let acknowledged: BTreeSet<&str> = text.lines().filter_map(told).collect();
        assert!(acknowledged.is_subset(&stored), "{text}");
    }
    make_room();
    let output = command("", path, 7).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert_eq!(stored(path), undisturbed());
    assert_whole(path);
}

/// Of the database file or of what SQLite keeps beside it, whichever is too large first.
#[test]
fn a_file_that_may_not_grow() {
    for kilobytes in [200, 300, 400] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        // In blocks of 512 bytes. Without the signal, writing fails instead of killing.
        let before = format!("trap '' XFSZ; ulimit -f {};", kilobytes * 2);
        check(&before, &path, || ());
    }
}

/// A file system of its own, for those who may make one.
#[test]
fn a_file_system_without_space() {
    let directory = tempfile::tempdir().unwrap();
    let point = directory.path();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=640k", "tmpfs"])
        .arg(point)
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        // The test above shows the same for everybody.
        return;
    }
    let _mounted = Mounted(point);
    check("", &point.join("db"), || {
        let larger = Command::new("mount")
            .args(["-o", "remount,size=20m"])
            .arg(point)
            .status();
        assert!(larger.unwrap().success());
    });
    assert!(fs::metadata(point.join("db")).is_ok());
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(self.0).status();
    }
}
