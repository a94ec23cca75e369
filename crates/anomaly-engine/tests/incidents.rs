//! Which anomalies are one incident.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use anomaly_engine::{Sighting, group};
use anomaly_model::chrono::TimeDelta;
use anomaly_model::{AnomalyKind, BackupJob, Judgement, Severity, Verdict};
use anomaly_settings::{IncidentSettings, ManyClients};
use common::day;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn anomaly(client: u32, hour: u32, severity: Severity, kind: AnomalyKind) -> Verdict {
    let start = day(0) + TimeDelta::hours(hour.into());
    let name = format!("client{client:03}");
    let id = format!("{client}-{hour}-{kind}");
    let job = BackupJob::builder("restic", id, name, "daily", start)
        .build()
        .unwrap();
    Verdict::new(
        &job,
        Judgement::Anomalous { severity, kind },
        "As the test says.",
    )
}

/// The incidents, as sets of the places of their anomalies.
fn incidents(anomalies: &[Verdict], settings: &IncidentSettings) -> BTreeSet<Vec<usize>> {
    let sightings: Vec<Sighting> = anomalies
        .iter()
        .map(|anomaly| Sighting::of(anomaly).unwrap())
        .collect();
    let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, first) in group(&sightings, settings).into_iter().enumerate() {
        sets.entry(first).or_default().push(place);
    }
    for (first, places) in &sets {
        assert_eq!(places.first(), Some(first), "the first is the smallest");
    }
    sets.into_values().collect()
}

fn sizes(anomalies: &[Verdict]) -> Vec<usize> {
    let incidents = incidents(anomalies, &IncidentSettings::default());
    incidents.into_iter().map(|places| places.len()).collect()
}

#[test]
fn twenty_clients_in_one_night_are_one_incident() {
    use AnomalyKind::{ContentShift, EmptyBackup, MassChange, MassEncryption};
    let kinds = [MassEncryption, MassChange, ContentShift, EmptyBackup];
    let night: Vec<Verdict> = (0..20)
        .map(|client| {
            let severity = if client % 2 == 0 {
                Severity::High
            } else {
                Severity::Medium
            };
            anomaly(
                client,
                20 + client % 9,
                severity,
                kinds[client as usize % 4],
            )
        })
        .collect();
    assert_eq!(sizes(&night), [20]);
    // A server that fails takes their backups with it: failed ones, and those that never began.
    let failed = |client| {
        let (severity, kind) = match client % 2 {
            0 => (Severity::Medium, AnomalyKind::Failure),
            _ => (Severity::Low, AnomalyKind::MissedBackup),
        };
        anomaly(client, 20 + client % 9, severity, kind)
    };
    assert_eq!(sizes(&(0..20).map(failed).collect::<Vec<_>>()), [20]);
    // Both at once, on other clients, are two things.
    let both: Vec<Verdict> = night.into_iter().chain((20..40).map(failed)).collect();
    assert_eq!(sizes(&both), [20, 20]);
}

#[test]
fn single_anomalies_of_many_clients_over_weeks_are_not_one() {
    let every_other_day = |severity| -> Vec<Verdict> {
        (0..30)
            .map(|client| anomaly(client, 48 * client, severity, AnomalyKind::Growth))
            .collect()
    };
    assert_eq!(sizes(&every_other_day(Severity::High)), [1; 30]);
    // Low ones do not add up to anything, however many there are.
    let one_night: Vec<Verdict> = (0..30)
        .map(|client| anomaly(client, 1, Severity::Low, AnomalyKind::Growth))
        .collect();
    assert_eq!(sizes(&one_night), [1; 30]);
}

