//! `backwatch anomalies`: what was found, and what people decide about it.

mod list;
mod review;
mod show;

use clap::{Args, Subcommand};

use crate::exit::{Exit, Failure};

/// List anomalies, show one, or take down what they were.
#[derive(Debug, Args)]
pub(crate) struct AnomaliesArguments {
    #[command(subcommand)]
    command: AnomaliesCommand,
}

#[derive(Debug, Subcommand)]
enum AnomaliesCommand {
    List(list::ListArguments),
    Show(show::ShowArguments),
    Review(review::ReviewArguments),
}

pub(crate) fn run(arguments: &AnomaliesArguments) -> Result<Exit, Failure> {
    match &arguments.command {
        AnomaliesCommand::List(arguments) => list::run(arguments),
        AnomaliesCommand::Show(arguments) => show::run(arguments),
        AnomaliesCommand::Review(arguments) => review::run(arguments),
    }
}
