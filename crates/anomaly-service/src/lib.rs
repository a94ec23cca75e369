#![doc = include_str!("../README.md")]

mod backtest;
#[cfg(doctest)]
mod book;
mod error;
mod guard;
mod kept;
mod observed;
mod report;
mod review;
mod service;
mod session;
mod ticks;

pub use anomaly_engine::{LearnError, PastStream, Population, PopulationError};
pub use backtest::{
    Alarms, Backtest, BacktestProgress, BacktestReport, ChangedAnomaly, Changes, StoredDifference,
    StreamChange,
};
pub use error::{ModelFault, ServiceError, SettingsRefused};
pub use guard::{Loosening, LooseningState, SettingsNews, is_same_person};
pub use kept::asked_to_keep_longer;
pub use observed::{BatchSummary, NotKept, Novelty, Observed};
pub use report::{IncidentReport, Proposal, StreamPage, TickReport};
pub use review::{Expected, ReviewChange, ReviewRefused, ReviewRequest, Reviewed};
pub use service::{AnomalyService, GuardReport, SettingsRequest, SettingsRevision, StreamCopy};

/// The vocabulary of jobs and verdicts.
pub use anomaly_model as model;
/// Every knob.
pub use anomaly_settings as settings;
/// Where jobs and verdicts are kept.
pub use anomaly_storage as storage;
