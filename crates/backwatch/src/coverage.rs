//! `backwatch coverage`: who is watched, and how well.

use std::fmt::Write as _;
use std::io::{self, Write};

use anomaly_features::{counted, feature};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{FeatureName, FleetCoverage, StreamCoverage, Watch};
use anomaly_settings::Role;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::TextOrJson;
use crate::database::{DatabaseOptions, Now, job_name};
use crate::exit::{Exit, Failure};
use crate::report::json;
use crate::report::text::{when, wrapped};
use crate::switched_off::SwitchedOff;

/// Streams that are read at once.
const PAGE: usize = 1_000;

/// Tell which streams are judged, which are not, and which are silent.
///
/// Exit status: 0 told, 1 a stream is silent, 2 wrong usage or settings, 4 failure, also when
/// gathering, detection or alerting is switched off.
#[derive(Debug, Args)]
pub(crate) struct CoverageArguments {
    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    now: Now,

    /// Also list streams.
    #[arg(long, value_name = "WHICH", value_enum)]
    list: Option<Which>,

    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Every stream.
    All,
    /// Those of which not everything is watched.
    Gaps,
    /// Those whose job is overdue.
    Silent,
}

impl Which {
    fn includes(self, stream: &StreamCoverage) -> bool {
        let silent = stream.silence.is_some();
        match self {
            Self::All => true,
            Self::Silent => silent,
            Self::Gaps => {
                silent
                    || stream.watch != Watch::Judged
                    || stream.wrong_clock
                    || stream.due_at.is_none()
                    || stream.proposal.is_some()
                    || !stream.blind.is_empty()
                    || !stream.switched_off.is_empty()
            }
        }
    }
}

/// What stands beside every list of anomalies: how much of the fleet it is of.
#[derive(Debug, Serialize)]
pub(crate) struct Coverage {
    pub(crate) fleet: FleetCoverage,
    pub(crate) switched_off: SwitchedOff,
}

pub(crate) fn run(arguments: &CoverageArguments) -> Result<Exit, Failure> {
    let (service, switched_off) = arguments.database.open_at(arguments.now.time())?;
    let now = arguments.now.time();
    let fleet = service.coverage(now)?;
    let silent = fleet.silent;
    let coverage = Coverage {
        fleet,
        switched_off,
    };
    // A page at a time: there may be millions.
    let pages = |show: &mut dyn FnMut(&StreamCoverage) -> Result<(), Failure>| {
        let mut after = arguments.list.map(|_| 0);
        while let Some(start) = after {
            let page = service.stream_coverage(now, start, PAGE)?;
            let listed = page.streams.iter();
            let listed = listed.filter(|stream| {
                let which = arguments.list.unwrap_or(Which::All);
                which.includes(stream)
            });
            listed.into_iter().try_for_each(&mut *show)?;
            after = page.next;
        }
        Ok::<(), Failure>(())
    };
    match arguments.output {
        TextOrJson::Text => {
            let mut out = anstream::stdout().lock();
            pages(&mut |stream| Ok(print_stream(&mut out, stream, now)?))?;
            paragraph(&mut out, &coverage.in_words())?;
        }
        TextOrJson::Json => {
            // One line for each stream, then one for all.
            let mut out = io::BufWriter::new(io::stdout().lock());
            pages(&mut |stream| json::line(&mut out, stream))?;
            json::line(&mut out, &coverage)?;
            out.flush()?;
        }
    }
    let exit = if silent > 0 {
        Exit::Anomalies
    } else {
        Exit::Quiet
    };
    Ok(coverage.switched_off.exit(exit, &Role::ALL))
}

