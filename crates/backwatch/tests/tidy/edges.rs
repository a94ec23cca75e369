//! Rule: dependencies between the workspace's packages point down the table of the architecture.

use cargo_metadata::DependencyKind;

use crate::workspace::{Edge, WORKSPACE, edges};

/// The rooms from the ground up, each with the rooms that it may use.
pub(crate) const ROOMS: &[(&str, &[&str])] = &[
    ("anomaly-model", &[]),
    ("anomaly-features", &["anomaly-model"]),
    ("anomaly-detectors", &[]),
    (
        "anomaly-settings",
        &["anomaly-model", "anomaly-features", "anomaly-detectors"],
    ),
    (
        "anomaly-engine",
        &[
            "anomaly-model",
            "anomaly-features",
            "anomaly-detectors",
            "anomaly-settings",
        ],
    ),
    ("anomaly-storage", &["anomaly-model", "anomaly-settings"]),
    ("anomaly-sources", &["anomaly-model"]),
    ("anomaly-walk", &["anomaly-model", "anomaly-features"]),
    ("anomaly-notify", &["anomaly-model", "anomaly-features"]),
    ("anomaly-remote", &["anomaly-model", "anomaly-sources"]),
    (
        "anomaly-service",
        &[
            "anomaly-model",
            "anomaly-features",
            "anomaly-detectors",
            "anomaly-settings",
            "anomaly-engine",
            "anomaly-storage",
            "anomaly-sources",
            "anomaly-walk",
        ],
    ),
    (
        "anomaly-server",
        &[
            "anomaly-model",
            "anomaly-features",
            "anomaly-settings",
            "anomaly-storage",
            "anomaly-sources",
            "anomaly-notify",
            "anomaly-remote",
            "anomaly-service",
        ],
    ),
    (
        "anomaly-eval",
        &[
            "anomaly-model",
            "anomaly-detectors",
            "anomaly-engine",
            "anomaly-sources",
        ],
    ),
];

/// The packages that may use every room, and that nothing may use, not even in tests.
pub(crate) const TOPS: &[&str] = &["backwatch", "benches", "examples"];

fn offences(members: &[&str], edges: &[Edge]) -> Vec<String> {
    let may_use = |name: &str| {
        ROOMS
            .iter()
            .find(|(room, _)| *room == name)
            .map(|(_, to)| to)
    };
    let strangers = members
        .iter()
        .filter(|name| may_use(name).is_none() && !TOPS.contains(name))
        .map(|name| format!("{name}: is not in the table of rooms"));
    let inner = edges.iter().filter(|edge| members.contains(&edge.to));
    let forbidden = inner.filter(|edge| {
        let built_with = edge.kind != DependencyKind::Development;
        TOPS.contains(&edge.to)
            || built_with && may_use(edge.from).is_some_and(|to| !to.contains(&edge.to))
    });
    let forbidden = forbidden.map(|edge| format!("{}: must not depend on {}", edge.from, edge.to));
    strangers.chain(forbidden).collect()
}

#[test]
fn dependencies_point_down_the_table() {
    let packages = WORKSPACE.workspace_packages();
    let members: Vec<&str> = packages
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    crate::assert_none(&offences(&members, &edges()));
}

#[test]
fn the_table_itself_points_down() {
    for (row, (room, may_use)) in ROOMS.iter().enumerate() {
        for used in *may_use {
            let above = ROOMS[..row].iter().any(|(name, _)| name == used);
            assert!(
                above,
                "{room} may use {used}, which does not stand above it"
            );
        }
    }
}

#[test]
fn a_wrong_edge_is_caught() {
    use DependencyKind::{Build, Development, Normal};
    let caught = |from, to, kind| {
        let members = ["anomaly-model", "anomaly-engine", "backwatch", "benches"];
        !offences(&members, &[Edge { from, to, kind }]).is_empty()
    };
    assert!(caught("anomaly-model", "anomaly-engine", Normal));
    assert!(caught("anomaly-model", "anomaly-engine", Build));
    assert!(!caught("anomaly-model", "anomaly-engine", Development));
    assert!(!caught("anomaly-engine", "anomaly-model", Normal));
    assert!(!caught("benches", "anomaly-engine", Normal));
    assert!(!caught("anomaly-model", "serde", Normal));
    assert!(caught("anomaly-engine", "benches", Development));
    assert!(caught("benches", "backwatch", Normal));
}

#[test]
fn a_package_outside_the_table_is_caught() {
    assert_eq!(
        offences(&["anomaly-model", "anomaly-misc"], &[]),
        ["anomaly-misc: is not in the table of rooms"]
    );
}
