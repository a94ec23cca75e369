//! The rules of the house that no compiler checks, as tests over `cargo metadata` and the tree.
//!
//! Each module holds one rule: a function from facts to a list of offences (file, then what is
//! wrong with it), a test that the workspace has none, and tests that the rule catches bad facts.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot read the tree must fail"
)]

mod edges;
mod licences;
mod links;
mod manifests;
mod modules;
mod outside;
mod promises;
mod readmes;
mod workspace;

/// Fails with every offence on a line of its own.
fn assert_none(offences: &[String]) {
    assert!(offences.is_empty(), "\n\n{}\n", offences.join("\n"));
}
