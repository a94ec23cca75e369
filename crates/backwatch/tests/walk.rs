//! `backwatch walk` as its users meet it: what it prints, what it leaves, and with what status it ends.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, TimeDelta};
use program::{assert_golden, backwatch, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

/// The user that owns nothing.
const NOBODY: u32 = 65_534;

/// A directory with a few files, that anybody may read, and a place for its state.
struct Tree {
    scratch: TempDir,
}

impl Tree {
    fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(scratch.path().join("files/sub")).unwrap();
        let tree = Self { scratch };
        for name in ["a.txt", "b.txt", "sub/c.txt"] {
            fs::write(tree.file(name), "Nothing to see here.").unwrap();
        }
        tree
    }

    fn directory(&self) -> PathBuf {
        self.scratch.path().canonicalize().unwrap().join("files")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    fn state(&self) -> String {
        self.scratch.path().join("state").display().to_string()
    }

    /// A file with a job record.
    fn record(&self, job_id: &str, status: &str) -> String {
        let record = format!(
            r#"{{"source":"borg","job_id":"{job_id}","client":"mail01","policy":"daily","started_at":"2026-11-2{job_id}T03:00:00Z","status":"{status}"}}"#
        );
        let file = self.scratch.path().join("job.json");
        fs::write(&file, record + "\n").unwrap();
        file.display().to_string()
    }

    fn walk(&self, more: &[&str]) -> Output {
        let (directory, state) = (self.directory().display().to_string(), self.state());
        backwatch(&[&["walk", &directory, "--state", &state], more].concat())
    }

    /// What was printed, with the scratch directory and times named as they are nowhere.
    fn shown(&self, output: &Output) -> String {
        assert_eq!(
            (stderr(output).as_str(), output.status.code()),
            ("", Some(0))
        );
        stdout(output).replace(&self.directory().display().to_string(), "/srv")
    }
}

fn json(output: &Output) -> Value {
    assert_eq!(
        (stderr(output).as_str(), output.status.code()),
        ("", Some(0))
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn text_and_json_are_golden() {
    let tree = Tree::new();
    // Bytes of a 64-bit linear congruential generator: as random as they look.
    let mut state = 1_u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
    // Read whole: which blocks of a longer one are read, a secret of the state decides.
    .take(12_000)
    .collect();
    fs::write(tree.file("report.docx"), random).unwrap();
    fs::write(tree.file("blank.dat"), [0; 100_000]).unwrap();
    fs::write(
        tree.file("README_TO_DECRYPT.txt"),
        "All your files have been encrypted.",
    )
    .unwrap();
    assert_golden("walk.text", &tree.shown(&tree.walk(&["--dry-run"])));
    let mut found = json(&tree.walk(&["--dry-run", "--output", "json"]));
    assert_eq!(found["directory"], tree.directory().display().to_string());
    found["directory"] = "/srv".into();
    // Ages since the test began.
    found["inspection"]["attributes"] = Value::Null;
    found.sort_all_objects();
    let text = serde_json::to_string_pretty(&found).unwrap();
    let text = text.replace(&tree.directory().display().to_string(), "/srv");
    assert_golden("walk.json", &format!("{text}\n"));
    assert!(!Path::new(&tree.state()).exists());
}

#[test]
fn the_second_walk_says_what_changed() {
    let tree = Tree::new();
    assert!(tree.shown(&tree.walk(&[])).contains("The first walk"));
    fs::write(tree.file("a.txt"), "Something to see here.").unwrap();
    fs::write(tree.file("sub/d.txt"), "Something new.").unwrap();
    fs::remove_file(tree.file("b.txt")).unwrap();
    let text = tree.shown(&tree.walk(&[])).replace('\n', " ");
    assert!(
        text.contains("1 file new, 1 changed, 1 deleted, 1 as before"),
        "{text}"
    );
}

#[test]
fn a_job_record_is_filled_in() {
    let tree = Tree::new();
    let record = r#"{"source":"borg","job_id":"7","client":"mail01","policy":"daily","started_at":"2026-11-22T03:00:00Z","status":"succeeded","file_count":99}"#;
    let file = tree.scratch.path().join("job.json");
    fs::write(&file, format!("{record}\n")).unwrap();
    tree.walk(&[]);
    fs::write(tree.file("d.txt"), "Something new.").unwrap();
    let filled = tree.walk(&["--merge", file.to_str().unwrap()]);
    assert_eq!(
        (stderr(&filled).as_str(), filled.status.code()),
        ("", Some(0))
    );
    let text = stdout(&filled);
    assert_eq!(text.lines().count(), 1);
    let job: BackupJob = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (job.image().file_count, job.image().image_bytes),
        (Some(99), Some(74))
    );
    assert_eq!(job.image().content.unwrap().written_bytes, Some(14));
    assert_eq!(job.inspection().unwrap().written_files, Some(1));

    // A record that is none costs no walk.
    for wrong in ["", "{}", "not json", &format!("{record}\n{record}\n")] {
        fs::write(&file, wrong).unwrap();
        let state = fs::read(tree.state()).unwrap();
        fs::write(tree.file("a.txt"), format!("Other {wrong}")).unwrap();
        let refused = tree.walk(&["--merge", file.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(4));
        assert!(
            stderr(&refused).contains("is not one job record"),
            "{}",
            stderr(&refused)
        );
        assert_eq!(stdout(&refused), "");
        assert_eq!(fs::read(tree.state()).unwrap(), state);
    }
}

/// What was written before a job that left no image is news to the next one.
#[test]
fn a_failed_job_uses_no_walk_up() {
    let tree = Tree::new();
    let (directory, state) = (tree.directory().display().to_string(), tree.state());
    let database = tree.scratch.path().join("db").display().to_string();
    let ingested = |job_id, status| {
        let record = tree.record(job_id, status);
        let options = ["ingest", "--db", &database, "--walk", &directory];
        let more = ["--state", &state, "--output", "ndjson", &record];
        stdout(&backwatch(&[options, more].concat()))
    };
    ingested("1", "succeeded");
    let known = fs::read(&state).unwrap();
    fs::write(tree.file("HOW_TO_DECRYPT_FILES.txt"), "Pay.").unwrap();
    for (job_id, status) in [("2", "failed"), ("3", "cancelled")] {
        let text = ingested(job_id, status);
        assert!(text.contains("\"failure\""), "{text}");
        let record = tree.record(job_id, status);
        assert!(stdout(&tree.walk(&["--merge", &record])).contains("HOW_TO_DECRYPT"));
        assert_eq!(fs::read(&state).unwrap(), known);
    }
    let text = ingested("4", "succeeded");
    assert!(text.contains("HOW_TO_DECRYPT_FILES.txt"), "{text}");
    assert_ne!(fs::read(&state).unwrap(), known);
}

/// However many jobs come at once, the newest that left an image is judged by the walk.
#[test]
fn the_newest_of_many_jobs_is_judged_by_the_walk() {
    let job = |number: u32| {
        let start = DateTime::UNIX_EPOCH + TimeDelta::minutes((29_000_000 + number).into());
        let (client, status) = (
            number % 40,
            ["succeeded", "failed"][usize::from(number == 2_000)],
        );
        format!(
            r#"{{"source":"borg","job_id":"{number}","client":"c{client}","policy":"p","started_at":"{}","status":"{status}"}}"#,
            start.to_rfc3339()
        )
    };
    let jobs: Vec<String> = (0..=2_000).map(job).collect();
    // As many as are judged at once; and one more, which failed.
    for count in [2_000, 2_001] {
        let tree = Tree::new();
        tree.walk(&[]);
        fs::write(tree.file("HOW_TO_DECRYPT_FILES.txt"), "Pay.").unwrap();
        let file = tree.scratch.path().join("jobs.ndjson");
        fs::write(&file, jobs[..count].join("\n")).unwrap();
        let path = |name: &str| tree.scratch.path().join(name).display().to_string();
        let (directory, state) = (tree.directory().display().to_string(), tree.state());
        let (database, jobs) = (path("db"), path("jobs.ndjson"));
        let options = ["ingest", "--db", &database, "--walk", &directory];
        let more = ["--state", &state, "--output", "ndjson", &jobs];
        let found = stdout(&backwatch(&[options, more].concat()));
        let mut seen = found.lines().filter(|line| line.contains("HOW_TO_DECRYPT"));
        let newest = seen.next().unwrap();
        assert!(newest.contains(r#""job_id":"1999""#), "{newest}");
        assert_eq!(seen.next(), None);
    }
}

#[test]
fn the_status_says_whether_it_walked() {
    let tree = Tree::new();
    let status = |more: &[&str]| tree.walk(more).status.code();
    assert_eq!(
        status(&["--max-read-rate", "20MB/s", "--threads", "2"]),
        Some(0)
    );
    assert_eq!(status(&["--max-read-rate", "0"]), Some(2));
    assert_eq!(status(&["--max-read-rate", "fast"]), Some(2));
    assert_eq!(status(&["--exclude", "a{b"]), Some(2));
    assert_eq!(status(&["--exclude-from", "/nowhere"]), Some(2));
    assert_eq!(status(&["--merge", "-", "--output", "json"]), Some(2));
    assert_eq!(backwatch(&["walk", "/"]).status.code(), Some(2));
    fs::write(tree.state(), "not a state").unwrap();
    let refused = tree.walk(&[]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(
        stderr(&refused).contains("is not the state of a walk"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(fs::read_to_string(tree.state()).unwrap(), "not a state");
}

/// A directory that can be read no longer has not lost its files, and those that are found again are
/// not new.
#[test]
fn a_user_without_rights_walks_what_may_be_read() {
    let tree = Tree::new();
    let nobody = as_root();
    let run = |more: &[&str]| {
        let program = env!("CARGO_BIN_EXE_backwatch");
        let mut command = if nobody {
            let mut command = Command::new("setpriv");
            let nobody = format!("--reuid={NOBODY}");
            command.args([&nobody, "--regid=65534", "--clear-groups", program]);
            command
        } else {
            Command::new(program)
        };
        command
            .args(["walk", "--state", &tree.state()])
            .arg(tree.directory())
            .args(more);
        command.stdin(Stdio::null()).output().unwrap()
    };
    let walk = || json(&run(&["--output", "json"]));
    if nobody {
        chown(tree.scratch.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let permit = |name: &str, mode| {
        fs::set_permissions(tree.file(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let counts = |found: &Value| {
        let count = |name: &str| found[name].as_u64().unwrap();
        (
            count("files_new"),
            count("files_changed"),
            count("files_unmodified"),
            count("files_deleted"),
        )
    };
    fs::create_dir_all(tree.file("sub/deep")).unwrap();
    fs::write(tree.file("sub/deep/d.txt"), "Deep down.").unwrap();
    permit("b.txt", 0);
    let first = walk();
    assert_eq!(counts(&first), (4, 0, 0, 0));
    assert_eq!(first["inspection"]["unreadable_files"], 1);
    assert_eq!(first["inspection"]["examined_files"], 3);

    permit("sub", 0);
    let second = walk();
    assert_eq!(counts(&second), (0, 0, 4, 0));
    assert_eq!(second["inspection"]["unreadable_files"], 2);
    let warnings = second["warnings"].as_array().unwrap();
    let sub = format!(
        "{} could not be read: Permission denied (os error 13)",
        tree.file("sub").display()
    );
    assert!(warnings.contains(&sub.into()), "{warnings:?}");

    // Names without attributes.
    permit("sub", 0o644);
    let third = walk();
    assert_eq!(counts(&third), (0, 0, 4, 0));

    permit("sub", 0o755);
    permit("b.txt", 0o644);
    let fourth = walk();
    assert_eq!(counts(&fourth), (0, 0, 4, 0));
    assert_eq!(fourth["inspection"]["unreadable_files"], 0);

    // A name cannot pass for another message.
    fs::write(tree.file("e\nerror: f.txt"), "Secret.").unwrap();
    permit("e\nerror: f.txt", 0);
    let merged = run(&["--merge", &tree.record("7", "succeeded")]);
    let told = stderr(&merged);
    assert!(
        told.lines().count() == 1 && told.contains("e\\u{a}error: f.txt could not be read"),
        "{told}"
    );
}

/// Root is not kept from anything, so for root another user walks.
fn as_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    uids.and_then(|uids| uids.split_whitespace().nth(1)) == Some("0")
}

/// In a name space of its own, where the user may mount: a directory in itself, and another file
/// system.
#[test]
fn mounts_are_walked_once_or_not_at_all() {
    let tree = Tree::new();
    for directory in ["loop", "other"] {
        fs::create_dir(tree.file(directory)).unwrap();
    }
    let walk = |more: &str| {
        let script = format!(
            "mount --bind {files} {files}/loop && mount -t tmpfs none {files}/other && \
             echo text > {files}/other/x.txt && \
             {program} walk {files} --state {state} --output json --dry-run {more}",
            files = tree.directory().display(),
            program = env!("CARGO_BIN_EXE_backwatch"),
            state = tree.state(),
        );
        Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", &script])
            .output()
    };
    let may = Command::new("unshare")
        .args([
            "--map-root-user",
            "--mount",
            "mount",
            "-t",
            "tmpfs",
            "none",
            "/mnt",
        ])
        .output()
        .is_ok_and(|output| output.status.success());
    if !may {
        // Past the harness, which shows nothing of a test that passes.
        let what = "NOT TESTED: this user may not make mounts, so no walk met one";
        writeln!(std::io::stderr(), "{what}").unwrap();
        return;
    }
    let (directory, warned) = (tree.directory(), |found: &Value| found["warnings"].clone());
    let looped = format!(
        "{}/loop is a mount of a directory that it is in, and was not walked",
        directory.display()
    );
    let other = format!(
        "{}/other is on another file system, and was not walked",
        directory.display()
    );
    let found = json(&walk("").unwrap());
    assert_eq!(
        (&found["file_count"], &found["directory_count"]),
        (&3.into(), &4.into())
    );
    assert_eq!(warned(&found), Value::from(vec![other, looped.clone()]));
    let found = json(&walk("--cross-file-systems").unwrap());
    assert_eq!(found["file_count"], 4);
    assert_eq!(warned(&found), Value::from(vec![looped]));
}
