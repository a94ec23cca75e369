//! Every block of code in the book: it runs, it is read by what it is for, or it says why not.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anomaly_model::{BackupJob, Verdict};
use anomaly_notify::SinkOptions;
use anomaly_server::{GatherOptions, ServerOptions};
use anomaly_settings::Layers;
use anomaly_sources::CsvMapping;
use serde::Deserialize;
use serde_json::Value;

use crate::pages::{Block, Page, all};
use crate::program::{backwatch, root, stdout};

/// Languages of blocks that only show something.
const SHOWN: &[&str] = &["text", "console", "csv"];

/// Blocks that no test runs, by their marks. One more is a decision: it is counted here.
const NOT_RUN: usize = 28;

/// The sections of a configuration that are no settings.
const SECTIONS: &[&str] = &["server", "sinks", "gather"];

/// What is in them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    server: ServerOptions,
    sinks: Vec<SinkOptions>,
    gather: Vec<GatherOptions>,
}

/// The same word for a kind of block on every page.
fn language(block: &Block) -> &str {
    block.language.split(',').next().unwrap_or_default()
}

fn each(wanted: &str, mut check: impl FnMut(&Page, &Block)) {
    let mut count = 0;
    for page in all() {
        for block in page.blocks() {
            if language(&block) == wanted && block.not_run.is_none() {
                check(&page, &block);
                count += 1;
            }
        }
    }
    assert!(count > 0, "no block of {wanted}");
}

#[test]
fn every_configuration_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("block.toml");
    each("toml", |page, block| {
        let text = &block.text;
        let failed = |error: &dyn std::fmt::Display| -> ! {
            panic!("{}:\n{text}\n{error}", page.name);
        };
        let table: toml::Table = text.parse().unwrap_or_else(|error| failed(&error));
        if table.contains_key("dependencies") {
            return;
        }
        if table.contains_key("columns") {
            _ = CsvMapping::parse(text).unwrap_or_else(|error| failed(&error));
            return;
        }
        std::fs::write(&path, text).unwrap();
        _ = Layers::read_shared(Some(&path), SECTIONS, &[]).unwrap_or_else(|error| failed(&error));
        _ = toml::from_str::<Configuration>(text).unwrap_or_else(|error| failed(&error));
    });
}

/// Records of jobs and verdicts are such ones; anything else in JSON is JSON.
#[test]
fn every_document_is_read() {
    each("json", |page, block| {
        let text = &block.text;
        let failed = |error: serde_json::Error| -> ! { panic!("{}:\n{text}\n{error}", page.name) };
        let value: Value = serde_json::from_str(text).unwrap_or_else(|error| failed(error));
        if value.get("job_id").is_none() {
            return;
        }
        if value.get("state").is_some() {
            _ = serde_json::from_value::<Verdict>(value).unwrap_or_else(|error| failed(error));
        } else {
            _ = serde_json::from_value::<BackupJob>(value).unwrap_or_else(|error| failed(error));
        }
    });
}

