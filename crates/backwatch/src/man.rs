//! Completions and manual pages, made from the command line's own definition.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Failure};

pub(crate) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "backwatch", &mut script);
    anstream::stdout().write_all(&script)?;
    Ok(Exit::Quiet)
}

pub(crate) fn pages(directory: &Path) -> Result<Exit, Failure> {
    let failed = |source| Failure::Create {
        path: directory.to_owned(),
        source,
    };
    fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), directory).map_err(failed)?;
    Ok(Exit::Quiet)
}
