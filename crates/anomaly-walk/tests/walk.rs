//! What a walk says of ordinary and odd files and directories.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod tree;

use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::num::{NonZeroU64, NonZeroUsize};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_model::{
    BackupImage, BackupJob, ContentStatistics, FileChange, FileReason, NotableFile,
};
use anomaly_walk::{ReadMode, Walk, WalkError, WalkOptions, WalkWarningKind, Walked};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, mkdirat, mkfifoat, open, openat};
use tree::{Seen, Tree, later, run, set_modified, until_changed, walk};

/// Bytes that look random: a 64-bit linear congruential generator's upper bytes.
fn random_bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn text(length: usize) -> Vec<u8> {
    let words = b"Minutes of the meeting, taken by whoever was there. ";
    words.iter().copied().cycle().take(length).collect()
}

fn notable<'a>(walked: &'a Walked, name: &str) -> &'a NotableFile {
    let files = &walked.inspection().notable_files;
    let found = files.iter().find(|file| file.path.ends_with(name));
    found.unwrap_or_else(|| panic!("{name} is not in {files:?}"))
}

#[test]
fn a_walk_reads_what_is_new_or_changed_and_nothing_else() {
    let tree = Tree::new();
    for number in 0..10 {
        tree.write(format!("docs/{number}.txt"), text(3_000), number);
    }
    let first = tree.walk();
    assert_eq!(first.changes(), (10, 0, 0, 0));
    assert_eq!(
        (first.image_bytes, first.read_bytes, first.directories),
        (30_000, 30_000, 2)
    );

    tree.write("docs/1.txt", text(4_000), 20);
    tree.write("docs/more/11.txt", text(500), 21);
    fs::remove_file(tree.path("docs/2.txt")).unwrap();
    let second = run(tree.options()).unwrap();
    let seen = Seen::of(&second);
    assert_eq!(seen.changes(), (1, 1, 8, 1));
    assert_eq!(
        (seen.files, seen.image_bytes, seen.read_bytes),
        (10, 28_500, 4_500)
    );
    assert_eq!(seen.directories, 3);
    let content = second.image().content.unwrap();
    assert_eq!(content.written_bytes, Some(4_500));
    assert_eq!(content.deleted_bytes, Some(6_000));

    // Until it is committed, the next walk sees the same.
    drop(second);
    assert_eq!(tree.walk().changes(), (1, 1, 8, 1));
    assert_eq!(tree.walk().changes(), (0, 0, 10, 0));
}

#[test]
fn a_directory_that_is_gone_takes_its_files_with_it() {
    let tree = Tree::new();
    for number in 0..5 {
        tree.write(format!("a/b/{number}.txt"), text(100), number);
        tree.write(format!("a/b/c/{number}.txt"), text(100), number);
        tree.write(format!("d/{number}.txt"), text(100), number);
    }
    tree.walk();
    fs::remove_dir_all(tree.path("a/b")).unwrap();
    assert_eq!(tree.walk().changes(), (0, 0, 5, 10));
    assert_eq!(tree.walk().changes(), (0, 0, 5, 0));
}

#[test]
fn attributes_alone_are_no_change() {
    let tree = Tree::new();
    tree.write("a.txt", text(2_000), 1);
    tree.walk();
    let path = tree.path("a.txt");
    until_changed(&path, || {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    });
    // It may have been written to, so it is read, once.
    let seen = tree.walk();
    assert_eq!((seen.changes(), seen.read_bytes), ((0, 0, 1, 0), 2_000));
    assert_eq!(tree.walk().read_bytes, 0);
}

#[test]
fn a_file_that_was_touched_has_changed() {
    let tree = Tree::new();
    tree.write("a.txt", text(2_000), 1);
    tree.walk();
    set_modified(&tree.path("a.txt"), 2);
    assert_eq!(tree.walk().changes(), (0, 1, 0, 0));
}

/// Size and time of modification are put back; the time of change tells.
#[test]
fn a_secret_change_is_seen() {
    let tree = Tree::new();
    tree.write("a.txt", text(20_000), 1);
    tree.walk();
    let path = tree.path("a.txt");
    until_changed(&path, || tree.write("a.txt", random_bytes(20_000, 1), 1));
    let walked = run(tree.options()).unwrap();
    assert_eq!(Seen::of(&walked).changes(), (0, 1, 0, 0));
    let file = notable(&walked, "a.txt");
    assert!(
        file.reasons.contains(&FileReason::SecretlyChanged),
        "{file:?}"
    );
    assert!(file.reasons.contains(&FileReason::LooksRandom), "{file:?}");
}

