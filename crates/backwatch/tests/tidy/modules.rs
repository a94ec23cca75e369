//! Rules: every Rust file begins by saying what it holds, and no module is long.

use crate::workspace::{files, read, shown};

/// The first line of a library whose documentation is its README.
pub(crate) const README_IS_THE_DOC: &str = r#"#![doc = include_str!("../README.md")]"#;

/// The most lines of a module in `src`, without its tests.
const MOST_LINES: usize = 500;
/// Longer ones, each with the reason why it is one piece.
const LONGER: &[(&str, &str)] = &[];

/// How many lines a module has before the tests at its end.
fn lines_of_code(text: &str) -> usize {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next();
    code.unwrap_or_default().lines().count()
}

/// Whether the first line of a file is a module comment of at least two words.
fn says_what_it_holds(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let comment = first.strip_prefix("//!").unwrap_or_default();
    first == README_IS_THE_DOC || comment.split_whitespace().nth(1).is_some()
}

#[test]
fn every_file_says_what_it_holds() {
    let mut files = files("rs");
    assert!(
        files.iter().any(|path| path.ends_with(file!())),
        "the walk misses this very file"
    );
    files.retain(|path| !says_what_it_holds(&read(path)));
    let offences: Vec<_> = files
        .iter()
        .map(|path| {
            format!(
                "{}: does not begin with a `//!` comment on what it holds",
                shown(path)
            )
        })
        .collect();
    crate::assert_none(&offences);
}

#[test]
fn no_module_is_long_without_a_reason() {
    let mut files = files("rs");
    files.retain(|path| path.iter().any(|part| part == "src"));
    let long: Vec<String> = files
        .iter()
        .filter(|path| lines_of_code(&read(path)) > MOST_LINES)
        .map(|path| shown(path))
        .collect();
    let excused = |name: &String| LONGER.iter().any(|(longer, _)| longer == name);
    let new = long.iter().filter(|name| !excused(name));
    let new = new.map(|name| format!("{name}: has more than {MOST_LINES} lines"));
    let gone = LONGER
        .iter()
        .filter(|(name, reason)| !long.contains(&(*name).to_owned()) || reason.is_empty());
    let gone = gone.map(|(name, _)| format!("{name}: needs no exception, or gives no reason"));
    crate::assert_none(&new.chain(gone).collect::<Vec<_>>());
}

#[test]
fn lines_of_tests_do_not_make_a_module_long() {
    let code = "a\n".repeat(3);
    assert_eq!(lines_of_code(&code), 3);
    let tests = format!("{code}\n#[cfg(test)]\nmod tests {{\n{code}}}\n");
    assert_eq!(lines_of_code(&tests), 3);
    assert_eq!(
        lines_of_code(&format!("{code}#[cfg(test)]\nmod plans;\n")),
        5
    );
}

#[test]
fn a_file_without_a_module_comment_is_caught() {
    assert!(says_what_it_holds(
        "//! How closed lists are written.\n\nuse a;\n"
    ));
    assert!(says_what_it_holds(&format!(
        "{README_IS_THE_DOC}\n\nmod a;\n"
    )));
    assert!(!says_what_it_holds(""));
    assert!(!says_what_it_holds("//! x\n"));
    assert!(!says_what_it_holds("//!\n//! Late words.\n"));
    assert!(!says_what_it_holds(
        "// An inner comment is not documentation.\n"
    ));
    assert!(!says_what_it_holds(
        "/// Nor is one on the next item.\nuse a;\n"
    ));
    assert!(!says_what_it_holds("use a;\n//! Too late.\n"));
}
