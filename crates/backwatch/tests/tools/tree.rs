//! Files that people work on, and what ransomware makes of them.

use std::fs;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

const WORDS: &[&str] = &[
    "the", "backup", "of", "a", "client", "holds", "every", "file", "that", "was", "there", "when",
    "it", "ran", "and", "nothing", "else", "policy", "report", "invoice", "meeting", "minutes",
    "draft", "budget", "summer", "winter", "order", "number", "street", "town", "letter", "answer",
];

/// A directory of text files that changes a little every day; the same every time.
pub(crate) struct Tree {
    directory: PathBuf,
    files: Vec<PathBuf>,
    random: ChaCha20Rng,
}

impl Tree {
    /// A hundred files of 2 to 20 kB.
    pub(crate) fn new(directory: &Path) -> Self {
        let mut tree = Self {
            directory: directory.to_owned(),
            files: Vec::new(),
            random: ChaCha20Rng::seed_from_u64(0),
        };
        for number in 0..100 {
            let bytes = 2_000 + tree.below(18_000);
            tree.add(&format!("folder{}/file{number}.txt", number % 8), bytes);
        }
        tree
    }

    /// Adds two hundred notes of a few lines, and thirty logs of 100 to 300 kB.
    pub(crate) fn add_notes_and_logs(&mut self) {
        for number in 0..200 {
            let bytes = 100 + self.below(500);
            self.add(&format!("notes/note{number}.txt"), bytes);
        }
        for number in 0..30 {
            let bytes = 100_000 + self.below(200_000);
            self.add(&format!("logs/log{number}.txt"), bytes);
        }
    }

    /// A day's work: some files are written on, one is new.
    pub(crate) fn work(&mut self, day: u32) {
        for _ in 0..2 + self.below(4) {
            let number = self.below(self.files.len());
            let file = self.files[number].clone();
            let mut content = fs::read(&file).unwrap();
            let bytes = 200 + self.below(1_500);
            content.extend(self.text(bytes).bytes());
            fs::write(file, content).unwrap();
        }
        self.add(&format!("folder{}/day{day}.txt", day % 8), 4_000);
    }

    /// What ransomware does: every file is replaced by its ciphertext, `ChaCha20` under a secret key.
    pub(crate) fn encrypt(&mut self) {
        let mut key = ChaCha20Rng::seed_from_u64(666);
        for file in &self.files {
            let mut content = fs::read(file).unwrap();
            let mut stream = vec![0; content.len()];
            key.fill_bytes(&mut stream);
            for (byte, stream) in content.iter_mut().zip(stream) {
                *byte ^= stream;
            }
            fs::write(file, content).unwrap();
        }
    }

    fn add(&mut self, name: &str, bytes: usize) {
        let file = self.directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, self.text(bytes)).unwrap();
        self.files.push(file);
    }

    fn text(&mut self, bytes: usize) -> String {
        let mut text = String::new();
        while text.len() < bytes {
            text += WORDS[self.below(WORDS.len())];
            text += if self.below(9) == 0 { "\n" } else { " " };
        }
        text
    }

    fn below(&mut self, most: usize) -> usize {
        self.random.next_u32() as usize % most
    }
}
