#![doc = include_str!("../README.md")]

mod backoff;
mod body;
mod command;
mod email;
mod error;
mod event;
mod file;
mod host;
mod options;
mod quiet;
mod scope;
mod secret;
mod sink;
mod syslog;
mod text;
mod tls;
mod webhook;

pub use backoff::Backoff;
pub use error::NotifyError;
pub use event::{
    AnomalyLine, AnomalyNews, Event, IncidentChange, IncidentNews, RecoveryLine, ReviewNews,
    SystemKind, SystemNews, Topic, What,
};
pub use options::{
    Channel, CommandOptions, EmailOptions, Facility, FileOptions, Format, MailTls, SinkOptions,
    SyslogOptions, Transport, WebhookOptions, check_names,
};
pub use quiet::QuietHours;
pub use scope::SinkScope;
pub use sink::Sink;
pub use webhook::signature;
