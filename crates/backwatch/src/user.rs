//! `backwatch user`: who may sign in to the service.

use std::io::{self, BufRead, IsTerminal, Write as _};
use std::path::PathBuf;
use std::time::SystemTime;

use anomaly_server::{Accounts, Password, Role};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::database::require;
use crate::exit::{Exit, Failure};
use crate::serve::default_database;
use crate::terminal::told;

/// Look after the users of the service: add, list and remove them, give them another password.
///
/// Passwords are asked for; where the input is no terminal, its first line is the password. A service
/// that runs on the same database knows within a second.
///
/// Exit status: 0 done, 2 wrong usage, 4 failure.
#[derive(Debug, Args)]
pub(crate) struct UserArguments {
    /// The database; that of the user's data directory when not given.
    #[arg(long, value_name = "PATH", global = true)]
    db: Option<PathBuf>,

    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add a user.
    Add {
        /// 1 to 64 letters, digits, or any of `. _ - @`.
        name: String,
        /// What the user may do.
        #[arg(long, value_parser = PossibleValuesParser::new(["viewer", "operator", "administrator"]))]
        role: String,
    },
    /// List the users.
    List,
    /// Give a user another password; the user's sessions end.
    Password {
        /// The name.
        name: String,
    },
    /// Take away the second factor of a user who has lost it.
    ResetSecondFactor {
        /// The name.
        name: String,
    },
    /// Remove a user.
    Remove {
        /// The name.
        name: String,
    },
}

/// Who did it, for the audit log: whoever may write the database.
const BY: &str = "the command line";

pub(crate) fn run(arguments: &UserArguments) -> Result<Exit, Failure> {
    let database = match &arguments.db {
        Some(path) => path.clone(),
        None => default_database()?,
    };
    // The first user may be there before the first job.
    if !matches!(arguments.command, UserCommand::Add { .. }) {
        require(&database)?;
    }
    let mut service = AnomalyService::open(database, Settings::default())?;
    let now = SystemTime::now().into();
    let by = (BY, now);
    let done = match &arguments.command {
        UserCommand::List => {
            let mut output = anstream::stdout().lock();
            for (name, user) in &Accounts::load(&service)?.users {
                let factor = if user.has_second_factor() {
                    ", second factor"
                } else {
                    ""
                };
                writeln!(output, "{name}: {}{factor}", user.role)?;
            }
            return Ok(Exit::Quiet);
        }
        UserCommand::Add { name, role } => {
            let role = Role::from_word(role).unwrap_or(Role::Viewer);
            let password = password()?;
            Accounts::change(&mut service, now, |accounts| {
                Ok(((), Some(accounts.add_user(name, password, role, by)?)))
            })?;
            format!("{name} may sign in, as {role}.")
        }
        UserCommand::Password { name } => {
            let password = password()?;
            Accounts::change(&mut service, now, |accounts| {
                Ok(((), Some(accounts.set_password(name, password, by)?)))
            })?;
            return told(&format!(
                "{name} has another password; sessions have ended."
            ));
        }
        UserCommand::ResetSecondFactor { name } => {
            Accounts::change(&mut service, now, |accounts| {
                Ok(((), Some(accounts.remove_second_factor(name, by)?)))
            })?;
            format!("{name} has no second factor any more.")
        }
        UserCommand::Remove { name } => {
            Accounts::change(&mut service, now, |accounts| {
                Ok(((), Some(accounts.remove_user(name, by)?)))
            })?;
            format!("{name} is no user any more.")
        }
    };
    told(&done)
}

/// A password that is asked for, or the first line of an input that is no terminal.
fn password() -> Result<Password, Failure> {
    if io::stdin().is_terminal() {
        return Ok(Password::new(&rpassword::prompt_password("Password: ")?)?);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(Password::new(line.trim_end_matches(['\n', '\r']))?)
}
