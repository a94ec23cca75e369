#![doc = include_str!("../README.md")]

mod account;
mod api;
mod app;
mod backtests;
mod bell;
mod calendar;
mod certificates;
mod connections;
mod damage;
mod delivery;
mod duties;
mod error;
mod explain;
mod gather;
mod guard;
mod hashing;
mod identity;
mod instance;
mod live;
mod meters;
mod news;
mod options;
mod outage;
mod problem;
mod readers;
mod routes;
mod seats;
mod security;
mod server;
mod sessions;
mod system;
mod teller;
mod throttle;
mod timers;
mod wanted;
mod web;
mod writer;

pub use account::{Accounts, AccountsError, Password, Role, User};
pub use error::ServerError;
pub use gather::{
    BareosOptions, DirectoryOptions, GatherOptions, NetBackupOptions, RepositoryOptions, SourceKind,
};
pub use options::{ServerOptions, TlsOptions};
pub use server::Server;
