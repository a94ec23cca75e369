//! Rule: every dependency can be had under a licence that `deny.toml` allows.

use spdx::{Expression, Licensee, ParseMode};
use toml::{Table, Value};

use crate::workspace::{WORKSPACE, read, root};

/// The list of `deny.toml`, which `cargo deny` reads too.
fn allowed() -> Vec<Licensee> {
    let deny: Table = read(&root().join("deny.toml")).parse().unwrap();
    let list = deny["licenses"]["allow"].as_array().unwrap();
    let words = list.iter().filter_map(Value::as_str);
    words.map(|word| Licensee::parse(word).unwrap()).collect()
}

/// What is wrong with a package's licence expression.
fn offence(expression: Option<&str>, allowed: &[Licensee]) -> Option<String> {
    let Some(expression) = expression else {
        return Some("states no licence".to_owned());
    };
    // Old manifests write `MIT/Apache-2.0`.
    let Ok(parsed) = Expression::parse_mode(expression, ParseMode::LAX) else {
        return Some(format!("`{expression}` is not a licence expression"));
    };
    let satisfied = parsed.evaluate(|wanted| allowed.iter().any(|have| have.satisfies(wanted)));
    (!satisfied).then(|| format!("needs more than deny.toml allows: {expression}"))
}

#[test]
fn every_licence_is_allowed() {
    let allowed = allowed();
    let offences: Vec<_> = WORKSPACE
        .packages
        .iter()
        .filter_map(|package| {
            let what = offence(package.license.as_deref(), &allowed)?;
            Some(format!("{} {}: {what}", package.name, package.version))
        })
        .collect();
    crate::assert_none(&offences);
}

#[test]
fn a_licence_outside_the_list_is_caught() {
    let allowed = ["MIT", "Unicode-3.0"].map(|word| Licensee::parse(word).unwrap());
    let caught = |expression| offence(expression, &allowed).is_some();
    assert!(!caught(Some("MIT")));
    assert!(!caught(Some("GPL-3.0-only OR MIT")));
    assert!(!caught(Some("(MIT OR Apache-2.0) AND Unicode-3.0")));
    assert!(!caught(Some("Unlicense/MIT")));
    assert!(caught(Some("GPL-3.0-only")));
    assert!(caught(Some("MIT AND GPL-3.0-only")));
    assert!(caught(Some("ours alone")));
    assert!(caught(None));
}