/// Ciphertext by ciphertext: entropy is the same, the bytes are not.
#[test]
fn a_secret_change_of_random_bytes_is_seen() {
    let tree = Tree::new();
    tree.write("a.bin", random_bytes(100_000, 1), 1);
    tree.walk();
    let path = tree.path("a.bin");
    until_changed(&path, || tree.write("a.bin", random_bytes(100_000, 2), 1));
    assert_eq!(tree.walk().changes(), (0, 1, 0, 0));
}

#[test]
fn an_appended_extension_is_a_new_name() {
    let tree = Tree::new();
    for number in 0..5 {
        tree.write(format!("{number}.docx"), text(20_000), number);
    }
    tree.walk();
    for number in 0..4 {
        tree.write(
            format!("{number}.docx.qzxk"),
            random_bytes(20_000, number),
            10,
        );
        fs::remove_file(tree.path(format!("{number}.docx"))).unwrap();
    }
    // The old one is still there: a copy.
    tree.write("4.docx.bak", text(20_000), 10);
    let walked = run(tree.options()).unwrap();
    assert_eq!(Seen::of(&walked).changes(), (5, 0, 1, 4));
    let file = notable(&walked, "0.docx.qzxk");
    assert_eq!(file.change, FileChange::Renamed);
    assert_eq!(
        file.previous_path,
        Some(tree.path("0.docx").display().to_string())
    );
    assert!(file.entropy_bits_before.unwrap() < 5.0, "{file:?}");
    assert!(file.entropy_bits.unwrap() > 7.9, "{file:?}");
    let copies = walked.inspection().notable_files.iter();
    assert!(
        copies
            .filter(|file| file.path.ends_with("docx.bak"))
            .all(|file| file.change == FileChange::New)
    );
}

#[test]
fn only_regular_files_are_files() {
    let tree = Tree::new();
    tree.write("a.txt", text(100), 1);
    tree.write("empty", "", 1);
    fs::create_dir(tree.path("dir")).unwrap();
    symlink(tree.path("a.txt"), tree.path("link")).unwrap();
    symlink(tree.path("dir"), tree.path("dir link")).unwrap();
    symlink("/", tree.path("dir/out")).unwrap();
    symlink("nowhere", tree.path("dangling")).unwrap();
    // To read from it would wait for ever.
    mkfifoat(CWD, tree.path("pipe"), Mode::RWXU).unwrap();
    let _socket = UnixListener::bind(tree.path("socket")).unwrap();
    let seen = tree.walk();
    assert_eq!(
        (seen.files, seen.directories, seen.image_bytes),
        (2, 2, 100)
    );
    assert_eq!((seen.unreadable, seen.unsteady), (0, 0));
}

#[test]
fn hidden_and_ignored_files_are_walked() {
    let tree = Tree::new();
    tree.write(".hidden/.file", text(100), 1);
    tree.write(".gitignore", "*.txt\n", 1);
    tree.write(".ignore", "*.txt\n", 1);
    tree.write("a.txt", text(100), 1);
    fs::create_dir(tree.path(".git")).unwrap();
    assert_eq!(tree.walk().files, 4);
}

#[test]
fn what_is_excluded_is_not_there() {
    let tree = Tree::new();
    for path in [
        "a.txt",
        "a.tmp",
        "keep.tmp",
        "cache/x.txt",
        "sub/cache/x.txt",
        "sub/b.txt",
    ] {
        tree.write(path, text(100), 1);
    }
    let list = tree.scratch.path().join("excludes");
    fs::write(&list, "# scratch files\n*.tmp\n!keep.tmp\n").unwrap();
    let options = || tree.options().exclude("/cache/").exclude_from(&list);
    let seen = walk(options());
    assert_eq!((seen.files, seen.directories), (4, 3));
    // From then on they are gone, as they are from the backup.
    assert_eq!(tree.walk().changes(), (2, 0, 4, 0));
    assert_eq!(walk(options().exclude("b.*")).changes(), (0, 0, 3, 3));

    let error = Walk::new(tree.options().exclude("a{b")).unwrap_err();
    assert!(
        matches!(&error, WalkError::Exclude { pattern, .. } if pattern == "a{b"),
        "{error}"
    );
    let error = Walk::new(tree.options().exclude_from("/nowhere")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot exclude what /nowhere lists"),
        "{error}"
    );
}