pub(crate) fn paragraph(out: &mut impl Write, text: &str) -> io::Result<()> {
    for line in wrapped(text, "") {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

impl Coverage {
    /// The exit status of a list of what was found: it rests on gathering and detection.
    pub(crate) fn exit(&self, is_empty: bool) -> Exit {
        let exit = if is_empty {
            Exit::Quiet
        } else {
            Exit::Anomalies
        };
        self.switched_off.exit(exit, &[Role::Gather, Role::Detect])
    }

    /// In one paragraph.
    pub(crate) fn in_words(&self) -> String {
        let fleet = &self.fleet;
        let parts = [
            (fleet.judged, "judged"),
            (fleet.warming_up, "warming up"),
            (fleet.not_scored, "not judged"),
            (fleet.excluded, "excluded by the settings"),
            (fleet.off, "not judged, because detection is off"),
        ];
        let mut text = match fleet.streams {
            0 => "No stream is known yet.".to_owned(),
            streams => format!(
                "Coverage: {}: {}.",
                counted(streams, "stream"),
                some(&parts)
            ),
        };
        let more = [
            (fleet.silent, "silent: a job that was due did not come"),
            (
                fleet.cadence_unknown,
                "with too few jobs to notice when one does not come",
            ),
            (fleet.wrong_clock, "with a wrong clock"),
            (
                fleet.proposals,
                "with a change that lasts and waits for a person",
            ),
        ];
        let more = some(&more);
        if !more.is_empty() {
            _ = write!(text, " Of all: {more}.");
        }
        if fleet.blind > 0 {
            let features = fleet.blind_features.iter();
            let features = features.map(|(name, &streams)| (label(name), streams));
            _ = write!(
                text,
                " Not reported, so not judged, in {}: {}.",
                counted(fleet.blind, "stream"),
                listed(features, fleet.blind)
            );
        }
        if fleet.partly_off > 0 {
            let names = fleet.switched_off.iter();
            let names = names.map(|(name, &streams)| (name.as_str(), streams));
            _ = write!(
                text,
                " Switched off in the settings for {}: {}.",
                counted(fleet.partly_off, "stream"),
                listed(names, fleet.partly_off)
            );
        }
        text.push_str(&self.switched_off.roles_in_words());
        text.push_str(&self.switched_off.loosened_in_words());
        text
    }
}

/// Names, each with of how many streams it is told where not of all of them.
fn listed<'a>(names: impl Iterator<Item = (&'a str, u64)>, all: u64) -> String {
    let names = names.map(|(name, streams)| {
        if streams == all {
            name.to_owned()
        } else {
            format!("{name} ({streams})")
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

fn some(parts: &[(u64, &str)]) -> String {
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.join(", ")
}

fn print_stream(
    out: &mut impl Write,
    stream: &StreamCoverage,
    now: DateTime<Utc>,
) -> io::Result<()> {
    let mut notes = vec![watch(&stream.watch)];
    if let Some(silence) = &stream.silence {
        notes.push(format!(
            "silent: none since {}, due by {}",
            when(silence.since),
            when(silence.due_at)
        ));
    }
    if stream.wrong_clock {
        notes.push(if stream.last_job.started_at > now {
            "its clock is ahead".to_owned()
        } else {
            "its jobs come long after they say they started".to_owned()
        });
    }
    if let Some(shift) = &stream.proposal {
        let jobs = counted(shift.jobs.into(), "job");
        let began = shift.began_with.as_ref().map(job_name);
        let began = began.map_or_else(String::new, |job| format!(" since {job}"));
        notes.push(format!(
            "a change has lasted for {jobs}{began}, and waits for a person"
        ));
    }
    if stream.due_at.is_none() {
        notes.push("too few jobs to notice when one does not come".to_owned());
    }
    if !stream.blind.is_empty() {
        let names: Vec<&str> = stream.blind.iter().map(label).collect();
        notes.push(format!("not reported: {}", names.join(", ")));
    }
    if !stream.switched_off.is_empty() {
        notes.push(format!("switched off: {}", stream.switched_off.join(", ")));
    }
    let text = format!(
        "{}: {}; last job {}.",
        stream.stream,
        notes.join("; "),
        when(stream.last_job.started_at)
    );
    paragraph(out, &text)
}

fn label(name: &FeatureName) -> &str {
    feature(name.as_str()).map_or(name.as_str(), |found| found.label)
}

fn watch(watch: &Watch) -> String {
    match watch {
        Watch::Judged => "judged".to_owned(),
        Watch::WarmingUp { jobs_left } => {
            format!("warming up, {} to go", counted((*jobs_left).into(), "job"))
        }
        Watch::NotScored { reason } => format!("not judged: {reason}"),
        Watch::Excluded { by, until } => match until {
            Some(end) => format!("excluded by the scope of {by}, until {}", when(*end)),
            None => format!("excluded by the scope of {by}, without an end"),
        },
        _ => "not judged: detection is off".to_owned(),
    }
}
