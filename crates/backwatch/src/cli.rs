//! The command line.

use std::iter;
use std::path::PathBuf;

use anomaly_model::JobId;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_sources::{Format, Since, Timezone};
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::anomalies::AnomaliesArguments;
use crate::backtest::BacktestArguments;
use crate::coverage::CoverageArguments;
use crate::detect::{DETECTORS, Detector, Scale};
use crate::drill::DrillArguments;
use crate::eval::EvalArguments;
use crate::incidents::IncidentsArguments;
use crate::recovery::RecoveryArguments;
use crate::serve::ServeArguments;
use crate::settings::SettingsArguments;
use crate::tick::TickArguments;
use crate::user::UserArguments;
#[cfg(unix)]
use crate::walk::{Beside, WalkArguments};

/// Tells whose backups just became strange: encrypted, emptied, bloated, slowed, failing or missing.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Scan(ScanArguments),
    Ingest(IngestArguments),
    Anomalies(AnomaliesArguments),
    Incidents(IncidentsArguments),
    RecoveryPoint(RecoveryArguments),
    Coverage(CoverageArguments),
    Tick(TickArguments),
    Backtest(BacktestArguments),
    Settings(SettingsArguments),
    Drill(DrillArguments),
    Convert(ConvertArguments),
    Detect(DetectArguments),
    Eval(EvalArguments),
    #[cfg(unix)]
    Walk(WalkArguments),
    Verify(VerifyArguments),
    Checkpoint(CheckpointArguments),
    Db(DbArguments),
    Serve(ServeArguments),
    User(UserArguments),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual pages.
    Man {
        /// The directory to write them to.
        directory: PathBuf,
    },
}

/// Judge the backup jobs in files, each against the history of its stream.
///
/// Exit status: 0 nothing anomalous, 1 anomalies found, 2 wrong usage or settings, 3 some records
/// could not be read or kept (whatever was found), 4 failure, also when not one job could be judged,
/// or gathering is switched off in the database.
#[derive(Debug, Args)]
pub(crate) struct ScanArguments {
    /// Files of backup jobs, or addresses to read them from live; `-` is standard input.
    ///
    /// An address is `postgresql://USER@HOST/DATABASE` for the catalogue of a Bareos or Bacula
    /// director, or `netbackup+https://HOST` for a NetBackup primary server.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Keep jobs, verdicts and what was learnt in this database; in memory when not given.
    #[arg(long, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) judge: JudgeOptions,

    /// How to show what was found.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,

    #[command(flatten)]
    pub(crate) input: InputOptions,
}

/// Judge what is new, at the end of a backup: the form for a tool's hook.
///
/// Jobs that the database knows already are counted and passed over, so the tool's whole list may be
/// given every time.
///
/// Exit status: 0 nothing anomalous among the new jobs, 1 anomalies found, 2 wrong usage or
/// settings, 3 some records could not be read or kept (whatever was found), 4 failure, also when not
/// one new job could be judged, or gathering or detection is switched off. None of them is a reason to
/// fail the backup: write `|| true` after the command where the tool would.
#[derive(Debug, Args)]
pub(crate) struct IngestArguments {
    /// Files of backup jobs, or addresses to read them from live; `-` is standard input.
    ///
    /// An address is `postgresql://USER@HOST/DATABASE` for the catalogue of a Bareos or Bacula
    /// director, or `netbackup+https://HOST` for a NetBackup primary server.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The database that keeps jobs, verdicts and what was learnt; made when it is not there.
    #[arg(long, value_name = "PATH")]
    pub(crate) db: PathBuf,

    #[command(flatten)]
    pub(crate) judge: JudgeOptions,

    /// How to show the verdicts on the new jobs.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,

    #[cfg(unix)]
    #[command(flatten)]
    pub(crate) beside: Beside,

    #[command(flatten)]
    pub(crate) input: InputOptions,
}

/// Show that nothing in a database was altered, removed or reordered since it was recorded.
///
/// Every job, verdict, review, change of settings and entry of the audit log is hashed anew, and held
/// against the database's own log. Whoever may write the database may also write the log: only a
/// checkpoint that was kept elsewhere tells then. The more there are, the nearer they tell what was
/// changed.
///
/// Exit status: 0 all is as it was recorded, 1 something is not, 2 wrong usage, 4 failure, also when
/// the checkpoint is not signed by the key.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The database.
    #[arg(long, value_name = "PATH")]
    pub(crate) db: PathBuf,

    /// A file of checkpoints, as `checkpoint` wrote it; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Vec<PathBuf>,

    /// The key that the checkpoints are signed with, or its public half, which is best kept with
    /// them; the database's own, PATH.key, when not given.
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    pub(crate) key: Option<PathBuf>,
}