#[test]
fn names_need_not_be_text() {
    let tree = Tree::new();
    let name = OsStr::from_bytes(b"caf\xe9\n\x1b[31m.txt");
    tree.write(name, text(1_000), 1);
    tree.write("plain.txt", text(1_000), 1);
    assert_eq!(tree.walk().changes(), (2, 0, 0, 0));
    tree.write(name, random_bytes(20_000, 1), 2);
    let walked = run(tree.options()).unwrap();
    assert_eq!(Seen::of(&walked).changes(), (0, 1, 1, 0));
    assert!(notable(&walked, ".txt").path.contains("caf\u{fffd}"));
    walked.commit().unwrap();
    // Two names that look the same when they are shown are two files.
    tree.write(OsStr::from_bytes(b"caf\xe8\n\x1b[31m.txt"), text(1_000), 1);
    assert_eq!(tree.walk().changes(), (1, 0, 2, 0));
    // An extension is appended to them as to any other.
    let renamed = OsStr::from_bytes(b"caf\xe8\n\x1b[31m.txt.qzxk");
    tree.write(renamed, random_bytes(1_000, 2), 2);
    fs::remove_file(tree.path(OsStr::from_bytes(b"caf\xe8\n\x1b[31m.txt"))).unwrap();
    let walked = run(tree.options()).unwrap();
    assert_eq!(notable(&walked, ".qzxk").change, FileChange::Renamed);
}

/// Where a path is longer than the system takes, the directory counts as unreadable; what was known of
/// it is not lost, and the rest is walked.
#[test]
fn paths_longer_than_the_system_takes_are_counted() {
    const NAME_BYTES: usize = 200;
    let tree = Tree::new();
    tree.write("a.txt", text(100), 1);
    let name = "d".repeat(NAME_BYTES);
    let mut at: OwnedFd = open(&tree.root, OFlags::DIRECTORY, Mode::empty()).unwrap();
    let mut length = tree.root.as_os_str().len();
    let mut walkable = 0;
    while length < 6_000 {
        mkdirat(&at, &*name, Mode::RWXU).unwrap();
        at = openat(&at, &*name, OFlags::DIRECTORY, Mode::empty()).unwrap();
        length += 1 + NAME_BYTES;
        let file = openat(
            &at,
            &*name.replace('d', "f"),
            OFlags::CREATE | OFlags::RDWR,
            Mode::RWXU,
        );
        File::from(file.unwrap())
            .write_all_at(b"some text", 0)
            .unwrap();
        // The system's limit counts the zero behind the path.
        walkable += u64::from(length < 4_096);
    }
    let walked = run(tree.options()).unwrap();
    let seen = Seen::of(&walked);
    // Files are found from their directory: their own paths may be longer.
    assert_eq!(
        (seen.files, seen.read_bytes),
        (1 + walkable, 100 + 9 * walkable)
    );
    assert_eq!((seen.unreadable, seen.unsteady), (1, 0));
    let [warning] = walked.warnings() else {
        panic!("{:?}", walked.warnings());
    };
    assert_eq!(warning.kind, WalkWarningKind::Unreadable);
    assert!(
        warning
            .to_string()
            .ends_with("File name too long (os error 36)"),
        "{warning}"
    );
    walked.commit().unwrap();
    let again = tree.walk();
    assert_eq!(
        (again.changes(), again.unreadable),
        ((0, 0, 1 + walkable, 0), 1)
    );
}

/// A path that is too long for the job format does not keep the job from it.
#[test]
fn a_notable_path_fits_into_a_job_record() {
    let tree = Tree::new();
    let name = OsStr::from_bytes(&[0xff; 200]);
    let mut path = tree.root.clone();
    while path.as_os_str().len() < 3_700 {
        path.push(name);
        fs::create_dir(&path).unwrap();
    }
    fs::write(path.join(name), random_bytes(20_000, 1)).unwrap();
    let walked = run(tree.options()).unwrap();
    assert_eq!(walked.inspection().notable_files.len(), 1);
    let job = BackupJob::builder("restic", "1", "client", "policy", DateTime::UNIX_EPOCH);
    walked.fill(&job.build().unwrap()).unwrap();
}

