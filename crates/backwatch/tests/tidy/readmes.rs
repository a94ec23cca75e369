//! Rule: the README of a crate is its documentation, and that of a library has tested examples.

use crate::edges::TOPS;
use crate::modules::README_IS_THE_DOC;
use crate::workspace::{WORKSPACE, read, root, shown};

struct Crate<'a> {
    readme: Option<&'a str>,
    root_module: &'a str,
    is_library: bool,
    runs_doctests: bool,
}

fn offence(facts: &Crate) -> Option<&'static str> {
    let Some(readme) = facts.readme else {
        return Some("has no README.md");
    };
    if facts.root_module.lines().next() != Some(README_IS_THE_DOC) {
        return Some("its root module does not begin by including the README.md");
    }
    if facts.is_library && !readme.contains("```rust") {
        return Some("its README.md shows no Rust example");
    }
    if facts.is_library && !facts.runs_doctests {
        return Some("its documentation tests are switched off");
    }
    None
}

#[test]
fn the_readme_of_a_crate_is_its_documentation() {
    let mut offences = Vec::new();
    for package in WORKSPACE.workspace_packages() {
        let dir = package.manifest_path.parent().unwrap().as_std_path();
        if !dir.starts_with(root().join("crates")) {
            continue;
        }
        let library = package.targets.iter().find(|target| target.is_lib());
        let binary = package.targets.iter().find(|target| target.is_bin());
        let target = library.or(binary).unwrap();
        let what = offence(&Crate {
            readme: std::fs::read_to_string(dir.join("README.md"))
                .ok()
                .as_deref(),
            root_module: &read(target.src_path.as_std_path()),
            is_library: !TOPS.contains(&package.name.as_str()),
            runs_doctests: target.doctest,
        });
        offences.extend(what.map(|what| format!("{}: {what}", shown(dir))));
    }
    crate::assert_none(&offences);
}

#[test]
fn a_readme_that_is_not_the_documentation_is_caught() {
    let root_module = format!("{README_IS_THE_DOC}\n\nmod a;\n");
    let good = || Crate {
        readme: Some("# Title\n\n```rust\nassert!(true);\n```\n"),
        root_module: &root_module,
        is_library: true,
        runs_doctests: true,
    };
    let prose = Some("# Title\n\nWords.\n");
    let caught = |facts: Crate| offence(&facts).is_some();
    assert!(!caught(good()));
    assert!(!caught(Crate {
        readme: prose,
        is_library: false,
        ..good()
    }));
    assert!(caught(Crate {
        readme: prose,
        ..good()
    }));
    assert!(caught(Crate {
        readme: None,
        is_library: false,
        ..good()
    }));
    assert!(caught(Crate {
        root_module: "//! Other words.\n",
        ..good()
    }));
    assert!(caught(Crate {
        runs_doctests: false,
        ..good()
    }));
}
