//! `backwatch settings`: what holds in a database, who changed it, and until when.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::storage::PendingChange;
use anomaly_service::{AnomalyService, Loosening, SettingsNews, SettingsRequest};
use anomaly_settings::{Difference, Settings};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use crate::cli::{TextOrJson, key_value, time};
use crate::coverage::paragraph;
use crate::database::{DatabaseOptions, Now};
use crate::exit::{Exit, Failure};
use crate::guard::{self, user};
use crate::report::json;
use crate::report::text::when;

/// Show and change the settings of a database, with who changed what, why, and until when.
///
/// A change that makes Backwatch see less, or people heed less of what it sees, is a system event,
/// ends by itself, and may need a second person: see docs/guarded-settings.md. A settings file lies
/// over what is set here.
///
/// Exit status: 0 done, 1 the change waits for a second person, or some wait (`pending`), 2 wrong
/// usage or settings, 3 refused, 4 failure.
#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    #[command(subcommand)]
    command: SettingsCommand,
}

#[derive(Debug, Subcommand)]
enum SettingsCommand {
    /// Show what holds and is not the default, and what was loosened.
    Show(ShowArguments),
    /// Change settings of the database.
    Set(SetArguments),
    /// Take a setting of the database back to its default, or a scope away.
    Unset(UnsetArguments),
    /// List every version of the settings, oldest first.
    History(ListArguments),
    /// List what waits for a second person.
    Pending(ListArguments),
    /// Approve of a change that waits; whoever asked for it cannot.
    Approve(DecideArguments),
    /// Refuse a change that waits.
    Refuse(DecideArguments),
}

#[derive(Debug, Args)]
struct ShowArguments {
    #[command(flatten)]
    database: DatabaseOptions,

    /// How to show them.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

#[derive(Debug, Args)]
struct ListArguments {
    #[command(flatten)]
    database: DatabaseOptions,

    /// How to show them.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

/// Who changes what, and why.
#[derive(Debug, Args)]
struct Change {
    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    now: Now,

    #[command(flatten)]
    scope: ScopeNames,

    /// Who asks; the user who runs the program when not given.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,

    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// For which jobs; for all when nothing is named.
#[derive(Debug, Args)]
struct ScopeNames {
    /// Only for jobs of this client.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,

    /// Only for jobs of this policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// Only for jobs of policies of this type.
    #[arg(long, value_name = "TYPE")]
    policy_type: Option<String>,

    /// Only for jobs of this schedule type.
    #[arg(long, value_name = "TYPE")]
    schedule_type: Option<String>,
}

#[derive(Debug, Args)]
struct SetArguments {
    /// What is to be what, such as `detection.rules.clock=false`. Those of a scope replace all that
    /// the scope had.
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = key_value)]
    changes: Vec<(String, String)>,

    /// Until when, if it loosens: an RFC 3339 time with a zone; after `guard.expires_after_days` when
    /// not given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,

    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
struct UnsetArguments {
    /// Which keys; none for a scope, which goes as a whole.
    #[arg(value_name = "KEY")]
    keys: Vec<String>,

    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
struct DecideArguments {
    /// The number that it waits under.
    number: u64,

    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    now: Now,

