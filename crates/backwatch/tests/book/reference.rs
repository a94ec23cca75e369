//! The pages of the reference that the program's own help makes: `docs/commands.md` and
//! `docs/exit-statuses.md`.

use std::fmt::Write as _;
use std::fs;

use crate::program::{backwatch, root, stdout};

/// Set to write the pages instead of checking them.
const WRITE: &str = "BLESS";

/// A command, with what `--help` says of it.
struct Command {
    /// Its words: `backwatch db check`.
    name: String,
    help: String,
}

impl Command {
    /// What the line that begins with `Exit status:` says.
    fn exit_status(&self) -> Option<&str> {
        let line = |line: &'_ str| line.starts_with("Exit status: ");
        let found = self.help.lines().find(|it| line(it))?;
        found.strip_prefix("Exit status: ")
    }
}

/// A command and all below it, in the order of the help.
fn commands(words: &[&str], found: &mut Vec<Command>) {
    let output = backwatch(&[words, &["--help"]].concat());
    assert!(output.status.success(), "{words:?}");
    let help = stdout(&output);
    let listed = help.split_once("\nCommands:\n").map(|(_, rest)| rest);
    let listed = listed.and_then(|rest| rest.split("\n\n").next());
    let below: Vec<String> = listed
        .into_iter()
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    let name = [&["backwatch"], words].concat().join(" ");
    found.push(Command { name, help });
    for name in below {
        commands(&[words, &[&name]].concat(), found);
    }
}

fn all() -> Vec<Command> {
    let mut found = Vec::new();
    commands(&[], &mut found);
    assert!(found.len() > 40, "{} commands", found.len());
    found
}

/// Checks a page, or writes it.
fn check(name: &str, text: &str) {
    let path = root().join("docs").join(name);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, text).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == text,
        "docs/{name} is not what the program says; {WRITE}=1 cargo test -p backwatch --test book \
         writes it anew"
    );
}

/// Which command writes the pages, for their tops.
const BY: &str = "*Written by `BLESS=1 cargo test -p backwatch --test book reference`.*\n\n";

#[test]
fn the_command_line_is_what_the_help_says() {
    let mut text = format!(
        "# Command line\n\n{BY}\
         What `--help` prints, for every command; `-h` is shorter, and `backwatch man DIR` writes the \
         same as manual pages. `backwatch completions SHELL` prints what lets a shell complete them. \
         What the exit statuses say is on a page of its own: [Exit statuses](exit-statuses.md).\n"
    );
    for command in all() {
        let (name, help) = (&command.name, command.help.trim_end());
        write!(text, "\n## {name}\n\n```text\n{help}\n```\n").unwrap();
    }
    check("commands.md", &text);
}

#[test]
fn exit_statuses_are_what_the_help_says() {
    let mut text = format!(
        "# Exit statuses\n\n{BY}\
         A status says the same in every command:\n\n\
         | status | |\n|---|---|\n\
         | 0 | All is well: nothing anomalous was found, or what was asked is done. |\n\
         | 1 | Something was found that a person should look at. |\n\
         | 2 | Wrong usage or settings. Nothing was done. |\n\
         | 3 | Some of it could not be read, kept or taken down. The rest was done. |\n\
         | 4 | It could not be done, or looking was [switched off](service.md#gather-detect-alert), \
         so that nothing found means nothing. |\n\n\
         What each command says, in the words of its `--help`; commands below another one end as that \
         one does unless they say otherwise. A command that is not here ends with 0, 2 or 4.\n\n\
         | command | |\n|---|---|\n"
    );
    for command in all() {
        if let Some(status) = command.exit_status() {
            let status = status.replace('|', "\\|");
            writeln!(text, "| `{}` | {status} |", command.name).unwrap();
        }
    }
    check("exit-statuses.md", &text);
}
