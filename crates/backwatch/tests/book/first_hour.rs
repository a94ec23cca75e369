//! The pages of the part *Start*: their commands, run one after the other as a reader does.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::pages::{Block, Page};
use crate::program::root;
use crate::tool::is_there;

/// Where the pages write, and the ports at which they listen: in a test they are other ones.
const PLACES: [&str; 2] = ["/tmp/backwatch-try", "/tmp/backwatch-compare"];
const PORTS: [&str; 2] = ["8765", "9000"];

/// Somebody who reads a page.
struct Reader {
    home: TempDir,
    changes: Vec<(String, String)>,
    /// Groups of processes that were started.
    groups: Vec<u32>,
}

impl Reader {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let place = home.path().join("try").display().to_string();
        // Both at once, so that they are not the same.
        let listeners = PORTS.map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.map(|listener| listener.local_addr().unwrap().port().to_string());
        let mut changes = PLACES.map(|of| (of.to_owned(), place.clone())).to_vec();
        changes.extend(PORTS.map(str::to_owned).into_iter().zip(ports));
        Self {
            home,
            changes,
            groups: Vec::new(),
        }
    }

    fn here(&self, text: &str) -> String {
        let change = |text: String, (from, to): &(String, String)| text.replace(from, to);
        self.changes.iter().fold(text.to_owned(), change)
    }

    /// Writes the file that a block is.
    fn write(&self, file: &str, text: &str) {
        let path = PathBuf::from(self.here(file));
        assert!(path.starts_with(self.home.path()), "{}", path.display());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, self.here(text)).unwrap();
    }

    /// Runs a block in the directory in which the one before it ended, with what that exported, and
    /// returns what it printed. A command may say that there are anomalies (status 1); no other
    /// failure is let pass.
    fn run(&mut self, block: &str) -> String {
        let home = self.home.path();
        let (state, printed) = (home.join("state"), home.join("printed"));
        let script = format!(
            "[ ! -e {state} ] || . {state}\n\
             trap '[ $? -eq 1 ] || {{ echo \"FAILED: $BASH_COMMAND\" >&2; exit 99; }}' ERR\n\
             {}\n\
             {{ echo \"cd '$PWD'\"; declare -p OLDPWD KEY 2>/dev/null; }} >{state} || true\n",
            self.here(block),
            state = state.display(),
        );
        let out = fs::File::create(&printed).unwrap();
        let binary = Path::new(env!("CARGO_BIN_EXE_backwatch")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut child = Command::new("bash")
            .args(["-c", &script])
            .current_dir(root())
            .env("PATH", format!("{}:{path}", binary.display()))
            .env("HOME", home)
            .env_remove("XDG_DATA_HOME")
            .env("BORG_BASE_DIR", home)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .process_group(0)
            .spawn()
            .unwrap();
        self.groups.push(child.id());
        let status = child.wait().unwrap();
        let mut text = String::new();
        let mut file = fs::File::open(&printed).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert!(status.success(), "{block}\n{text}");
        text
    }

    /// Follows a page from its beginning to its end.
    fn follow(&mut self, page: &Page) {
        let blocks = page.blocks();
        let mut ran = 0;
        for (index, block) in blocks.iter().enumerate() {
            if block.not_run.is_some() {
                continue;
            }
            match (&*block.language, block.file()) {
                (_, Some(file)) => self.write(file, &block.text),
                ("sh", None) => {
                    ran += 1;
                    let next = blocks.get(index + 1);
                    self.see(&block.text, next.filter(|next| next.language == "text"));
                }
                _ => {}
            }
        }
        assert!(ran > 0, "{} has nothing to run", page.name);
    }

    /// Runs a block that must print what the page shows. A look at what others write meanwhile is
    /// taken again until they have.
    fn see(&mut self, block: &str, shown: Option<&Block>) {
        let shown = shown.map_or(String::new(), |block| self.here(&block.text));
        let is_a_look = block.starts_with("cat ");
        for _ in 0..600 {
            let printed = self.run(block);
            match missing(&shown, &printed) {
                None => return,
                Some(_) if is_a_look => sleep(Duration::from_millis(100)),
                Some(line) => panic!("{block}\ndid not print: {line}\nbut:\n{printed}"),
            }
        }
        panic!("{block}\nnever printed:\n{shown}");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for group in &self.groups {
            _ = Command::new("kill")
                .args(["-KILL", "--", &format!("-{group}")])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// The first line that a page shows and that was not printed, in its order. `…` stands for anything.
fn missing<'a>(shown: &'a str, printed: &str) -> Option<&'a str> {
    let mut printed = printed.lines();
    shown
        .lines()
        .find(|line| !printed.by_ref().any(|is| fits(line, is)))
}

fn fits(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…').map(str::trim);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.trim_start().strip_prefix(first.trim_start()) else {
        return false;
    };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    shown.ends_with('…') || rest.trim().is_empty()
}

#[test]
fn an_administrators_first_hour() {
    if !["restic", "borg", "curl", "python3"]
        .into_iter()
        .all(is_there)
    {
        return;
    }
    Reader::new().follow(&Page::read("start/administrator.md"));
}

#[test]
fn comparing_detectors() {
    Reader::new().follow(&Page::read("start/compare.md"));
}

#[test]
fn what_is_shown_has_to_be_printed() {
    let shown = "HIGH  …  files01 …  score …\n      Looks bad.\n";
    let printed = "x\nHIGH  2026  files01 / a    score 3.8\n      Looks bad.\n";
    assert_eq!(missing(shown, printed), None);
    assert_eq!(
        missing(shown, "HIGH  2026  files02  score 3\n"),
        shown.lines().next()
    );
    assert_eq!(missing("b\na\n", "a\nb\n"), Some("a"));
    assert!(!fits("a", "a b") && fits("a …", "a b") && fits("… b", "a b"));
}