/// Enough that their part of the state is read in more than one piece.
#[test]
fn a_directory_may_hold_many_files() {
    let tree = Tree::new();
    tree.write("0", "x", 1);
    for number in 1..10_000 {
        fs::hard_link(tree.path("0"), tree.path(number.to_string())).unwrap();
    }
    assert_eq!(tree.walk().changes(), (10_000, 0, 0, 0));
    fs::remove_file(tree.path("77")).unwrap();
    tree.write("new", "y", 2);
    // The number of links has changed, and the time of change with it.
    let seen = tree.walk();
    assert_eq!(seen.changes(), (1, 0, 9_999, 1));
    assert_eq!(tree.walk().read_bytes, 0);
}

#[test]
fn sparse_files_are_read_where_they_hold_data() {
    let tree = Tree::new();
    let file = File::create(tree.path("disk.img")).unwrap();
    file.set_len(1 << 40).unwrap();
    file.write_all_at(&text(5_000), 1 << 30).unwrap();
    drop(file);
    for mode in [ReadMode::Full, ReadMode::Strided] {
        let seen = Seen::of(&run(tree.options().sampling(mode)).unwrap());
        assert_eq!(seen.image_bytes, 1 << 40);
        assert!(seen.read_bytes < 100_000, "{seen:?}");
    }
}

/// What changes as the walk goes by may change once more within one step of the file system's clock.
#[test]
fn what_changed_after_the_start_is_read_again() {
    let tree = Tree::new();
    tree.write("a.txt", text(1_000), 1);
    let changed = fs::metadata(tree.path("a.txt")).unwrap().ctime();
    let start = |seconds| {
        let mut options = tree.options();
        options.started_at = DateTime::from_timestamp(changed + seconds, 0).unwrap();
        options
    };
    assert_eq!(walk(start(-1)).read_bytes, 1_000);
    assert_eq!(walk(start(1)).read_bytes, 1_000);
    // Three seconds later the clock has moved on.
    let seen = walk(start(4));
    assert_eq!((seen.changes(), seen.read_bytes), ((0, 0, 1, 0), 1_000));
    assert_eq!(walk(start(5)).read_bytes, 0);
}

/// What is seen of a file by one sampling is not compared with what another saw.
#[test]
fn samplings_may_change() {
    let tree = Tree::new();
    tree.write("a.bin", random_bytes(300_000, 1), 1);
    let path = tree.path("a.bin");
    walk(tree.options().sampling(ReadMode::Full));
    for (mode, read_bytes) in [(ReadMode::Head, 65_536), (ReadMode::Full, 300_000)] {
        until_changed(&path, || {
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode ^ 0o001)).unwrap();
        });
        let seen = walk(tree.options().sampling(mode));
        assert_eq!(
            (seen.changes(), seen.read_bytes),
            ((0, 0, 1, 0), read_bytes)
        );
    }
}

#[test]
fn threads_and_rate_change_nothing_that_is_seen() {
    let tree = Tree::new();
    for number in 0..200_u64 {
        let content = match number % 3 {
            0 => random_bytes(9_000, number),
            _ => text(501),
        };
        tree.write(format!("{}/{number}.dat", number % 20), content, number);
    }
    let all = |options: WalkOptions| {
        let walked = run(options.sampling(ReadMode::Full)).unwrap();
        (
            *walked.image(),
            walked.inspection().clone(),
            walked.read_bytes(),
        )
    };
    let one = all(tree.options().threads(NonZeroUsize::new(1)));
    assert_eq!(all(tree.options().threads(NonZeroUsize::new(7))), one);
    let rate = NonZeroU64::new(1_000_000_000);
    assert_eq!(all(tree.options().max_read_bytes_per_second(rate)), one);
}

/// The state does not see itself, wherever it is.
#[test]
fn the_state_may_be_inside() {
    let tree = Tree::new();
    tree.write("a.txt", text(100), 1);
    tree.write("state.txt", text(100), 1);
    let options = || {
        let mut options = tree.options();
        options.state = tree.path("state");
        options
    };
    assert_eq!(walk(options()).changes(), (2, 0, 0, 0));
    assert_eq!(walk(options()).changes(), (0, 0, 2, 0));
}

#[test]
fn a_directory_that_cannot_be_walked_is_an_error() {
    let tree = Tree::new();
    tree.write("file", "x", 1);
    for path in ["file", "missing"] {
        let path = tree.path(path);
        let error = Walk::new(WalkOptions::new(&path, &tree.state, later())).unwrap_err();
        assert!(matches!(error, WalkError::Root { .. }), "{error}");
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }
    assert!(!tree.state.exists());
}

