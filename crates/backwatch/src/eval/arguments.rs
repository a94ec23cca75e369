//! What `backwatch eval` takes.

use std::path::PathBuf;

use anomaly_eval::Pattern;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Subcommand, ValueEnum};

use super::Tracks;
use crate::cli::{InputOptions, key_value};

/// Measure the judge on labelled histories: false alarms, attacks found, kinds named.
///
/// A history is a client's clean jobs, and branches in which something happened from one job on:
/// an attack, a fault, a legitimate mass change. `first` is an alarm on the first job that it
/// touched, `any` on some job. A false alarm is an alarm on a clean job, from the fifteenth of its
/// stream on, on which little changed; false alarms of one stream at most 7 jobs apart are one
/// false incident. In `96 % (22/23; 79-99)`, the last two numbers are Wilson's 95 % interval.
///
/// Exit status: 0 measured, 2 wrong usage or settings, 4 failure.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct EvalArguments {
    #[command(subcommand)]
    pub(crate) command: Option<EvalCommand>,

    /// The directory of the histories: DIR/CLIENT/jobs.ndjson, labels.ndjson and
    /// branches/NN.ndjson; those that the program carries when not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) histories: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) measure: MeasureArguments,
}

/// What is measured, and how it is shown.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct MeasureArguments {
    /// How much of each job the judge is shown.
    #[arg(long, value_enum, default_value_t = Tracks::All)]
    pub(crate) track: Tracks,

    /// Also measure the rules of other tools, re-implemented from their documentation.
    #[arg(long)]
    pub(crate) compare: bool,

    /// Also list every event, and every alarm on a clean job.
    #[arg(long)]
    pub(crate) list: bool,

    /// Judge each history by a population that was learnt from the others: how clients fare that
    /// were never seen.
    #[arg(long)]
    pub(crate) leave_out: bool,

    /// What is known of streams in general, as `eval learn` wrote it; what the program carries when
    /// not given.
    #[arg(long, value_name = "FILE", conflicts_with = "leave_out")]
    pub(crate) population: Option<PathBuf>,

    /// Also measure what is found when a stream's history is cut to its last 5, 10, 20 and 40 jobs
    /// before each job.
    #[arg(long)]
    pub(crate) short_histories: bool,

    /// Read settings from this TOML file.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,

    /// Change one setting, such as `detection.alarm_budget=2`; wins over file and environment.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,

    /// How to show the figures.
    #[arg(long, value_enum, default_value_t = Figures::Text)]
    pub(crate) output: Figures,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    Simulate(SimulateArguments),
    Learn(LearnArguments),
}

/// Learn how streams in general behave, and write it as JSON.
///
/// From files of an installation's own past jobs, every one of which is taken for ordinary; or from
/// the clean jobs of labelled histories. `scan --population` and `eval --population` judge by it.
/// Learnt from the histories that the program carries, it is what the program carries. Jobs of the
/// same client, policy and schedule type are a stream.
///
/// Exit status: 0 learnt, 2 wrong usage, 3 some records could not be read, 4 failure, also when
/// streams or jobs are too few.
#[derive(Debug, Args)]
pub(crate) struct LearnArguments {
    /// Files of backup jobs, or addresses to read them from live; `-` is standard input.
    ///
    /// An address is `postgresql://USER@HOST/DATABASE` for the catalogue of a Bareos or Bacula
    /// director, or `netbackup+https://HOST` for a NetBackup primary server.
    #[arg(value_name = "FILE", conflicts_with = "histories")]
    pub(crate) files: Vec<PathBuf>,

    /// The directory of labelled histories; those that the program carries when neither this nor a
    /// file is given.
    #[arg(long, value_name = "DIR")]
    pub(crate) histories: Option<PathBuf>,

    /// The file to write; standard output when not given.
    #[arg(long, value_name = "OUT")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) input: InputOptions,
}

/// Measure on a simulated fleet, or write it to a directory.
///
/// Each client has a tree of files that lives by a pattern (seasons, growth, dumps, log rotation),
/// and branches in which something happens to it: attacks, slow ones too, faults, legitimate mass
/// changes. The same seed gives the same fleet everywhere.
#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// How many clients, which have the patterns in turn; one per pattern when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) clients: Option<u16>,

    /// How many clean jobs each client has.
    #[arg(long, value_name = "N", default_value_t = 120)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: u16,

    /// How many branches each client has.
    #[arg(long, value_name = "N", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u16).range(..=100))]
    pub(crate) branches: u16,

    /// Where the randomness starts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Only this pattern; may be given several times.
    #[arg(long, value_name = "PATTERN", value_parser = patterns())]
    pub(crate) pattern: Vec<Pattern>,

    /// Write the histories to this directory, for --histories, instead of measuring.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) measure: MeasureArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Figures {
    /// Tables for a terminal.
    Text,
    /// One JSON document with every figure.
    Json,
    /// The tables in Markdown.
    Markdown,
}

fn patterns() -> impl clap::builder::TypedValueParser<Value = Pattern> {
    PossibleValuesParser::new(Pattern::ALL.iter().map(|pattern| pattern.as_str())).try_map(|name| {
        let pattern = Pattern::ALL
            .into_iter()
            .find(|pattern| pattern.as_str() == name);
        pattern.ok_or("no such pattern")
    })
}
