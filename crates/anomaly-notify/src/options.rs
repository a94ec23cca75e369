//! What is told to whom, and how: `[[sinks]]` of the configuration.

mod command;
mod email;
mod file;
mod format;
mod syslog;
mod webhook;

use anomaly_model::Severity;
use serde::Deserialize;

pub use command::CommandOptions;
pub use email::{EmailOptions, MailTls};
pub use file::FileOptions;
pub use format::Format;
pub use syslog::{Facility, SyslogOptions, Transport};
pub use webhook::WebhookOptions;
pub(crate) use webhook::shown;

use crate::quiet::{self, QuietHours};
use crate::{NotifyError, SinkScope, Topic};

/// One who is told: one `[[sinks]]` of the configuration.
///
/// An unknown key, a value that is not allowed, and none or several of the tables that say how
/// (`[sinks.webhook]` and the like) are errors where it is read.
///
/// ```
/// use anomaly_notify::SinkOptions;
/// let refused: Result<SinkOptions, _> = toml::from_str(r#"
///     name = "siem"
///     [webhook]
///     url = "http://siem.example/events"
/// "#);
/// assert!(refused.unwrap_err().to_string().contains("https"));
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "RawSink")]
#[non_exhaustive]
pub struct SinkOptions {
    /// Its name: lower-case letters, digits, `-` and `_`, at most 64. The outbox knows it by this.
    pub name: String,
    /// The least severity that it is told; `low` unless set.
    pub min_severity: Severity,
    /// What it is told: for e-mail and commands incidents and the watching itself, for others
    /// everything, unless set.
    pub events: Vec<Topic>,
    /// Whose events it is told; everyone's unless set.
    pub scope: SinkScope,
    /// When it is silent.
    pub quiet: Vec<QuietHours>,
    /// How it is told.
    pub channel: Channel,
}

/// How a sink is told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Channel {
    /// `[sinks.webhook]`: a request to a web server.
    Webhook(WebhookOptions),
    /// `[sinks.email]`: a mail.
    Email(EmailOptions),
    /// `[sinks.syslog]`: a message to a syslog server.
    Syslog(SyslogOptions),
    /// `[sinks.file]`: a line at the end of a file.
    File(FileOptions),
    /// `[sinks.command]`: a program of this machine.
    Command(CommandOptions),
}

impl Channel {
    /// The word that stands for it: that of its table.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
            Self::Syslog(_) => "syslog",
            Self::File(_) => "file",
            Self::Command(_) => "command",
        }
    }

    fn check(&self) -> Result<(), NotifyError> {
        match self {
            Self::Webhook(options) => options.check(),
            Self::Email(options) => options.check(),
            Self::Syslog(options) => options.check(),
            Self::File(options) => options.check(),
            Self::Command(options) => options.check(),
        }
    }
}

/// As it is written, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSink {
    name: String,
    #[serde(default = "low")]
    min_severity: Severity,
    events: Option<Vec<Topic>>,
    #[serde(default)]
    scope: SinkScope,
    #[serde(default)]
    quiet: Vec<QuietHours>,
    webhook: Option<WebhookOptions>,
    email: Option<EmailOptions>,
    syslog: Option<SyslogOptions>,
    file: Option<FileOptions>,
    command: Option<CommandOptions>,
}

fn low() -> Severity {
    Severity::Low
}

impl TryFrom<RawSink> for SinkOptions {
    type Error = NotifyError;

    fn try_from(raw: RawSink) -> Result<Self, NotifyError> {
        let of_sink =
            |error: NotifyError| NotifyError::options(format!("sink `{}`: {error}", raw.name));
        if !is_name(&raw.name) {
            return Err(of_sink(NotifyError::options(
                "a name is 1 to 64 of lower-case letters, digits, `-` and `_`",
            )));
        }
        let channels = [
            raw.webhook.map(Channel::Webhook),
            raw.email.map(Channel::Email),
            raw.syslog.map(Channel::Syslog),
            raw.file.map(Channel::File),
            raw.command.map(Channel::Command),
        ];
        let mut channels = channels.into_iter().flatten();
        let (Some(channel), None) = (channels.next(), channels.next()) else {
            return Err(of_sink(NotifyError::options(
                "needs exactly one of the tables webhook, email, syslog, file and command",
            )));
        };
        channel.check().map_err(of_sink)?;
        quiet::check(&raw.quiet).map_err(of_sink)?;
        let events = raw.events.unwrap_or_else(|| usual_events(&channel));
        if events.is_empty() {
            return Err(of_sink(NotifyError::options(
                "`events` is empty: the sink would never be told anything",
            )));
        }
        Ok(Self {
            min_severity: raw.min_severity,
            events,
            scope: raw.scope,
            quiet: raw.quiet,
            channel,
            name: raw.name,
        })
    }
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// A person is told of what belongs together, a program of everything.
fn usual_events(channel: &Channel) -> Vec<Topic> {
    match channel {
        Channel::Email(_) | Channel::Command(_) => vec![Topic::Incident, Topic::System],
        _ => vec![
            Topic::Anomaly,
            Topic::Incident,
            Topic::Review,
            Topic::System,
        ],
    }
}

/// Checks that no two sinks have the same name.
///
/// # Errors
/// [`NotifyError::Options`] with the name that comes twice.
pub fn check_names(sinks: &[SinkOptions]) -> Result<(), NotifyError> {
    let mut names = std::collections::BTreeSet::new();
    match sinks.iter().find(|sink| !names.insert(&sink.name)) {
        Some(twice) => Err(NotifyError::options(format!(
            "two sinks have the name `{}`",
            twice.name
        ))),
        None => Ok(()),
    }
}

/// Refuses a time limit that is none.
fn check_timeout(seconds: u16) -> Result<(), NotifyError> {
    if (1..=600).contains(&seconds) {
        Ok(())
    } else {
        Err(NotifyError::options(format!(
            "`timeout_seconds` is {seconds}: must be 1 to 600"
        )))
    }
}

fn half_a_minute() -> u16 {
    30
}

/// A host and a port, `[::1]:514` or `log.example:514`.
fn host_and_port(key: &str, text: &str) -> Result<(String, u16), NotifyError> {
    let bad = || {
        NotifyError::options(format!(
            "`{key}` is `{text}`: must be a host and a port, `mail.example:587`"
        ))
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let port = port
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(bad)?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let named = url::Host::parse(host).is_ok() || host.parse::<std::net::Ipv6Addr>().is_ok();
    if named {
        Ok((host.to_owned(), port))
    } else {
        Err(bad())
    }
}

/// Whether what is sent to this host stays on this machine.
fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