    /// Who decides; the user who runs the program when not given.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

pub(crate) fn run(arguments: &SettingsArguments) -> Result<Exit, Failure> {
    match &arguments.command {
        SettingsCommand::Show(arguments) => show(arguments),
        SettingsCommand::Set(arguments) => {
            let change = &arguments.change;
            let parts = match change.scope.toml() {
                Some(names) => scope(&names, &arguments.changes, arguments.until)?,
                None => fleet(&arguments.changes)?,
            };
            ask(change, parts, arguments.until)
        }
        SettingsCommand::Unset(arguments) => {
            let change = &arguments.change;
            let parts = match change.scope.toml() {
                Some(names) => scope(&names, &[], None)?,
                None => known(&arguments.keys)?,
            };
            let parts = parts.into_iter().map(|(part, _)| (part, None)).collect();
            ask(change, parts, None)
        }
        SettingsCommand::History(arguments) => history(arguments),
        SettingsCommand::Pending(arguments) => pending(arguments),
        SettingsCommand::Approve(arguments) => decide(arguments, true),
        SettingsCommand::Refuse(arguments) => decide(arguments, false),
    }
}

/// Parts of the settings, and what each is to be.
type Wanted = Vec<(String, Option<Value>)>;

impl ScopeNames {
    /// As a settings file names it; `None` when nothing is named.
    fn toml(&self) -> Option<String> {
        let names = [
            ("client", &self.client),
            ("policy", &self.policy),
            ("policy_type", &self.policy_type),
            ("schedule_type", &self.schedule_type),
        ];
        let lines: Vec<String> = names
            .into_iter()
            .filter_map(|(key, name)| Some((key, name.as_ref()?)))
            .map(|(key, name)| format!("{key} = {}\n", quoted(name)))
            .collect();
        (!lines.is_empty()).then(|| lines.concat())
    }
}

fn quoted(text: &str) -> String {
    // JSON's strings are TOML's.
    Value::from(text).to_string()
}

/// A scope as a whole.
fn scope(
    names: &str,
    changes: &[(String, String)],
    until: Option<DateTime<Utc>>,
) -> Result<Wanted, Failure> {
    let mut text = format!("[[scope]]\n{names}");
    if let Some(until) = until {
        _ = writeln!(text, "until = \"{}\"", until.to_rfc3339());
    }
    for (key, value) in changes {
        let line = format!("{key} = {value}\n");
        // What is not TOML is taken as a string, as in a flag.
        let is_toml = line.parse::<toml::Table>().is_ok();
        let line = if is_toml {
            line
        } else {
            format!("{key} = {}\n", quoted(value))
        };
        text.push_str(&line);
    }
    let settings = Settings::parse(Path::new("the command line"), &text)?;
    let parts = settings.parts();
    let names: Vec<&str> = parts
        .names()
        .filter(|name| name.starts_with("scope "))
        .collect();
    let wanted = names
        .into_iter()
        .map(|name| (name.to_owned(), parts.get(name).cloned()));
    Ok(wanted.collect())
}

fn fleet(changes: &[(String, String)]) -> Result<Wanted, Failure> {
    let parts = Settings::load(None, [], changes)?.parts();
    let wanted = changes
        .iter()
        .map(|(key, _)| (key.clone(), parts.get(key).cloned()));
    Ok(wanted.collect())
}

fn known(keys: &[String]) -> Result<Wanted, Failure> {
    for key in keys {
        if !Settings::keys().iter().any(|known| known.name == key) {
            // It says what there is.
            Settings::load(None, [], &[(key.clone(), String::new())])?;
        }
    }
    if keys.is_empty() {
        let what = "a setting without a name: give a key, or a scope".to_owned();
        return Err(Failure::NothingKnown { what });
    }
    Ok(keys.iter().map(|key| (key.clone(), None)).collect())
}

fn ask(change: &Change, parts: Wanted, until: Option<DateTime<Utc>>) -> Result<Exit, Failure> {
    let mut service = change.database.open_alone()?;
    let by = change.by.clone().or_else(user).ok_or(Failure::NoReviewer)?;
    let mut exit = Exit::Quiet;
    let mut out = anstream::stdout().lock();
    let request = SettingsRequest {
        parts,
        by,
        reason: change.reason.clone(),
        until,
    };
    let news = service.set_settings(&request, None, change.now.time())?;
    for ((part, _), news) in request.parts.iter().zip(&news) {
        if matches!(news, SettingsNews::Proposed(_)) {
            exit = Exit::Anomalies;
        }
        paragraph(&mut out, &answer(part, news))?;
    }
    Ok(exit)
}

fn answer(part: &str, news: &SettingsNews) -> String {
    match news {
        SettingsNews::Loosened(one) => format!(
            "Loosened: {}. Recorded as a system event of {} severity.",
            guard::in_words(one),
            one.severity()
        ),
        SettingsNews::Proposed(one) => format!(
            "Asked for: {}. Nothing changes until someone else approves.",
            guard::in_words(one)
        ),
        SettingsNews::Changed { before, after, .. } if before == after => {
            format!("{part} is as it was.")
        }
        _ => format!("{part} is changed."),
    }
}

fn show(arguments: &ShowArguments) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Shown {
        settings: Settings,
        not_default: Vec<Difference>,
        loosenings: Vec<Loosening>,
    }

