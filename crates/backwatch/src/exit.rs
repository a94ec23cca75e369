//! What the exit status says.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anomaly_eval::EvalError;
use anomaly_remote::RemoteError;
use anomaly_server::{AccountsError, ServerError};
use anomaly_service::ServiceError;
use anomaly_service::storage::{CheckpointError, KeyError, StoreError};
use anomaly_settings::SettingsError;
use anomaly_sources::{Format, ReadOption, SourceError};
#[cfg(unix)]
use anomaly_walk::WalkError;

use crate::detect::DetectError;

/// What the exit status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing anomalous.
    Quiet = 0,
    /// Anomalies were found.
    Anomalies = 1,
    /// The command line or the settings are wrong. The argument parser uses this number too.
    Usage = 2,
    /// Some records could not be read: what was found is not all.
    BadRecords = 3,
    /// It could not be done, or not one job could be judged.
    Failure = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot read {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("{name}")]
    Source { name: String, source: SourceError },
    #[error("{name}: {format} does not say the {option}: give it with --{}", option.as_str().replace('_', "-"))]
    OptionNeeded {
        name: String,
        format: Format,
        option: ReadOption,
    },
    #[error("{}", path.display())]
    Mapping { path: PathBuf, source: SourceError },
    #[error("{name}: {source}, with --format")]
    FormatNeeded { name: String, source: SourceError },
    #[error("the input")]
    Address(#[source] RemoteError),
    #[error("{name}")]
    Server { name: String, source: RemoteError },
    #[error("cannot write to {}", path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("{}", path.display())]
    Population {
        path: PathBuf,
        source: anomaly_engine::PopulationError,
    },
    #[error("there is no database {}: `scan --db` or `ingest --db` makes one", path.display())]
    NoDatabase { path: PathBuf },
    #[error(
        "gathering is switched off (roles.gather): no job is taken in, and none is called missing"
    )]
    NotGathered,
    #[error("{}", path.display())]
    Configuration {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("this user has no home directory to keep a database in: give one with --db")]
    NoHome,
    #[error(transparent)]
    Serving(#[from] ServerError),
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error("nothing is known of {what}")]
    NothingKnown { what: String },
    #[error("who decides? Give the name with --by")]
    NoReviewer,
    #[error(
        "--ceiling and --expires say how far later jobs are covered: give --scope this-stream or \
         --feature, and --as false_positive"
    )]
    CoversNothing,
    #[error("{name} is not one job record: {source}")]
    Merge {
        name: String,
        source: serde_json::Error,
    },
    #[error("what was seen does not fit into the job record")]
    Fill(#[from] anomaly_model::ModelError),
    #[error("the command line")]
    Argument(#[source] anomaly_model::ModelError),
    #[cfg(unix)]
    #[error(transparent)]
    Walk(#[from] WalkError),
    #[error(
        "{} holds {bytes} bytes: a key has {needed} random ones or more, as `head -c 32 /dev/urandom` \
         makes them",
        path.display()
    )]
    ShortKey {
        path: PathBuf,
        bytes: usize,
        needed: usize,
    },
    #[error("cannot make a random key")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{}", path.display())]
    Checkpoint {
        path: PathBuf,
        source: CheckpointError,
    },
    #[error(transparent)]
    Detect(#[from] DetectError),
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error("cannot write the output")]
    Output(#[from] io::Error),
    #[error("cannot write the output")]
    Json(#[from] serde_json::Error),
}

impl Failure {
    /// An input that cannot be read: with the option that would help, where there is one.
    pub(crate) fn of_source(name: &str, source: SourceError) -> Self {
        let name = name.to_owned();
        match source {
            SourceError::OptionNeeded { format, option } => Self::OptionNeeded {
                name,
                format,
                option,
            },
            SourceError::Unrecognised | SourceError::Ambiguous { .. } => {
                Self::FormatNeeded { name, source }
            }
            source => Self::Source { name, source },
        }
    }

    /// The status to end with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Settings(_)
            | Self::Argument(_)
            | Self::NoReviewer
            | Self::Configuration { .. }
            | Self::NoHome
            | Self::CoversNothing
            | Self::OptionNeeded { .. }
            | Self::Mapping { .. }
            | Self::ShortKey { .. }
            | Self::Address(_)
            | Self::Serving(ServerError::Option { .. })
            | Self::Source {
                source: SourceError::UnknownPolicyPart { .. },
                ..
            }
            | Self::Server {
                source: RemoteError::ApiKey { .. } | RemoteError::SinceJob { .. },
                ..
            } => Exit::Usage,
            #[cfg(unix)]
            Self::Walk(WalkError::Exclude { .. } | WalkError::ExcludeFile { .. }) => Exit::Usage,
            Self::Service(ServiceError::Settings(_)) => Exit::BadRecords,
            Self::Detect(error) => error.exit(),
            _ => Exit::Failure,
        }
    }

    pub(crate) fn is_closed_pipe(&self) -> bool {
        let kind = match self {
            Self::Output(error) => Some(error.kind()),
            Self::Json(error) => error.io_error_kind(),
            _ => None,
        };
        kind == Some(io::ErrorKind::BrokenPipe)
    }
}
