//! Rules: every package takes its lints, edition, Rust version and licence from the workspace, and
//! what is published says what it is and has its licence with it.

use toml::{Table, Value};

use cargo_metadata::Package;

use crate::workspace::{WORKSPACE, read, root, shown};

/// Where a manifest must say `workspace = true`.
const INHERITED: &[&[&str]] = &[
    &["lints"],
    &["package", "edition"],
    &["package", "license"],
    &["package", "rust-version"],
];

fn offences(manifest: &Table) -> Vec<String> {
    let inherits = |keys: &&&[&str]| {
        let mut keys = keys.iter();
        let first = keys.next().and_then(|key| manifest.get(*key));
        let value = keys.try_fold(first?, |value, key| value.get(key));
        value?.get("workspace").and_then(Value::as_bool)
    };
    INHERITED
        .iter()
        .filter(|keys| inherits(keys) != Some(true))
        .map(|keys| format!("lacks `{}.workspace = true`", keys.join(".")))
        .collect()
}

/// What a package lacks that others are to find and use.
fn lacks_when_published(package: &Package) -> Vec<&'static str> {
    let filled = [
        ("description", package.description.is_some()),
        ("readme", package.readme.is_some()),
        ("keywords", !package.keywords.is_empty()),
        ("categories", !package.categories.is_empty()),
    ];
    let empty = filled.iter().filter(|(_, is_filled)| !is_filled);
    let licences = ["LICENSE-APACHE", "LICENSE-MIT"].into_iter();
    let missing = licences.filter(|name| {
        let own = package.manifest_path.with_file_name(name);
        std::fs::read(own).ok() != std::fs::read(root().join(name)).ok()
    });
    empty.map(|(name, _)| *name).chain(missing).collect()
}

#[test]
fn what_is_published_says_what_it_is() {
    let mut packages = WORKSPACE.workspace_packages();
    packages.retain(|package| package.publish.is_none());
    assert!(packages.len() > 10, "{packages:?}");
    let mut found = Vec::new();
    for package in packages {
        for what in lacks_when_published(package) {
            found.push(format!("{}: lacks {what}", package.name));
        }
        let mut bare = package.clone();
        bare.description = None;
        bare.keywords.clear();
        bare.manifest_path = root().join("crates/Cargo.toml").try_into().unwrap();
        let lacks = ["description", "keywords", "LICENSE-APACHE", "LICENSE-MIT"];
        assert_eq!(lacks_when_published(&bare), lacks);
    }
    crate::assert_none(&found);
}

#[test]
fn every_package_inherits_from_the_workspace() {
    let mut found = Vec::new();
    for package in WORKSPACE.workspace_packages() {
        let path = package.manifest_path.as_std_path();
        let manifest: Table = read(path).parse().unwrap();
        let of_file = |what| format!("{}: {what}", shown(path));
        found.extend(offences(&manifest).into_iter().map(of_file));
    }
    crate::assert_none(&found);
}

#[test]
fn a_package_with_values_of_its_own_is_caught() {
    let good = "[package]\nedition.workspace = true\nlicense.workspace = true\n\
        rust-version.workspace = true\n[lints]\nworkspace = true\n";
    let found = |text: &str| offences(&text.parse().unwrap());
    assert_eq!(found(good), [""; 0]);
    assert_eq!(found("").len(), INHERITED.len());
    assert_eq!(
        found(&good.replace("edition.workspace = true", "edition = \"2021\"")),
        ["lacks `package.edition.workspace = true`"]
    );
    assert_eq!(
        found(&good.replace("[lints]\nworkspace = true", "[lints]\nworkspace = false")),
        ["lacks `lints.workspace = true`"]
    );
}
