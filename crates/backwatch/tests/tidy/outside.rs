//! Rule: what comes from outside stays in the room that owns it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

use crate::edges::{ROOMS, TOPS};
use crate::workspace::{Edge, WORKSPACE, edges};

/// Rooms whose outside dependencies are a closed list.
const CLOSED: &[(&str, &[&str])] = &[("anomaly-model", &["chrono", "serde", "thiserror"])];

/// Outside crates with the rooms that may declare them.
const OWNED: &[(&[&str], &[&str])] = &[
    // SQL of our own database stays in storage, so that it can change without anyone above it
    // knowing.
    (&["rusqlite", "libsqlite3-sys"], &["anomaly-storage"]),
    // What signs stays with what is signed.
    (&["ed25519-dalek"], &["anomaly-storage"]),
    // The network is few rooms, which no embedder gets by accident.
    (
        &["postgres", "tokio-postgres", "tokio-postgres-rustls"],
        &["anomaly-remote"],
    ),
    // The benchmark of the service asks it over HTTP.
    (&["ureq"], &["anomaly-remote", "benches"]),
    (&["lettre", "reqwest"], &["anomaly-notify"]),
    (
        &["rustls"],
        &["anomaly-notify", "anomaly-remote", "anomaly-server"],
    ),
    // A library neither reads flags nor draws on a terminal.
    (
        &[
            "anstream",
            "anstyle",
            "clap",
            "comfy-table",
            "console",
            "crossterm",
            "indicatif",
            "termcolor",
            "tracing-subscriber",
        ],
        TOPS,
    ),
];

/// Crates that no room below the server may reach, even through others: an embedder gets no
/// async runtime and no web server.
const NEVER_BELOW_THE_SERVER: &[&str] = &["axum", "hyper", "tokio"];

/// Rooms that stand above the server in the table because it uses them, and that no room but the
/// server does: they talk to the network.
const OF_THE_SERVER: &[&str] = &["anomaly-notify", "anomaly-remote"];

/// Package names, each with the packages that it is built with.
type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn misplaced(edges: &[Edge]) -> Vec<String> {
    let is_room = |name: &str| ROOMS.iter().any(|(room, _)| *room == name);
    let outside = |edge: &&Edge| {
        edge.kind != DependencyKind::Development && !is_room(edge.to) && !TOPS.contains(&edge.to)
    };
    let mut offences = Vec::new();
    for edge in edges.iter().filter(outside) {
        let closed = CLOSED
            .iter()
            .any(|(room, list)| *room == edge.from && !list.contains(&edge.to));
        let owned_elsewhere = OWNED
            .iter()
            .any(|(crates, owners)| crates.contains(&edge.to) && !owners.contains(&edge.from));
        if closed || owned_elsewhere {
            offences.push(format!("{}: must not depend on {}", edge.from, edge.to));
        }
    }
    offences
}

fn reaching_the_server(graph: &Graph) -> Vec<String> {
    let below = ROOMS
        .iter()
        .map(|(room, _)| *room)
        .take_while(|room| *room != "anomaly-server")
        .filter(|room| !OF_THE_SERVER.contains(room));
    let mut offences = Vec::new();
    for room in below {
        for never in NEVER_BELOW_THE_SERVER {
            if reached(graph, room).contains(never) {
                offences.push(format!("{room}: must not be built with {never}"));
            }
        }
    }
    offences
}

/// All packages that `from` is built with, directly or through others.
fn reached<'a>(graph: &Graph<'a>, from: &'a str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        let new = graph.get(next).into_iter().flatten().copied();
        open.extend(new.filter(|name| seen.insert(*name)));
    }
    seen
}

/// The resolved graph without development dependencies.
fn graph(metadata: &Metadata) -> Graph<'_> {
    let mut graph = Graph::new();
    for node in &metadata.resolve.as_ref().unwrap().nodes {
        let from = graph.entry(metadata[&node.id].name.as_str()).or_default();
        for dep in &node.deps {
            let mut kinds = dep.dep_kinds.iter().map(|info| info.kind);
            if kinds.any(|kind| kind != DependencyKind::Development) {
                from.insert(metadata[&dep.pkg].name.as_str());
            }
        }
    }
    graph
}

#[test]
fn outside_crates_stay_with_their_owner() {
    crate::assert_none(&misplaced(&edges()));
}

#[test]
fn an_embedder_gets_no_runtime() {
    let graph = graph(&WORKSPACE);
    assert!(
        reached(&graph, "anomaly-model").contains("serde"),
        "the graph misses what is known to be there"
    );
    crate::assert_none(&reaching_the_server(&graph));
}

#[test]
fn a_misplaced_crate_is_caught() {
    use DependencyKind::{Build, Development, Normal};
    let caught = |from, to, kind| !misplaced(&[Edge { from, to, kind }]).is_empty();
    assert!(caught("anomaly-model", "regex", Normal));
    assert!(caught("anomaly-model", "regex", Build));
    assert!(!caught("anomaly-model", "proptest", Development));
    assert!(!caught("anomaly-model", "serde", Normal));
    assert!(caught("anomaly-service", "rusqlite", Normal));
    assert!(caught("backwatch", "rusqlite", Normal));
    assert!(!caught("anomaly-storage", "rusqlite", Normal));
    assert!(caught("anomaly-settings", "clap", Normal));
    assert!(!caught("backwatch", "clap", Normal));
}

#[test]
fn a_runtime_behind_another_crate_is_caught() {
    let edges = [
        ("anomaly-service", "anomaly-storage"),
        ("anomaly-storage", "reqwest"),
        ("anomaly-notify", "reqwest"),
        ("reqwest", "tokio"),
        ("tokio", "reqwest"),
    ];
    let graph = edges.map(|(from, to)| (from, BTreeSet::from([to])));
    assert_eq!(
        reaching_the_server(&BTreeMap::from(graph)),
        [
            "anomaly-storage: must not be built with tokio",
            "anomaly-service: must not be built with tokio"
        ]
    );
}

#[test]
fn only_the_server_uses_what_is_its_own() {
    for (room, may_use) in ROOMS {
        let its_own = may_use.iter().any(|used| OF_THE_SERVER.contains(used));
        assert!(!its_own || *room == "anomaly-server", "{room}");
    }
}
