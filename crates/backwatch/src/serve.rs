//! `backwatch serve`: the service.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use anomaly_notify::SinkOptions;
use anomaly_server::{GatherOptions, Server, ServerOptions};
use anomaly_settings::Layers;
use clap::Args;
use etcetera::BaseStrategy as _;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use crate::cli::key_value;
use crate::exit::{Exit, Failure};

/// Receive jobs, judge them, and show what is strange: over HTTP, in a browser.
///
/// Without options it listens on this machine alone, and keeps its database in the data directory of
/// the user. The first time, it prints a code with which the first administrator is made in the
/// browser; `user add` does the same on the command line.
///
/// Exit status: 0 ended by a signal, 2 wrong usage or settings, 4 failure.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Read the configuration from this TOML file: the settings, the section `[server]`,
    /// `[[sinks]]` for those who are told, and `[[gather]]` for sources that are polled.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The database; that of the user's data directory when not given.
    #[arg(long, value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,

    /// The address to listen at, over that of the configuration.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// Change one setting, such as `detection.alarm_budget=2`; wins over file and environment.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// What of the configuration is not a setting.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    server: ServerOptions,
    sinks: Vec<SinkOptions>,
    gather: Vec<GatherOptions>,
}

/// So long is waited for what still runs when the service has ended.
const FAREWELL: Duration = Duration::from_secs(5);

/// The sections that are not settings.
const SECTIONS: &[&str] = &["server", "sinks", "gather"];

pub(crate) fn run(arguments: &ServeArguments) -> Result<Exit, Failure> {
    let file = arguments.config.as_deref();
    let layers = Layers::read_shared(file, SECTIONS, &arguments.set)?;
    let Configuration {
        server: mut options,
        sinks,
        gather,
    } = configuration(file)?;
    options.listen = arguments.listen.unwrap_or(options.listen);
    let database = match &arguments.db {
        Some(path) => path.clone(),
        None => default_database()?,
    };
    let filter = EnvFilter::try_from_env("RUST_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(database, layers, options, sinks, gather));
    // All that is to be kept has been written. A disk that hangs holds nobody up.
    runtime.shutdown_timeout(FAREWELL);
    served?;
    Ok(Exit::Quiet)
}

async fn serve(
    database: PathBuf,
    layers: Layers,
    options: ServerOptions,
    sinks: Vec<SinkOptions>,
    gather: Vec<GatherOptions>,
) -> Result<(), Failure> {
    let scheme = if options.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let shutdown = shutdown()?;
    let server = Server::bind(&database, layers, options, sinks)?.gathering(gather)?;
    let address = server.address()?;
    // Where it is asked for a port, whoever started it wants to know which one it got.
    anstream::println!("listening on {scheme}://{address}");
    anstream::println!("database {}", database.display());
    if let Some(code) = server.setup_code()? {
        anstream::println!("first run: open {scheme}://{address}/first-run with the code {code}");
    }
    Ok(server.serve(shutdown).await?)
}

/// Ends when the process is asked to, from now on.
fn shutdown() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        _ = tokio::signal::ctrl_c().await;
    })
}

fn configuration(file: Option<&Path>) -> Result<Configuration, Failure> {
    let Some(path) = file else {
        return Ok(Configuration::default());
    };
    let text = fs::read_to_string(path).map_err(|source| Failure::Open {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|source| Failure::Configuration {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// The database of the user's data directory, such as `~/.local/share/backwatch/backwatch.db`.
pub(crate) fn default_database() -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| Failure::NoHome)?;
    let directory = strategy.data_dir().join("backwatch");
    fs::create_dir_all(&directory).map_err(|source| Failure::Create {
        path: directory.clone(),
        source,
    })?;
    Ok(directory.join("backwatch.db"))
}
