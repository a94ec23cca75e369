//! Attacks that hide, seen by a walk beside restic, which tells nothing of content.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tempfile::TempDir;

use crate::tool::{command, ingest, is_there, succeeded};
use crate::tree::Tree;

/// Days on which nothing happened.
const ORDINARY_DAYS: u32 = 14;

/// What an attack makes of a file, and what it calls it.
type Attack = fn(&str, &[u8]) -> Option<(String, Vec<u8>)>;

const ATTACKS: &[(&str, Attack)] = &[
    ("in place", |name, content| {
        Some((name.to_owned(), ciphertext(content)))
    }),
    ("renamed", |name, content| {
        Some((format!("{name}.lockbit"), ciphertext(content)))
    }),
    ("as Base64", |name, content| {
        Some((name.to_owned(), base64(&ciphertext(content))))
    }),
    ("every other block", |name, content| {
        let mut content = content.to_vec();
        for block in content.chunks_mut(4096).step_by(2) {
            block.copy_from_slice(&ciphertext(block));
        }
        Some((name.to_owned(), content))
    }),
    ("the first 3 %", |name, content| {
        let mut content = content.to_vec();
        let part = content.len() * 3 / 100;
        let head = ciphertext(&content[..part]);
        content[..part].copy_from_slice(&head);
        Some((name.to_owned(), content))
    }),
    ("within the alphabet", |name, content| {
        let mut key = ChaCha20Rng::seed_from_u64(666);
        let mut shift = |byte: u8, first: u8, count: u32| {
            let shifted = u32::from(byte - first) + key.next_u32() % count;
            first + u8::try_from(shifted % count).unwrap()
        };
        let content = content.iter().map(|&byte| match byte {
            b'a'..=b'z' => shift(byte, b'a', 26),
            b'0'..=b'9' => shift(byte, b'0', 10),
            byte => byte,
        });
        Some((name.to_owned(), content.collect()))
    }),
    ("many small files", |name, content| {
        name.contains("note")
            .then(|| (name.to_owned(), ciphertext(content)))
    }),
];

/// `ChaCha20` under a secret key.
fn ciphertext(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0; content.len()];
    ChaCha20Rng::seed_from_u64(666 + content.len() as u64).fill_bytes(&mut stream);
    content.iter().zip(stream).map(|(a, b)| a ^ b).collect()
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let symbol = SYMBOLS[(bits >> (18 - 6 * place)) as usize % 64];
            text.push(if place <= group.len() { symbol } else { b'=' });
        }
        if text.len() % 77 == 76 {
            text.push(b'\n');
        }
    }
    text
}

struct Site {
    place: TempDir,
    day: u32,
}

impl Site {
    fn documents(&self) -> PathBuf {
        self.place.path().join("documents")
    }

    /// Backs up against an earlier snapshot, the last one when not given, and judges the job by what
    /// a walk sees. Returns the exit status and the verdict.
    fn back_up(&self, database: &str, parent: Option<&str>) -> (Option<i32>, String) {
        let home = self.place.path();
        let time = format!("2026-03-{:02} 22:00:00", self.day);
        let backup = ["backup", "--json", "--time", &time, "documents"];
        let mut restic = command("restic", home);
        restic.args(["--repo", "repository"]).args(backup);
        if let Some(parent) = parent {
            restic.args(["--parent", parent]);
        }
        let printed = succeeded(&mut restic).stdout;
        let started_at = time.replace(' ', "T") + "Z";
        let options = [
            "--db",
            database,
            "--format=restic-backup",
            "--client=files01",
            "--policy=documents",
            "--exit-code=0",
            "--walk=documents",
            "--output=ndjson",
            "--started-at",
            &started_at,
        ];
        ingest(home, &printed, &options)
    }

    /// All files by their path.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.documents()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    files.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        files
    }

    /// A copy of what Backwatch knows, so that no attack is news because of another.
    fn copy_of_knowledge(&self, name: &str) {
        for entry in fs::read_dir(self.place.path()).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            if let Some(rest) = file.strip_prefix("known.db") {
                fs::copy(&path, self.place.path().join(format!("{name}.db{rest}"))).unwrap();
            }
        }
    }
}

fn write_with_times_of(path: &Path, content: &[u8], original: &fs::Metadata) {
    fs::write(path, content).unwrap();
    let times = FileTimes::new()
        .set_accessed(original.accessed().unwrap())
        .set_modified(original.modified().unwrap());
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_times(times)
        .unwrap();
}

fn verdict(text: &str) -> serde_json::Value {
    serde_json::from_str(text.trim_end()).unwrap()
}

#[test]
fn attacks_that_hide_are_told_at_the_first_job_with_their_files() {
    if !is_there("restic") {
        return;
    }
    let mut site = Site {
        place: TempDir::new().unwrap(),
        day: 1,
    };
    let mut tree = Tree::new(&site.documents());
    tree.add_notes_and_logs();
    succeeded(command("restic", site.place.path()).args(["--repo", "repository", "init"]));
    let mut parent = String::new();
    for day in 1..=ORDINARY_DAYS {
        site.day = day;
        tree.work(day);
        let (status, text) = site.back_up("known.db", None);
        assert_eq!(status, Some(0), "day {day}: {text}");
        parent = verdict(&text)["job_id"].as_str().unwrap().to_owned();
    }
    site.day += 1;
    let before = site.files();
    let times: BTreeMap<&PathBuf, fs::Metadata> = before
        .keys()
        .map(|path| (path, fs::metadata(path).unwrap()))
        .collect();
    for (number, (what, attack)) in ATTACKS.iter().enumerate() {
        // The one that keeps the names and sizes keeps the times, too.
        let keeps_times = *what == "in place";
        let mut made = Vec::new();
        for (path, content) in &before {
            if let Some((name, content)) = attack(&path.to_string_lossy(), content) {
                let attacked = PathBuf::from(name);
                if keeps_times {
                    write_with_times_of(&attacked, &content, &times[path]);
                } else {
                    fs::write(&attacked, content).unwrap();
                }
                if attacked != *path {
                    fs::remove_file(path).unwrap();
                }
                made.push(attacked);
            }
        }
        let name = format!("attack{number}");
        site.copy_of_knowledge(&name);
        let (status, text) = site.back_up(&format!("{name}.db"), Some(&parent));
        assert_eq!(status, Some(1), "{what}: {text}");
        let verdict = verdict(&text);
        assert_eq!(verdict["kind"], "mass_encryption", "{what}: {text}");
        let named = verdict["files"].as_array().unwrap();
        assert_eq!(named.len(), 20, "{what}: {text}");
        for file in named {
            let path = Path::new(file["path"].as_str().unwrap());
            assert!(
                made.iter().any(|made| made.ends_with(path)),
                "{what}: {file}"
            );
        }

        for path in made {
            fs::remove_file(path).unwrap();
        }
        for (path, content) in &before {
            write_with_times_of(path, content, &times[path]);
        }
    }
}
