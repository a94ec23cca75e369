//! Rule: every crate has a README, and that of a library is its documentation, with examples that
//! run as tests.

use crate::edges::TOPS;
use crate::modules::README_IS_THE_DOC;
use crate::workspace::{WORKSPACE, read, root};

struct Crate<'a> {
    readme: Option<&'a str>,
    is_library: bool,
    root_module: &'a str,
    runs_doctests: bool,
}

fn offence(facts: &Crate) -> Option<&'static str> {
    let Some(readme) = facts.readme else {
        return Some("has no README");
    };
    if !facts.is_library {
        return None;
    }
    if facts.root_module.lines().next() != Some(README_IS_THE_DOC) {
        return Some("its lib.rs does not begin by including the README.md");
    }
    if !readme.contains("```rust") {
        return Some("its README.md shows no Rust example");
    }
    (!facts.runs_doctests).then_some("its documentation tests are switched off")
}

#[test]
fn the_readme_of_a_crate_is_its_documentation() {
    let mut offences = Vec::new();
    for package in WORKSPACE.workspace_packages() {
        if !package.manifest_path.starts_with(root().join("crates")) {
            continue;
        }
        let readme = package.readme().filter(|path| path.exists());
        let library = package.targets.iter().find(|target| target.is_lib());
        let what = offence(&Crate {
            readme: readme.map(|path| read(path.as_std_path())).as_deref(),
            is_library: !TOPS.contains(&package.name.as_str()),
            root_module: &library.map_or_else(String::new, |lib| read(lib.src_path.as_std_path())),
            runs_doctests: library.is_some_and(|lib| lib.doctest),
        });
        offences.extend(what.map(|what| format!("{}: {what}", package.name)));
    }
    crate::assert_none(&offences);
}

#[test]
fn a_readme_that_is_not_the_documentation_is_caught() {
    let root_module = format!("{README_IS_THE_DOC}\n\nmod a;\n");
    let good = || Crate {
        readme: Some("# Title\n\n```rust\nassert!(true);\n```\n"),
        is_library: true,
        root_module: &root_module,
        runs_doctests: true,
    };
    let binary = || Crate {
        readme: Some("# Title\n\nWords.\n"),
        is_library: false,
        root_module: "//! Words.\n",
        runs_doctests: false,
    };
    let caught = |facts: Crate| offence(&facts).is_some();
    assert!(!caught(good()));
    assert!(!caught(binary()));
    assert!(caught(Crate {
        readme: None,
        ..binary()
    }));
    assert!(caught(Crate {
        readme: binary().readme,
        ..good()
    }));
    assert!(caught(Crate {
        root_module: binary().root_module,
        ..good()
    }));
    assert!(caught(Crate {
        runs_doctests: false,
        ..good()
    }));
}
