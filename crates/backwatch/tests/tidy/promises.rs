//! Rule: a test that the documentation names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::workspace::{read, root, shown};

/// The pages that say which test holds what they promise.
const PAGES: &[&str] = &["docs/security.md", "docs/guarantees.md"];

/// The names of tests in a page: words in backquotes of at least three parts, as ours have.
fn named(page: &str) -> BTreeSet<&str> {
    let words = page.split('`').skip(1).step_by(2);
    words
        .filter(|word| {
            word.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && word.split('_').count() > 3
        })
        .collect()
}

fn missing(pages: &[(String, String)], sources: &str) -> Vec<String> {
    let mut offences = Vec::new();
    for (page, text) in pages {
        for name in named(text) {
            if !sources.contains(&format!("fn {name}(")) {
                offences.push(format!("{page}: there is no test {name}"));
            }
        }
    }
    offences
}

/// All Rust files below a directory, one behind the other.
fn sources(directory: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &read(&path);
        }
    }
    text
}

#[test]
fn every_promise_is_held_by_a_test() {
    let pages: Vec<(String, String)> = PAGES
        .iter()
        .map(|page| root().join(page))
        .map(|path| (shown(&path), read(&path)))
        .collect();
    assert!(pages.iter().all(|(_, text)| !named(text).is_empty()));
    crate::assert_none(&missing(&pages, &sources(&root().join("crates"))));
}

#[test]
fn a_test_that_went_is_caught() {
    let pages = [(
        "page".to_owned(),
        "Held by `what_was_there_once`; `alarm_budget` is a key.".to_owned(),
    )];
    let offences = missing(&pages, "fn what_is_there_now() {}");
    assert_eq!(offences, ["page: there is no test what_was_there_once"]);
    assert!(missing(&pages, "fn what_was_there_once() {}").is_empty());
}
