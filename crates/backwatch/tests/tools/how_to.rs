//! The pages of `docs/how-to`, with the real tools where they run here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anomaly_sources::Format;
use tempfile::TempDir;

use crate::page;
use crate::tool::{command, is_there, succeeded};
use crate::tree::Tree;

/// A root directory as the pages expect it: documents to back up, and a directory for the database.
struct Machine {
    root: TempDir,
    tree: Tree,
}

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        fs::create_dir_all(root.path().join("var/lib/backwatch")).unwrap();
        let tree = Tree::new(&root.path().join("srv/documents"));
        Self { root, tree }
    }

    fn path(&self, path: &str) -> String {
        self.root.path().join(path).to_str().unwrap().to_owned()
    }

    /// A file of one line, such as a password.
    fn write(&self, path: &str, line: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{line}\n")).unwrap();
    }

    /// A command that finds `backwatch` on its path.
    fn command(&self, program: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_backwatch")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = command(program, self.root.path());
        command.env("PATH", format!("{}:{path}", binary.display()));
        command
    }

    fn run(&self, script: &str) -> Output {
        self.command(&self.path(script)).output().unwrap()
    }

    /// Runs the script of a page after an ordinary day, which must be judged.
    fn back_up(&mut self, script: &str, day: u32) {
        self.tree.work(day);
        let output = self.run(script);
        let text = text(&output);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("1 new job: 1 warming up."), "{text}");
    }
}

fn text(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(error)
    )
}

#[test]
fn restic_and_what_it_says_of_a_failure() {
    if !is_there("restic") {
        return;
    }
    let mut machine = Machine::new();
    page::install("restic.md", machine.root.path());
    machine.write("etc/restic/password", "correct horse battery staple");
    let repository = machine.path("srv/restic");
    succeeded(
        machine
            .command("restic")
            .args(["--repo", &repository, "init"]),
    );
    for day in 0..2 {
        machine.back_up("usr/local/bin/backup-documents", day);
    }
    // The line for the list of snapshots can be read, whatever numbers this version has in it.
    let line = &page::shell_lines("restic.md", machine.root.path())[0];
    let mut shell = machine.command("sh");
    shell
        .args(["-c", line])
        .env("RESTIC_REPOSITORY", &repository);
    let listed = text(&succeeded(&mut shell));
    assert!(
        listed.contains("new job") && !listed.contains("error"),
        "{listed}"
    );

    machine.write("etc/restic/password", "something else");
    let failed = machine.run("usr/local/bin/backup-documents");
    let text = text(&failed);
    assert_eq!(failed.status.code(), Some(1), "restic's own status: {text}");
    assert!(text.contains("The job failed (exit code 1)"), "{text}");
    assert!(text.contains(" / /"), "the same stream: {text}");
}

#[test]
fn borg_and_what_it_says_of_a_failure() {
    if !is_there("borg") {
        return;
    }
    let mut machine = Machine::new();
    page::install("borg.md", machine.root.path());
    machine.write("etc/borg/passphrase", "correct horse battery staple");
    let repository = machine.path("srv/borg");
    let init = ["init", "--encryption=repokey", &repository];
    succeeded(machine.command("borg").args(init));
    for day in 0..2 {
        machine.back_up("usr/local/bin/backup-documents", day);
        // The archives' names have seconds in them.
        succeeded(machine.command("sleep").arg("1"));
    }
    let line = &page::shell_lines("borg.md", machine.root.path())[0];
    let mut shell = machine.command("sh");
    shell.args(["-c", line]).env("BORG_REPO", &repository);
    let listed = text(&succeeded(&mut shell));
    assert!(listed.contains("2 jobs were known already"), "{listed}");

    fs::rename(&repository, machine.path("srv/gone")).unwrap();
    let failed = machine.run("usr/local/bin/backup-documents");
    let text = text(&failed);
    assert_eq!(failed.status.code(), Some(2), "borg's own status: {text}");
    assert!(text.contains("The job failed (exit code 2)"), "{text}");
    assert!(text.contains(" / documents"), "the same stream: {text}");
}

