//! The pages of the part *Start*: their commands, run one after the other as a reader does.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use crate::pages::{Block, Page};
use crate::program::root;
use crate::tool::is_there;

/// Where the pages write, and the ports at which they listen: in a test they are other ones.
const PLACES: [&str; 2] = ["/tmp/backwatch-try", "/tmp/backwatch-compare"];
const PORTS: [&str; 2] = ["8765", "9000"];

/// No command of a page fails, but that ours say with status 1 that there are anomalies, and that the
/// pipe of what writes into `head` is closed (status 141).
const STRICT: &str = r#"
set -E -o pipefail
trap 'case "$? $BASH_COMMAND" in
    "1 backwatch scan"* | "1 backwatch ingest"* | "1 backwatch anomalies"* | "1 backwatch incidents"* | "141 "*) ;;
    *) echo "FAILED: $BASH_COMMAND"; exit 99 ;;
esac' ERR
"#;

/// Somebody who reads a page.
struct Reader {
    /// Ends before what it writes into is removed.
    shell: Shell,
    home: TempDir,
    changes: Vec<(String, String)>,
}

/// The one shell in which a page is followed, so that a block knows the directory, the variables, and
/// the jobs of those before it. The leader of a group of all that it starts.
struct Shell {
    child: Child,
    input: ChildStdin,
    /// A line for each block that has ended.
    ended: BufReader<ChildStdout>,
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
        let shell = Shell::start(home.path());
        Self {
            shell,
            home,
            changes,
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

    /// Runs a block and returns what it printed: as an error where a command failed, of which a page
    /// is not followed further.
    fn run(&mut self, block: &str) -> Result<String, String> {
        let printed = self.home.path().join("printed");
        let ended = self.shell.run(&self.here(block), &printed);
        let text = fs::read_to_string(&printed).unwrap();
        if ended { Ok(text) } else { Err(text) }
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
        let is_a_look = shown.is_some() && block.starts_with("cat ");
        let shown = shown.map_or(String::new(), |block| self.here(&block.text));
        // What is looked at may not even be there yet.
        let patient = format!("{} || true\n", block.trim_end());
        let block = if is_a_look { &patient } else { block };
        for _ in 0..600 {
            let printed = self.run(block);
            let printed = printed.unwrap_or_else(|printed| panic!("{block}\n{printed}"));
            match missing(&shown, &printed) {
                None => return,
                Some(_) if is_a_look => sleep(Duration::from_millis(100)),
                Some(line) => panic!("{block}\ndid not print: {line}\nbut:\n{printed}"),
            }
        }
        panic!("{block}\nnever printed:\n{shown}");
    }
}

impl Shell {
    fn start(home: &Path) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_backwatch")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut child = Command::new("bash")
            .current_dir(root())
            .env("PATH", format!("{}:{path}", binary.display()))
            .env("HOME", home)
            .env_remove("XDG_DATA_HOME")
            .env("BORG_BASE_DIR", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(STRICT.as_bytes()).unwrap();
        let ended = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            ended,
        }
    }

    /// Runs a block that prints into a file, and says whether it went well; the shell ends where not.
    fn run(&mut self, block: &str, printed: &Path) -> bool {
        let printed = printed.display();
        let script = format!("{{\n{block}\n}} >'{printed}' 2>&1 </dev/null\necho ended\n");
        self.input.write_all(script.as_bytes()).unwrap();
        let mut line = String::new();
        self.ended.read_line(&mut line).unwrap();
        line == "ended\n"
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.child.id())])
            .stderr(Stdio::null())
            .status();
        _ = self.child.wait();
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

/// What runs in one shell, and what of a page fails it.
#[test]
fn only_anomalies_may_end_with_status_1() {
    let mut reader = Reader::new();
    for passes in [
        "backwatch scan examples/data/fileserver.ndjson",
        "yes | head -1",
        "cd examples\nKEY=secret\nsleep 600 &",
        "[ \"$KEY\" = secret ]\ncd \"$OLDPWD\"\nkill %1\nwait\nls examples",
    ] {
        let ran = reader.run(passes);
        assert!(ran.is_ok(), "{passes}: {ran:?}");
    }
    for fails in [
        "bash -c 'exit 1'\ntrue",
        "bash -c 'exit 1' | cat",
        "kill %1",
        "backwatch scan no-such-file",
        "if true; then cat no-such-file; fi\ntrue",
    ] {
        let ran = Reader::new().run(fails);
        assert!(ran.is_err(), "{fails}: {ran:?}");
    }
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