/// Sign what stands for everything in a database, to be kept where nobody who may change the
/// database may change it.
///
/// A checkpoint is three lines and a signature: a signed note, as transparency logs write it.
///
/// Exit status: 0 written, 2 wrong usage, 4 failure.
#[derive(Debug, Args)]
pub(crate) struct CheckpointArguments {
    /// The database.
    #[arg(long, value_name = "PATH")]
    pub(crate) db: PathBuf,

    /// The file to add the checkpoint to; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// The key to sign with; the database's own, PATH.key, when not given. It is made when it is not
    /// there, readable to its owner alone, with its public half beside it in FILE.pub.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

/// Look after a database: check it, copy it, make it smaller, take out what is in it.
///
/// Exit status: 0 done, 1 the check found damage, 2 wrong usage, 4 failure, also when there is no such
/// stream.
#[derive(Debug, Args)]
pub(crate) struct DbArguments {
    #[command(subcommand)]
    pub(crate) command: DbCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Check that the whole file reads: pages, indexes, references, models.
    ///
    /// Whether records are what was recorded is another question: see `verify`.
    Check(DbOptions),
    /// Copy the database to a new file, as it is at one moment, while others go on writing.
    Backup {
        #[command(flatten)]
        options: DbOptions,
        /// The file to make.
        file: PathBuf,
    },
    /// Give back the space of what was deleted. Needs as much space again while it lasts.
    Compact(DbOptions),
    /// Write what is recorded as JSON lines: jobs.ndjson, verdicts.ndjson, reviews.ndjson and
    /// audit.ndjson. `ingest` reads jobs.ndjson.
    Export {
        #[command(flatten)]
        options: DbOptions,
        /// The directory to write them to; made when it is not there.
        directory: PathBuf,
    },
    /// Forget what was learnt of a stream, which then warms up anew: where the model is damaged, or
    /// the stream has become another. Jobs and verdicts stay; the audit log has who did it.
    Forget {
        #[command(flatten)]
        options: DbOptions,
        /// The stream, as `coverage --list all` names it, such as `mail01 / daily / full`.
        #[arg(long, value_name = "STREAM")]
        stream: String,
        /// Who has it done; the user who runs the program when not given.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DbOptions {
    /// The database.
    #[arg(long, value_name = "PATH")]
    pub(crate) db: PathBuf,
}

/// By what jobs are judged.
#[derive(Debug, Args)]
pub(crate) struct JudgeOptions {
    /// What is known of streams in general, as `eval learn` wrote it; what the program carries when
    /// not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) population: Option<PathBuf>,

    /// Read settings from this TOML file.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,

    /// Change one setting, such as `detection.alarm_budget=2`; wins over file and environment.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// Write the jobs of any format as Backwatch's own records, one JSON object per line.
///
/// Exit status: 0 converted, 2 wrong usage, 3 some records could not be read and were left out, 4
/// failure.
#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    /// Files of backup jobs, or addresses to read them from live; `-` is standard input.
    ///
    /// An address is `postgresql://USER@HOST/DATABASE` for the catalogue of a Bareos or Bacula
    /// director, or `netbackup+https://HOST` for a NetBackup primary server.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The file to write; standard output when not given.
    #[arg(long, value_name = "OUT")]
    pub(crate) out: Option<PathBuf>,

    /// Replace the names of clients, policies and schedules, the ids of jobs, and paths and
    /// extensions of files by keyed hashes, and move all times by the same whole number of weeks.
    /// Numbers stay, and so do sources (`restic`), types of policies and schedules, and extensions
    /// that ransomware is known to write.
    #[arg(long)]
    pub(crate) anonymise: bool,

    /// The key of the hashes, in a file of 16 random bytes or more; another one every time when not
    /// given. Under the same key the same name becomes the same hash, so that two files can be put
    /// side by side. Whoever has the key can try out names: do not send it along.
    #[arg(long, value_name = "FILE", requires = "anonymise")]
    pub(crate) key_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) input: InputOptions,
}

/// How files of backup jobs are read.
#[derive(Debug, Args)]
pub(crate) struct InputOptions {
    /// What the files hold; `auto` recognises it from their content.
    #[arg(long, value_parser = formats(), default_value = "auto")]
    pub(crate) format: FormatChoice,

    /// Take the jobs in order of their start, not of their place in the files.
    #[arg(long)]
    pub(crate) sort: bool,

