//! The figures as tables.

use std::collections::BTreeSet;

use anomaly_eval::{CleanJob, DayClass, Group, Pattern, Scores, Share};

use crate::eval::Measured;

/// A table of figures.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) title: String,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A row of the main table: what it says, and how it is read off the scores.
type Row = (&'static str, fn(&Scores) -> String);

const ROWS: &[Row] = &[
    ("false incidents (alarms) per 365 jobs", |scores| {
        format!(
            "{:.1} ({:.1})",
            scores.false_incidents_per_365, scores.false_alarms_per_365
        )
    }),
    ("fast ransomware, first", |scores| {
        first(scores, "ransomware: fast")
    }),
    ("small ransomware, first", |scores| {
        first(scores, "ransomware: small")
    }),
    ("ransomware drips, any", |scores| {
        of_group(scores, "ransomware: drip", |group| group.any)
    }),
    ("slow attacks, flagged before 30 % is touched", |scores| {
        scores.slow_in_time.to_string()
    }),
    ("destruction, first", |scores| first(scores, "destruction")),
    ("exfiltration, first", |scores| first(scores, "exfil")),
    ("faults, first, and named", |scores| {
        of_group(scores, "ops", |group| group.first_and_named)
    }),
    ("legitimate changes at high severity", |scores| {
        scores.legitimate_high.to_string()
    }),
    ("attacks found, named rightly", |scores| {
        of_group(scores, ALL, |group| group.named)
    }),
    ("all attacks, first", |scores| first(scores, ALL)),
    ("  at exactly 1 false alarm per 90 jobs", |scores| {
        of_group(scores, ALL, |group| group.first_at_90)
    }),
    ("  at exactly 1 false alarm per 365 jobs", |scores| {
        of_group(scores, ALL, |group| group.first_at_365)
    }),
    ("busy days flagged", |scores| {
        scores.busy_flagged.to_string()
    }),
    ("alarms in a stream's first 14 jobs", |scores| {
        scores.early_alarms.to_string()
    }),
];

const ALL: &str = "ALL ATTACKS";

fn of_group(scores: &Scores, group: &str, share: fn(&Group) -> Share) -> String {
    scores
        .groups
        .get(group)
        .map_or_else(String::new, |group| share(group).to_string())
}

fn first(scores: &Scores, group: &str) -> String {
    of_group(scores, group, |group| group.first)
}

/// Every table that the measurements fill.
pub(super) fn all(found: &[Measured]) -> Vec<Figures> {
    let full: Vec<&Measured> = found
        .iter()
        .filter(|one| one.history_jobs.is_none() && one.peer.is_none())
        .collect();
    let mut tables = vec![leaderboard(&full), by_kind(&full)];
    tables.extend(by_pattern(found));
    if found.iter().any(|one| one.peer.is_some()) {
        tables.push(peers(found));
    }
    tables.extend(short_histories(found));
    tables
}

/// Whether there was anything to count.
fn says_something(row: &[String]) -> bool {
    row.iter()
        .skip(1)
        .any(|cell| !cell.is_empty() && cell != "none")
}

fn header(first: &str, columns: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(columns).collect()
}

fn leaderboard(found: &[&Measured]) -> Figures {
    let scores = || found.iter().map(|one| &one.evaluation.scores);
    let rows = ROWS
        .iter()
        .map(|(name, cell)| header(name, scores().map(cell)))
        .filter(|row| says_something(row));
    Figures {
        title: "At the settings given".to_owned(),
        header: header("", scores().map(|scores| scores.track.to_string())),
        rows: rows.collect(),
    }
}

fn by_kind(found: &[&Measured]) -> Figures {
    let scores = || found.iter().map(|one| &one.evaluation.scores);
    let kinds: BTreeSet<&str> = scores()
        .flat_map(|scores| scores.groups.keys())
        .filter(|name| name.contains('/'))
        .map(String::as_str)
        .collect();
    let cell = |scores: &Scores, kind: &str| {
        let Some(group) = scores.groups.get(kind) else {
            return String::new();
        };
        if group.any == group.first {
            group.first.to_string()
        } else {
            format!("{}, any {}", group.first, group.any.hits)
        }
    };
    let rows = kinds
        .into_iter()
        .map(|kind| header(kind, scores().map(|scores| cell(scores, kind))));
    Figures {
        title: "Flagged on the first job, and on any, by family and kind".to_owned(),
        header: header("", scores().map(|scores| scores.track.to_string())),
        rows: rows.collect(),
    }
}

/// For simulated fleets: alarms on the clean jobs of each pattern.
fn by_pattern(found: &[Measured]) -> Option<Figures> {
    let found: Vec<&Measured> = found
        .iter()
        .filter(|one| one.history_jobs.is_none())
        .collect();
    let pattern_of = |job: &CleanJob| {
        let (number, pattern) = job.history.split_once('-')?;
        let known = Pattern::ALL
            .into_iter()
            .find(|one| one.as_str() == pattern)?;
        number.starts_with('s').then_some(known)
    };
    let patterns: BTreeSet<Pattern> = found
        .iter()
        .flat_map(|one| &one.evaluation.clean)
        .filter_map(pattern_of)
        .collect();
    let cell = |one: &Measured, pattern: Pattern| {
        let counted = |job: &&CleanJob| {
            pattern_of(job) == Some(pattern)
                && matches!(job.class, DayClass::Normal | DayClass::Busy)
        };
        let jobs = one.evaluation.clean.iter().filter(counted).count();
        let alarms = one
            .evaluation
            .clean
            .iter()
            .filter(counted)
            .filter(|job| job.is_alarm());
        let alarms = alarms.count();
        format!(
            "{:.2} ({alarms}/{jobs})",
            30.0 * alarms as f64 / jobs.max(1) as f64
        )
    };
    let rows = patterns
        .iter()
        .map(|&pattern| header(pattern.as_str(), found.iter().map(|one| cell(one, pattern))));
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| Figures {
        title: "Alarms per 30 clean jobs, busy days too, from the fifteenth job on".to_owned(),
        header: header(
            "",
            found.iter().map(|one| match one.peer {
                Some(peer) => peer.as_str().to_owned(),
                None => one.evaluation.scores.track.to_string(),
            }),
        ),
        rows,
    })
}

