//! The facts that the rules share: what `cargo metadata` says, and where the files are.

use std::path::Path;
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