    let (service, off) = arguments.database.open()?;
    let settings = service.settings().clone();
    let not_default = Settings::default().parts().differences(&settings.parts());
    let shown = Shown {
        settings,
        not_default,
        loosenings: off.loosened,
    };
    match arguments.output {
        TextOrJson::Json => json::pretty(io::stdout().lock(), &shown)?,
        TextOrJson::Text => {
            let mut out = anstream::stdout().lock();
            if shown.not_default.is_empty() {
                paragraph(&mut out, "All settings have their defaults.")?;
            }
            for one in &shown.not_default {
                let default = match &one.before {
                    Some(value) => format!(" (default {value})"),
                    None => String::new(),
                };
                let value = one.after.as_ref().map(Value::to_string).unwrap_or_default();
                paragraph(&mut out, &format!("{} = {value}{default}", one.part))?;
            }
            for one in &shown.loosenings {
                let word = if one.holds() {
                    "Loosened"
                } else {
                    "Not in force"
                };
                paragraph(&mut out, &format!("{word}: {}.", guard::in_words(one)))?;
            }
        }
    }
    Ok(Exit::Quiet)
}

fn history(arguments: &ListArguments) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Shown<'a> {
        number: u64,
        at: DateTime<Utc>,
        by: &'a str,
        seconded_by: Option<&'a str>,
        reason: Option<&'a str>,
        changes: &'a [Difference],
    }

    let service = arguments.database.open_alone()?;
    let mut out = anstream::stdout().lock();
    for one in service.settings_history()? {
        match arguments.output {
            TextOrJson::Json => json::line(
                &mut out,
                &Shown {
                    number: one.number,
                    at: one.at,
                    by: &one.by,
                    seconded_by: one.seconded_by.as_deref(),
                    reason: one.reason.as_deref(),
                    changes: &one.changes,
                },
            )?,
            TextOrJson::Text => {
                let second = one.seconded_by.as_deref();
                let second = second
                    .map(|name| format!(" and {name}"))
                    .unwrap_or_default();
                let reason = one
                    .reason
                    .map(|text| format!(" ({text})"))
                    .unwrap_or_default();
                let (at, by, leaf) = (when(one.at), &one.by, one.number);
                let text = format!("{at}  {by}{second}{reason}, leaf {leaf}:");
                paragraph(&mut out, &text)?;
                for change in &one.changes {
                    paragraph(&mut out, &format!("  {}", guard::changed(change)))?;
                }
                if one.changes.is_empty() {
                    writeln!(out, "  nothing that holds changed")?;
                }
            }
        }
    }
    Ok(Exit::Quiet)
}

fn pending(arguments: &ListArguments) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    struct Shown<'a> {
        number: u64,
        #[serde(flatten)]
        change: &'a PendingChange,
    }

    let service: AnomalyService = arguments.database.open_alone()?;
    let pending = service.pending_settings()?;
    let mut out = anstream::stdout().lock();
    for one in &pending {
        let PendingChange {
            proposed_at,
            proposed_by,
            subject,
            reason,
            change,
            expires_at,
            ..
        } = &one.record;
        match arguments.output {
            TextOrJson::Json => json::line(
                &mut out,
                &Shown {
                    number: one.number,
                    change: &one.record,
                },
            )?,
            TextOrJson::Text => {
                let reason = reason.as_ref().map(|text| format!(" ({text})"));
                let end = expires_at.map(|end| format!("; lapses {}", when(end)));
                let text = format!(
                    "{}: {subject} from {} to {}, asked for by {proposed_by} {}{}{}",
                    one.number,
                    change["before"],
                    change["after"],
                    when(*proposed_at),
                    reason.unwrap_or_default(),
                    end.unwrap_or_default()
                );
                paragraph(&mut out, &text)?;
            }
        }
    }
    if pending.is_empty() {
        if arguments.output == TextOrJson::Text {
            paragraph(&mut out, "Nothing waits for a second person.")?;
        }
        return Ok(Exit::Quiet);
    }
    Ok(Exit::Anomalies)
}

fn decide(arguments: &DecideArguments, accepted: bool) -> Result<Exit, Failure> {
    let mut service = arguments.database.open_alone()?;
    let by = arguments.by.clone().or_else(user);
    let by = by.ok_or(Failure::NoReviewer)?;
    let now = arguments.now.time();
    let one = service.decide_setting(arguments.number, accepted, &by, now)?;
    let word = if accepted { "Loosened" } else { "Refused" };
    let text = format!("{word}: {}.", guard::in_words(&one));
    paragraph(&mut anstream::stdout().lock(), &text)?;
    Ok(Exit::Quiet)
}
