//! `backwatch`: tells whose backups just became strange.

mod anomalies;
mod backtest;
mod cli;
mod convert;
mod coverage;
mod database;
mod db;
mod detect;
mod drill;
mod eval;
mod evidence;
mod exit;
mod found;
mod guard;
mod incidents;
mod ingest;
mod input;
mod judge;
mod limit;
mod man;
mod population;
mod progress;
mod recovery;
mod report;
mod scan;
mod serve;
mod settings;
mod switched_off;
mod tally;
mod terminal;
mod tick;
mod user;
#[cfg(unix)]
mod walk;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            // Whoever reads our output has seen enough.
            if !failure.is_closed_pipe() {
                terminal::error(&failure);
            }
            failure.exit().into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Ingest(arguments) => ingest::run(&arguments),
        Command::Anomalies(arguments) => anomalies::run(&arguments),
        Command::Incidents(arguments) => incidents::run(&arguments),
        Command::RecoveryPoint(arguments) => recovery::run(&arguments),
        Command::Coverage(arguments) => coverage::run(&arguments),
        Command::Tick(arguments) => tick::run(&arguments),
        Command::Backtest(arguments) => backtest::run(&arguments),
        Command::Settings(arguments) => settings::run(&arguments),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Detect(arguments) => detect::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        #[cfg(unix)]
        Command::Walk(arguments) => walk::run(&arguments),
        Command::Verify(arguments) => evidence::verify(&arguments),
        Command::Checkpoint(arguments) => evidence::checkpoint(&arguments),
        Command::Db(arguments) => db::run(&arguments.command),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::User(arguments) => user::run(&arguments),
        Command::Completions { shell } => man::completions(shell),
        Command::Man { directory } => man::pages(&directory),
    }
}
