//! What the crates for embedding show to the outside is what `docs/api` says, one item a line.
//!
//! rustdoc tells it as JSON, whose format changes with Rust and which stable Rust writes when asked
//! by `RUSTC_BOOTSTRAP` alone. So these are lists of the Rust that the manifest names.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot read what it compares must fail, and says what it did not do"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// The crates that others depend on, with those that `anomaly-service` re-exports.
const CRATES: [&str; 5] = [
    "anomaly-model",
    "anomaly-detectors",
    "anomaly-settings",
    "anomaly-storage",
    "anomaly-service",
];

/// rustdoc may write JSON; cargo does not know, or it would build everything anew.
const RUSTDOC: &str = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";

fn public_api(name: &str, rustdoc: &Path) -> String {
    let written = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["rustdoc", "--quiet", "--locked", "--lib", "--all-features"])
        .args(["--package", name, "--"])
        .args(["-Zunstable-options", "--output-format=json"])
        .env("RUSTDOC", rustdoc)
        .status();
    assert!(written.unwrap().success(), "{name}");
    let metadata = cargo_metadata::MetadataCommand::new()
        .no_deps()
        .exec()
        .unwrap();
    let json = format!("doc/{}.json", name.replace('-', "_"));
    public_api::Builder::from_rustdoc_json(metadata.target_directory.join(json))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .unwrap()
        .to_string()
}

/// The lines that only one of the two has, with a sign before each.
fn difference(before: &str, after: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (before, after) = (lines(before), lines(after));
    let gone = before.difference(&after).map(|line| format!("-{line}\n"));
    let new = after.difference(&before).map(|line| format!("+{line}\n"));
    gone.chain(new).collect()
}

#[test]
#[ignore = "documents five crates, which takes a minute: .ci/run does it"]
fn the_public_api_is_as_it_was_written_down() {
    let version = Command::new("rustdoc").arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    if !version.starts_with(&format!("rustdoc {wanted}.")) {
        println!("not compared: the lists are of Rust {wanted}, and this is {version}");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let rustdoc = directory.path().join("rustdoc");
    fs::write(&rustdoc, RUSTDOC).unwrap();
    fs::set_permissions(&rustdoc, fs::Permissions::from_mode(0o755)).unwrap();
    let mut differences = Vec::new();
    for name in CRATES {
        let golden = format!("{}/../../docs/api/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        let found = public_api(name, &rustdoc);
        if std::env::var_os("BLESS").is_some() {
            fs::write(&golden, &found).unwrap();
        }
        let kept = fs::read_to_string(&golden).unwrap_or_default();
        if kept != found {
            differences.push(format!("{name}\n{}", difference(&kept, &found)));
        }
    }
    assert!(
        differences.is_empty(),
        "the public API has changed; `BLESS=1 cargo test -p backwatch --test api -- --ignored` \
         writes docs/api anew\n{}",
        differences.concat()
    );
}

#[test]
fn what_is_gone_and_what_is_new_is_shown() {
    let shown = difference("pub a\npub b\n", "pub b\npub c\n");
    assert_eq!(shown, "-pub a\n+pub c\n");
}
