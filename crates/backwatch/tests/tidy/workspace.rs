//! The facts that the rules share: what `cargo metadata` says, and where the files are.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The resolved workspace, for the platform that the tests run on and with default features.
///
/// That is what `cargo test --workspace` has downloaded, so after a build no rule needs the
/// network.
pub(crate) static WORKSPACE: LazyLock<Metadata> = LazyLock::new(|| {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(["--locked", "--filter-platform", "host-tuple"].map(String::from))
        .exec()
        .unwrap_or_else(|error| panic!("{error}"))
});

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    WORKSPACE.workspace_root.as_std_path()
}

/// `path` as it is written in an offence: relative to the root of the checkout.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Reads a text file of the checkout.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files of the checkout with an extension, without hidden and build directories.
pub(crate) fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files_below(root(), extension, &mut found);
    found.sort();
    found
}

fn files_below(directory: &Path, wanted: &str, found: &mut Vec<PathBuf>) {
    for entry in directory.read_dir().unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let hidden = name.as_encoded_bytes().starts_with(b".");
        let built = name == "target" || path == WORKSPACE.target_directory;
        if entry.file_type().unwrap().is_dir() {
            if !hidden && !built {
                files_below(&path, wanted, found);
            }
        } else if path
            .extension()
            .is_some_and(|extension| extension == wanted)
        {
            found.push(path);
        }
    }
}

/// A dependency that a workspace package declares in its manifest, optional ones included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) kind: DependencyKind,
}

/// Every dependency declared in the workspace, on its own packages and on others.
pub(crate) fn edges() -> Vec<Edge<'static>> {
    let edges_of = |from: &'static Package| {
        from.dependencies.iter().map(|dependency| Edge {
            from: &from.name,
            to: &dependency.name,
            kind: dependency.kind,
        })
    };
    let packages = WORKSPACE.workspace_packages();
    packages.into_iter().flat_map(edges_of).collect()
}
