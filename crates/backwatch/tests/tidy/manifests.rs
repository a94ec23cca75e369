//! Rule: every package takes its lints, edition, Rust version and licence from the workspace.

use toml::{Table, Value};

use crate::workspace::{WORKSPACE, read, shown};

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