#[test]
fn anomalies_of_a_client_within_eight_days_are_one() {
    let failed = anomaly(1, 0, Severity::Medium, AnomalyKind::Failure);
    let encrypted = anomaly(1, 192, Severity::High, AnomalyKind::MassEncryption);
    let late = anomaly(1, 192 + 193, Severity::Low, AnomalyKind::Growth);
    let other = anomaly(2, 100, Severity::High, AnomalyKind::MassEncryption);
    assert_eq!(sizes(&[failed, encrypted, late, other]), [2, 1, 1]);
}

fn any_anomaly() -> impl Strategy<Value = Verdict> {
    let kinds = [
        AnomalyKind::MassEncryption,
        AnomalyKind::Growth,
        AnomalyKind::Failure,
        AnomalyKind::MissedBackup,
    ];
    (
        0..12_u32,
        0..600_u32,
        select(Severity::ALL),
        select(kinds.to_vec()),
    )
        .prop_map(|(client, hour, severity, kind)| anomaly(client, hour, severity, kind))
}

/// By the definition: every pair of one client that is near, and every window with many clients.
fn by_hand(anomalies: &[Verdict], settings: &IncidentSettings) -> BTreeSet<Vec<usize>> {
    let hours = |hours: u32| TimeDelta::hours(hours.into());
    let near = |a: &Verdict, b: &Verdict, within| (a.started_at - b.started_at).abs() <= within;
    let class = |anomaly: &Verdict| match (anomaly.kind().unwrap(), anomaly.severity().unwrap()) {
        (AnomalyKind::MissedBackup, _) => Some(1),
        (_, Severity::Low) => None,
        (AnomalyKind::Failure, _) => Some(1),
        _ => Some(0),
    };
    let mut label: Vec<usize> = (0..anomalies.len()).collect();
    let mut join = |members: &[usize]| {
        let labels: Vec<usize> = members.iter().map(|&member| label[member]).collect();
        for other in &mut label {
            if labels.contains(other) {
                *other = labels[0];
            }
        }
    };
    for (a, first) in anomalies.iter().enumerate() {
        for (b, second) in anomalies.iter().enumerate().skip(a + 1) {
            let same = first.client == second.client;
            if same && near(first, second, hours(settings.client_hours.get())) {
                join(&[a, b]);
            }
        }
        let window: Vec<usize> = (0..anomalies.len())
            .filter(|&b| {
                let other = &anomalies[b];
                class(first).is_some()
                    && class(other) == class(first)
                    && other.started_at >= first.started_at
                    && near(other, first, hours(settings.fleet_hours.get()))
            })
            .collect();
        let clients: BTreeSet<_> = window.iter().map(|&b| &anomalies[b].client).collect();
        if clients.len() >= settings.clients.get() as usize {
            join(&window);
        }
    }
    let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, label) in label.into_iter().enumerate() {
        sets.entry(label).or_default().push(place);
    }
    sets.into_values().collect()
}

proptest! {
    #[test]
    fn incidents_are_what_their_definition_says(
        anomalies in vec(any_anomaly(), 0..40), clients in 2..6_u32,
    ) {
        let mut settings = IncidentSettings::default();
        settings.clients = ManyClients::new(clients).unwrap();
        prop_assert_eq!(incidents(&anomalies, &settings), by_hand(&anomalies, &settings));
    }

    #[test]
    fn the_order_has_no_part_in_it(
        (anomalies, order) in vec(any_anomaly(), 1..30).prop_flat_map(|anomalies| {
            let order: Vec<usize> = (0..anomalies.len()).collect();
            (Just(anomalies), Just(order).prop_shuffle())
        }),
    ) {
        let settings = IncidentSettings::default();
        let shuffled: Vec<Verdict> = order.iter().map(|&place| anomalies[place].clone()).collect();
        let back: BTreeSet<Vec<usize>> = incidents(&shuffled, &settings)
            .into_iter()
            .map(|places| {
                let mut places: Vec<usize> = places.into_iter().map(|place| order[place]).collect();
                places.sort_unstable();
                places
            })
            .collect();
        prop_assert_eq!(back, incidents(&anomalies, &settings));
    }
}
