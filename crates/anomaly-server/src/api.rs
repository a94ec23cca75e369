//! `/api/v1`: what programs ask.

pub(crate) mod anomalies;
pub(crate) mod audit;
pub(crate) mod backtests;
mod body;
mod cursor;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod incidents;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod metrics;
pub(crate) mod notifications;
pub(crate) mod openapi;
mod page;
mod path;
pub(crate) mod proofs;
pub(crate) mod recovery;
#[cfg(test)]
mod reference;
pub(crate) mod reviews;
pub(crate) mod settings;
pub(crate) mod sources;
pub(crate) mod streams;
pub(crate) mod users;

pub(crate) use anomalies::Filter;
pub(crate) use audit::Filter as AuditFilter;
pub(crate) use body::{Asked, Body};
pub(crate) use cursor::Cursor;
use page::Limit;
pub(crate) use page::Page;
pub(crate) use path::{InPath, JobPath, job_in_path};
