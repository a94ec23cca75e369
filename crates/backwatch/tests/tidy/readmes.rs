//! Rule: the README of a crate is its documentation, and that of a library has tested examples.

use std::path::Path;

use crate::edges::TOPS;
use crate::modules::README_IS_THE_DOC;
use crate::workspace::{WORKSPACE, read, root, shown};

/// What is wrong with a crate, given its README and its root module.
fn offence(readme: Option<&str>, root_module: &str, is_room: bool) -> Option<&'static str> {
    match readme {
        None => Some("has no README.md"),
        Some(text) if is_room && !text.contains("```rust") => {
            Some("its README.md shows no Rust example")
        }
        Some(_) if root_module.lines().next() != Some(README_IS_THE_DOC) => {
            Some("its root module does not begin by including the README.md")
        }
        Some(_) => None,
    }
}

#[test]
fn the_readme_of_a_crate_is_its_documentation() {
    let mut offences = Vec::new();
    for package in WORKSPACE.workspace_packages() {
        let manifest = Path::new(&package.manifest_path);
        let dir = manifest.parent().unwrap();
        if !dir.starts_with(root().join("crates")) {
            continue;
        }
        let readme = std::fs::read_to_string(dir.join("README.md")).ok();
        let mut targets = package.targets.iter();
        let library = targets.clone().find(|target| target.is_lib());
        let target = library.or_else(|| targets.find(|target| target.is_bin()));
        let root_module = read(Path::new(&target.unwrap().src_path));
        let is_room = !TOPS.contains(&package.name.as_str());
        if let Some(what) = offence(readme.as_deref(), &root_module, is_room) {
            offences.push(format!("{}: {what}", shown(dir)));
        }
    }
    crate::assert_none(&offences);
}

#[test]
fn a_readme_that_is_not_the_documentation_is_caught() {
    let example = Some("# Title\n\n```rust\nassert!(true);\n```\n");
    let prose = Some("# Title\n\nWords.\n");
    let root_module = format!("{README_IS_THE_DOC}\n\nmod a;\n");
    let caught = |readme, root_module, is_room| offence(readme, root_module, is_room).is_some();
    assert!(!caught(example, &root_module, true));
    assert!(!caught(prose, &root_module, false));
    assert!(caught(prose, &root_module, true));
    assert!(caught(None, &root_module, false));
    assert!(caught(example, "//! Words of its own.\n", true));
}