    /// The client, for formats that do not name it.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,

    /// The policy, for formats that do not name it.
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,

    /// When the job started, for formats that do not say: an RFC 3339 time with a zone.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) started_at: Option<DateTime<Utc>>,

    /// The exit status of the tool whose output is read, for formats that do not say.
    #[arg(long, value_name = "CODE")]
    pub(crate) exit_code: Option<i64>,

    /// The zone of times that are printed without one: a name such as Europe/Berlin, or an offset
    /// such as +02:00.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) timezone: Option<Timezone>,

    /// Of which parts to make the policy of a tool that has no policies, such as `paths,tags`; all
    /// that the tool has when not given.
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    pub(crate) policy_parts: Option<Vec<String>>,

    /// Which column of a CSV file is which field of a job, in TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv_mapping: Option<PathBuf>,

    /// Pass over what was read before: all up to the job with this id, or all jobs that started at
    /// this RFC 3339 time or before.
    #[arg(long, value_name = "ID|TIME", value_parser = since)]
    pub(crate) since: Option<Since>,

    /// Certificates (PEM) to verify a server's with; those that the system trusts when not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// A file whose first line is the API key for NetBackup; the environment variable
    /// `NETBACKUP_API_KEY` when not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
}

/// What `--format` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatChoice {
    /// The content shows it.
    Auto,
    Named(Format),
}

/// Score the rows of a table of numbers with one detector, fitted on the same rows.
///
/// Prints one score per row on standard output; larger is stranger. Columns are features, and a
/// missing number is `nan` or empty. A CSV may begin with a line of names, and its empty lines are
/// skipped.
///
/// Exit status: 0 scored, 2 wrong usage, 4 failure, also when the file is no table of numbers.
#[derive(Debug, Args)]
pub(crate) struct DetectArguments {
    /// The detector, by its name in --list.
    #[arg(long, value_name = "NAME", value_parser = detectors(), hide_possible_values = true)]
    #[arg(required_unless_present = "list")]
    pub(crate) detector: Option<&'static Detector>,

    /// The table: a .csv, a .npy of two dimensions, or a .npz whose array `X` is the table.
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    pub(crate) input: Option<PathBuf>,

    /// Change one parameter of the detector, such as `trees=300`.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,

    /// Where the randomness starts, for detectors that have some; the same as `--set seed=N`.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// What is done to each column first.
    #[arg(long, value_enum, default_value_t = Scale::None)]
    pub(crate) scale: Scale,

    /// How many threads; one per core when not given. Changes the time, never the scores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// What says which rows are anomalies (1) and which are not (0): a column by name or number
    /// (from 1), of an .npz an array, usually `y`. The detector does not see it; how well the
    /// scores agree is printed on standard error, as AUROC and average precision (AP).
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label: Option<String>,

    /// Print a line of JSON on standard error: seconds to fit and to score, rows, columns, and the
    /// most memory held.
    #[arg(long)]
    pub(crate) timings: bool,

    /// Print every detector with its parameters, their defaults and what they may be.
    #[arg(long, exclusive = true)]
    pub(crate) list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Each anomaly with its reasons, then a summary.
    Text,
    /// One row per anomaly, then a summary.
    Table,
    /// One JSON document: counts, and the anomalies with their reasons.
    Json,
    /// The verdict record of every job, one JSON object per line, in time order.
    Ndjson,
}

fn formats() -> impl clap::builder::TypedValueParser<Value = FormatChoice> {
    let names = Format::ALL.iter().map(|format| format.as_str());
    PossibleValuesParser::new(iter::once("auto").chain(names)).try_map(|word| match &*word {
        "auto" => Ok(FormatChoice::Auto),
        name => name.parse().map(FormatChoice::Named),
    })
}

/// A time; what is none is told what one looks like.
pub(crate) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let none = "write a time with its zone, such as 2026-11-22T03:00:00Z (RFC 3339)";
    text.parse().map_err(|_| none.to_owned())
}

/// A time, where it is one: no tool's ids look like times.
fn since(text: &str) -> Result<Since, String> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.to_utc().into()),
        Err(_) => JobId::new(text)
            .map(Into::into)
            .map_err(|error| error.to_string()),
    }
}

fn detectors() -> impl clap::builder::TypedValueParser<Value = &'static Detector> {
    PossibleValuesParser::new(DETECTORS.iter().map(|detector| detector.name))
        .try_map(|name| Detector::named(&name).ok_or("no such detector"))
}

pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
        None => Err("write it as KEY=VALUE".to_owned()),
    }
}
