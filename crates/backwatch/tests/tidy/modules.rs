//! Rule: every Rust file begins by saying what it holds.

use crate::workspace::{files, read, shown};

/// The first line of a library whose documentation is its README.
pub(crate) const README_IS_THE_DOC: &str = r#"#![doc = include_str!("../README.md")]"#;

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