#[test]
fn progress_ends_with_all() {
    let tree = Tree::new();
    for number in 0..1_000 {
        tree.write(format!("{}/{number}", number % 3), "text", number);
    }
    assert_eq!(Walk::new(tree.options()).unwrap().expected_files(), None);
    let most = std::sync::Mutex::new((0, 0));
    let walked = Walk::new(tree.options())
        .unwrap()
        .run_with(&|progress| {
            let mut most = most.lock().unwrap();
            most.0 = progress.files.max(most.0);
            most.1 = progress.read_bytes.max(most.1);
        })
        .unwrap();
    walked.commit().unwrap();
    assert_eq!(*most.lock().unwrap(), (1_000, 4_000));
    assert_eq!(
        Walk::new(tree.options()).unwrap().expected_files(),
        Some(1_000)
    );
}

/// What the tool reported stays; what it cannot know is filled in.
#[test]
fn a_job_is_filled_in() {
    let tree = Tree::new();
    tree.write("a.txt", text(100), 1);
    let told = BackupImage::default()
        .file_count(17)
        .transferred_bytes(5)
        .content(ContentStatistics::default().random_files(3));
    let job = BackupJob::builder("borg", "1", "client", "policy", DateTime::UNIX_EPOCH)
        .image(told)
        .build()
        .unwrap();
    // What a first walk finds new was not written by this job.
    let first = run(tree.options()).unwrap();
    let filled = first.fill(&job).unwrap();
    assert_eq!(*filled.image(), told.image_bytes(100).directory_count(1));
    assert_eq!(filled.inspection().unwrap().written_files, Some(1));
    first.commit().unwrap();

    tree.write("b.txt", text(200), 1);
    let second = run(tree.options()).unwrap();
    let filled = second.fill(&job).unwrap();
    let image = filled.image();
    assert_eq!(
        (image.file_count, image.transferred_bytes),
        (Some(17), Some(5))
    );
    assert_eq!((image.image_bytes, image.files_new), (Some(300), Some(1)));
    assert_eq!(image.content.unwrap().random_files, Some(0));
    assert_eq!(filled.inspection(), Some(second.inspection()));
    assert_eq!(filled.key(), job.key());
}

/// A tool that looks at size and time misses some of what was written; the walk, some of what was
/// written before or after it.
#[test]
fn counts_are_those_of_whoever_saw_more_written() {
    let tree = Tree::new();
    tree.write("a.txt", text(2_000), 1);
    tree.walk();
    let path = tree.path("a.txt");
    until_changed(&path, || tree.write("a.txt", random_bytes(2_000, 1), 1));
    let walked = run(tree.options()).unwrap();
    for (told, filled) in [(0, (0, 1, 0)), (7, (0, 7, 5))] {
        let image = BackupImage::default()
            .files_new(0)
            .files_changed(told)
            .files_unmodified(5);
        let job = BackupJob::builder("restic", "1", "client", "policy", DateTime::UNIX_EPOCH)
            .image(image)
            .build()
            .unwrap();
        let job = walked.fill(&job).unwrap();
        let image = job.image();
        let counts = image.files_new.zip(image.files_changed);
        let counts = counts.zip(image.files_unmodified);
        assert_eq!(
            counts.map(|((new, changed), unmodified)| (new, changed, unmodified)),
            Some(filled)
        );
        assert_eq!(image.content.unwrap().random_files, Some(1));
    }
}

#[test]
fn the_walk_before_is_named() {
    let tree = Tree::new();
    let walked = run(tree.options()).unwrap();
    assert_eq!(walked.previous(), None);
    walked.commit().unwrap();
    let before = later();
    let mut options = tree.options();
    options.started_at = before + TimeDelta::days(1);
    walk(options.clone());
    assert_eq!(
        run(tree.options()).unwrap().previous(),
        Some(options.started_at)
    );
}

/// Two states have two keys: what one makes of names says nothing about the other.
#[test]
fn each_state_has_a_key_of_its_own() {
    let tree = Tree::new();
    tree.write("a.txt", text(100), 1);
    let state = |name: &str| {
        let mut options = tree.options();
        options.state = tree.scratch.path().join(name);
        walk(options);
        fs::read(tree.scratch.path().join(name)).unwrap()
    };
    let name = CString::new("a.txt").unwrap();
    let (one, other) = (state("one"), state("other"));
    assert_ne!(one[10..26], other[10..26]);
    assert_ne!(one[10..26], [0; 16]);
    for state in [one, other] {
        assert!(!state.windows(5).any(|window| window == name.as_bytes()));
    }
}