/// What is typed on the page: lines of a shell, and those behind a prompt.
fn typed(block: &Block) -> Option<String> {
    match language(block) {
        "sh" => Some(block.text.clone()),
        "console" => {
            let lines = block
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("$ "));
            Some(lines.collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

#[test]
fn everything_to_type_is_shell() {
    let mut blocks = 0;
    for page in all() {
        for block in page.blocks() {
            let Some(script) = typed(&block) else {
                continue;
            };
            let mut shell = Command::new("bash");
            let status = shell.args(["-n", "-c", &script]).status().unwrap();
            assert!(status.success(), "{}:\n{script}", page.name);
            blocks += 1;
        }
    }
    assert!(blocks > 40, "{blocks} blocks");
}

/// The words of one command of ours, up to what the shell makes of its output.
fn words(command: &str) -> Vec<&str> {
    let end = [
        " | ", " || ", " && ", "; ", " >", " 2>", " &\n", "\n", "`", " #", ")", "'\n",
    ];
    let end = end.into_iter().filter_map(|end| command.find(end)).min();
    command[..end.unwrap_or(command.len())]
        .split_whitespace()
        .collect()
}

/// Every option that is given to a command of ours is one that its help has.
#[test]
fn every_option_is_one() {
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut help = |words: &[&str]| -> String {
        let asked = helps.entry(words.join(" "));
        asked
            .or_insert_with(|| stdout(&backwatch(&[words, &["--help"]].concat())))
            .clone()
    };
    let mut options = 0;
    for page in all() {
        if page.name == "commands.md" {
            continue;
        }
        for block in page.blocks() {
            let Some(script) = typed(&block) else {
                continue;
            };
            let script = script.replace("\\\n", " ");
            for (at, _) in script.match_indices("backwatch ") {
                let is_begin = script[..at]
                    .chars()
                    .next_back()
                    .is_none_or(|c| !c.is_alphanumeric() && c != '/' && c != '-');
                let words = words(&script[at..]);
                let command: Vec<&str> = words[1..]
                    .iter()
                    .take_while(|word| {
                        word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                            && !word.starts_with('-')
                    })
                    .copied()
                    .take(2)
                    .collect();
                if !is_begin
                    || command.is_empty()
                    || !help(&[]).contains(&format!("\n  {} ", command[0]))
                {
                    continue;
                }
                let of_command = help(&command[..1]);
                let below =
                    command.len() == 2 && of_command.contains(&format!("\n  {} ", command[1]));
                let of_below = if below { help(&command) } else { String::new() };
                for word in words
                    .iter()
                    .filter(|word| word.starts_with("--") && word.len() > 2)
                {
                    let option = word
                        .split('=')
                        .next()
                        .unwrap()
                        .trim_end_matches(['"', '\'']);
                    let known =
                        |help: &str| help.split([' ', '\n', ',']).any(|known| known == option);
                    assert!(
                        known(&of_command) || known(&of_below),
                        "{}: {command:?} has no option {option}",
                        page.name
                    );
                    options += 1;
                }
            }
        }
    }
    assert!(options > 60, "{options} options");
}

/// Which pages have examples in Rust is known to the crate that runs them.
#[test]
fn every_example_in_rust_is_a_test() {
    let run = std::fs::read_to_string(root().join("crates/anomaly-service/src/book.rs")).unwrap();
    each("rust", |page, block| {
        let path = format!("docs/{}\")", page.name);
        assert!(run.contains(&path), "{} is not in book.rs", page.name);
        assert!(!block.language.contains("ignore"), "{}", page.name);
    });
}

/// A block of a language that something runs is run by something: a page of the part *Start*, a page
/// of a tool, or a test that knows the page; or it says why nothing does.
#[test]
fn what_is_not_run_is_marked_and_counted() {
    /// Pages whose blocks are run by tests elsewhere, by language.
    const ELSEWHERE: &[(&str, &str)] = &[
        ("how-to/restic.md", "sh"),
        ("how-to/borg.md", "sh"),
        ("how-to/borgmatic.md", "sh"),
        ("how-to/csv.md", "sh"),
        ("how-to/bareos.md", "sql"),
        ("service.md", "sh"),
        ("notifications.md", "python"),
        ("evidence.md", "python"),
    ];
    let mut marked = Vec::new();
    let mut unknown = BTreeSet::new();
    for page in all() {
        for block in page.blocks() {
            let language = language(&block);
            if let Some(reason) = &block.not_run {
                assert!(!reason.is_empty(), "{}: a mark without a reason", page.name);
                marked.push(format!("{}: {language}: {reason}", page.name));
                continue;
            }
            let is_read = matches!(language, "toml" | "json" | "rust" | "ini")
                || SHOWN.contains(&language)
                || page.name.starts_with("start/");
            let runs_elsewhere = ELSEWHERE.contains(&(&page.name, language));
            if !is_read && !runs_elsewhere {
                unknown.insert(format!("{}: {language}: {:.60}", page.name, block.text));
            }
        }
    }
    assert!(unknown.is_empty(), "neither run nor marked:\n{unknown:#?}");
    assert_eq!(marked.len(), NOT_RUN, "{marked:#?}");
}