#[test]
fn borgmatic_and_what_it_says_of_a_failure() {
    if !is_there("borgmatic") || !is_there("borg") {
        return;
    }
    let mut machine = Machine::new();
    page::install("borgmatic.md", machine.root.path());
    let (repository, documents) = (machine.path("srv/borg"), machine.path("srv/documents"));
    let settings = format!(
        "location:\n  source_directories: [{documents}]\n  repositories: [{repository}]\n\
         retention:\n  keep_daily: 7\n"
    );
    machine.write(".config/borgmatic/config.yaml", &settings);
    let init = ["init", "--encryption=repokey", &repository];
    succeeded(machine.command("borg").args(init));
    for day in 0..2 {
        machine.back_up("usr/local/bin/borgmatic-watched", day);
    }
    fs::rename(&repository, machine.path("srv/gone")).unwrap();
    let failed = machine.run("usr/local/bin/borgmatic-watched");
    let text = text(&failed);
    assert_eq!(
        failed.status.code(),
        Some(1),
        "borgmatic's own status: {text}"
    );
    assert!(text.contains("The job failed (exit code 2)"), "{text}");
}

/// What needs no tool: a table, and a record that a script writes.
#[test]
fn csv_and_a_script_of_ones_own() {
    let machine = Machine::new();
    page::install("csv.md", machine.root.path());
    machine.write("var/log/backups.csv", &page::block("csv.md", "csv"));
    for (line, jobs) in page::shell_lines("csv.md", machine.root.path())
        .iter()
        .zip(["2 new jobs: 2 warming up.", "1 new job: 1 warming up."])
    {
        let output = succeeded(machine.command("sh").args(["-c", line]));
        let text = text(&output);
        assert!(text.contains(jobs), "{line}: {text}");
    }
}

/// The units of all pages are understood by systemd.
#[test]
fn units_are_verified() {
    if !is_there("systemd-analyze") {
        return;
    }
    let machine = Machine::new();
    for (name, text) in page::all() {
        if !text.contains("# /etc/systemd/system/") {
            continue;
        }
        let files = page::install(&name, machine.root.path());
        let is_unit = |path: &&std::path::PathBuf| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            matches!(extension, Some("service" | "timer"))
        };
        let units: Vec<_> = files.iter().filter(is_unit).collect();
        if units.is_empty() {
            continue;
        }
        let mut verify = machine.command("systemd-analyze");
        let output = verify
            .args(["verify", "--man=no"])
            .args(&units)
            .output()
            .unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        let root = machine.root.path().to_str().unwrap();
        // Of the machine that this runs on, there may be more to say.
        let ours: Vec<&str> = complaints
            .lines()
            .filter(|line| line.contains(root) || line.contains("ackwatch"))
            .collect();
        assert!(ours.is_empty(), "{name}: {complaints}");
    }
}

/// A command without those that the shell puts into it: `$(date --utc)`.
fn own_words(command: &str) -> String {
    let mut parts = command.split("$(");
    let mut own = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        own += part.split_once(')').map_or("", |(_, rest)| rest);
    }
    own
}

/// Every shell script and line of a page is shell, and every option of ours in it is one.
#[test]
fn every_command_of_a_page_is_understood() {
    let help = |command: &str| {
        let mut backwatch = Command::new(env!("CARGO_BIN_EXE_backwatch"));
        let output = succeeded(backwatch.args([command, "--help"]));
        String::from_utf8(output.stdout).unwrap()
    };
    let ingest = help("ingest");
    let mut pages_of_formats = BTreeSet::new();
    for (name, text) in page::all() {
        for (at, _) in text.match_indices("backwatch ingest") {
            let command = text[at..]
                .split_once(" || ")
                .map_or(&text[at..], |(it, _)| it);
            let command = own_words(command.split("```").next().unwrap());
            for word in command.split(|c: char| c.is_whitespace() || c == '`' || c == '"') {
                // The end of a comment is none.
                let option = word.strip_prefix("--");
                let option = option.filter(|option| !matches!(*option, "" | ">"));
                if let Some(option) = option {
                    let is_known = ingest.split_whitespace().any(|known| known == word);
                    assert!(is_known, "{name}: --{option} is no option of ingest");
                }
            }
        }
        for format in Format::ALL {
            if text.contains(&format!("`{format}`")) {
                pages_of_formats.insert(format.as_str());
            }
        }
        for script in page::shell(&text) {
            succeeded(Command::new("sh").args(["-n", "-c", &script]));
        }
    }
    for format in Format::ALL {
        let name = format.as_str();
        assert!(pages_of_formats.contains(name), "no page tells of {name}");
    }
}