/// A judge per row.
fn peers(found: &[Measured]) -> Figures {
    const COLUMNS: &[Row] = &[
        ("alarms/365", |scores| {
            format!("{:.1}", scores.false_alarms_per_365)
        }),
        ("incidents/365", |scores| {
            format!("{:.1}", scores.false_incidents_per_365)
        }),
        ("fast ransomware, first", |scores| {
            first(scores, "ransomware: fast")
        }),
        ("attacks, first", |scores| first(scores, ALL)),
        ("at 1 per 90", |scores| {
            of_group(scores, ALL, |group| group.first_at_90)
        }),
        ("at 1 per 365", |scores| {
            of_group(scores, ALL, |group| group.first_at_365)
        }),
    ];
    let rows = found
        .iter()
        .filter(|one| one.history_jobs.is_none())
        .map(|one| {
            let scores = &one.evaluation.scores;
            let name = match one.peer {
                Some(peer) => peer.name().to_owned(),
                None => format!("backwatch, {}", scores.track),
            };
            header(&name, COLUMNS.iter().map(|(_, cell)| cell(scores)))
        });
    Figures {
        title: "Beside the rules of others, as documented, at their own thresholds".to_owned(),
        header: header("", COLUMNS.iter().map(|(name, _)| (*name).to_owned())),
        rows: rows.collect(),
    }
}

/// One table per track, with a column for each length of history.
fn short_histories(found: &[Measured]) -> Vec<Figures> {
    let tracks: BTreeSet<_> = found
        .iter()
        .filter(|one| one.history_jobs.is_some())
        .map(|one| one.evaluation.scores.track)
        .collect();
    let table = |track| {
        let mut of_track: Vec<&Measured> = found
            .iter()
            .filter(|one| one.evaluation.scores.track == track && one.peer.is_none())
            .collect();
        of_track.sort_by_key(|one| one.history_jobs.unwrap_or(usize::MAX));
        let lengths = of_track.iter().map(|one| match one.history_jobs {
            Some(jobs) => format!("{jobs} jobs"),
            None => "all jobs".to_owned(),
        });
        let rows = ROWS
            .iter()
            // Nothing is early when every job has the same history.
            .filter(|(name, _)| !name.starts_with("alarms in"))
            .map(|(name, cell)| {
                header(
                    name,
                    of_track.iter().map(|one| cell(&one.evaluation.scores)),
                )
            })
            .filter(|row| says_something(row));
        Figures {
            title: format!("With so many jobs of history, {track}"),
            header: header("", lengths),
            rows: rows.collect(),
        }
    };
    tracks.into_iter().map(table).collect()
}
